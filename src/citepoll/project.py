"""citepoll.toml and the environment become one frozen Project. The only reader of os.environ."""

from __future__ import annotations

import os
import re
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, tzinfo
from importlib import import_module
from pathlib import Path
from typing import Annotated, Any, Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import msgspec

from citepoll import channels
from citepoll.channels import Alerts, Hook, Security
from citepoll.engines import REGISTRY
from citepoll.errors import InputError, ProjectError
from citepoll.explain.sources import SourceTable
from citepoll.explain.targets import METRICS_AIMED_AT, Goal
from citepoll.extract.citations import Ownership
from citepoll.hashing import content_hash
from citepoll.model import INTENTS, Alias, Brand, Engine, Property, Surface, normal_text
from citepoll.schedule import Schedule, check_cron, check_over, cron_of

FILE = "citepoll.toml"
DATA = ".citepoll"

_Text = Annotated[str, msgspec.Meta(min_length=1)]
_Runs = Annotated[int, msgspec.Meta(ge=1, le=1000)]
_Positive = Annotated[float, msgspec.Meta(gt=0, le=1e9)]
_Weight = Annotated[float, msgspec.Meta(ge=0, le=1e9)]
_Count = Annotated[int, msgspec.Meta(ge=0, le=10**9)]


class _Strict(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    pass


class _Alias(_Strict, frozen=True):
    text: _Text
    case_sensitive: bool = False
    needs: tuple[_Text, ...] = ()
    excludes: tuple[_Text, ...] = ()


class _Owned(_Strict, frozen=True):
    rule: _Text
    valid_from: date | None = None
    valid_to: date | None = None


class _Brand(_Strict, frozen=True):
    name: _Text
    aliases: tuple[_Text | _Alias, ...] = ()
    owns: tuple[_Text | _Owned, ...] = ()
    category: str = ""


class _Engine(_Strict, frozen=True):
    id: _Text
    name: str = ""
    model: str | None = None
    runs: _Runs = 3
    weight: _Positive | None = None
    country: str | None = None
    language: str | None = None
    settings: dict[str, Any] = {}


class _Queries(_Strict, frozen=True):
    file: str = "queries.toml"
    language: _Text = "en"
    market: str = "US"


class _Budget(_Strict, frozen=True):
    per_cycle_usd: _Positive | None = None
    per_engine_usd: dict[str, _Positive] = {}


class _Price(_Strict, frozen=True, omit_defaults=True):
    input: _Weight | None = None
    output: _Weight | None = None
    per_search: _Weight | None = None
    per_call: _Weight | None = None
    expected: _Weight | None = None
    tokens_in: _Count | None = None
    tokens_out: _Count | None = None
    searches: _Count | None = None


class _Limit(_Strict, frozen=True):
    at_once: Annotated[int, msgspec.Meta(ge=1, le=1000)] = 8
    per_minute: _Positive | None = None


class _Cadence(_Strict, frozen=True):
    every: Literal["weekly", "fortnightly", "monthly", "quarterly"] | None = None


class _Schedule(_Strict, frozen=True):
    every: Literal["weekly", "fortnightly", "monthly", "quarterly"] | None = None
    at: Annotated[str, msgspec.Meta(pattern=r"^([01]\d|2[0-3]):[0-5]\d$")] = "06:00"
    cron: _Text | None = None
    time_zone: _Text | None = None
    over: _Text | None = None
    catch_up: bool = True
    enabled: bool = True


class _Retention(_Strict, frozen=True):
    raw_months: Annotated[int, msgspec.Meta(ge=1, le=1200)] | None = None


class _Smtp(_Strict, frozen=True):
    host: _Text
    sender: _Text = msgspec.field(name="from")
    port: Annotated[int, msgspec.Meta(ge=1, le=65535)] | None = None
    security: Security = "starttls"
    user: _Text | None = None


class _Webhook(_Strict, frozen=True):
    name: _Text
    url: _Text
    form: Literal["slack", "json"] = "json"
    secret: _Text | None = None


class _Alerts(_Strict, frozen=True):
    watch: tuple[_Text, ...] = ()
    digest: Literal["daily", "weekly"] | None = None
    email: tuple[_Text, ...] = ()
    smtp: _Smtp | None = None
    webhook: tuple[_Webhook, ...] = ()


class _Blend(_Strict, frozen=True):
    mix_surfaces: bool = False


class _Source(_Strict, frozen=True):
    domain: _Text
    class_: _Text = msgspec.field(name="class")
    reason: _Text


class _Target(_Strict, frozen=True):
    metric: _Text
    value: Annotated[float, msgspec.Meta(gt=0, le=1)]
    by: date


class _File(_Strict, frozen=True):
    brand: _Brand
    competitor: tuple[_Brand, ...] = ()
    engine: tuple[_Engine, ...] = ()
    queries: _Queries = _Queries()
    budget: _Budget = _Budget()
    prices: dict[str, _Price] = {}
    limits: dict[str, _Limit] = {}
    cadence: _Cadence = _Cadence()
    schedule: _Schedule | None = None
    retention: _Retention = _Retention()
    alerts: _Alerts = _Alerts()
    blend: _Blend = _Blend()
    intent_weights: dict[str, _Weight] = {}
    source: tuple[_Source, ...] = ()
    target: tuple[_Target, ...] = ()
    seed: str = "citepoll"
    time_zone: str = "UTC"


@dataclass(frozen=True, slots=True)
class SourceRule:
    """A source's class as the user sets it: a domain or another pattern of `explain.sources`, the class, and why."""

    domain: str
    class_: str
    reason: str


@dataclass(frozen=True, slots=True)
class Pace:
    """How an engine may be asked: calls in flight at most, and calls a minute (None: as the engine bears)."""

    at_once: int = 8
    per_minute: float | None = None


@dataclass(frozen=True, slots=True)
class Project:
    """A project folder as its file describes it. `brands` has the tracked one first; `data` holds ledger and derived tables.

    `intent_weights` holds those that the file gives, the defaults are `explain.worth`'s. `engine_budgets`, `prices` and
    `paces` have the name or the id of an engine as their key; budgets are US dollars a cycle. `cadence` is how often cycles
    are meant to begin, `schedule` when they do by themselves. `raw_months` after it was closed, a cycle's payloads may go.
    `alerts` says who is told of what.
    """

    root: Path
    brands: tuple[Brand, ...]
    engines: tuple[Engine, ...]
    category: str
    query_file: Path
    language: str
    market: str
    budget: float | None
    cadence: str | None
    mix_surfaces: bool
    seed: str
    time_zone: str
    intent_weights: Mapping[str, float] = field(default_factory=dict)
    sources: tuple[SourceRule, ...] = ()
    targets: tuple[Goal, ...] = ()
    engine_budgets: Mapping[str, float] = field(default_factory=dict)
    prices: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    paces: Mapping[str, Pace] = field(default_factory=dict)
    schedule: Schedule | None = None
    raw_months: int | None = None
    alerts: Alerts = Alerts()

    @property
    def data(self) -> Path:
        return self.root / DATA

    @property
    def tracked(self) -> Brand:
        return self.brands[0]

    @property
    def brands_hash(self) -> str:
        """`sha256:…` of all that ownership and mentions depend on."""
        return content_hash(msgspec.to_builtins(self.brands))


def read_project(root: Path) -> Project:
    """The project in `root`. Raises `ProjectError` with the line, the cause and the fix."""
    path = root / FILE
    try:
        text = path.read_text("utf-8-sig")
    except FileNotFoundError:
        fix = f"Make one with `citepoll init {root} --brand NAME --owns DOMAIN`, or name its folder with --project DIR."
        raise ProjectError(f"There is no {FILE} in {root}.", fix) from None
    except (OSError, UnicodeDecodeError) as wrong:
        raise ProjectError(f"{path} cannot be read: {wrong}.", "Save it as UTF-8 text that you may read.") from None
    return parse_project(text, root)


def parse_project(text: str, root: Path) -> Project:
    """The project that `text`, the content of a citepoll.toml, describes for the folder `root`."""
    try:
        data = tomllib.loads(text)
    except tomllib.TOMLDecodeError as wrong:
        raise ProjectError(f"{FILE} is not valid TOML: {wrong}", "Mend that line; strings stand in quotes.") from None
    except RecursionError:
        raise ProjectError(f"{FILE} is nested too deeply.", "Write lists and tables as the template does.") from None
    try:
        file = msgspec.convert(data, _File)
    except msgspec.ValidationError as wrong:
        raise _located(str(wrong), text) from None
    brands = _brands(file, text)
    _check_zone(file.time_zone, text, ["time_zone"])
    return Project(
        root=root,
        brands=brands,
        engines=_engines(file, text),
        category=file.brand.category,
        query_file=root / file.queries.file,
        language=file.queries.language,
        market=file.queries.market,
        budget=file.budget.per_cycle_usd,
        cadence=file.cadence.every or (file.schedule.every if file.schedule else None),
        mix_surfaces=file.blend.mix_surfaces,
        seed=file.seed,
        time_zone=file.time_zone,
        intent_weights=_intent_weights(file, text),
        sources=_sources(file, text),
        targets=_targets(file, text),
        schedule=_schedule(file, text),
        raw_months=file.retention.raw_months,
        alerts=_alerts(file.alerts, text),
        **_costs(file, text),
    )


def _costs(file: _File, text: str) -> dict[str, Any]:
    """Budgets, prices and paces, after a look at the engines that they name."""
    known = {name for engine in file.engine for name in (engine.id, engine.name)} - {""}
    tables: Mapping[str, Mapping[str, object]] = {
        "per_engine_usd": file.budget.per_engine_usd,
        "prices": file.prices,
        "limits": file.limits,
    }
    for table, entries in tables.items():
        for name in entries:
            if name not in known:
                where = ["budget", table] if table == "per_engine_usd" else [table]
                raise ProjectError(
                    f"{FILE}, line {_line(text, [*where])}: {table} names {name!r}, which is no engine of this file.",
                    f"Engines here: {', '.join(sorted(known)) or 'none'}.",
                )
    return {
        "engine_budgets": dict(file.budget.per_engine_usd),
        "prices": {name: msgspec.to_builtins(price) for name, price in file.prices.items()},
        "paces": {name: Pace(limit.at_once, limit.per_minute) for name, limit in file.limits.items()},
    }


def _intent_weights(file: _File, text: str) -> Mapping[str, float]:
    for name in file.intent_weights:
        if name not in INTENTS:
            line = _line(text, ["intent_weights", name])
            raise ProjectError(f"{FILE}, line {line}: {name!r} is not an intent.", f"Intents are {', '.join(INTENTS)}.")
    return dict(file.intent_weights)


def _sources(file: _File, text: str) -> tuple[SourceRule, ...]:
    rules = tuple(SourceRule(entry.domain, entry.class_, entry.reason) for entry in file.source)
    for at in range(len(rules)):
        try:
            SourceTable((rule.domain, rule.class_, rule.reason) for rule in rules[: at + 1])
        except ProjectError as wrong:
            raise ProjectError(f"{FILE}, line {_line(text, ['source', at])}: {wrong.cause}", wrong.fix) from None
    return rules


def _targets(file: _File, text: str) -> tuple[Goal, ...]:
    for at, entry in enumerate(file.target):
        if entry.metric not in METRICS_AIMED_AT:
            line = _line(text, ["target", at, "metric"])
            raise ProjectError(
                f"{FILE}, line {line}: {entry.metric!r} cannot be a target.",
                f"Targets are for {', '.join(METRICS_AIMED_AT)}.",
            )
    return tuple(Goal(entry.metric, entry.value, entry.by) for entry in file.target)


def _schedule(file: _File, text: str) -> Schedule | None:
    """The schedule, None where the file has none."""
    entry = file.schedule
    if entry is None:
        return None
    name = entry.time_zone or file.time_zone
    _check_zone(name, text, ["schedule", "time_zone"])
    field_ = "cron" if entry.cron else "over"
    try:
        if (entry.every is None) == (entry.cron is None):
            raise InputError("A schedule has either `every` or `cron`.", "Give one of the two, and not both.")
        if entry.cron is not None:
            check_cron(entry.cron)
        cron = entry.cron or cron_of(entry.every or "", entry.at)
        found = Schedule(cron, zone(name), entry.every, entry.over, entry.catch_up, entry.enabled)
        field_ = "over"
        check_over(found)
    except InputError as wrong:
        raise ProjectError(f"{FILE}, line {_line(text, ['schedule', field_])}: {wrong.cause}", wrong.fix) from None
    return found


def _alerts(entry: _Alerts, text: str) -> Alerts:
    """Who is told of alerts. Raises `ProjectError` with the line of what cannot be used."""
    where: list[str | int] = ["alerts", "email"]
    try:
        if bool(entry.email) != bool(entry.smtp):
            raise InputError(
                "Mail needs both addresses and a server.",
                'Write email = ["anna@example.org"] below [alerts], and host and from below [alerts.smtp].',
            )
        way = entry.smtp
        mail = channels.mail(entry.email, way.sender, way.host, way.port, way.security, way.user) if way else None
        hooks: list[Hook] = []
        for at, one in enumerate(entry.webhook):
            where = ["alerts", "webhook", at]
            hooks.append(channels.hook(one.name, one.form, one.url, one.secret))
            if one.name in (other.name for other in hooks[:-1]):
                raise InputError(f"Two webhooks are called {one.name}.", "Give each its own name.")
    except InputError as wrong:
        raise ProjectError(f"{FILE}, line {_line(text, where)}: {wrong.cause}", wrong.fix) from None
    return Alerts(tuple(normal_text(one) for one in entry.watch), entry.digest, mail, tuple(hooks))


def _check_zone(name: str, text: str, where: list[str | int]) -> None:
    try:
        zone(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise ProjectError(
            f"{FILE}, line {_line(text, where)}: {name!r} is not a time zone known here.",
            "Write one like Europe/Berlin, or UTC.",
        ) from None


def zone(name: str) -> tzinfo:
    """The time zone of that name; UTC needs no time zone database."""
    return UTC if name == "UTC" else ZoneInfo(name)


def _brands(file: _File, text: str) -> tuple[Brand, ...]:
    brands = (_brand(file.brand, tracked=True), *(_brand(b, tracked=False) for b in file.competitor))
    names = [b.name.casefold() for b in brands]
    for at, name in enumerate(names):
        if name in names[:at]:
            line = _line(text, ["competitor", at - 1, "name"])
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
                line = _line(text, ["competitor", at - 1, "name"])
                raise ProjectError(
                    f"{FILE}, line {line}: {other!r} and {brand.name!r} both go by {alias.text!r}.",
                    "Leave the name with one of them: a mention of it would count for neither.",
                )


def _brand(entry: _Brand, *, tracked: bool) -> Brand:
    aliases = [a if isinstance(a, _Alias) else _Alias(a) for a in entry.aliases]
    if not any(a.text.casefold() == entry.name.casefold() for a in aliases):
        aliases.insert(0, _Alias(entry.name))
    owned = [o if isinstance(o, _Owned) else _Owned(o) for o in entry.owns]
    return Brand(
        name=entry.name,
        aliases=tuple(Alias(a.text, a.case_sensitive, a.needs, a.excludes) for a in aliases),
        owns=tuple(Property(o.rule, o.valid_from, o.valid_to) for o in owned),
        tracked=tracked,
    )


def _engines(file: _File, text: str) -> tuple[Engine, ...]:
    engines = tuple(_engine(entry) for entry in file.engine)
    names = [e.name for e in engines]
    for at, engine in enumerate(engines):
        line = _line(text, ["engine", at])
        if engine.name in names[:at]:
            raise ProjectError(
                f"{FILE}, line {line}: the engine name {engine.name!r} stands twice.",
                "Give one of them its own `name`, so that their answers stay apart.",
            )
        if engine.name.startswith("blended"):
            raise ProjectError(f"{FILE}, line {line}: an engine cannot be called {engine.name!r}.", "Choose another.")
    weighted = [e.weight is not None for e in engines]
    if any(weighted) and not all(weighted):
        line = _line(text, ["engine", weighted.index(False)])
        raise ProjectError(
            f"{FILE}, line {line}: this engine has no weight, though others have.",
            "Give every engine its share of your audience, or none of them.",
        )
    return engines


def _engine(entry: _Engine) -> Engine:
    return Engine(
        name=entry.name or entry.id,
        id=entry.id,
        surface=surface_of(entry.id),
        model=entry.model,
        country=entry.country,
        language=entry.language,
        weight=entry.weight,
        runs=entry.runs,
        settings=entry.settings,
    )


def surface_of(engine_id: str) -> Surface:
    """The kind of surface that an engine id names; an id without a vendor is the label of recorded answers."""
    vendor, colon, rest = engine_id.partition(":")
    if not colon:
        return "api" if engine_id in REGISTRY and engine_id != "recorded" else "recorded"
    if vendor == "local":
        return "simulated"
    if rest.startswith("ui"):
        return "ui"
    return "serp" if "@" in rest else "api"


def environment(name: str) -> str | None:
    """The value of an environment variable, or None where it is unset or empty."""
    return os.environ.get(name) or None


KEYRING = "citepoll"
"""The service under which the system's keyring holds keys, each by the name of its environment variable."""


def key_of(variable: str) -> str | None:
    """An engine's key: the environment variable, else the keyring's entry of that name where `keyring` is installed.

    None where neither has one; never from the project file. Raises `ProjectError` for a key that no header can hold,
    without showing it.
    """
    key = (secret_of(variable) or "").strip()
    if not key.isascii() or any(not c.isprintable() or c == " " for c in key):
        raise ProjectError(
            f"The key in {variable} holds a space, a line break or a letter that is not ASCII.",
            f"Copy it again, without quotes, into {variable}.",
        )
    return key or None


def secret_of(variable: str) -> str | None:
    """A secret as it stands in the environment variable, else in the keyring; None where neither has one."""
    return os.environ.get(variable) or _from_keyring(variable) or None


def _from_keyring(variable: str) -> str | None:
    try:
        keyring = import_module("keyring")
    except ImportError:
        return None
    try:
        found = keyring.get_password(KEYRING, variable)
    except Exception:  # a keyring without a backend, or locked: each has errors of its own
        return None
    return found if isinstance(found, str) else None


# ---------------------------------------------------------------- where a mistake stands


def _located(message: str, text: str) -> ProjectError:
    cause, _, where = message.partition(" - at `$")
    steps: list[str | int] = []
    for name, at in re.findall(r"\.([A-Za-z_]+)|\[(\d+|\.\.\.)\]", where.rstrip("`")):
        steps.append(name or (int(at) if at.isdigit() else 0))
    unknown = re.search(r"unknown field `(\w+)`", cause)
    missing = re.search(r"missing required field `(\w+)`", cause)
    if unknown:
        steps.append(unknown[1])
        cause, fix = f"`{unknown[1]}` is not a setting here.", f"Known here: {', '.join(_known(steps[:-1]))}."
    elif missing:
        cause, fix = f"`{missing[1]}` is missing.", f"Add a line `{missing[1]} = …`."
    else:
        path = ".".join(str(s) for s in steps if isinstance(s, str))
        cause, fix = (
            f"{path}: {cause[:1].lower()}{cause[1:]}.",
            "Mend the value; docs/project-file.md shows every setting.",
        )
    return ProjectError(f"{FILE}, line {_line(text, steps)}: {cause}", fix)


_TABLES: Mapping[str, type[msgspec.Struct]] = {
    "brand": _Brand,
    "competitor": _Brand,
    "engine": _Engine,
    "queries": _Queries,
    "budget": _Budget,
    "prices": _Price,
    "limits": _Limit,
    "cadence": _Cadence,
    "schedule": _Schedule,
    "retention": _Retention,
    "alerts": _Alerts,
    "smtp": _Smtp,
    "webhook": _Webhook,
    "blend": _Blend,
    "source": _Source,
    "target": _Target,
    "aliases": _Alias,
    "owns": _Owned,
}


def _known(steps: list[str | int]) -> tuple[str, ...]:
    names = [s for s in steps if isinstance(s, str)]
    return (_TABLES[names[-1]] if names else _File).__struct_encode_fields__


def _line(text: str, steps: list[str | int]) -> int:
    """The line (from 1) of the setting that `steps` leads to, or of the closest table that holds it."""
    table = ".".join(str(s) for s in steps[:2])
    if len(steps) > 1 and re.search(rf"^\s*\[+\s*{re.escape(table)}\s*\]", text, re.MULTILINE):
        steps = [table, *steps[2:]]
    table = str(steps[0]) if steps else ""
    index = next((s for s in steps if isinstance(s, int)), 0)
    keys = [s for s in steps[1:] if isinstance(s, str)]
    lines = text.splitlines() or [""]
    header = re.compile(rf"\s*\[+\s*{re.escape(table)}\s*(?:\.[^\]]*)?\]+")
    starts = [at for at, line in enumerate(lines, 1) if header.match(line)]
    if not starts:
        alone = re.compile(rf"\s*{re.escape(table)}\s*=")
        return next((at for at, line in enumerate(lines, 1) if alone.match(line)), 1)
    start = starts[min(index, len(starts) - 1)] if lines[starts[0] - 1].lstrip().startswith("[[") else starts[0]
    for at in range(start, len(lines)):
        if lines[at].lstrip().startswith("["):
            break
        if keys and re.match(rf"\s*{re.escape(keys[0])}\s*=", lines[at]):
            return at + 1
    return start
