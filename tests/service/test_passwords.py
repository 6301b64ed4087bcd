import pytest
from argon2 import PasswordHasher
from hypothesis import given, settings
from hypothesis import strategies as st

from citepoll.errors import InputError
from citepoll.service import passwords

QUICK = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)


def test_a_hash_is_argon2id_with_the_memory_that_is_advised():
    kept = passwords.hashed("a fork in the garden")
    assert kept.startswith("$argon2id$v=19$m=65536,t=3,p=4$")
    assert passwords.fits(kept, "a fork in the garden")
    assert not passwords.fits(kept, "a fork in the gardeN")
    assert not passwords.outdated(kept)


def test_a_name_that_nobody_has_costs_the_same_work_and_fits_nothing():
    assert not passwords.outdated(passwords._NOBODYS)
    assert not passwords.fits(None, "nobody at all")


def test_an_older_hash_is_known_as_such():
    assert passwords.outdated(QUICK.hash("a fork in the garden"))


@pytest.mark.parametrize("text", ["", "elevenchars", "x" * 1025, "aaaaaaaaaaaaaaaa", "olga-petersen"])
def test_what_is_too_short_too_long_or_easy_is_refused_and_not_shown(text):
    with pytest.raises(InputError) as refused:
        passwords.hashed(text, "Olga-Petersen")
    assert not text or text not in str(refused.value)


@settings(max_examples=20)
@given(st.text(min_size=12, max_size=40).filter(lambda text: len(set(text)) >= 10))
def test_what_was_hashed_fits_however_it_was_composed(text):
    kept = QUICK.hash(passwords._normal(text).encode("utf-8", "surrogatepass"))
    assert passwords.fits(kept, text)
