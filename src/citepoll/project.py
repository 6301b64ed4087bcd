"""citepoll.toml and the environment become one frozen Project. The only reader of os.environ."""

from __future__ import annotations

import os
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, tzinfo
from importlib import import_module
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import msgspec

from citepoll import channels
from citepoll.channels import Alerts, Hook
from citepoll.engines import REGISTRY
from citepoll.errors import InputError, ProjectError
from citepoll.explain.sources import SourceTable
from citepoll.explain.targets import METRICS_AIMED_AT, Goal
from citepoll.hashing import content_hash
from citepoll.model import INTENTS, Brand, Engine, Surface, normal_text
from citepoll.schedule import Schedule, check_cron, check_over, cron_of
from citepoll.settings import tables
from citepoll.settings.brands import read_brands
from citepoll.settings.lines import line_of, located
from citepoll.settings.tables import FILE as FILE

DATA = ".citepoll"


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
    alerts: Alerts = field(default_factory=Alerts)

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
        file = msgspec.convert(data, tables.File)
    except msgspec.ValidationError as wrong:
        raise located(str(wrong), text) from None
    brands = read_brands(file, text)
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


def _costs(file: tables.File, text: str) -> dict[str, Any]:
    """Budgets, prices and paces, after a look at the engines that they name."""
    known = {name for engine in file.engine for name in (engine.id, engine.name)} - {""}
    named: Mapping[str, Mapping[str, object]] = {
        "per_engine_usd": file.budget.per_engine_usd,
        "prices": file.prices,
        "limits": file.limits,
    }
    for table, entries in named.items():
        for name in entries:
            if name not in known:
                where = ["budget", table] if table == "per_engine_usd" else [table]
                raise ProjectError(
                    f"{FILE}, line {line_of(text, [*where])}: {table} names {name!r}, which is no engine of this file.",
                    f"Engines here: {', '.join(sorted(known)) or 'none'}.",
                )
    return {
        "engine_budgets": dict(file.budget.per_engine_usd),
        "prices": {name: msgspec.to_builtins(price) for name, price in file.prices.items()},
        "paces": {name: Pace(limit.at_once, limit.per_minute) for name, limit in file.limits.items()},
    }


def _intent_weights(file: tables.File, text: str) -> Mapping[str, float]:
    for name in file.intent_weights:
        if name not in INTENTS:
            line = line_of(text, ["intent_weights", name])
            raise ProjectError(f"{FILE}, line {line}: {name!r} is not an intent.", f"Intents are {', '.join(INTENTS)}.")
    return dict(file.intent_weights)


def _sources(file: tables.File, text: str) -> tuple[SourceRule, ...]:
    rules = tuple(SourceRule(entry.domain, entry.class_, entry.reason) for entry in file.source)
    for at in range(len(rules)):
        try:
            SourceTable((rule.domain, rule.class_, rule.reason) for rule in rules[: at + 1])
        except ProjectError as wrong:
            raise ProjectError(f"{FILE}, line {line_of(text, ['source', at])}: {wrong.cause}", wrong.fix) from None
    return rules


def _targets(file: tables.File, text: str) -> tuple[Goal, ...]:
    for at, entry in enumerate(file.target):
        if entry.metric not in METRICS_AIMED_AT:
            line = line_of(text, ["target", at, "metric"])
            raise ProjectError(
                f"{FILE}, line {line}: {entry.metric!r} cannot be a target.",
                f"Targets are for {', '.join(METRICS_AIMED_AT)}.",
            )
    return tuple(Goal(entry.metric, entry.value, entry.by) for entry in file.target)


def _schedule(file: tables.File, text: str) -> Schedule | None:
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
        raise ProjectError(f"{FILE}, line {line_of(text, ['schedule', field_])}: {wrong.cause}", wrong.fix) from None
    return found


def _alerts(entry: tables.Alerts, text: str) -> Alerts:
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
        raise ProjectError(f"{FILE}, line {line_of(text, where)}: {wrong.cause}", wrong.fix) from None
    return Alerts(tuple(normal_text(one) for one in entry.watch), entry.digest, mail, tuple(hooks))


def _check_zone(name: str, text: str, where: list[str | int]) -> None:
    try:
        zone(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise ProjectError(
            f"{FILE}, line {line_of(text, where)}: {name!r} is not a time zone known here.",
            "Write one like Europe/Berlin, or UTC.",
        ) from None


def zone(name: str) -> tzinfo:
    """The time zone of that name; UTC needs no time zone database."""
    return UTC if name == "UTC" else ZoneInfo(name)


def _engines(file: tables.File, text: str) -> tuple[Engine, ...]:
    engines = tuple(_engine(entry) for entry in file.engine)
    names = [e.name for e in engines]
    for at, engine in enumerate(engines):
        line = line_of(text, ["engine", at])
        if engine.name in names[:at]:
            raise ProjectError(
                f"{FILE}, line {line}: the engine name {engine.name!r} stands twice.",
                "Give one of them its own `name`, so that their answers stay apart.",
            )
        if engine.name.startswith("blended"):
            raise ProjectError(f"{FILE}, line {line}: an engine cannot be called {engine.name!r}.", "Choose another.")
    weighted = [e.weight is not None for e in engines]
    if any(weighted) and not all(weighted):
        line = line_of(text, ["engine", weighted.index(False)])
        raise ProjectError(
            f"{FILE}, line {line}: this engine has no weight, though others have.",
            "Give every engine its share of your audience, or none of them.",
        )
    return engines


def _engine(entry: tables.Engine) -> Engine:
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
