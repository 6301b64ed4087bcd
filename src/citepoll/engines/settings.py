"""Reading an engine's settings: what a project file may get wrong is said in words before anything is sent."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from citepoll.engines.base import Facts
from citepoll.errors import EngineError
from citepoll.model import Query

GIVEN = frozenset({"model", "country", "language", "seed"})
"""Names that the sampler adds to every engine's settings."""

LOCATION: Mapping[str, str] = {
    "city": "the asker's city, free text (none)",
    "region": "the asker's region or state, free text (none)",
    "timezone": "the asker's IANA time zone, as Europe/Berlin (none)",
}
"""The settings that `Settings.location` reads, for the `settings` of an engine's facts."""

_COUNTRY = re.compile(r"[A-Za-z]{2}")
_LANGUAGE = re.compile(r"([A-Za-z]{2,3})(?:[-_][A-Za-z0-9]{2,8})*")


@dataclass(frozen=True, slots=True)
class Settings:
    """The settings of one asking, read by name. Every reader raises `EngineError` for a value of the wrong kind."""

    facts: Facts
    values: Mapping[str, object]

    def model(self) -> str:
        """The model asked for, else the engine's default."""
        found = self.text("model") or self.facts.default_model
        if not found:
            raise EngineError(f"{self.facts.id} needs a model.", 'Add model = "…" to the [[engine]] in citepoll.toml.')
        return found

    def text(self, name: str) -> str | None:
        """None where the setting is absent or empty."""
        value = self.values.get(name)
        if value is None or value == "":
            return None
        if not isinstance(value, str):
            raise self._wrong(name, "text")
        return value

    def choice(self, name: str, *allowed: str) -> str | None:
        value = self.text(name)
        if value is not None and value not in allowed:
            raise self._wrong(name, f"one of {', '.join(allowed)}")
        return value

    def whole(self, name: str, low: int, high: int) -> int | None:
        value = self.values.get(name)
        if value is None:
            return None
        if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
            raise self._wrong(name, f"a whole number from {low} to {high}")
        return value

    def flag(self, name: str, default: bool) -> bool:
        value = self.values.get(name)
        if value is None:
            return default
        if not isinstance(value, bool):
            raise self._wrong(name, "true or false")
        return value

    def country(self, query: Query) -> str | None:
        """ISO 3166-1 alpha-2 in upper case: the engine's, else the market of the question, else None. UK reads as GB."""
        given = self.text("country")
        if given is not None and not _COUNTRY.fullmatch(given):
            raise self._wrong("country", "two letters, as DE")
        found = (given or query.market).upper()
        return None if not _COUNTRY.fullmatch(found) else "GB" if found == "UK" else found

    def language(self, query: Query) -> str | None:
        """ISO 639 in lower case without a region: the engine's, else that of the question, else None."""
        given = self.text("language")
        found = _LANGUAGE.fullmatch(given if given is not None else query.language)
        if found is None and given is not None:
            raise self._wrong("language", "two letters, as de")
        return found[1].lower() if found else None

    def location(self, query: Query) -> dict[str, str]:
        """Country, city, region and time zone, those that are known: fields of an approximate `user_location`."""
        parts = {"country": self.country(query), **{name: self.text(name) for name in LOCATION}}
        return {name: part for name, part in parts.items() if part}

    def _wrong(self, name: str, wanted: str) -> EngineError:
        meaning = self.facts.settings.get(name)
        return EngineError(
            f"The setting {name} = {self.values[name]!r} of {self.facts.id} is not usable.",
            f"Give {wanted}{f': {meaning}' if meaning else ''}.",
        )


def read(facts: Facts, values: Mapping[str, object]) -> Settings:
    """The settings, after a look at their names. Raises `EngineError` for a name that the engine does not know."""
    unknown = sorted(set(values) - set(facts.settings) - GIVEN)
    if unknown:
        known = ", ".join(sorted(facts.settings)) or "none beside model, country and language"
        raise EngineError(f"{facts.id} has no setting {unknown[0]!r}.", f"It knows {known}.")
    return Settings(facts, values)
