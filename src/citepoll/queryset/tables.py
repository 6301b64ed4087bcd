"""The data tables that lie beside this package's code as TOML: rules, word lists, templates."""

from __future__ import annotations

import tomllib
from functools import cache
from importlib.resources import files
from typing import Any


@cache
def table(name: str) -> dict[str, Any]:
    """The table `name`.toml of this package, read once."""
    return tomllib.loads(files("citepoll.queryset").joinpath(f"{name}.toml").read_text("utf-8"))


def primary(language: str) -> str:
    """The language without region or script: `pt` of `pt-BR`."""
    return language.split("-")[0].lower()
