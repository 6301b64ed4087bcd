"""The drawing surface that the pictures share: rows placed in pixels, one fixed size, no axis of Altair's own."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import altair as alt

from citepoll.report.palette import placeholder

Layer = Any
"""An `alt.Chart`; Altair's chained calls are not typed."""


def layer(rows: Sequence[Mapping[str, object]]) -> Layer:
    """A chart over `rows`, without a mark yet."""
    return alt.Chart(alt.Data(values=list(rows)))  # type: ignore[no-untyped-call]


def pixel(field: str, size: float, channel: str = "x") -> Any:
    """The channel x or y in pixels of a picture that is `size` wide or high."""
    scale = alt.Scale(domain=[0, size], range=[0, size], nice=False, zero=True)
    made = alt.Y if channel == "y" else alt.X
    return made(f"{field}:Q", axis=None, scale=scale)


def doors(rows: Sequence[Mapping[str, object]], mark: Callable[[Layer], Layer]) -> list[Layer]:
    """Clear shapes over the rows, made by `mark`: each says its row's `description`, and links where it has a `href`.

    Rows without `href` are a layer of their own, since a link to an undefined address would leave the page.
    """
    linked = [row for row in rows if "href" in row]
    plain = [row for row in rows if "href" not in row]
    drawn = [mark(layer(linked)).encode(href="href:N", description="description:N")] if linked else []
    return drawn + ([mark(layer(plain)).encode(description="description:N")] if plain else [])


def finished(layers: Sequence[Layer], width: float, height: float) -> alt.LayerChart:
    """The layers as one picture of exactly this size, the first at the back."""
    chart: Any = alt.layer(*layers)
    size = {"width": width, "height": height, "autosize": alt.AutoSizeParams(type="none"), "padding": 0}
    drawn: alt.LayerChart = chart.properties(background=placeholder("page"), **size).configure_view(
        stroke=None, fill=None
    )
    return drawn
