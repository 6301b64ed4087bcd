import asyncio
import gzip
import ssl
import time
from datetime import UTC, datetime, timedelta

import httpx2
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from tests.fetch.conftest import drip

from citepoll.errors import FetchError, InputError
from citepoll.fetch.guard import Guard

PUBLIC = "93.184.216.34"


def run(call):
    return asyncio.run(call)


class Wire(httpx2.AsyncBaseTransport):
    """Keeps what would go to the socket; addresses of `dead` take no connection."""

    def __init__(self, dead=()):
        self.sent, self.dead = [], dead

    async def handle_async_request(self, request):
        self.sent.append(request)
        if request.url.host in self.dead:
            raise httpx2.ConnectError("no route")
        return httpx2.Response(200, content=b"")


def named(*answers):
    """A resolver that gives these answers, one for each question, and keeps the questions."""
    left, asked = list(answers), []

    async def lookup(host, port):
        asked.append((host, port))
        return left.pop(0)

    return lookup, asked


# ---------------------------------------------------------------- what is refused


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1/", "http://127.1/", "http://2130706433/", "http://0x7f.1/", "http://[::1]/", "http://10.0.0.1/",
        "http://[::ffff:127.0.0.1]/", "http://169.254.169.254/latest/meta-data", "http://[fd00:ec2::254]/", "http://0/",
        "https://acme.com:22/", "http://acme.com:8080/", "http://user:word@acme.com/", "ftp://acme.com/", "file:///etc/passwd",
        "javascript:alert(1)", "data:text/html,x", "gopher://acme.com/", "//acme.com/", "acme.com", "", "http://", "\ud800",
        "https://acme.com/" + "a" * 9000,
    ],
)  # fmt: skip
def test_addresses_refused_by_their_form(url):
    with pytest.raises(FetchError) as wrong:
        run(Guard(lookup=named()[0]).get(url))
    assert wrong.value.refused
    assert wrong.value.fix


@pytest.mark.parametrize("found", [["127.0.0.1"], [PUBLIC, "10.0.0.1"], ["::1"], ["64:ff9b::7f00:1"]])
def test_a_name_with_an_inner_address_is_refused(found):
    wire = Wire()
    with pytest.raises(FetchError, match="its name leads to") as wrong:
        run(Guard(lookup=named(found)[0], transport=lambda: wire).get("https://acme.com/secret-path"))
    assert wrong.value.refused
    assert not wire.sent
    assert "secret-path" not in str(wrong.value)
    assert "10.0.0.1" not in str(wrong.value)


def test_the_machine_itself_is_refused_by_its_name(site):
    with pytest.raises(FetchError, match="leads to a loopback address"):
        run(Guard(["other:8080"]).get("http://localhost/"))


def test_the_error_of_a_dead_name_shows_host_only():
    async def lookup(host, port):
        raise OSError("no such name")

    with pytest.raises(FetchError) as wrong:
        run(Guard(lookup=lookup).post("https://hooks.example/T0/secret", b"{}"))
    assert not wrong.value.refused
    assert "secret" not in str(wrong.value)


# ---------------------------------------------------------------- the checked address, and the name


def test_the_checked_address_is_the_one_connected_to_and_the_name_is_looked_up_once():
    lookup, asked = named([PUBLIC], ["127.0.0.1"])
    wire = Wire()
    run(Guard(lookup=lookup, transport=lambda: wire).get("https://Acme.com/a%20b?q=1#part"))
    (request,) = wire.sent
    assert asked == [("acme.com", 443)]
    assert str(request.url) == f"https://{PUBLIC}/a%20b?q=1"
    assert request.headers["host"] == "acme.com"
    assert request.extensions["sni_hostname"] == "acme.com"
    assert request.headers["user-agent"].startswith("citepoll/")
    assert not {"cookie", "authorization"} & set(request.headers)


def test_a_second_answer_that_points_inside_is_refused_at_the_next_request():
    guard = Guard(lookup=named([PUBLIC], ["127.0.0.1"])[0], transport=Wire)
    run(guard.get("https://acme.com/"))
    with pytest.raises(FetchError, match="loopback"):
        run(guard.get("https://acme.com/"))


def test_the_next_address_is_tried_where_one_takes_no_connection():
    wire = Wire(dead={PUBLIC})
    guard = Guard(lookup=named([PUBLIC, "2606:4700::1111"])[0], transport=lambda: wire)
    assert run(guard.head("http://acme.com/")).status == 200
    assert [r.url.host for r in wire.sent] == [PUBLIC, "2606:4700::1111"]


def test_the_certificate_is_checked_against_the_name(site, tmp_path):
    """A real handshake with a certificate for acme.test, which its name passes and another one does not."""
    trust = certificate(tmp_path, "acme.test")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(tmp_path / "cert.pem", tmp_path / "key.pem")
    site.socket = context.wrap_socket(site.socket, server_side=True)
    site.routes["/"] = (200, {}, b"here")
    port = site.server_port

    async def lookup(host, _):
        return ["127.0.0.1"]

    guard = Guard(
        [f"acme.test:{port}", f"globex.test:{port}"], lookup=lookup,
        transport=lambda: httpx2.AsyncHTTPTransport(verify=trust, trust_env=False),
    )  # fmt: skip
    assert run(guard.get(f"https://acme.test:{port}/", accept_bytes=10)).body == b"here"
    with pytest.raises(FetchError, match="certificate"):
        run(guard.get(f"https://globex.test:{port}/", accept_bytes=10))


def certificate(folder, name):
    """A self-signed certificate for `name`, in `folder`; returns a context that trusts it."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder().subject_name(subject).issuer_name(subject).public_key(key.public_key())
        .serial_number(1).not_valid_before(now - timedelta(days=1)).not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )  # fmt: skip
    (folder / "cert.pem").write_bytes(made.public_bytes(serialization.Encoding.PEM))
    (folder / "key.pem").write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    return ssl.create_default_context(cafile=folder / "cert.pem")


# ---------------------------------------------------------------- the allow-list


def test_an_allowed_host_is_open_on_its_port_and_the_usual_ones_only(site, guard):
    site.routes["/"] = (200, {}, b"inside")
    assert run(guard.get(site.url, accept_bytes=100)).body == b"inside"
    with pytest.raises(FetchError, match="not asked for"):
        run(guard.get("http://127.0.0.1:22/"))
    with pytest.raises(FetchError, match="loopback"):
        run(guard.get("http://localhost:80/"))


@pytest.mark.parametrize("entry", ["", "a b", "http://x/", "x/y", "u@h", "h:port"])
def test_an_entry_that_is_no_host_is_answered(entry):
    with pytest.raises(InputError, match="no host"):
        Guard([entry])


# ---------------------------------------------------------------- redirects of get


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_is_followed_as_far_as_allowed(site, guard, status):
    site.redirect("/a", "/b?x=1", status)
    site.routes["/b"] = (200, {}, b"page")
    page = run(guard.get(f"{site.url}/a", accept_bytes=100, redirects=1))
    assert (page.status, page.url, page.body) == (200, f"{site.url}/b?x=1", b"page")
    assert run(guard.get(f"{site.url}/a", accept_bytes=100)).status == status


@pytest.mark.parametrize(
    "location",
    ["http://10.0.0.1/", "https://acme.com:22/", "javascript:alert(1)", "file:///etc/passwd", "http://[::1]/"],
)
def test_every_hop_is_checked(site, guard, location):
    site.redirect("/a", location)
    with pytest.raises(FetchError) as wrong:
        run(guard.get(f"{site.url}/a", redirects=5))
    assert wrong.value.refused


def test_a_loop_ends_after_the_hops(site, guard):
    site.redirect("/a", "/a")
    assert run(guard.head(f"{site.url}/a", redirects=3)).status == 302
    assert len(site.seen) == 4


# ---------------------------------------------------------------- bounds


def test_no_cookie_goes_back(site, guard):
    site.routes["/a"] = (302, {"location": "/b", "set-cookie": "id=1; Path=/"}, b"")
    site.routes["/b"] = (200, {}, b"")
    run(guard.get(f"{site.url}/a", redirects=1))
    assert all("cookie" not in {name.lower() for name in headers} for headers in site.headers)


def test_no_proxy_of_the_environment_is_asked(site, guard, monkeypatch):
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9/")
    site.routes["/"] = (200, {}, b"direct")
    assert run(guard.get(site.url, accept_bytes=10)).body == b"direct"


@pytest.mark.parametrize(
    ("headers", "body"),
    [({}, b"x" * 5000), ({"content-encoding": "gzip"}, gzip.compress(b"x" * 5_000_000))],
    ids=["as sent", "as unpacked"],
)
def test_a_body_larger_than_accepted_is_an_error(site, guard, headers, body):
    site.routes["/"] = (200, headers, body)
    with pytest.raises(FetchError, match=r"more than 4,999 bytes"):
        run(guard.get(site.url, accept_bytes=4999))


def test_a_body_that_fits_is_unpacked(site, guard):
    site.routes["/"] = (200, {"content-encoding": "gzip"}, gzip.compress(b"x" * 5000))
    assert run(guard.get(site.url, accept_bytes=5000)).body == b"x" * 5000


def test_an_encoding_that_was_not_asked_for_is_an_error(site, guard):
    site.routes["/"] = (200, {"content-encoding": "br"}, b"abc")
    with pytest.raises(FetchError, match="encoding"):
        run(guard.get(site.url, accept_bytes=5000))


def test_a_body_that_is_not_wanted_is_not_waited_for(site, guard):
    site.routes["/"] = lambda request: (200, {}, drip(0.05))
    began = time.monotonic()
    assert run(guard.get(site.url)).body == b""
    assert time.monotonic() - began < 2


def test_a_slow_drip_ends_in_time(site, guard):
    site.routes["/"] = lambda request: (200, {}, drip(0.05))
    began = time.monotonic()
    with pytest.raises(FetchError, match=r"within 0\.4 s"):
        run(guard.get(site.url, accept_bytes=10_000, seconds=0.4))
    assert time.monotonic() - began < 3


def test_what_is_no_http_is_an_error(site, guard):
    site.routes["/"] = lambda request: (200, {"content-length": "-5"}, b"")
    with pytest.raises(FetchError, match="gave nothing"):
        run(guard.get(site.url, accept_bytes=10))


# ---------------------------------------------------------------- post


def test_a_hook_gets_its_body_and_headers_and_no_redirect_is_followed(site, guard):
    site.redirect("/hook", "/elsewhere", 307)
    page = run(guard.post(f"{site.url}/hook", b'{"a": 1}', {"Content-Type": "application/json", "Host": "inside"}))
    assert page.status == 307
    assert site.seen == [("POST", "/hook")]
    sent = {name.lower(): value for name, value in site.headers[0].items()}
    assert (sent["content-type"], sent["content-length"], sent["host"]) == ("application/json", "8", site.place)


def test_a_header_that_cannot_be_sent_is_an_error(site, guard):
    with pytest.raises(FetchError):
        run(guard.post(site.url, b"", {"x": "a\r\nhost: inside"}))
    assert not site.seen
