"""Canonical JSON and the tagged content hash: the contract behind every id."""

from __future__ import annotations

import hashlib

import msgspec

_encoder = msgspec.json.Encoder(order="sorted")


def canonical_json(value: object) -> bytes:
    """Encode `value` so that equal values give equal bytes: sorted keys, no spaces, UTF-8.

    `1` and `1.0` differ, as they do in the file. Raises `TypeError` for what JSON cannot hold.
    """
    return _encoder.encode(value)


def content_hash(value: object) -> str:
    """`sha256:` and the hex digest of the canonical JSON of `value`."""
    return bytes_hash(canonical_json(value))


def bytes_hash(data: bytes) -> str:
    """`sha256:` and the hex digest of `data`."""
    return "sha256:" + hashlib.sha256(data).hexdigest()


def short(tagged: str) -> str:
    """The first 12 digits of a tagged hash, for people; never stored."""
    return tagged.removeprefix("sha256:")[:12]
