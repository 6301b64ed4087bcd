"""Writes the pages of docs/ that are drawn from the code: metrics, methods, cli, glossary, engines.

python docs/generate.py            writes them
python docs/generate.py --check    writes nothing; names each page that differs, and then ends with 1
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import typer
from typer.testing import CliRunner

from citepoll import engines, errors
from citepoll.engines.base import Facts
from citepoll.main import app
from citepoll.measure.contrasts import CONTRAST_METHODS
from citepoll.measure.found import found_page
from citepoll.measure.intervals import METHODS
from citepoll.measure.metrics import metrics_page
from citepoll.model import Engine
from citepoll.report.glossary import glossary
from citepoll.sampling.budget import price_of
from citepoll.service.engines import returns, takes

HERE = Path(__file__).parent
WIDTH = 100
"""Columns of the help texts, whatever the terminal."""

OTHER_STATUSES: Mapping[int, str] = {
    0: "Done. Warnings, rejected rows and failed runs do not change that.",
    1: "`citepoll queries lint` found something that makes the query file unusable; `citepoll check aa --strict` found "
    "runs that do not look independent; a question was answered with no; "
    "or citepoll itself failed.",
    2: "The command line was not understood: an unknown command or option, a value of the wrong kind.",
    9: "`citepoll poll`: an engine cannot be asked at all, and stopped; the others went on.",
    130: "Interrupted (Ctrl-C). What was recorded is kept.",
}


# ---------------------------------------------------------------- the command line


def cli_page() -> str:
    """docs/cli.md: the help of every command, and the exit statuses."""
    group: Any = typer.main.get_command(app)
    parts = [
        "# Commands",
        "Generated from the program's own help.",
        "Data goes to standard output, progress and warnings to standard error, so `citepoll measure --json > file` holds "
        "JSON and nothing else. Every command takes `--json`, but for `queries export`, which prints data as it is, and `serve`. "
        "Colours follow `NO_COLOR`; tables and bars fit the terminal.",
        "## Exit statuses",
        table(("status", "meaning"), ((str(number), meaning) for number, meaning in sorted(exit_statuses().items()))),
        "An error says its cause, what was kept, and what to do, on standard error.",
        "## citepoll",
        block(help_of(())),
    ]
    for path in commands(group, ()):
        parts += [f"## citepoll {' '.join(path)}", block(help_of(path))]
    return page(parts)


def exit_statuses() -> dict[int, str]:
    """Every exit status with its meaning; those of errors in the words of the tree in `citepoll.errors`."""
    return {
        **OTHER_STATUSES,
        **{
            kind.exit_code: f"`{kind.__name__}`: {_said_of(kind.__name__)}."
            for kind in errors.CitepollError.__subclasses__()
        },
    }


def _said_of(name: str) -> str:
    for line in (errors.__doc__ or "").splitlines():
        words = line.lstrip("├└─ ").split(maxsplit=1)
        if len(words) == 2 and words[0] == name:
            return words[1]
    raise KeyError(f"the tree in citepoll/errors.py lacks {name}")


def commands(group: Any, path: tuple[str, ...]) -> Iterator[tuple[str, ...]]:
    """The path of every command below a group, in the program's order; groups before their commands."""
    for name, command in group.commands.items():
        yield (*path, name)
        if hasattr(command, "commands"):
            yield from commands(command, (*path, name))


def help_of(path: Sequence[str]) -> str:
    """What `citepoll … --help` prints in 100 columns."""
    shown = CliRunner().invoke(
        app, [*path, "--help"], prog_name="citepoll", terminal_width=WIDTH, color=False, env={"NO_COLOR": "1"}
    )
    if shown.exit_code:
        raise RuntimeError(f"citepoll {' '.join(path)} --help ends with {shown.exit_code}: {shown.output}")
    return "\n".join(line.rstrip() for line in shown.output.strip().splitlines())


# ---------------------------------------------------------------- words


def methods_page() -> str:
    """docs/methods.md: what each `method` of an estimate, and of a comparison, names."""
    return page(
        [
            "# Methods",
            "Generated from the tables in the code. Each estimate and each comparison names the method of its interval; "
            "[methodology](methodology.md) says how they are made and how often they were seen to cover the truth.",
            "## Of an estimate",
            "`citepoll.measure.intervals.METHODS`.",
            table(("method", "what it is"), ((f"`{name}`", text) for name, text in METHODS.items())),
            "## Of a comparison",
            "`citepoll.measure.compare.CONTRAST_METHODS`: changes between cycles, velocity, brand against brand, experiments.",
            table(("method", "what it is"), ((f"`{name}`", text) for name, text in CONTRAST_METHODS.items())),
        ]
    )


def glossary_page() -> str:
    """docs/glossary.md: every word that numbers and commands use."""
    parts = [
        "# Glossary",
        "Generated from `citepoll/report/glossary.toml` and the tables in the code. One word per thing, one thing per word.",
    ]
    for words in glossary():
        lead = METRICS_LEAD if words.title == "Metrics" else words.lead
        parts += [f"## {words.title}" if words.title else "", lead, table(words.columns, words.rows)]
    return page([part for part in parts if part])


METRICS_LEAD = "[metrics](metrics.md) has each with its denominator, its unit and what stands there without data."


# ---------------------------------------------------------------- engines


def engines_page() -> str:
    """docs/engines.md: what is known of every built-in engine before it is asked."""
    every = [engines.load(engine_id).FACTS for engine_id in engines.REGISTRY]
    parts = [
        "# Engines",
        "Generated from the facts in `citepoll.engines`. `citepoll engines` prints them with what the environment adds: "
        "whether a key is set.",
        "An API and a consumer surface of one vendor are different products: the surface is part of the id, and is never "
        "blended in silence. What a surface cannot return is said here, so that absent is not taken for zero. Engines of "
        "others join by an entry point of the group `citepoll.engines`, named by their id "
        "([how](../CONTRIBUTING.md#add-an-engine)).",
        "`citepoll poll` asks every engine but `recorded`, which is replay alone: its answers come in by `citepoll import`. "
        "Bodies that a parser reads beside those that it asks for stand below as *replay*; `citepoll engines parse` reads "
        "them from disk. `citepoll engines check` sends one cheap call to an engine and says what is wrong with it.",
        table(
            (
                "engine",
                "surface",
                "asked by `poll`",
                "returns beside the text",
                "has a field for",
                "key",
                "parser verified on",
            ),
            ((f"[`{f.id}`](#{_heading(f)})", *_engine_row(f)) for f in every),
        ),
        "*recording*: bodies that others recorded are part of the tests where they are at hand. *documentation*: no "
        "recording was to be had; the parser follows the vendor's documents.",
    ]
    for facts in every:
        parts += [f"## {facts.id}", *_engine_parts(facts)]
    return page(parts)


def _heading(facts: Facts) -> str:
    """The anchor that Markdown pages give the heading: no punctuation but hyphens."""
    return "".join(letter for letter in facts.id.lower() if letter.isalnum() or letter == "-")


def _engine_row(facts: Facts) -> tuple[str, ...]:
    key = f"`{facts.key_variable}`" if facts.key_variable else "none"
    return (
        facts.surface,
        _polled(facts),
        ", ".join(returns(facts)) or "nothing",
        ", ".join(takes(facts)) or "neither",
        f"{key}, may be unset" if facts.key_optional else key,
        facts.verified,
    )


def _polled(facts: Facts) -> str:
    return {"recorded": "no: replay", "simulated": "yes, on this machine"}.get(facts.surface, "yes")


def _engine_parts(facts: Facts) -> Iterator[str]:
    lines = {
        "Cited": facts.cited,
        "Model unless another is named": f"`{facts.default_model}`" if facts.default_model else "",
        "Price": facts.price_note or "",
        "Expected": _expected(facts),
        "Replay, not asked for": facts.replays,
        "The vendor's page": f"<{facts.docs}>" if facts.docs.startswith("http") else f"`{facts.docs}`",
    }
    yield f"{facts.name}."
    yield "\n".join([*(f"- {name}: {text}." for name, text in lines.items() if text), *(f"- {n}" for n in facts.notes)])
    if facts.settings:
        yield table(("setting", "meaning (unless set)"), ((f"`{name}`", text) for name, text in facts.settings.items()))


def _expected(facts: Facts) -> str:
    """What the price table expects of a call; empty where it does not have the engine."""
    price = price_of(Engine(facts.name, facts.id, facts.surface), facts.default_model, {})
    if price is None or price.of_a_call is None:
        return ""
    return f"{price.of_a_call:.3g} USD a call (price table of {price.date})"


# ---------------------------------------------------------------- Markdown


def page(parts: Iterable[str]) -> str:
    return "\n\n".join(parts) + "\n"


def block(text: str) -> str:
    return f"```text\n{text}\n```"


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |" for line in lines)


PAGES: Mapping[str, Callable[[], str]] = {
    "metrics.md": lambda: f"{metrics_page()}\n{found_page()}",
    "methods.md": methods_page,
    "cli.md": cli_page,
    "glossary.md": glossary_page,
    "engines.md": engines_page,
}


def stale(folder: Path) -> list[str]:
    """The generated pages that are missing from `folder` or differ from what the code says."""
    return [name for name, made in PAGES.items() if _read(folder / name) != made()]


def _read(path: Path) -> str | None:
    return path.read_text("utf-8") if path.exists() else None


def main(arguments: Sequence[str], folder: Path = HERE) -> int:
    """Write the pages that differ, or with `--check` only name them. Returns the exit status."""
    if unknown := set(arguments) - {"--check"}:
        print(f"unknown: {', '.join(sorted(unknown))}\n\n{__doc__}", file=sys.stderr)
        return 2
    different = stale(folder)
    for name in different:
        if "--check" in arguments:
            print(f"docs/{name} is not what the code says: run `make docs`", file=sys.stderr)
        else:
            (folder / name).write_text(PAGES[name](), "utf-8", newline="\n")
            print(f"wrote docs/{name}")
    return 1 if different and "--check" in arguments else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
