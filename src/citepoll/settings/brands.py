"""The brands of citepoll.toml: names that are told apart, and what each of them owns."""

from __future__ import annotations

from collections.abc import Sequence

from citepoll.errors import ProjectError
from citepoll.extract.citations import Ownership
from citepoll.model import Alias, Brand, Property
from citepoll.settings import tables
from citepoll.settings.lines import line_of
from citepoll.settings.tables import FILE


def read_brands(file: tables.File, text: str) -> tuple[Brand, ...]:
    """The brands of the file, the tracked one first. Raises `ProjectError` for names and properties that collide."""
    brands = (_brand(file.brand, tracked=True), *(_brand(b, tracked=False) for b in file.competitor))
    names = [b.name.casefold() for b in brands]
    for at, name in enumerate(names):
        if name in names[:at]:
            line = line_of(text, ["competitor", at - 1, "name"])
            raise ProjectError(
                f"{FILE}, line {line}: the brand {brands[at].name!r} stands twice.", "Give each brand one entry."
            )
    _check_aliases(brands, text)
    try:
        Ownership(brands)
    except ProjectError as wrong:
        raise ProjectError(f"{FILE}: {wrong.cause}", wrong.fix) from None
    return brands


def _check_aliases(brands: Sequence[Brand], text: str) -> None:
    """Refuse a name that two brands go by: it could be counted for neither."""
    owners: dict[str, str] = {}
    for at, brand in enumerate(brands):
        for alias in brand.aliases:
            other = owners.setdefault(alias.text.casefold(), brand.name)
            if other != brand.name:
                line = line_of(text, ["competitor", at - 1, "name"])
                raise ProjectError(
                    f"{FILE}, line {line}: {other!r} and {brand.name!r} both go by {alias.text!r}.",
                    "Leave the name with one of them: a mention of it would count for neither.",
                )


def _brand(entry: tables.Brand, *, tracked: bool) -> Brand:
    aliases = [a if isinstance(a, tables.Alias) else tables.Alias(a) for a in entry.aliases]
    if not any(a.text.casefold() == entry.name.casefold() for a in aliases):
        aliases.insert(0, tables.Alias(entry.name))
    owned = [o if isinstance(o, tables.Owned) else tables.Owned(o) for o in entry.owns]
    return Brand(
        name=entry.name,
        aliases=tuple(Alias(a.text, a.case_sensitive, a.needs, a.excludes) for a in aliases),
        owns=tuple(Property(o.rule, o.valid_from, o.valid_to) for o in owned),
        tracked=tracked,
    )
