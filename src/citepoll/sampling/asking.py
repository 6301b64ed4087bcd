"""Asking the runs of one engine: each call admitted by budget and limiter, each reply recorded before the next step."""

from __future__ import annotations

import random
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, Final

from citepoll.engines import calls
from citepoll.engines.base import EngineModule, HttpRequest, HttpResponse, continued, draw_seed
from citepoll.engines.failures import Failed
from citepoll.errors import EngineError
from citepoll.hashing import content_hash
from citepoll.model import Answer, Engine, Query, RawAnswer, Status
from citepoll.sampling.budget import Budget, Price
from citepoll.sampling.limiter import GLANCE, Ended, Limiter, Limits
from citepoll.sampling.recording import Recorder
from citepoll.sampling.retry import ONCE, Retries, next_step
from citepoll.sampling.transport import Clock, Transport, Unanswered
from citepoll.store.attempts import Attempt, Entry, attempts_of, free
from citepoll.store.ledger import Claim, Cycle, Ledger, run_key

KEPT_HEADERS: Final = frozenset({
    "content-type", "date", "request-id", "x-request-id", "retry-after", "retry-after-ms",
})  # fmt: skip
KEPT_LIMITS: Final = ("x-ratelimit-", "ratelimit-", "anthropic-ratelimit-")
"""Response headers, and beginnings of names, that a record may hold; all others could carry a secret."""

MOST_CALLS: Final = 10
"""Paid calls that one run may take, the first included."""

MOST_WAITING: Final = 900.0
"""Seconds after which an answer that is still being made is left deferred; it can be fetched later."""

TOKEN_LIVES: Final = 50.0
"""Seconds for which a reply's own second call (SerpApi's page token, which lives a minute) is taken up again."""


FOUR: Final = Limits(at_once=4, start=4)


MOST_LOST: Final = 10
"""Runs in a row that used up their attempts, after which an engine counts as down."""


@dataclass(frozen=True, slots=True)
class Asked:
    """An engine of a cycle with its module and its transport. Without more: four calls at once, each tried once."""

    engine: Engine
    module: EngineModule
    transport: Transport
    limits: Limits = FOUR
    retries: Retries = ONCE
    price: Price | None = None


@dataclass(slots=True)
class _Run:
    """A run under way: the next call, the replies so far that another call follows, and its claim, counted up.

    `reserved` are the dollars set aside for the call under way, and for an answer that is being made until its cost is
    known; None where nothing is.
    """

    claim: Claim
    request: HttpRequest
    began: datetime
    reserved: float | None = None
    fetching: bool = False
    replies: list[HttpResponse] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class _Reply:
    raw: RawAnswer
    response: HttpResponse | None
    answer: Answer


class Asker:
    """Asks runs of one engine. `reason` is why it stopped, None while it can be asked; `stop` halts every engine."""

    def __init__(
        self, ledger: Ledger, recorder: Recorder, cycle: Cycle, asked: Asked, clock: Clock, budget: Budget,
        stop: threading.Event, on_stop: Callable[[str, str], None],
    ) -> None:  # fmt: skip
        self.engine = asked.engine.name
        self.reason: str | None = None
        self._ledger, self._recorder = ledger, recorder
        self._cycle, self._asked, self._clock = cycle, asked, clock
        self._budget, self._stop, self._on_stop = budget, stop, on_stop
        self._limiter = Limiter(asked.limits, clock)
        self._lost, self._at_ceiling = 0, False
        self._draw = random.Random(content_hash([cycle.seed, cycle.name, self.engine]))

    @property
    def most_open(self) -> int:
        """Runs that may be under way, those that wait included: so few that each gets its turn before its time is up."""
        return 4 * self._asked.limits.at_once

    @property
    def room(self) -> int:
        """Calls that may begin now, beside that which was admitted last."""
        return self._limiter.room

    def halted(self) -> bool:
        return self._stop.is_set() or self.reason is not None

    async def admit(self) -> float | None:
        """Wait until a call may be made; returns the dollars set aside for it, None once no more may be made."""
        reserved = await self._budget.reserve(self.engine, self.halted)
        if reserved is None:
            if not self.halted():
                self._halt(self._budget.reason(self.engine), at_ceiling=True)
            return None
        if await self._limiter.enter(self.halted):
            return reserved
        self._budget.settle(self.engine, reserved, None)
        return None

    def give_back(self, reserved: float) -> None:
        """The place and the dollars of a call that is not made after all."""
        self._limiter.leave("other", self._clock.now())
        self._budget.settle(self.engine, reserved, None)

    async def ask(self, claim: Claim, query: Query, reserved: float) -> Status | None:
        """Carry a claimed run to its status; `reserved` is what `admit` gave for its first call.

        None where the engine or the poll stopped before: the run is free again, and what was paid for is taken up by
        the next poll.
        """
        try:
            run = self._begun(claim, query, reserved)
        except EngineError as wrong:
            self.give_back(reserved)
            self._halt(str(wrong), wrong.cause)
            free(self._ledger, [claim])
            return None
        try:
            status = await self._carried(run)
        finally:
            self._settle(run, None, unsure=True)
        if status is None:
            free(self._ledger, [claim])
        return status

    # ------------------------------------------------------------ one run

    async def _carried(self, run: _Run) -> Status | None:
        tried = 0
        while True:
            try:
                reply = await self._called(run)
            except EngineError as wrong:
                self._halt(str(wrong), wrong.cause)
                return None
            tried += 1
            delay = await self._followed(run, reply)
            if delay is not None:
                tried = 0
            else:
                step = next_step(reply.answer, self._asked.retries, tried, self._elapsed(run), self._draw)
                if step.kind == "settles":
                    self._count(reply)
                    return await self._settled(run, reply)
                if step.kind == "stop":
                    self._halt(step.reason)  # before the record is waited for, or more calls would begin meanwhile
                await self._note(run, reply)
                delay = step.delay
            if not await self._paused(run, delay):
                return None
            if not await self._readmitted(run):
                return None

    async def _readmitted(self, run: _Run) -> bool:
        """Wait for the turn of a run's further call. One that fetches an answer needs no dollars: it is paid for already."""
        if run.fetching or run.reserved is not None:
            return await self._limiter.enter(lambda: self._ended_for(run))
        run.reserved = await self.admit()
        return run.reserved is not None

    async def _followed(self, run: _Run, reply: _Reply) -> float | None:
        """Seconds until the call that follows a reply, for which the run is made ready; None where none follows."""
        follow_up: Mapping[str, Any] | None = reply.answer.follow_up
        if follow_up is None or reply.response is None or reply.answer.status != "deferred":
            return None
        delay = float(follow_up.get("delay") or 0.0)
        fetching = delay > 0.0
        if self._elapsed(run) + delay > MOST_WAITING or (not fetching and len(run.replies) + 1 >= MOST_CALLS):
            return None
        request = continued(run.request, follow_up)
        if not (run.fetching and fetching and request.url == run.request.url):
            await self._note(run, reply)
            run.replies.append(reply.response)
        run.request, run.fetching = request, fetching
        return delay

    async def _note(self, run: _Run, reply: _Reply) -> None:
        await self._recorder.record(Entry(run.claim, reply.raw, settles=False))
        run.claim = replace(run.claim, attempt=run.claim.attempt + 1)

    async def _settled(self, run: _Run, reply: _Reply) -> Status:
        raw = reply.raw
        if run.replies and reply.response is not None and raw.status not in ("deferred", "failed"):
            kept = replace(reply.response, headers=raw.headers)
            body = calls.together([*run.replies, kept])
            whole = calls.read(self._asked.module, kept.status_code, kept.headers, body)
            raw = replace(raw, status=whole.status, message=whole.message, body=body)
        await self._recorder.record(Entry(run.claim, raw))
        return raw.status

    def _elapsed(self, run: _Run) -> float:
        return (self._clock.now() - run.began).total_seconds()

    def _ended_for(self, run: _Run) -> bool:
        """Whether a run under way gets no further call. A ceiling does not keep from fetching what is paid for."""
        return self._stop.is_set() or (self.reason is not None and not (run.fetching and self._at_ceiling))

    async def _paused(self, run: _Run, seconds: float) -> bool:
        while seconds > 0.0 and not self._ended_for(run):
            slept = min(seconds, GLANCE)
            await self._clock.sleep(slept)
            seconds -= slept
        return not self._ended_for(run)

    def _count(self, reply: _Reply) -> None:
        lost = isinstance(reply.answer, Failed) and reply.answer.retry == "later" and self._asked.retries is not ONCE
        self._lost = self._lost + 1 if lost else 0
        if self._lost >= MOST_LOST:
            self._halt(f"{MOST_LOST} runs in a row failed in every attempt, the last with: {reply.raw.message}")

    def _halt(self, reason: str, cause: str | None = None, *, at_ceiling: bool = False) -> None:
        self._at_ceiling = at_ceiling
        if self.reason is None:
            self.reason = reason
            self._on_stop(reason, cause or reason)

    # ------------------------------------------------------------ one call

    async def _called(self, run: _Run) -> _Reply:
        at = self._clock.now()
        ended: Ended = "other"
        cost, unsure, made = None, False, False
        try:
            response, answer, unsure = await self._answered(run.request)
            price = self._asked.price or Price()
            cost = price.paid(answer, fetched=run.fetching)
            ended = _ended(answer, response)
            made = run.fetching or bool((answer.follow_up or {}).get("delay"))
        finally:
            self._limiter.leave(ended, at)
            if cost is not None or not made or answer.status not in ("deferred", "failed"):
                self._settle(run, cost, unsure=unsure)
        if ended == "busy" and answer.retry_after is not None:
            self._limiter.hold(min(answer.retry_after, self._asked.retries.longest))
        return _Reply(self._raw(run, at, response, answer, cost), response, answer)

    def _settle(self, run: _Run, cost: float | None, *, unsure: bool = False) -> None:
        """Give back what was set aside for a run, against what it cost; nothing where nothing is."""
        if run.reserved is not None:
            self._budget.settle(self.engine, run.reserved, cost, unsure=unsure)
        run.reserved = None

    async def _answered(self, request: HttpRequest) -> tuple[HttpResponse | None, Answer, bool]:
        """Response (None: none came), what it says, and whether a call whose cost nobody knows may have been paid.

        It may where no response came, and where one of success cannot be read.
        """
        try:
            response = await self._asked.transport.send(request)
        except Unanswered as wrong:
            return None, _lost(wrong.reason, wrong.again), wrong.sent
        except OSError as wrong:
            return None, _lost(f"{type(wrong).__name__}: {wrong}", True), True
        try:
            answer = self._asked.module.parse(response.status_code, response.headers, response.body)
        except Exception as wrong:  # the body is kept whatever a parser does: it is paid for
            answer = Failed("failed", reason=f"the parser of {self._asked.engine.id} failed: {type(wrong).__name__}")
        unread = isinstance(answer, Failed) and answer.message is None and 200 <= response.status_code < 300
        return replace(response, headers=_kept_headers(response.headers)), answer, unread

    def _raw(
        self, run: _Run, at: datetime, response: HttpResponse | None, answer: Answer, cost: float | None
    ) -> RawAnswer:
        request = run.request
        told: dict[str, object] = {
            "method": request.method, "url": request.url, "headers": dict(request.headers), "json": request.json,
        }  # fmt: skip
        if run.replies or answer.follow_up is not None:
            told["call"] = len(run.replies) + 1
        if response is not None and response.redacted:
            told["redacted"] = ["body"]
        return RawAnswer(
            status=answer.status,
            body=response.body if response else b"",
            asked_at=at,
            http_status=response.status_code if response else None,
            headers=response.headers if response else {},
            request=told,
            latency=response.latency if response else (self._clock.now() - at).total_seconds(),
            cost=cost,
            message=answer.message or (answer.reason if isinstance(answer, Failed) else None),
        )

    # ------------------------------------------------------------ where a run begins

    def _begun(self, claim: Claim, query: Query, reserved: float) -> _Run:
        engine = self._asked.engine
        settings = {
            **engine.settings,
            "model": engine.model,
            "country": engine.country,
            "language": engine.language,
            "seed": draw_seed(self._cycle.seed, self._cycle.name, claim.query_id, claim.number, engine.name),
        }
        request = self._asked.module.request(query, settings)
        if header := self._asked.module.FACTS.idempotency_header:
            key = content_hash(
                [run_key(self._cycle.name, engine.name, claim.query_id, claim.number), self._cycle.created_at]
            )
            request = replace(request, headers={**request.headers, header: key})
        run = _Run(claim, request, self._clock.now(), reserved)
        return self._taken_up(run) if claim.attempt > 1 else run

    def _taken_up(self, run: _Run) -> _Run:
        """The run where an earlier poll left it: replies that were paid for and wait for another call are used."""
        fresh = run
        for attempt in self._chain(attempts_of(self._ledger, run.claim.run_id)):
            reply = HttpResponse(attempt.http_status or 200, attempt.headers, attempt.body)
            answer = self._asked.module.parse(reply.status_code, reply.headers, reply.body)
            follow_up: Mapping[str, Any] | None = answer.follow_up
            if follow_up is None or not self._lives(attempt, follow_up):
                return fresh
            sent = _sent(attempt.request) or run.request
            run = replace(run, replies=[*run.replies, reply])
            run.request = continued(sent, follow_up)
            run.fetching = float(follow_up.get("delay") or 0.0) > 0.0
        return run

    def _chain(self, attempts: tuple[Attempt, ...]) -> list[Attempt]:
        """The deferred replies that a run's last attempts built on one another; none where the vendor refused to go on."""
        found: list[Attempt] = []
        for attempt in attempts:
            at = attempt.request.get("call")
            if attempt.status == "deferred" and isinstance(at, int):
                found = [*found[: at - 1], attempt]
            elif attempt.http_status is not None:
                answer = self._asked.module.parse(attempt.http_status, attempt.headers, attempt.body)
                found = found if isinstance(answer, Failed) and answer.retry != "no" else []
        return found

    def _lives(self, attempt: Attempt, follow_up: Mapping[str, Any]) -> bool:
        if follow_up.get("delay") or "append" in follow_up or attempt.asked_at is None:
            return True
        return (self._clock.now() - attempt.asked_at).total_seconds() < TOKEN_LIVES


def _sent(told: Mapping[str, Any]) -> HttpRequest | None:
    if not isinstance(told.get("url"), str):
        return None
    return HttpRequest(str(told.get("method")), told["url"], dict(told.get("headers") or {}), told.get("json"))


def _lost(reason: str, again: bool) -> Failed:
    return Failed("failed", message=reason, retry="later" if again else "no", reason=reason)


def _ended(answer: Answer, response: HttpResponse | None) -> Ended:
    if answer.status != "failed":
        return "fine"
    if not isinstance(answer, Failed) or answer.retry != "later":
        return "other"
    turned_away = response is None or response.status_code == 429 or response.status_code >= 500
    return "busy" if turned_away or answer.retry_after is not None else "other"


def _kept_headers(headers: Mapping[str, str]) -> dict[str, str]:
    return {
        name: value
        for name, value in headers.items()
        if name.lower() in KEPT_HEADERS or name.lower().startswith(KEPT_LIMITS)
    }
