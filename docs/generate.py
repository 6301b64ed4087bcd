"""Writes the pages of docs/ that are drawn from the code: metrics, methods, cli, glossary, engines, api, mcp.

python docs/generate.py            writes them
python docs/generate.py --check    writes nothing; names each page that differs, and then ends with 1
"""

from __future__ import annotations

import inspect
import json
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
from citepoll.surfaces.api import description as api
from citepoll.surfaces.mcp import server as mcp
from citepoll.surfaces.mcp.resources import PAGES as RESOURCES
from citepoll.surfaces.mcp.resources import PROJECT

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
        "JSON and nothing else. Every command takes `--json`, but for `serve`, `mcp` and "
        "`queries export`, which prints data as it is. "
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


# ---------------------------------------------------------------- the API


API_START = """\
```sh
citepoll token make NAME --name nightly --scope read
curl -H "Authorization: Bearer $TOKEN" "http://127.0.0.1:8321/api/v1/measures?by=brand,engine&target=fixed_set"
```

A server without accounts prints its token: it stands behind `/enter/` in the address ([self-hosting](self-hosting.md)). \
`/api/v1/openapi.json` is the OpenAPI 3.1 document that this page is drawn from. The rows of `/measures` are those of \
`citepoll measure --json`, field by field as in [Python](python.md#what-comes-back); [metrics](metrics.md) has the metrics."""

API_ERRORS = """\
`application/problem+json`: `type`, `title`, `status`, `detail` (the cause), `fix` (what to do), and where they have \
something to say `kept` and `errors` (one for each wrong parameter). 400: the request cannot be read, or names a parameter \
that is not known. 401: no token. 403: the token may not do this. 404: what the address names is not there, or is of a \
project that the token does not see. 405, 413, 415: method, size or type of the body. 409: not now. 412, 428: the draft was \
changed meanwhile, or If-Match is missing. 422: the question is clear, and cannot be answered. 429: too many requests; \
Retry-After says when to come back. 503: the project file or the ledger is not usable now."""


def api_page() -> str:
    """docs/api.md: every operation of the REST API with its parameters, and every type."""
    parts = [
        "# REST API",
        "Generated from the program's own OpenAPI document.",
        api.DESCRIPTION,
        API_START,
        "## Errors",
        API_ERRORS,
        "## Operations",
    ]
    for each in api.operations():
        parts += [f"### {each.method} {each.path}", each.said, *_api_parameters(each)]
    parts.append("## Types")
    for name, said, members in api.types():
        parts += [f"### {name}", said, ", ".join(f"`{member}`" for member in members)]
    return page([part for part in parts if part])


def _api_parameters(each: api.Operation) -> Iterator[str]:
    own = [p for p in each.parameters if p["name"] not in ("project", "If-None-Match", "Idempotency-Key")]
    if own:
        yield table(
            ("parameter", "in", "meaning"), ((f"`{p['name']}`", p["in"], p.get("description", "")) for p in own)
        )
    yield f"Takes {each.body}. Gives {each.answers}." if each.body else f"Gives {each.answers}."


# ---------------------------------------------------------------- MCP


MCP_START = """\
On the machine that has the projects, an agent starts the server itself, and talks to it over standard input and output:

```json
{"mcpServers": {"citepoll": {"command": "citepoll", "args": ["mcp", "FOLDER"]}}}
```

`FOLDER` is a project, or a folder that holds projects. It is read-only; `--allow-writes` adds the tools that change \
something. A poll that such a server began goes on in the background while it runs, and with the next start after it ended.

From elsewhere an agent uses `citepoll serve` over streamable HTTP: the address is that of the server with `/mcp` behind it, \
and a token goes with every request as `Authorization: Bearer …` (`citepoll token make`, [self-hosting](self-hosting.md)). \
A token shows the projects that its user sees, and has the tools that change something only with the scope `write`; what they \
do stands in the audit log.

Arguments that a tool does not know are refused. `project` may be left out where there is only one. A list holds 25 rows at \
most: `next` is the `cursor` of the rows behind it. An error says its cause, then what to do."""

MCP_TRUST = """\
Answers of engines, and titles and addresses of the pages that they cite, are written by others, and some of them for agents \
to read. Text of theirs stands in fields called `untrusted_text` and nowhere else: data to report on, whatever it says. \
URLs and domains are data too: they stand in fields of their own, since other tools take them. An agent that reads answers \
should not be given `--allow-writes`, or the scope `write`, without somebody who looks at what it asks for."""


def mcp_page() -> str:
    """docs/mcp.md: how an agent is connected, and every tool with its arguments and what it answers."""
    reading = {tool.name for tool in mcp.tools(writes=False)}
    tools = list(mcp.tools(writes=True))
    named = {uri: inspect.getdoc(text) or "" for uri, text in RESOURCES.items()}
    named[PROJECT] = "One project, as `describe_project` answers it."
    parts = ["# MCP server", "Generated from the tools of the program.", MCP_START, "## Text of others", MCP_TRUST]
    parts += ["## Resources", table(("address", "what it holds"), ((f"`{uri}`", said) for uri, said in named.items()))]
    for title, here in (("Tools that read", True), ("Tools that change something", False)):
        parts.append(f"## {title}")
        for tool in tools:
            if (tool.name in reading) is here:
                parts += [f"### {tool.name}", tool.description, *_mcp_arguments(tool.parameters), _mcp_answer(tool)]
    return page(parts)


def _mcp_arguments(schema: Mapping[str, Any]) -> Iterator[str]:
    own = {name: value for name, value in schema["properties"].items() if name not in ("project", "cursor")}
    if own:
        needed = schema.get("required", ())
        rows = (
            (f"`{name}`", "needed" if name in needed else _shown(value.get("default")), _mcp_meaning(value))
            for name, value in own.items()
        )
        yield table(("argument", "unless said", "meaning"), rows)


def _mcp_meaning(value: Mapping[str, Any]) -> str:
    """What an argument means; where it is one of a few words, these."""
    words = next((each["enum"] for each in (value, *value.get("anyOf", ())) if "enum" in each), ())
    choices = f"One of {', '.join(f'`{word}`' for word in words)}." if words else ""
    return " ".join(part for part in (value.get("description", ""), choices) if part)


def _shown(default: object) -> str:
    if isinstance(default, list):
        return ", ".join(f"`{each}`" for each in default)
    return "" if default in (None, "") else f"`{json.dumps(default)}`"


def _mcp_answer(tool: Any) -> str:
    schema = tool.output_schema
    return (
        f"{schema.get('description', '')}\n\nAnswers {', '.join(f'`{name}`' for name in schema['properties'])}.".strip()
    )


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
    "api.md": api_page,
    "mcp.md": mcp_page,
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
