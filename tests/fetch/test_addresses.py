import ipaddress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from citepoll.fetch.addresses import kept_out


@pytest.mark.parametrize(
    ("address", "words"),
    [
        ("127.0.0.1", "loopback"), ("127.255.255.254", "loopback"), ("::1", "loopback"), ("0.0.0.0", "unspecified"),
        ("::", "unspecified"), ("10.0.0.1", "private"), ("172.16.0.1", "private"), ("192.168.1.1", "private"),
        ("fd00::1", "private"), ("fc00::1", "private"), ("169.254.1.1", "link-local"), ("fe80::1%2", "link-local"),
        ("169.254.169.254", "metadata"), ("fd00:ec2::254", "metadata"), ("168.63.129.16", "metadata"),
        ("224.0.0.1", "multicast"), ("ff02::1", "multicast"), ("240.0.0.1", "reserved"), ("255.255.255.255", "reserved"),
        ("fec0::1", "reserved"), ("100.64.0.1", "no public"), ("192.0.2.1", "private"), ("2001:db8::1", "private"),
        ("::ffff:127.0.0.1", "loopback"), ("::ffff:169.254.169.254", "metadata"), ("64:ff9b::10.0.0.1", "private"),
        ("64:ff9b:1::10.0.0.1", "reserved"), ("2002:7f00:1::", "loopback"), ("2002:a9fe:a9fe::1", "metadata"),
        ("2001:0:4136:e378:8000:63bf:3fff:fdd2", "tunnel"), ("::127.0.0.1", "reserved"),
    ],
)  # fmt: skip
def test_inner_addresses_are_kept_out_in_every_form(address, words):
    assert words in kept_out(address)


@pytest.mark.parametrize(
    "address", ["8.8.8.8", "93.184.216.34", "2606:4700::1111", "::ffff:8.8.8.8", "64:ff9b::8.8.8.8"]
)
def test_public_addresses_are_open(address):
    assert kept_out(address) is None


@given(st.integers(0, 2**32 - 1).map(ipaddress.IPv4Address))
def test_an_address_within_another_is_judged_as_itself(inner):
    plain = kept_out(str(inner))
    for outer in (f"::ffff:{inner}", f"64:ff9b::{inner}", str(ipaddress.IPv6Address(0x2002 << 112 | int(inner) << 80))):
        assert kept_out(outer) == plain


def test_a_name_is_no_address():
    with pytest.raises(ValueError, match="localhost"):
        kept_out("localhost")
