"""What came of a cycle's redirects, for people."""

from __future__ import annotations

from citepoll.report.numbers import count, noun
from citepoll.service.resolving import Resolved
from citepoll.surfaces.cli.terminal import say, warn


def tell_redirects(found: Resolved) -> None:
    """How many of the redirects that the answers cite are resolved, and why the others are not."""
    say(f"  {count(found.resolved)} of {noun(found.cited, 'cited redirect')} resolved")
    for reason, times in sorted(found.reasons.items(), key=lambda pair: -pair[1]):
        warn(f"{noun(times, 'redirect')} not resolved: {reason}")
    if found.left:
        warn(f"{noun(found.left, 'redirect')} not tried yet")
    if found.again:
        say(f"`citepoll cycles resolve {found.cycle}` tries again.")
