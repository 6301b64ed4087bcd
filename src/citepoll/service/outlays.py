"""What runs are expected to cost and take, as lines of text: what `plan`, `poll` and the desk share."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from citepoll.report.numbers import duration, money, noun, price
from citepoll.report.printable import one_line
from citepoll.service.costs import Outlay


def outlay_lines(outlays: Sequence[Outlay]) -> Iterator[str]:
    """A line for each engine that costs something or waits for a network: dollars and time, and where each is from."""
    for outlay in outlays:
        if outlay.cost_from != "simulated":
            yield f"{one_line(outlay.engine, 40)}: {noun(outlay.runs, 'run')}, {outlay_words(outlay)}"


def outlay_words(outlay: Outlay) -> str:
    """Dollars and time of an engine's runs, each with what tells it, and whether its ceiling ends it before.

    `nothing: it is simulated` for the local engine, `nothing left to ask` where there is no run.
    """
    if outlay.cost_from == "simulated":
        return "nothing: it is simulated"
    if outlay.runs == 0:
        return "nothing left to ask"
    return ", ".join((_cost(outlay), *_time(outlay), *_ceiling(outlay)))


def _cost(outlay: Outlay) -> str:
    if outlay.usd is None or outlay.usd_a_run is None:
        return "cost unknown"
    return f"about {money(outlay.usd)} at {price(outlay.usd_a_run)} a run ({one_line(outlay.cost_from or '', 60)})"


def _time(outlay: Outlay) -> Iterator[str]:
    if outlay.seconds is not None and outlay.seconds_a_run is not None:
        source = f"cycle {one_line(outlay.latency_from, 60)}" if outlay.latency_from else "presumed"
        yield f"{duration(outlay.seconds)} at {duration(outlay.seconds_a_run)} a run ({source})"


def _ceiling(outlay: Outlay) -> Iterator[str]:
    if outlay.ceiling is not None and outlay.affordable is not None and outlay.affordable < outlay.runs:
        yield f"but its ceiling of {money(outlay.ceiling)} ends it after about {noun(outlay.affordable, 'run')}"
