import base64
import json
from html import escape
from urllib.parse import quote, quote_plus

import pytest
from hypothesis import given
from hypothesis import strategies as st

from citepoll.engines.redaction import redact

KEY = "k3y+/=&x y"


@pytest.mark.parametrize(
    "written",
    [
        KEY,
        quote(KEY, safe=""),
        quote(KEY),
        quote_plus(KEY),
        quote(KEY, safe="").lower(),
        quote(quote(KEY, safe=""), safe=""),
        KEY.replace("/", "\\/"),
        KEY.replace("+", "\\u002B").replace("=", "\\u003d").replace("&", "\\u0026"),
        escape(KEY),
        KEY.replace("&", "&#38;").replace("+", "&#x2B;"),
        base64.b64encode(KEY.encode()).decode(),
        quote(base64.b64encode(KEY.encode()).decode(), safe=""),
    ],
)
def test_a_key_goes_in_every_form_that_an_echo_writes_it_in(written):
    body = f'{{"a": "https://v.example/s?api_key={written}&q=x"}}'.encode()
    assert redact(body, KEY) == b'{"a": "https://v.example/s?api_key=[redacted]&q=x"}'


def test_every_occurrence_goes_and_the_rest_stays_byte_for_byte():
    assert redact(b"\xff s3cret \x00 s3cret", "s3cret") == b"\xff [redacted] \x00 [redacted]"


def test_a_plain_key_is_not_found_inside_other_letters_of_another_case():
    assert redact(b"ABCDEF", "abcdef") == b"ABCDEF"


def test_of_a_login_and_password_the_password_alone_is_enough():
    assert redact(b"wrong password 0123456789abcdef for me@x.example", "me@x.example:0123456789abcdef") == (
        b"wrong password [redacted] for me@x.example"
    )


def test_a_body_without_the_key_and_an_empty_key_change_nothing():
    assert redact(b'{"a": 1}', "other") == b'{"a": 1}'
    assert redact(b'{"a": 1}', "") == b'{"a": 1}'


@given(st.text(min_size=1, max_size=20), st.binary(max_size=40))
def test_no_key_survives_whatever_its_characters(key, around):
    raw = key.encode("utf-8", "surrogatepass")
    for written in (raw, quote(raw, safe="").encode(), base64.b64encode(raw)):
        assert raw == b"[" or written not in redact(around + written + b" ", key).replace(b"[redacted]", b"")


@given(st.text("abcXYZ0189-_.~+/=:&%", min_size=8, max_size=40))
def test_json_that_echoes_the_key_stays_json(key):
    echoed = json.dumps({"url": f"https://v.example/?api_key={quote(key)}", "words": "fine"}).encode()
    assert json.loads(redact(echoed, key)) == {"url": "https://v.example/?api_key=[redacted]", "words": "fine"}
