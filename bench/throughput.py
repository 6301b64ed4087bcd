"""What a call costs this machine: many calls at once to a server that answers after a fixed time, ours beside DBOS.

    python bench/throughput.py [--calls 2000] [--at-once 200] [--seconds 0.2] [--repeats 3]

Ours is the real poll: ledger on disk, one engine, key in the query string, every body redacted, parsed and recorded. DBOS
does the same one workflow a run: a step that sends with our transport and parses with our engine, its outcome kept in
its system database (SQLite, its own settings), workflows called directly and no queue between, so many at once.
Each polls in a process of its own, in turns, and the server has one too; all talk over the loopback alone. Processor
time is that of the polling process from the first call to the last, its start left out; memory is its peak, all told.
Goals for ours: at most 3 ms of processor a run, at most 200 MB. Exits 1 where one is missed in the median.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import multiprocessing
import resource
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from datetime import UTC, datetime
from multiprocessing.connection import Connection
from pathlib import Path

from citepoll.engines import load
from citepoll.engines.base import Auth
from citepoll.model import Engine, Query, QuerySet
from citepoll.sampling.asking import Asked
from citepoll.sampling.http import HttpTransport
from citepoll.sampling.limiter import Limits
from citepoll.sampling.retry import Retries
from citepoll.sampling.sampler import plan_order, sample
from citepoll.store.ledger import Ledger

GOAL_MS, GOAL_MB = 3.0, 200.0
AUTH, KEY = Auth("query", "api_key"), "bench-0123456789abcdef"
TEXT = (
    "The fork lasts. [It is](https://acme.com/fork) good; see [this test](https://test.example/forks?id=7). "
    + "It cuts well. " * 200
)


@dataclass(frozen=True)
class Load:
    """The server's address and what it is asked: so many calls, so many of them at once."""

    url: str
    calls: int
    at_once: int


@dataclass(frozen=True)
class Cost:
    """Of one poll: answered runs, milliseconds of processor a run, seconds, and the process's peak of memory in MB."""

    answered: int
    ms: float
    seconds: float
    mb: float


Poll = Callable[[Path, Load], Coroutine[None, None, tuple[int, float, float]]]
"""Answered runs, processor seconds, seconds."""


class Clock:
    def now(self) -> datetime:
        return datetime.now(UTC)

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)


def serve(told: Connection, seconds: float) -> None:
    """Answer every request with a chat completion of 3 kB, `seconds` after it came."""
    body = json.dumps({"choices": [{"message": {"content": TEXT}, "finish_reason": "stop"}], "model": "bench"}).encode()
    head = f"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {len(body)}\r\n\r\n".encode()

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while True:
                lines = (await reader.readuntil(b"\r\n\r\n")).lower().split(b"\r\n")
                await reader.readexactly(next(int(x[15:]) for x in lines if x.startswith(b"content-length:")))
                await asyncio.sleep(seconds)
                writer.write(head + body)
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            writer.close()

    async def main() -> None:
        server = await asyncio.start_server(talk, "127.0.0.1", 0, backlog=1024)
        told.send(server.sockets[0].getsockname()[1])
        await server.serve_forever()

    asyncio.run(main())


def asked_of(load_: Load) -> tuple[Engine, tuple[Query, ...]]:
    engine = Engine("bench", "openai-compatible", "api", "bench", runs=1, settings={"base_url": f"{load_.url}/v1"})
    return engine, tuple(Query(f"which fork is best for job {n}") for n in range(load_.calls))


async def ours(folder: Path, given: Load) -> tuple[int, float, float]:
    """A poll of one engine by the sampler."""
    engine, queries = asked_of(given)
    ledger, at = Ledger(folder / "ledger.db"), datetime.now(UTC)
    ledger.lock(QuerySet(queries), "bench", at)
    cycle = ledger.create("bench", "polled", [engine], "seed", at, set_hash=QuerySet(queries).hash)
    ledger.plan(cycle, plan_order([engine], queries, "seed", "bench"))
    async with HttpTransport(AUTH, KEY, at_once=given.at_once) as transport:
        limits = Limits(at_once=given.at_once, start=given.at_once)
        asked = {engine.name: Asked(engine, load(engine.id), transport, limits, Retries())}
        began, worked = time.perf_counter(), time.process_time()
        await sample(ledger, cycle, asked, {q.id: q for q in queries}, clock=Clock(), tell=lambda event: None,
                     stop=asyncio.Event())  # fmt: skip
        spent = time.process_time() - worked, time.perf_counter() - began
    return ledger.progress(cycle)[0].statuses.get("answered", 0), *spent


async def dbos(folder: Path, given: Load) -> tuple[int, float, float]:
    """The same calls as workflows of DBOS, each with the one step that can be told apart after a crash."""
    from dbos import DBOS  # noqa: PLC0415  # our process shall not hold what it does not use

    database = f"sqlite:///{folder / 'dbos.sqlite'}"
    DBOS(config={"name": "bench", "system_database_url": database, "run_admin_server": False, "log_level": "ERROR"})
    engine, queries = asked_of(given)
    module, flying = load(engine.id), asyncio.Semaphore(given.at_once)
    settings = {**engine.settings, "model": engine.model, "country": None, "language": None, "seed": "seed"}
    async with HttpTransport(AUTH, KEY, at_once=given.at_once) as transport:

        @DBOS.step()
        async def call(at: int) -> tuple[str, int, bytes]:
            response = await transport.send(module.request(queries[at], settings))
            answer = module.parse(response.status_code, response.headers, response.body)
            return answer.status, response.status_code, response.body

        @DBOS.workflow()
        async def run(at: int) -> str:
            return (await call(at))[0]

        async def admitted(at: int) -> str:
            async with flying:
                return await run(at)

        DBOS.launch()
        began, worked = time.perf_counter(), time.process_time()
        statuses = await asyncio.gather(*(admitted(at) for at in range(given.calls)))
        spent = time.process_time() - worked, time.perf_counter() - began
    DBOS.destroy()
    return statuses.count("answered"), *spent


def measured(poll: Poll, given: Load, told: Connection) -> None:
    """In a process of its own: poll in a folder that goes away, and tell what it cost."""
    with tempfile.TemporaryDirectory() as folder:
        answered, cpu, seconds = asyncio.run(poll(Path(folder), given))
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    told.send(Cost(answered, 1000 * cpu / given.calls, seconds, peak))


def alone(poll: Poll, given: Load) -> Cost:
    context = multiprocessing.get_context("spawn")
    mine, its = context.Pipe()
    process = context.Process(target=measured, args=(poll, given, its))
    process.start()
    its.close()
    try:
        cost: Cost = mine.recv()
    finally:
        process.join()
    return cost


def median(costs: list[Cost], name: str) -> float:
    return statistics.median(float(getattr(cost, name)) for cost in costs)


def show(found: dict[str, list[Cost]], given: Load) -> None:
    print(f"{'':10}{'answered':>10}{'ms a run':>10}{'seconds':>10}{'MB':>8}   medians of {len(found['ours'])}")
    for name, costs in found.items():
        every = ", ".join(f"{cost.ms:.2f}" for cost in costs)
        figures = f"{median(costs, 'ms'):10.2f}{median(costs, 'seconds'):10.1f}{median(costs, 'mb'):8.0f}"
        print(f"{name:10}{min(cost.answered for cost in costs):6d}/{given.calls}{figures}   ({every} ms)")
    ratios = [median(found["dbos"], name) / median(found["ours"], name) for name in ("ms", "seconds", "mb")]
    print("dbos/ours {:>20.1f}{:>10.1f}{:>8.1f}".format(*ratios))


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--calls", type=int, default=2000)
    parser.add_argument("--at-once", type=int, default=200)
    parser.add_argument("--seconds", type=float, default=0.2)
    parser.add_argument("--repeats", type=int, default=3)
    given = parser.parse_args()
    mine, its = multiprocessing.Pipe()
    server = multiprocessing.Process(target=serve, args=(its, given.seconds), daemon=True)
    server.start()
    found: dict[str, list[Cost]] = {"ours": [], "dbos": []}
    try:
        work = Load(f"http://127.0.0.1:{mine.recv()}", given.calls, given.at_once)
        for _ in range(given.repeats):
            found["ours"].append(alone(ours, work))
            found["dbos"].append(alone(dbos, work))
    finally:
        server.terminate()
        server.join()
    least = given.calls * given.seconds / given.at_once
    print(f"{given.calls} calls of {given.seconds:g} s, {given.at_once} at once: no less than {least:.1f} s")
    show(found, work)
    ms, mb = median(found["ours"], "ms"), median(found["ours"], "mb")
    print(f"goals for ours: {GOAL_MS:g} ms and {GOAL_MB:g} MB")
    whole = all(cost.answered == given.calls for cost in found["ours"])
    return 0 if whole and ms <= GOAL_MS and mb <= GOAL_MB else 1


if __name__ == "__main__":
    sys.exit(main())
