"""A new project: what `citepoll init` knows becomes a commented citepoll.toml."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import msgspec

from citepoll.errors import ProjectError
from citepoll.project import FILE, parse_project


@dataclass(frozen=True, slots=True)
class Start:
    """What `citepoll init` knows: the brand, what it owns, its competitors as (name, domain), the category."""

    brand: str
    owns: tuple[str, ...]
    competitors: tuple[tuple[str, str], ...] = ()
    category: str = ""


def _quote(text: str) -> str:
    try:
        return msgspec.json.encode(text).decode().replace("\x7f", "\\u007f")
    except UnicodeEncodeError:
        raise ProjectError(f"{text!r} is not UTF-8 text.", "Type it again in a UTF-8 terminal.") from None


def project_text(start: Start) -> str:
    """A commented citepoll.toml; `parse_project` reads it back as given."""
    competitors = "".join(
        f"\n[[competitor]]\nname = {_quote(name)}\nowns = [{_quote(domain)}]\n" for name, domain in start.competitors
    )
    return f"""\
# citepoll: what is measured, where, and how often. docs/project-file.md explains every line.

seed = "citepoll"          # fixes the order of queries and the local engine's draws
time_zone = "UTC"          # dates in reports

[brand]                    # the brand that you track
name = {_quote(start.brand)}
# Names it goes by. The name itself is one. Write {{ text = "Box", case_sensitive = true, needs = ["cloud", "files"] }}
# for a name that is also a common word.
aliases = []
# Domains with all their subdomains, or path prefixes such as "github.com/acme".
owns = [{", ".join(_quote(o) for o in start.owns)}]
category = {_quote(start.category)}              # as buyers would say it; `citepoll queries starter` uses it
{competitors or NO_COMPETITOR}
[queries]
file = "queries.toml"      # edited by you, frozen by `citepoll queries lock`
language = "en"
market = "US"

# Engines that `citepoll poll` asks. Answers that you import bring their own labels.
# weight: the share of your audience that uses the engine; without weights a blended number weighs all engines equally.
[[engine]]
id = "local:bm25"          # the built-in engine: answers from your own pages (`citepoll corpus add`), simulated
runs = 3
# name = "local-broad"     # a second entry of the same engine needs a name of its own
# settings = {{ cite = 4, temperature = 1.0 }}

[budget]
# per_cycle_usd = 20.0     # the most that a cycle may cost; the local engine is free

[cadence]
# every = "weekly"         # weekly, fortnightly, monthly or quarterly: `citepoll health` says when a cycle is late

# [schedule]
# every = "weekly"         # a running `citepoll serve` begins a cycle each week, which costs what a cycle costs

[blend]
mix_surfaces = false       # true blends engines of different kinds (api, ui, serp, recorded, simulated)
"""


NO_COMPETITOR = """
# [[competitor]]
# name = "Other"
# owns = ["other.com"]
"""


def write_project(root: Path, start: Start) -> Path:
    """Write citepoll.toml into `root` (made if absent). Raises `ProjectError` where one stands already; never overwrites."""
    text = project_text(start)
    parse_project(text, root)
    path = root / FILE
    try:
        root.mkdir(parents=True, exist_ok=True)
        with path.open("x", encoding="utf-8") as out:
            out.write(text)
    except FileExistsError:
        raise ProjectError(f"{path} exists already.", "Edit it, or choose another folder.") from None
    except OSError as wrong:
        raise ProjectError(
            f"{path} cannot be written: {wrong.strerror}.", "Choose a folder that you may write to."
        ) from None
    return path
