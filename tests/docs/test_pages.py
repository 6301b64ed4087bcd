"""The pages say what the program does: commands, settings, schema and examples are read from them and tried."""

import re
import shlex
import tomllib
from dataclasses import replace
from importlib import import_module
from pathlib import Path
from types import SimpleNamespace
from urllib.parse import urlsplit

import msgspec
import pytest
import typer
from tests.emulator.corpus import DOCUMENTS
from tests.emulator.prices import Price
from tests.emulator.wire import Call
from tests.emulator.writing import write

import citepoll
from citepoll import engines
from citepoll.engines import local, recorded
from citepoll.engines.failures import Failed
from citepoll.errors import EngineError, ProjectError
from citepoll.explain import gaps
from citepoll.explain.worth import INTENT_WEIGHTS, NO_INTENT
from citepoll.main import app
from citepoll.measure import compare
from citepoll.measure.compare import DifferenceInDifferences, change, slope, verdict
from citepoll.measure.grades import BANDS, planned_half_width
from citepoll.measure.verdicts import REAL
from citepoll.model import STATUSES, VALID, Change, Contrast
from citepoll.newproject import Start, write_project
from citepoll.project import parse_project
from citepoll.report.tables import json_rows
from citepoll.service import exporting
from citepoll.settings import tables as settings

ROOT = Path(__file__).parents[2]
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])


def text_of(name):
    return (ROOT / name).read_text("utf-8")


def blocks(name, language):
    """The fenced blocks of a language, in order."""
    return re.findall(rf"^```{language}\n(.*?)^```$", text_of(name), re.MULTILINE | re.DOTALL)


def rows_below(name, heading):
    """The cells of the tables between a line that starts so and the next heading, head lines left out."""
    part = re.split(rf"^{re.escape(heading)}.*$", text_of(name), maxsplit=1, flags=re.MULTILINE)[1]
    part = re.split(r"^## ", part, maxsplit=1, flags=re.MULTILINE)[0]
    lines = [line.strip() for line in part.splitlines() if line.strip().startswith("|")]
    heads = {at - 1 for at, line in enumerate(lines) if line.startswith(("|---", "| ---"))}
    kept = [line for at, line in enumerate(lines) if at not in heads and at - 1 not in heads]
    return [[cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]] for line in kept]


# ---------------------------------------------------------------- commands and links


def commands_in(text):
    for block in re.findall(r"^```sh\n(.*?)^```$", text, re.MULTILINE | re.DOTALL):
        yield from (line for line in block.splitlines() if line.startswith("citepoll "))
    yield from re.findall(r"`(citepoll [^`]+)`", text)


def unknown_in(line):
    """The words of a command line that the program does not know."""
    words = shlex.split(line.replace("…", ""), comments=True)[1:]
    found = typer.main.get_command(app)
    while words and words[0] in getattr(found, "commands", {}):
        found = found.commands[words.pop(0)]
    options = {option for parameter in found.params for option in parameter.opts} | {"--help"}
    unknown = [word for word in words if word.startswith("-") and word.partition("=")[0] not in options]
    alone = [word for word in words[:1] if getattr(found, "commands", {}) and not word.startswith("-")]
    return unknown + alone


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_command_and_option_exists(page):
    wrong = {line: unknown for line in commands_in(page.read_text("utf-8")) if (unknown := unknown_in(line))}
    assert wrong == {}


def anchors(page):
    heads = re.findall(r"^#+ (.+)$", page.read_text("utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", head.lower()).replace(" ", "-") for head in heads}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_link_leads_somewhere(page):
    for target in re.findall(r"\]\(([^)\s]+)\)", page.read_text("utf-8")):
        if target.startswith(("http://", "https://")):
            continue
        path, _, anchor = target.partition("#")
        goal = (page.parent / path).resolve() if path else page
        assert goal.exists(), target
        assert not anchor or anchor in anchors(goal), target


# ---------------------------------------------------------------- project-file.md

TABLES = {
    "## At the top": (settings.File, ("seed", "time_zone")),
    "## [brand]": (settings.Brand, None),
    "An alias as a table": (settings.Alias, None),
    "An owned property": (settings.Owned, None),
    "## [[engine]]": (settings.Engine, None),
    "## [queries]": (settings.Queries, None),
    "## [budget]": (settings.Budget, None),
    '## [limits."ENGINE"]': (settings.Limit, None),
    "## [cadence]": (settings.Cadence, None),
    "## [schedule]": (settings.Schedule, None),
    "## [retention]": (settings.Retention, None),
    "## [alerts]": (settings.Alerts, None),
    "The mail server": (settings.Smtp, None),
    "A webhook": (settings.Webhook, None),
    "## [blend]": (settings.Blend, None),
    "## [[source]]": (settings.Source, None),
    "## [[target]]": (settings.Target, None),
}
SAID = {"name": {"the id"}, "model": {"the engine's own"}}
"""Defaults that are said in words."""


def default_of(field):
    if field.required:
        return "none, required"
    value = field.default if field.default is not msgspec.NODEFAULT else field.default_factory()
    if value is None:
        return "none"
    return f"`{msgspec.json.encode(value).decode()}`"


@pytest.mark.parametrize("heading", TABLES)
def test_every_setting_stands_with_its_default(heading):
    struct, only = TABLES[heading]
    fields = {f.encode_name: default_of(f) for f in msgspec.structs.fields(struct) if only is None or f.name in only}
    rows = [row for row in rows_below("docs/project-file.md", heading) if len(row) == 3][: len(fields)]
    said = {name: default for name, default, _ in rows}
    assert list(said) == list(fields)
    for name, default in fields.items():
        assert said[name] == default or said[name] in SAID.get(name, ()), name


def test_the_settings_of_the_local_engine_stand_with_their_defaults():
    said = {row[0]: row[1].strip("`") for row in rows_below("docs/project-file.md", "Settings of `local:bm25`")}
    request = local.request(citepoll.model.Query("a"), {})
    assert said == {name: str(request.json[name]) for name in local.FACTS.settings}


def test_the_whole_file_is_a_project(tmp_path):
    (text,) = blocks("docs/project-file.md", "toml")
    project = parse_project(text, tmp_path)
    assert [brand.name for brand in project.brands] == ["Acme", "Globex"]
    assert set(tomllib.loads(text)) <= set(settings.File.__struct_fields__)


# ---------------------------------------------------------------- interchange.md


@pytest.fixture
def desk(tmp_path):
    write_project(tmp_path, Start("Acme", ("acme.com",), (("Globex", "globex.com"),)))
    return citepoll.open(tmp_path)


def imported(desk, tmp_path, text, name, cycle="c"):
    (tmp_path / name).write_text(text, "utf-8")
    return desk.import_file(tmp_path / name, cycle)


def test_the_example_is_imported_as_the_page_says(desk, tmp_path):
    (text,) = blocks("docs/interchange.md", "jsonl")
    found = imported(desk, tmp_path, text, "a.jsonl")
    assert (found.new, found.rejected, found.queries) == (4, 0, 1)
    assert found.statuses == {"absent": 1, "answered": 2, "failed": 1}
    rows = desk.measure(citepoll.Slice(metrics=("share_of_citation", "share_of_citation_earned"))).rows
    cited = {
        (row.metric, row.dimensions["brand"]): row.estimate.cited
        for row in rows
        if row.dimensions["engine"] == "chatgpt"
    }
    assert cited["share_of_citation", "Acme"] == 1
    assert cited["share_of_citation", "Globex"] == 1
    assert imported(desk, tmp_path, text, "again.jsonl").new == 0


def test_the_csv_is_imported(desk, tmp_path):
    (text,) = blocks("docs/interchange.md", "csv")
    found = imported(desk, tmp_path, text, "a.csv")
    assert (found.new, found.rejected) == (2, 0)
    (row,) = [
        row for row in desk.measure().rows if row.dimensions["brand"] == "Acme" and row.estimate.target == "fixed_set"
    ]
    assert row.estimate.value == 1


def shown(desk, slice):
    """The rows of the newest cycle, but for its name."""
    return [{k: v for k, v in row.items() if k != "cycle"} for row in json_rows(desk.measure(slice))]


@pytest.mark.parametrize("ending", ["jsonl.gz", "csv", "parquet"])
def test_an_export_gives_the_same_numbers(desk, tmp_path, ending):
    (text,) = blocks("docs/interchange.md", "jsonl")
    imported(desk, tmp_path, text, "a.jsonl")
    slice = citepoll.Slice(metrics=("share_of_citation", "mention_rate", "slot_share", "trigger_rate"))
    before = shown(desk, slice)
    path = tmp_path / f"out.{ending}"
    exporting.export(desk.ledger, desk.ledger.cycle("c"), path, exporting.format_of(path, None))
    desk.import_file(path, "d")
    assert shown(desk, slice) == before


def test_the_synonyms_are_those_of_the_code():
    said = {row[0]: row[1].split(", ") for row in rows_below("docs/interchange.md", "## Statuses")}
    meant = {status: [w for w, s in recorded.SYNONYMS.items() if s == status and w != status] for status in STATUSES}
    assert said == meant


def test_every_key_that_is_read_stands_on_the_page():
    said = {name.strip() for row in rows_below("docs/interchange.md", "## Keys") for name in row[0].split(",")}
    assert set(recorded._TEXTS) - {"prompt"} <= said
    assert {"citations", "additional_sources", "search_queries", "run", "query_id", "asked_at"} <= said
    assert {"url", "title", "position", "start", "end", "level"} <= said


# ---------------------------------------------------------------- methodology.md


def test_the_worked_examples_print_what_the_page_shows(capsys):
    codes = blocks("docs/methodology.md", "python")
    assert len(codes) == 2
    for code, shown in zip(codes, blocks("docs/methodology.md", "text"), strict=False):
        exec(code, {})
        assert capsys.readouterr().out == shown


def test_the_statuses_are_those_of_the_code():
    rows = rows_below("docs/methodology.md", "**Answers.**")
    said = {row[0]: row[1] for row in rows if len(row) == 3 and row[1] in ("yes", "no")}
    assert said == {status: "yes" if status in VALID else "no" for status in STATUSES}


def test_the_planned_widths_are_those_of_the_code():
    rows = rows_below("docs/methodology.md", "## What stands")
    for row in rows:
        widths = [float(re.search(r"[\d.]+", cell)[0]) for cell in row[1:]]
        made = [100 * planned_half_width(share, int(row[0]), 3) for share in (0.05, 0.15, 0.30)]
        assert widths == pytest.approx(made, abs=0.05)


def test_the_bands_are_those_of_the_code():
    said = re.sub(r"\s+", " ", text_of("docs/methodology.md"))
    for _, name in BANDS:
        assert name in said


def said_in(name):
    return re.sub(r"\s+", " ", text_of(name))


def test_the_verdicts_are_worded_as_by_the_code():
    said = [row[0] for row in rows_below("docs/methodology.md", "### What a verdict means")]
    made = change([1, 0], [3, 3], [1, 0], [3, 3], target="fixed_set")
    unseen = replace(made, value=0.01, low=-0.04, high=0.06, p=0.6, detectable=0.07)
    assert verdict(replace(unseen, value=0.06, low=0.02, high=0.10, p=0.001), 0.02, 27) == said[0]
    assert verdict(replace(unseen, value=-0.07, low=-0.13, high=-0.001, p=0.04), 0.3, 27) == said[1]
    assert verdict(unseen, 0.9, 27) == said[2]
    assert verdict(replace(made, value=None, reason="…"), None, 27) == said[3]
    assert REAL == 0.05


def test_the_probabilities_and_lines_of_a_gap_are_those_of_the_code():
    said = said_in("docs/methodology.md")
    for theirs, ours, found in re.findall(r"(\d) : (\d) gives \.(\d\d)", said):
        assert f"{gaps.probability(3, int(theirs), int(ours)):.2f}" == f"0.{found}"
    assert f"at least .{gaps.CONFIRMED * 100:.0f}" in said
    assert f"more than {gaps.MARGIN * 100:.0f} points above" in said


def test_velocity_needs_the_cycles_that_the_page_says():
    assert "three and more cycles" in said_in("docs/methodology.md")
    assert slope([[1], [2]], [[3], [3]], target="fixed_set").value is None
    assert slope([[1], [2], [2]], [[3], [3], [3]], target="fixed_set").value is not None


def test_the_page_names_every_public_comparison():
    said = text_of("docs/methodology.md")
    kinds = (Change, Contrast, DifferenceInDifferences)
    functions = [name for name in compare.__all__ if name != "CONTRAST_METHODS" and getattr(compare, name) not in kinds]
    assert [name for name in functions if f"`{name}`" not in said] == []


def test_every_figure_of_a_benchmark_names_a_program_that_is_there():
    named = {name for page in PAGES for name in re.findall(r"bench/\w+\.py", page.read_text("utf-8"))}
    assert {"bench/gaps.py", "bench/power.py", "bench/aa.py"} <= named
    assert [name for name in named if not (ROOT / name).exists()] == []


# ---------------------------------------------------------------- architecture.md


def test_every_file_that_the_map_names_is_there():
    rows = rows_below("docs/architecture.md", "## Where things are")
    package, folder, lost = ROOT / "src/citepoll", "", []
    for place in (place for row in rows for place in re.findall(r"`([\w/.-]+)`", row[1])):
        folder = place.rpartition("/")[0] or folder
        places = (package, package / folder, ROOT / "docs", ROOT / "tests", ROOT)
        if not any((root / place).exists() or (root / f"{place}.py").exists() for root in places):
            lost.append(place)
    assert lost == []


# ---------------------------------------------------------------- project-file.md, the tables of pairs


def test_the_intent_weights_are_those_of_the_code():
    rows = rows_below("docs/project-file.md", "## [intent_weights]")
    pairs = {name: value.strip("`") for row in rows for name, value in ((row[0], row[1]), (row[3], row[4]))}
    assert pairs.pop("(a query without an intent)") == f"always {NO_INTENT:g}"
    assert pairs == {name: f"{weight:g}" for name, weight in INTENT_WEIGHTS.items()}


def test_every_price_that_can_be_given_stands_on_the_page():
    said = [row[0] for row in rows_below("docs/project-file.md", '## [prices."ENGINE"]')]
    assert said == list(settings.Price.__struct_fields__)


@pytest.mark.parametrize("given", ['api_key = "sk-secret"', 'key = "sk-secret"'])
def test_a_key_in_the_project_file_is_refused_and_not_shown(tmp_path, given):
    text = f'[brand]\nname = "Acme"\nowns = ["acme.com"]\n[[engine]]\nid = "openai:responses"\n{given}\n'
    with pytest.raises(ProjectError) as caught:
        parse_project(text, tmp_path)
    assert "sk-secret" not in str(caught.value) + caught.value.fix
    setting, value = given.replace('"', "").split(" = ")
    with pytest.raises(EngineError) as caught:
        engines.load("openai:responses").request(citepoll.model.Query("a"), {setting: value})
    assert "sk-secret" not in str(caught.value) + caught.value.fix


# ---------------------------------------------------------------- CONTRIBUTING.md


@pytest.fixture(scope="module")
def example():
    code, _ = blocks("CONTRIBUTING.md", "python")
    names = {"__name__": "acme_answers"}
    exec(compile(code, "acme_answers.py", "exec"), names)
    return SimpleNamespace(**names)


def test_the_example_engine_reads_its_payload_as_the_page_shows(example):
    payload, golden = blocks("CONTRIBUTING.md", "json")
    empty, found = (msgspec.to_builtins(each) for each in (Failed("failed"), example.parse(200, {}, payload.encode())))
    shown = {name: value for name, value in found.items() if name == "status" or value != empty[name]}
    assert msgspec.json.decode(golden) == msgspec.json.decode(msgspec.json.encode(shown))


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"[]",
        b"{}",
        b'{"answer": 5, "citations": 5}',
        b'{"answer": "a", "citations": [{"url": 1}], "visited": [0]}',
    ],
)
def test_the_example_engine_never_raises(example, body):
    assert example.parse(200, {}, body).status in STATUSES
    assert isinstance(example.parse(401, {}, body), Failed)


def test_the_example_engine_asks_without_a_key_and_refuses_unknown_settings(example):
    asked = example.request(citepoll.model.Query("Which shoe?", "en", "US"), {"depth": "deep", "seed": "sha256:1"})
    assert asked.json == {"model": "acme-2", "question": "Which shoe?", "country": "US", "depth": "deep"}
    assert example.FACTS.auth.name.lower() not in {name.lower() for name in asked.headers}
    with pytest.raises(EngineError, match="dpeth"):
        example.request(citepoll.model.Query("a"), {"dpeth": "deep"})


def test_the_emulated_example_answers_the_example_engine(example):
    _, code = blocks("CONTRIBUTING.md", "python")
    names = {"__name__": "acme"}
    exec(compile(code, "acme.py", "exec"), names)
    surface = names["Answers"]()
    asked = example.request(citepoll.model.Query("Welche Spatengabel ist leicht? 🌱", "de", "DE"), {})
    parts = urlsplit(asked.url)
    call = Call(asked.method, parts.hostname, parts.path, headers=asked.headers, body=msgspec.json.encode(asked.json))
    assert surface.takes(call)
    checked = surface.check(call)
    for form, status, cited in (("", "answered", True), ("uncited", "answered", False), ("empty", "empty", False)):
        written = write(checked.question, DOCUMENTS, "seed")
        made = surface.make(checked, written if not form else written.uncited(), form, "id", Price())
        answer = example.parse(200, {}, msgspec.json.encode(made.document))
        assert (answer.status, bool(answer.citations)) == (status, cited)
        assert {answer.text[c.start : c.end] for c in answer.citations} <= {claim.text for claim in written.claims}


def test_the_modules_and_functions_of_the_engine_guide_exist():
    part = text_of("CONTRIBUTING.md").split("## Add an engine", 1)[1]
    for module, name in re.findall(r"`(failures|bodies|segments|links|absence|base|settings)\.(\w+)`", part):
        if name != "py":
            assert hasattr(import_module(f"citepoll.engines.{module}"), name), f"{module}.{name}"
    for name in re.findall(r"`(\w+\.py)`", part):
        assert (
            (ROOT / "src/citepoll/engines" / name).exists() or any(ROOT.glob(f"tests/**/{name}")) or name == "acme.py"
        ), name
