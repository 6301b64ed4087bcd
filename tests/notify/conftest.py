"""Servers on loopback, and a certificate for them that nobody else trusts."""

import ssl
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from tests.notify.servers import Hooks, MailServer

from citepoll.report.letters import Item, Letter


@pytest.fixture
def mail_server():
    opened = []

    def make(context=None):
        opened.append(MailServer(context))
        return opened[-1]

    yield make
    for server in opened:
        server.close()


@pytest.fixture(scope="session")
def certificate(tmp_path_factory):
    """The file of a key and its own certificate, for 127.0.0.1."""
    key, now = ec.generate_private_key(ec.SECP256R1()), datetime.now(UTC)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "here")])
    made = (
        x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
        .serial_number(1).not_valid_before(now - timedelta(days=1)).not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )  # fmt: skip
    path = tmp_path_factory.mktemp("tls") / "here.pem"
    form = serialization.Encoding.PEM
    kept = key.private_bytes(form, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    path.write_bytes(kept + made.public_bytes(form))
    return path


@pytest.fixture
def tls(certificate):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    return context


@pytest.fixture
def hooks():
    server = Hooks()
    yield server
    server.shutdown()
    server.server_close()


@pytest.fixture
def letter(at):
    def make(title="Acme on atlas: up 6 points", link=None, number=1, **more):
        item = Item(
            1, "change", "two", title, ("Cited more.",), "citepoll compare one two", "2026-11-03T09:00:00+00:00", link
        )
        return Letter("acme", "Acme", at, tuple([item] * number), **more)

    return make
