from datetime import date

import pytest

from citepoll.errors import ProjectError
from citepoll.extract.citations import Ownership
from citepoll.model import Brand, Property
from citepoll.urls import Canonical, canonical


def owned(name, *rules):
    return Brand(name, owns=tuple(r if isinstance(r, Property) else Property(r) for r in rules))


def owner(ownership, raw, on=None):
    url = canonical(raw)
    assert isinstance(url, Canonical)
    return ownership.owner(url, on)


ACME = owned("Acme", "HTTPS://www.Acme.com/", "acme.de", "github.com/acme", "youtube.com/@Acme", "acme.github.io")
BRANDS = (
    ACME,
    owned("Globex", "shop.acme.com", "github.com/acme/globex", "linkedin.com/company/globex/", "xn--fa-hia.de"),
    owned("Hub", "github.com", "github.io"),
)

OWNED = [
    ("https://acme.com/", "Acme"),
    ("https://www.acme.com/a", "Acme"),
    ("https://docs.m.acme.com/a", "Acme"),
    ("https://ACME.com:8443/a", "Acme"),
    ("https://acme.de", "Acme"),
    ("https://acme.co.uk", None),
    ("https://notacme.com", None),
    ("https://acme.com.evil.example", None),
    ("https://shop.acme.com/a", "Globex"),
    ("https://eu.shop.acme.com/a", "Globex"),
    ("https://myshop.acme.com/a", "Acme"),
    ("https://github.com/acme", "Acme"),
    ("https://github.com/Acme/", "Acme"),
    ("https://gist.github.com/acme/1", "Acme"),
    ("https://github.com/acme?tab=repositories", "Acme"),
    ("https://github.com/acme/globex/wiki", "Globex"),
    ("https://github.com/acme/globex-fan", "Acme"),
    ("https://github.com/acmecorp", "Hub"),
    ("https://github.com/", "Hub"),
    ("https://www.youtube.com/@acme/videos", "Acme"),
    ("https://www.youtube.com/%40acme", "Acme"),
    ("https://www.youtube.com/watch?v=acme", None),
    ("https://de.linkedin.com/company/globex", "Globex"),
    ("https://www.linkedin.com/company/globex-inc", None),
    ("https://acme.github.io/docs", "Acme"),
    ("https://other.github.io/docs", None),
    ("https://github.io/", "Hub"),
    ("https://faß.de/", "Globex"),
    ("https://fass.de/", None),
    ("http://127.0.0.1/", None),
]  # fmt: skip


@pytest.mark.parametrize(("raw", "brand"), OWNED)
def test_the_longest_rule_owns_the_url(raw, brand):
    found = owner(Ownership(BRANDS), raw)
    assert (found and found[0]) == brand


def test_the_rule_is_named_as_it_was_written():
    assert owner(Ownership(BRANDS), "https://docs.acme.com/") == ("Acme", "HTTPS://www.Acme.com/")


def test_owners_change_over_time():
    sold = date(2026, 3, 1)
    ownership = Ownership([
        owned("Acme", Property("tool.com", valid_to=date(2026, 2, 28))),
        owned("Globex", Property("tool.com", valid_from=sold)),
    ])  # fmt: skip
    assert ownership.dated
    assert owner(ownership, "https://tool.com/", date(2026, 2, 28)) == ("Acme", "tool.com")
    assert owner(ownership, "https://tool.com/", sold) == ("Globex", "tool.com")
    assert owner(ownership, "https://tool.com/") == ("Globex", "tool.com")
    assert not Ownership(BRANDS).dated


def test_a_rule_that_is_over_gives_way_to_a_shorter_one():
    brands = [owned("Acme", "tool.com"), owned("Globex", Property("tool.com/x", valid_to=date(2026, 1, 1)))]
    assert owner(Ownership(brands), "https://tool.com/x", date(2025, 1, 1)) == ("Globex", "tool.com/x")
    assert owner(Ownership(brands), "https://tool.com/x", date(2026, 1, 2)) == ("Acme", "tool.com")


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("acme.com", "https://www.ACME.com/"),
        ("github.com/acme", "www.github.com/Acme/"),
        (Property("acme.com", valid_from=date(2026, 1, 1)), Property("acme.com", valid_to=date(2026, 1, 1))),
    ],
)
def test_a_tie_is_an_error_that_names_both(one, other):
    with pytest.raises(ProjectError) as wrong:
        Ownership([owned("Acme", one), owned("Globex", other)])
    assert "Acme" in wrong.value.cause
    assert "Globex" in wrong.value.cause
    assert (other if isinstance(other, str) else other.rule) in wrong.value.cause
    assert wrong.value.fix


def test_a_brand_may_say_the_same_twice():
    assert owner(Ownership([owned("Acme", "acme.com", "www.acme.com")]), "https://acme.com/")


@pytest.mark.parametrize(
    "rule",
    [
        "",
        "acme",
        "two words.com",
        "mailto:a@acme.com",
        "acme.com/?id=1",
        "acme.com/#a",
        "google.com/url?q=https://acme.com",
    ],
)
def test_what_is_no_domain_or_path_prefix_is_an_error(rule):
    with pytest.raises(ProjectError) as wrong:
        Ownership([owned("Acme", rule)])
    assert wrong.value.fix


def test_dates_the_wrong_way_round_are_an_error():
    with pytest.raises(ProjectError):
        Ownership([owned("Acme", Property("acme.com", date(2026, 2, 1), date(2026, 1, 1)))])
