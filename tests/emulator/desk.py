"""The emulator without its sockets: a call goes in, a reply comes out, and all of it is counted."""

from __future__ import annotations

import html
import json
import threading
import time
from collections import Counter, OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

from tests.emulator.corpus import DOCUMENTS
from tests.emulator.counts import Counts, Entry
from tests.emulator.plans import DELIVERED, FORMS, Plan, Script, Seeded
from tests.emulator.prices import PRICES, Price
from tests.emulator.surfaces import surface_for
from tests.emulator.surfaces.base import Surface
from tests.emulator.surfaces.google import REDIRECTS, target
from tests.emulator.wire import Asked, Call, Made, Refused, Reply
from tests.emulator.writing import identity, write

from citepoll.store.corpus import Document

KEPT = 50_000
"""Replies that can be asked for again; the oldest go first."""

DOOR = "__emulator__"


@dataclass(frozen=True, slots=True)
class Settings:
    """How the emulator behaves. Times in seconds, sizes in bytes.

    `keys`: engine id → the one key that is taken, any other is a wrong one; without an entry any key will do.
    `models`: engine id → models that are known; without an entry all but `no-such…`.
    `at_once`: engine id → calls that it takes at once; more are told to slow down.
    `idempotent`: engines that honour an Idempotency-Key: a repeat gets the same reply and is not charged.
    """

    seed: str = "emulator"
    plan: Plan = field(default_factory=Seeded)
    documents: tuple[Document, ...] = DOCUMENTS
    prices: Mapping[str, Price] = field(default_factory=lambda: PRICES)
    keys: Mapping[str, str] = field(default_factory=dict)
    models: Mapping[str, frozenset[str]] = field(default_factory=dict)
    at_once: Mapping[str, int] = field(default_factory=dict)
    idempotent: frozenset[str] = frozenset({"openai:responses", "openai:chat-search"})
    latency: float = 0.0
    retry_after: float = 1.0
    slow: float = 2.0
    stall: float = 5.0
    huge: int = 5_000_000
    endless: int = 48_000_000
    max_seconds: float = 600.0


@dataclass(frozen=True, slots=True)
class Delivery:
    """A reply, the fault that it is delivered with, and the answer that it carries (None for an error)."""

    reply: Reply
    fault: str | None = None
    entry: Entry | None = None
    engine: str = ""


@dataclass(slots=True)
class _Pending:
    made: Made
    expires: float | None = None
    entry: Entry | None = None


class Desk:
    """Answers calls. Safe for threads."""

    def __init__(self, settings: Settings, clock: Callable[[], float] = time.monotonic) -> None:
        self.settings = settings
        self._clock = clock
        self._lock = threading.Lock()
        self._counts = Counts()
        self._script = Script()
        self._asked: Counter[tuple[str, str]] = Counter()
        self._keys: Counter[tuple[str, str]] = Counter()
        self._at_once: Counter[str] = Counter()
        self._pending: OrderedDict[tuple[str, str], _Pending] = OrderedDict()
        self._repeats: OrderedDict[tuple[str, str], Delivery] = OrderedDict()

    # ------------------------------------------------------------ seen from outside

    def script(self, engine: str, *faults: str | None) -> None:
        """The next calls of an engine meet these faults, in this order; None goes well. Raises `ValueError`."""
        with self._lock:
            self._script.add(engine, faults)

    def state(self) -> dict[str, object]:
        with self._lock:
            return self._counts.state()

    def answers(self) -> list[dict[str, object]]:
        """Every reply that was made and charged, in order, with its id, and whether all of it was sent."""
        with self._lock:
            return [entry.shown() for entry in self._counts.entries]

    def asked(self) -> Counter[tuple[str, str]]:
        """Calls that passed the checks by engine and question; of one that follows another, by what it follows."""
        with self._lock:
            return Counter(self._asked)

    def keys(self, engine: str) -> Counter[str]:
        """Calls to an engine by the Idempotency-Key that they carried, "" where there was none; those that follow left out."""
        with self._lock:
            return Counter({key: calls for (name, key), calls in self._keys.items() if name == engine})

    def calls(self) -> int:
        """Calls of all engines, refused ones included."""
        with self._lock:
            return sum(tally.calls for tally in self._counts.tallies.values())

    def idle(self) -> bool:
        """Whether no call is being answered."""
        with self._lock:
            return not any(self._at_once.values())

    def began(self, delivery: Delivery) -> None:
        with self._lock:
            self._at_once[delivery.engine] += 1
            if delivery.engine:
                tally = self._counts.of(delivery.engine)
                tally.most_at_once = max(tally.most_at_once, self._at_once[delivery.engine])

    def ended(self, delivery: Delivery) -> None:
        with self._lock:
            self._at_once[delivery.engine] -= 1

    def sent(self, delivery: Delivery, times: int) -> None:
        """All of a reply was sent so many times more."""
        with self._lock:
            if delivery.entry:
                delivery.entry.delivered += times

    # ------------------------------------------------------------ a call

    def respond(self, call: Call) -> Delivery:
        """The reply to a call of a vendor's surface, or of the emulator's own door."""
        if call.host == DOOR:
            return Delivery(self._door(call))
        if call.host == REDIRECTS and call.method in ("GET", "HEAD"):
            page = target(call.path)
            return Delivery(Reply(302, raw=b"", headers={"location": page}) if page else Reply(404, raw=b""))
        surface = surface_for(call)
        if surface is None:
            return Delivery(Reply(404, {"error": f"no surface is emulated at {call.host}{call.path}"}))
        with self._lock:
            return replace(self._surface(surface, call), engine=surface.id)

    def _door(self, call: Call) -> Reply:
        if call.method == "POST" and call.path == "/script":
            return self._scripted(call.body)
        shown = {"/state": self.state, "/answers": self.answers}.get(call.path)
        return Reply(200, shown()) if shown and call.method == "GET" else Reply(404, {"error": "no such door"})

    def _scripted(self, body: bytes) -> Reply:
        try:
            for engine, faults in dict(json.loads(body)).items():
                self.script(engine, *faults)
        except (ValueError, TypeError) as wrong:
            return Reply(400, {"error": str(wrong)})
        return Reply(200, {})

    def _surface(self, surface: Surface, call: Call) -> Delivery:
        tally = self._counts.of(surface.id)
        tally.calls += 1
        try:
            asked = self._checked(surface, call)
        except Refused as refused:
            tally.refused[refused.kind] += 1
            return Delivery(surface.dialect.refusal(refused))
        if self._at_once[surface.id] >= self.settings.at_once.get(surface.id, KEPT):
            tally.faults["too_many_at_once"] += 1
            return Delivery(self._rate_limited(surface, "rate_limited"))
        key = asked.follows or asked.question
        nth = self._asked[surface.id, key]
        self._asked[surface.id, key] += 1
        if not asked.follows:
            self._keys[surface.id, call.headers.get("idempotency-key", "")] += 1
        fault = self._fault(surface, asked, key, nth)
        if fault:
            tally.faults[fault] += 1
        if fault and fault not in DELIVERED | FORMS:
            return Delivery(self._error(surface, call, asked, fault))
        try:
            return self._answer(surface, call, asked, fault, nth)
        except Refused as refused:
            tally.refused[refused.kind] += 1
            return Delivery(surface.dialect.refusal(refused))

    def _checked(self, surface: Surface, call: Call) -> Asked:
        if not surface.takes(call):
            raise Refused("unknown_path")
        if call.method not in surface.methods:
            raise Refused("bad_method")
        key, wanted = surface.key(call), self.settings.keys.get(surface.id)
        if not key and surface.key_needed:
            raise Refused("no_key")
        if wanted is not None and key != wanted:
            raise Refused("unauthorized")
        asked = surface.check(call)
        known = self.settings.models.get(surface.id)
        if known is not None and asked.model and asked.model not in known:
            raise Refused("no_model")
        return asked

    def _fault(self, surface: Surface, asked: Asked, key: str, nth: int) -> str | None:
        possible = surface.possible() - (FORMS if asked.follows else frozenset())
        scripted, fault = self._script.next(surface.id)
        if not scripted:
            fault = self.settings.plan.fault(surface.id, key, nth, possible)
        return fault if fault in possible else None

    # ------------------------------------------------------------ answers

    def _answer(self, surface: Surface, call: Call, asked: Asked, fault: str | None, nth: int) -> Delivery:
        sent_key = "" if asked.follows else call.headers.get("idempotency-key", "")
        repeat = (surface.id, sent_key)
        if sent_key and surface.id in self.settings.idempotent and repeat in self._repeats:
            self._counts.of(surface.id).repeated += 1
            return replace(self._repeats[repeat], fault=fault)
        if asked.follows:
            made, entry = self._continued(surface, asked)
        else:
            made, entry = self._first(surface, asked, fault or "", nth)
        document = made.document
        if fault == "echoed_key" and isinstance(document, dict):
            document = {**document, "debug": {"url": call.target, "headers": dict(call.headers)}}
        delivery = Delivery(Reply(200, document), fault, entry)
        if sent_key:
            _keep(self._repeats, repeat, delivery)
        return delivery

    def _first(self, surface: Surface, asked: Asked, form: str, nth: int) -> tuple[Made, Entry | None]:
        name = identity(self.settings.seed, surface.id, asked.question, nth)
        written = write(asked.question, self.settings.documents, name)
        if form in ("uncited", "empty"):
            written = written.uncited()
        made = surface.make(asked, written, form, name, self._price(surface))
        entry = self._charged(surface, asked.question, name, made)
        if made.token and (made.then or made.fetched):
            expires = None if made.seconds is None else self._clock() + made.seconds
            pending = _Pending(made.then or made, expires, entry if made.then is None else None)
            _keep(self._pending, (surface.id, made.token), pending)
        return made, entry

    def _continued(self, surface: Surface, asked: Asked) -> tuple[Made, Entry | None]:
        """What follows an earlier reply. A page that is fetched by its id is charged once, another call each time."""
        pending = self._pending.get((surface.id, asked.follows))
        if pending is None or (pending.expires is not None and self._clock() > pending.expires):
            if "expired" in surface.dialect.errors:
                raise Refused("expired")
            raise Refused("bad_request", "invalid", "messages")
        made = pending.made
        if made.then:
            pending.made = made.then
            return made, None
        if not (made.fetched and pending.entry):
            pending.entry = self._charged(
                surface, asked.question, identity(asked.follows, len(self._counts.entries)), made
            )
        else:
            self._counts.of(surface.id).repeated += 1
        return made, pending.entry

    def _charged(self, surface: Surface, key: str, name: str, made: Made) -> Entry | None:
        """The entry of a reply; None for one on the way that costs nothing."""
        ticks = self._price(surface).ticks(made.usage)
        if made.then and not ticks:
            return None
        entry = Entry(surface.id, key, name, made.then is None, made.usage, ticks)
        self._counts.entries.append(entry)
        return entry

    def _price(self, surface: Surface) -> Price:
        return self.settings.prices.get(surface.id, Price())

    # ------------------------------------------------------------ errors

    def _error(self, surface: Surface, call: Call, asked: Asked, fault: str) -> Reply:
        if fault.startswith("rate_limited"):
            return self._rate_limited(surface, fault)
        if fault == "error_in_200":
            return Reply(200, surface.error_in_200(asked))
        if fault == "proxy_page":
            return _proxy_page(call)
        if fault == "echoed_error":
            return surface.dialect.reply("server_error", f"Failed: {call.method} {call.target} {dict(call.headers)}")
        return surface.dialect.reply(fault)

    def _rate_limited(self, surface: Surface, fault: str) -> Reply:
        seconds = self.settings.retry_after
        reply = surface.dialect.reply("rate_limited")
        if fault == "rate_limited_info":
            info = {"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": f"{seconds:g}s"}
            reply.document["error"]["details"].append(info)  # type: ignore[index]
            return reply
        if fault == "rate_limited_date":
            now = datetime.now(UTC).replace(microsecond=0)
            until = now + timedelta(seconds=max(1, round(seconds)))
            dates = {"date": format_datetime(now, usegmt=True), "retry-after": format_datetime(until, usegmt=True)}
            return replace(reply, headers=dates)
        return replace(reply, headers={"retry-after": f"{seconds:g}"})


def _proxy_page(call: Call) -> Reply:
    """The page of a proxy that shows what it was asked, headers included."""
    shown = "\n".join([f"{call.method} {call.target}", *(f"{name}: {value}" for name, value in call.headers.items())])
    page = f"<!doctype html><title>502 Bad Gateway</title><h1>Bad Gateway</h1><pre>{html.escape(shown)}</pre>"
    return Reply(502, raw=page.encode(), headers={"content-type": "text/html; charset=utf-8"})


def _keep(kept: OrderedDict[Any, Any], key: Any, value: Any) -> None:
    kept[key] = value
    while len(kept) > KEPT:
        kept.popitem(last=False)
