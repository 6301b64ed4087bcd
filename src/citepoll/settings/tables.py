"""citepoll.toml as it is written: a struct for each table, with the bounds of its values."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Annotated, Any, Literal

import msgspec

from citepoll.channels import Security

FILE = "citepoll.toml"

_Text = Annotated[str, msgspec.Meta(min_length=1)]
_Runs = Annotated[int, msgspec.Meta(ge=1, le=1000)]
_Positive = Annotated[float, msgspec.Meta(gt=0, le=1e9)]
_Weight = Annotated[float, msgspec.Meta(ge=0, le=1e9)]
_Count = Annotated[int, msgspec.Meta(ge=0, le=10**9)]


class Strict(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    pass


class Alias(Strict, frozen=True):
    text: _Text
    case_sensitive: bool = False
    needs: tuple[_Text, ...] = ()
    excludes: tuple[_Text, ...] = ()


class Owned(Strict, frozen=True):
    rule: _Text
    valid_from: date | None = None
    valid_to: date | None = None


class Brand(Strict, frozen=True):
    name: _Text
    aliases: tuple[_Text | Alias, ...] = ()
    owns: tuple[_Text | Owned, ...] = ()
    category: str = ""


class Engine(Strict, frozen=True):
    id: _Text
    name: str = ""
    model: str | None = None
    runs: _Runs = 3
    weight: _Positive | None = None
    country: str | None = None
    language: str | None = None
    settings: dict[str, Any] = {}


class Queries(Strict, frozen=True):
    file: str = "queries.toml"
    language: _Text = "en"
    market: str = "US"


class Budget(Strict, frozen=True):
    per_cycle_usd: _Positive | None = None
    per_engine_usd: dict[str, _Positive] = {}


class Price(Strict, frozen=True, omit_defaults=True):
    input: _Weight | None = None
    output: _Weight | None = None
    per_search: _Weight | None = None
    per_call: _Weight | None = None
    expected: _Weight | None = None
    tokens_in: _Count | None = None
    tokens_out: _Count | None = None
    searches: _Count | None = None


class Limit(Strict, frozen=True):
    at_once: Annotated[int, msgspec.Meta(ge=1, le=1000)] = 8
    per_minute: _Positive | None = None


class Cadence(Strict, frozen=True):
    every: Literal["weekly", "fortnightly", "monthly", "quarterly"] | None = None


class Schedule(Strict, frozen=True):
    every: Literal["weekly", "fortnightly", "monthly", "quarterly"] | None = None
    at: Annotated[str, msgspec.Meta(pattern=r"^([01]\d|2[0-3]):[0-5]\d$")] = "06:00"
    cron: _Text | None = None
    time_zone: _Text | None = None
    over: _Text | None = None
    catch_up: bool = True
    enabled: bool = True


class Retention(Strict, frozen=True):
    raw_months: Annotated[int, msgspec.Meta(ge=1, le=1200)] | None = None


class Smtp(Strict, frozen=True):
    host: _Text
    sender: _Text = msgspec.field(name="from")
    port: Annotated[int, msgspec.Meta(ge=1, le=65535)] | None = None
    security: Security = "starttls"
    user: _Text | None = None


class Webhook(Strict, frozen=True):
    name: _Text
    url: _Text
    form: Literal["slack", "json"] = "json"
    secret: _Text | None = None


class Alerts(Strict, frozen=True):
    watch: tuple[_Text, ...] = ()
    digest: Literal["daily", "weekly"] | None = None
    email: tuple[_Text, ...] = ()
    smtp: Smtp | None = None
    webhook: tuple[Webhook, ...] = ()


class Blend(Strict, frozen=True):
    mix_surfaces: bool = False


class Source(Strict, frozen=True):
    domain: _Text
    class_: _Text = msgspec.field(name="class")
    reason: _Text


class Target(Strict, frozen=True):
    metric: _Text
    value: Annotated[float, msgspec.Meta(gt=0, le=1)]
    by: date


class File(Strict, frozen=True):
    brand: Brand
    competitor: tuple[Brand, ...] = ()
    engine: tuple[Engine, ...] = ()
    queries: Queries = Queries()
    budget: Budget = Budget()
    prices: dict[str, Price] = {}
    limits: dict[str, Limit] = {}
    cadence: Cadence = Cadence()
    schedule: Schedule | None = None
    retention: Retention = Retention()
    alerts: Alerts = Alerts()
    blend: Blend = Blend()
    intent_weights: dict[str, _Weight] = {}
    source: tuple[Source, ...] = ()
    target: tuple[Target, ...] = ()
    seed: str = "citepoll"
    time_zone: str = "UTC"


_TABLES: Mapping[str, type[msgspec.Struct]] = {
    "brand": Brand,
    "competitor": Brand,
    "engine": Engine,
    "queries": Queries,
    "budget": Budget,
    "prices": Price,
    "limits": Limit,
    "cadence": Cadence,
    "schedule": Schedule,
    "retention": Retention,
    "alerts": Alerts,
    "smtp": Smtp,
    "webhook": Webhook,
    "blend": Blend,
    "source": Source,
    "target": Target,
    "aliases": Alias,
    "owns": Owned,
}


def known_at(steps: list[str | int]) -> tuple[str, ...]:
    """The settings of the table that `steps` lead to; of the file where they name none."""
    names = [s for s in steps if isinstance(s, str)]
    return (_TABLES[names[-1]] if names else File).__struct_encode_fields__
