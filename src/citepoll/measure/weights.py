"""Which engines are blended, with which weights, under which label (STATISTICS section 3)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from citepoll.measure.context import Context


@dataclass(frozen=True, slots=True)
class Blend:
    """`name` stands in the engine's place; `weights` sum to 1. `label` states them, `warnings` what is wrong."""

    name: str
    weights: Mapping[str, float]
    label: str
    warnings: tuple[str, ...]

    @property
    def engines(self) -> list[str]:
        return [engine for engine, weight in self.weights.items() if weight > 0]


def blends(context: Context, engines: Sequence[str]) -> tuple[Blend, ...]:
    """A blend for each kind of engine that has two or more here; over all kinds where the project mixes them."""
    kinds: dict[str, list[str]] = {}
    for engine in engines:
        kinds.setdefault(context.engines[engine].surface, []).append(engine)
    if context.mix_surfaces and len(kinds) > 1:
        mixed = f"engines of different kinds are blended: {', '.join(kinds)}"
        return (_blend(context, f"blended ({' + '.join(kinds)})", list(engines), (mixed,)),)
    return tuple(
        _blend(context, "blended" if len(kinds) == 1 else f"blended ({kind})", members, ())
        for kind, members in kinds.items()
        if len(members) > 1
    )


def _blend(context: Context, name: str, engines: list[str], warnings: tuple[str, ...]) -> Blend:
    given = {engine: context.engines[engine].weight for engine in engines}
    known = {engine: weight for engine, weight in given.items() if weight is not None}
    total = sum(known.values())
    if len(known) < len(given) or total <= 0:
        without = ", ".join(engine for engine in engines if engine not in known)
        missing = f"for {without}" if known and without else "above 0" if known else "to these engines"
        equal = f"equal weights: the project gives none {missing}"
        shares = dict.fromkeys(engines, 1.0 / len(engines))
        return Blend(name, shares, f"{name}, equal weights", (*warnings, equal))
    shares = {engine: weight / total for engine, weight in known.items()}
    stated = ", ".join(f"{engine} {share * 100:.0f} %" for engine, share in shares.items())
    return Blend(name, shares, f"{name}, weights {stated}", warnings)
