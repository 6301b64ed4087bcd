"""Colours: one table for page, report, PDF and notebook. A chart holds placeholders; `render.svg` puts colours in.

The accent and the ring are of the colour-blind-safe set of Okabe and Ito (jfly.uni-koeln.de/color, 2008), the accent
darkened or lightened so that text in it keeps 4.5:1 on its page.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Token:
    """A colour by its use: `placeholder` stands in chart definitions only."""

    name: str
    placeholder: str
    light: str
    dark: str


TOKENS: tuple[Token, ...] = (
    Token("page", "#010a01", "#ffffff", "#16181b"),
    Token("panel", "#010a02", "#f4f5f6", "#1f2226"),
    Token("line", "#010a03", "#d5d8dc", "#3a3f46"),
    Token("ink", "#010a04", "#1a1d21", "#eceef0"),
    Token("quiet", "#010a05", "#565c64", "#a7aeb7"),
    Token("accent", "#010a06", "#0069a8", "#5cb8ea"),
    Token("other", "#010a07", "#6b7078", "#9aa1aa"),
    Token("ring", "#010a08", "#b84f00", "#f0a35c"),
    Token("heat-0", "#010b00", "#ffffff", "#16181b"),
    Token("heat-1", "#010b01", "#dcecf6", "#1b3446"),
    Token("heat-2", "#010b02", "#b3d6ec", "#1f4a67"),
    Token("heat-3", "#010b03", "#7db8dc", "#256690"),
    Token("mark", "#010a09", "#fff1c9", "#4a3d12"),
)

_BY_NAME = {token.name: token for token in TOKENS}


def placeholder(name: str) -> str:
    """The placeholder of a token, for a chart definition."""
    return _BY_NAME[name].placeholder


def css_variables() -> dict[str, str]:
    """Placeholder → `var(--name)`: charts inside a page, which follow its light or dark scheme."""
    return {token.placeholder: f"var(--{token.name})" for token in TOKENS}


def fixed(scheme: str = "light") -> dict[str, str]:
    """Placeholder → hex: charts that stand alone (PDF, notebook). `scheme` is `light` or `dark`."""
    return {token.placeholder: token.dark if scheme == "dark" else token.light for token in TOKENS}


def style_rules() -> str:
    """The CSS that declares the variables for both schemes."""
    light = " ".join(f"--{token.name}: {token.light};" for token in TOKENS)
    dark = " ".join(f"--{token.name}: {token.dark};" for token in TOKENS)
    base = f":root {{ color-scheme: light dark; {light} }}"
    return f"{base}\n@media screen and (prefers-color-scheme: dark) {{ :root {{ {dark} }} }}"


def heat(cited: int, valid: int) -> str:
    """The token of a heat-map cell: none, up to a half, over a half, all."""
    if cited <= 0 or valid <= 0:
        return "heat-0"
    if cited >= valid:
        return "heat-3"
    return "heat-1" if 2 * cited <= valid else "heat-2"
