"""The one place where numbers become words. The width of the interval decides the rounding; no data gets words too."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from decimal import ROUND_HALF_UP, Decimal

from citepoll.measure.found import unit_of as unit_of
from citepoll.measure.metrics import Unit
from citepoll.model import Contrast, Estimate

NARROW = 0.04
"""An interval at most this wide (4 points) carries one decimal."""

THIN_SPACE = "\u202f"
"""Narrow no-break space, between groups of three digits."""


def words(estimate: Estimate, unit: Unit = "share") -> str:
    """An estimate as a reader sees it: `23 % (18–29)` for a share, `3.3 (2.9–3.7)` for a mean per answer,
    `+2.4 points (0.1 to 4.7)` for a difference of shares, `≤ 3.3 points` for an upper bound of one, `3 cycles (2 to
    more)` for a length of time.

    Without a value: `no estimate: ` and the reason. Without an interval: the value and `no interval`.
    """
    if estimate.value is None:
        return f"no estimate: {reason(estimate)}"
    if unit == "difference":
        return points(estimate)
    if unit == "most":
        return f"≤ {_tenths(estimate.value):.1f} points"
    if unit == "cycles":
        return _cycles(estimate)
    return share(estimate) if unit == "share" else mean(estimate)


def reason(estimate: Estimate) -> str:
    """Why there is no estimate, in words; never empty."""
    if estimate.reason:
        return estimate.reason.removeprefix("no estimate: ")
    return f"{count(estimate.n)} valid answers"


def share(estimate: Estimate) -> str:
    """A share with its interval. `0 %, at most 2.4 %` where nothing was cited, `100 %, at least 94 %` where all was."""
    if estimate.value is None:
        return words(estimate)
    bounds = _bounds(estimate)
    if bounds is None:
        return f"{percent(estimate.value)}, no interval"
    low, high = bounds
    places = _places(low, high)
    if estimate.value == 0 and low == 0:
        return f"0 %, at most {percent(high, places)}"
    if estimate.value == 1 and high == 1:
        return f"100 %, at least {percent(low, places)}"
    return f"{_inside(estimate.value, places)} ({_hundredths(low, places)}–{_hundredths(high, places)})"


def mean(estimate: Estimate) -> str:
    """A mean per answer with one decimal and its interval: `3.3 (2.9–3.7)`."""
    if estimate.value is None:
        return words(estimate)
    bounds = _bounds(estimate)
    value = _rounded(estimate.value, 1)
    if bounds is None:
        return f"{value}, no interval"
    return f"{value} ({_rounded(bounds[0], 1)}–{_rounded(bounds[1], 1)})"


def points(found: Estimate | Contrast) -> str:
    """A difference of shares in points: `+2.4 points (0.1 to 4.7)`, or why there is none."""
    if found.value is None:
        return f"no estimate: {found.reason or 'no interval'}"
    value = f"{_tenths(found.value):+.1f} points"
    if found.low is None or found.high is None:
        return f"{value}, no interval"
    return f"{value} ({_tenths(found.low):.1f} to {_tenths(found.high):.1f})"


def _tenths(difference: float) -> float:
    """Points with one decimal; what rounds to nothing has no sign of its own."""
    return round(difference * 100, 1) + 0.0


def _cycles(estimate: Estimate) -> str:
    low = "?" if estimate.low is None else f"{estimate.low:g}"
    high = "more" if estimate.high is None else f"{estimate.high:g}"
    return f"{noun(round(estimate.value or 0), 'cycle')} ({low} to {high})"


def interval(estimate: Estimate, unit: Unit = "share") -> str:
    """The bounds alone: `18–29 %`, `2.9–3.7`; `no interval` where there is none."""
    bounds = _bounds(estimate)
    if bounds is None:
        return "no interval"
    low, high = bounds
    if unit == "share":
        places = _places(low, high)
        return f"{_hundredths(low, places)}–{percent(high, places)}"
    if unit == "difference":
        return f"{low * 100:.1f} to {high * 100:.1f} points"
    return f"{_rounded(low, 1)}–{_rounded(high, 1)}"


def percent(fraction: float, places: int = 0) -> str:
    """A fraction 0–1 as `34 %`, rounded half up."""
    return f"{_hundredths(fraction, places)} %"


def part(some: float | None, whole: int) -> str:
    """`49 of 144`; the whole alone where the metric has no numerator."""
    if some is None:
        return count(whole)
    return f"{_trimmed(some)} of {count(whole)}"


def counted(estimate: Estimate) -> str:
    """`49 of 144`: what counts, of what; the answers alone where the metric has no numerator."""
    return part(estimate.cited, estimate.n if estimate.of is None else int(estimate.of))


def count(number: int) -> str:
    """An integer with thin separators: `12 345`."""
    return f"{number:,}".replace(",", THIN_SPACE)


def noun(number: int, singular: str, plural: str | None = None) -> str:
    """`1 query`, `12 queries`: the count and its noun (plural: with an s)."""
    return f"{count(number)} {singular if number == 1 else plural or singular + 's'}"


def spread(runs: Iterable[int]) -> str:
    """Runs of queries, counted: `3 queries × 9 runs, 20 × 2`, most runs first; empty for none."""
    counted = sorted(Counter(runs).items(), reverse=True)
    return ", ".join(
        f"{noun(queries, 'query', 'queries')} × {noun(number, 'run')}"
        if at == 0
        else f"{count(queries)} × {count(number)}"
        for at, (number, queries) in enumerate(counted)
    )


def money(dollars: float) -> str:
    """US dollars: `$11.40`; below a cent two significant digits, as `$0.0042`."""
    sign = "-" if dollars < 0 else ""
    amount = abs(dollars)
    if amount == 0 or amount >= 0.01:
        return f"{sign}${amount:,.2f}".replace(",", THIN_SPACE)
    text = f"{Decimal(f'{amount:.1e}'):f}"
    return f"{sign}${text}"


def price(dollars: float) -> str:
    """US dollars of one call, exact enough to be multiplied: below a dollar three significant digits, as `$0.0725`."""
    if dollars == 0 or dollars >= 1:
        return money(dollars)
    exact = Decimal(f"{dollars:.2e}").normalize()
    return f"${exact:f}" if exact.as_tuple().exponent < -2 else money(dollars)  # type: ignore[operator]


def duration(seconds: float) -> str:
    """Seconds as `0.8 s`, `42 s`, `3 min 20 s`, `2 h 5 min`, `3 d 4 h`: at most two units."""
    if seconds < 9.95:
        return f"{_rounded(max(seconds, 0), 1)} s"
    whole = int(Decimal(str(seconds)).quantize(Decimal(1), ROUND_HALF_UP))
    for size, name, below, below_name in ((86400, "d", 3600, "h"), (3600, "h", 60, "min"), (60, "min", 1, "s")):
        if whole >= size:
            rest = whole % size // below
            return f"{whole // size} {name}" + (f" {rest} {below_name}" if rest else "")
    return f"{whole} s"


def _bounds(estimate: Estimate) -> tuple[float, float] | None:
    if estimate.low is None or estimate.high is None:
        return None
    return min(estimate.low, estimate.high), max(estimate.low, estimate.high)


def _places(low: float, high: float) -> int:
    return 0 if round(high - low, 9) > NARROW else 1


def _inside(value: float, places: int) -> str:
    """The value as a percent that never reads as none or all unless it is: `under 1 %`, `over 99 %`."""
    text = _hundredths(value, places)
    step = "1" if places == 0 else "0.1"
    if value > 0 and Decimal(text) == 0:
        return f"under {step} %"
    if value < 1 and Decimal(text) == 100:
        return f"over {100 - Decimal(step)} %"
    return f"{text} %"


def _hundredths(fraction: float, places: int) -> str:
    return _decimal(Decimal(str(float(fraction))) * 100, places)


def _rounded(number: float, places: int) -> str:
    return _decimal(Decimal(str(float(number))), places)


def _decimal(number: Decimal, places: int) -> str:
    return f"{number.quantize(Decimal(1).scaleb(-places), ROUND_HALF_UP):f}"


def _trimmed(number: float) -> str:
    return count(int(number)) if float(number).is_integer() else _rounded(number, 1)
