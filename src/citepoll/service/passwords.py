"""Passwords: what is accepted, and argon2. A hash needs 64 MiB while it is made, so few are made at once."""

from __future__ import annotations

import unicodedata
from threading import BoundedSemaphore

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from citepoll.errors import InputError

SHORTEST = 12
LONGEST = 1024
"""Characters. The upper bound keeps a request from making work."""

_hasher = PasswordHasher()
_few = BoundedSemaphore(2)
_NOBODYS = "$argon2id$v=19$m=65536,t=3,p=4$aVSR/hASJfdCLMJZ26/YFw$YuRndNIkZ9SflyNNpJnPziUdPZjFUSLZS4S0mgyEiLg"


def hashed(password: str, name: str = "") -> str:
    """The argon2id hash to keep. Raises `InputError` for a password that is too short, too long, or the name."""
    text = _normal(password)
    if len(text) < SHORTEST:
        raise InputError(f"The password has {len(text)} characters.", f"Take {SHORTEST} or more; a sentence is good.")
    if len(text) > LONGEST:
        raise InputError(f"The password has more than {LONGEST} characters.", "Take a shorter one.")
    if len(set(text)) < 5 or text.casefold() == name.casefold():
        raise InputError("The password is easy to guess.", "Take one with more letters, and not the name.")
    with _few:
        return _hasher.hash(text)


def fits(kept: str | None, password: str) -> bool:
    """Whether `password` is the one of the hash. With None, nobody's, the same work is done, and the answer is no."""
    text = _normal(password)
    if len(text) > LONGEST:
        return False
    try:
        with _few:
            return _hasher.verify(kept or _NOBODYS, text) and kept is not None
    except (VerificationError, InvalidHashError):
        return False


def outdated(kept: str) -> bool:
    """Whether today's parameters are other than those of the hash."""
    return _hasher.check_needs_rehash(kept)


def rehashed(password: str) -> str:
    with _few:
        return _hasher.hash(_normal(password))


def _normal(password: str) -> str:
    return unicodedata.normalize("NFC", password)
