"""The emulator as a program: it prints its address, and stops by itself."""

from __future__ import annotations

import argparse
import asyncio
import signal

from tests.emulator.desk import Desk, Settings
from tests.emulator.plans import CONTINUED, FAULTS, HARMLESS, PASSING, Seeded
from tests.emulator.server import serve


def main() -> None:
    given = _arguments().parse_args()
    names = tuple(name for name in given.faults.split(",") if name)
    if unknown := set(names) - set(FAULTS):
        raise SystemExit(f"There is no fault {sorted(unknown)[0]}. Known are: {', '.join(FAULTS)}.")
    settings = Settings(
        seed=given.seed,
        plan=Seeded(given.seed, given.share, names),
        latency=given.latency,
        retry_after=given.retry_after,
        slow=given.slow,
        stall=given.stall,
        max_seconds=given.max_seconds,
    )
    asyncio.run(_run(Desk(settings), given.port))


async def _run(desk: Desk, port: int) -> None:
    stopping = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stopping.set)
    await serve(desk, port, stopping, lambda bound: print(f"http://127.0.0.1:{bound}", flush=True))


def _arguments() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m tests.emulator", description=__doc__)
    parser.add_argument("--port", type=int, default=0, help="0: any free one")
    parser.add_argument("--seed", default="emulator", help="of answers and faults")
    parser.add_argument("--share", type=float, default=0.0, help="of calls that meet a fault, 0 to 1")
    parser.add_argument("--faults", default=",".join((*PASSING, *HARMLESS, *CONTINUED)), help="names, with commas")
    parser.add_argument("--latency", type=float, default=0.0, help="seconds before every reply")
    parser.add_argument("--retry-after", type=float, default=1.0, help="seconds that a 429 asks to wait")
    parser.add_argument("--slow", type=float, default=2.0, help="seconds before the first byte of a slow reply")
    parser.add_argument("--stall", type=float, default=5.0, help="seconds that a stalled body stands still")
    parser.add_argument("--max-seconds", type=float, default=600.0, help="the emulator stops after these")
    return parser


if __name__ == "__main__":
    main()
