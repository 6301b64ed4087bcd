"""What a call costs this machine: many calls at once to a server that answers after a fixed time.

    python bench/throughput.py [--calls 2000] [--at-once 200] [--seconds 0.2]

The server is a child process on the loopback; the poll is the real one (ledger on disk, one engine, key in the query
string, every body redacted, parsed and recorded). Processor time and memory are those of the polling process alone.
Goals: at most 3 ms of processor a run, at most 200 MB. Exits 1 where one is missed.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import multiprocessing
import resource
import sys
import tempfile
import time
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
TEXT = (
    "The fork lasts. [It is](https://acme.com/fork) good; see [this test](https://test.example/forks?id=7). "
    + "It cuts well. " * 200
)


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


async def polled(folder: Path, port: int, calls: int, at_once: int) -> tuple[int, float, float]:
    """Answered runs, processor seconds and seconds of a poll of `calls` queries, once each."""
    engine = Engine("bench", "openai-compatible", "api", "bench", runs=1,
                    settings={"base_url": f"http://127.0.0.1:{port}/v1"})  # fmt: skip
    queries = tuple(Query(f"which fork is best for job {n}") for n in range(calls))
    ledger, at = Ledger(folder / "ledger.db"), datetime.now(UTC)
    ledger.lock(QuerySet(queries), "bench", at)
    cycle = ledger.create("bench", "polled", [engine], "seed", at, set_hash=QuerySet(queries).hash)
    ledger.plan(cycle, plan_order([engine], queries, "seed", "bench"))
    async with HttpTransport(Auth("query", "api_key"), "bench-0123456789abcdef", at_once=at_once) as transport:
        limits = Limits(at_once=at_once, start=at_once)
        asked = {engine.name: Asked(engine, load(engine.id), transport, limits, Retries())}
        began, worked = time.perf_counter(), time.process_time()
        await sample(ledger, cycle, asked, {q.id: q for q in queries}, clock=Clock(), tell=lambda event: None,
                     stop=asyncio.Event())  # fmt: skip
        spent = time.process_time() - worked, time.perf_counter() - began
    return ledger.progress(cycle)[0].statuses.get("answered", 0), *spent


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--calls", type=int, default=2000)
    parser.add_argument("--at-once", type=int, default=200)
    parser.add_argument("--seconds", type=float, default=0.2)
    given = parser.parse_args()
    mine, its = multiprocessing.Pipe()
    server = multiprocessing.Process(target=serve, args=(its, given.seconds), daemon=True)
    server.start()
    try:
        with tempfile.TemporaryDirectory() as folder:
            answered, cpu, seconds = asyncio.run(polled(Path(folder), mine.recv(), given.calls, given.at_once))
    finally:
        server.terminate()
        server.join()
    ms, mb = 1000 * cpu / given.calls, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    least = given.calls * given.seconds / given.at_once
    print(
        f"{answered} of {given.calls} answered, {given.at_once} at once, in {seconds:.1f} s (no less than {least:.1f})"
    )
    print(f"processor {ms:.2f} ms a run (goal {GOAL_MS:g}), memory {mb:.0f} MB at most (goal {GOAL_MB:g})")
    return 0 if answered == given.calls and ms <= GOAL_MS and mb <= GOAL_MB else 1


if __name__ == "__main__":
    sys.exit(main())
