"""What tools answer: the numbers of the command line, small pages, errors with their fix."""

import json
import time

import pytest
from tests.mcp.conftest import FORKS, HOSTILE
from typer.testing import CliRunner

from citepoll.errors import InputError
from citepoll.main import app
from citepoll.report import glossary
from citepoll.surfaces.mcp.paging import PAGE, Place, page, place_of
from citepoll.surfaces.mcp.server import tools


def paged(here, name, **arguments):
    """The rows of every page."""
    found = here.ask(name, **arguments)
    rows = [*found["rows"]]
    while found["next"]:
        assert len(found["rows"]) == PAGE
        found = here.ask(name, **arguments, cursor=found["next"])
        rows += found["rows"]
    assert len(rows) == found["total"]
    return rows


@pytest.mark.parametrize(
    ("metrics", "by"),
    [
        (["share_of_citation"], ["brand", "engine"]),
        (["share_of_citation", "mention_rate"], ["brand", "engine", "query", "cycle"]),
        (["slot_share"], ["engine", "domain"]),
    ],
)
def test_the_numbers_are_those_of_the_command_line(inside, shelf, metrics, by):
    rows = paged(inside(), "measure", project="acme", metrics=metrics, by=by)
    command = ["measure", "--json", "-p", str(shelf / "acme"), "-m", ",".join(metrics), "--by", ",".join(by)]
    printed = json.loads(CliRunner().invoke(app, command).stdout)
    fields = ("value", "low", "high", "n", "method", "target", "reason")
    ours = [(row["metric"], *(row["number"].get(name) for name in fields)) for row in rows]
    assert ours == [(row["metric"], *(row[name] for name in fields)) for row in printed]
    assert [row["place"]["engine"] for row in rows] == [row["engine"] for row in printed]


def test_a_number_has_a_sentence_with_its_interval_and_target(inside):
    rows = inside().ask("measure", project="acme", where="brand = Acme and engine = beacon")["rows"]
    said = {row["number"]["target"]: row["number"]["sentence"] for row in rows}
    assert said["fixed_set"].startswith("Acme, beacon: share of citation 50 % (")
    assert "on these queries" in said["fixed_set"]
    assert "3 of 6 answers" in said["fixed_set"]
    assert "on questions like these" in said["category"]


def test_a_change_comes_with_its_verdict(inside):
    row = inside().ask("compare", project="acme", where="brand = Acme and engine = beacon")["rows"][0]
    assert row["change"]["value"] == pytest.approx(0.5)
    assert row["change"]["sentence"].startswith("Acme, beacon: ")
    assert row["change"]["before"]["value"] == 0


def test_no_data_is_null_with_its_reason(inside):
    rows = inside().ask("list_gaps", project="acme", where=f'query = "{FORKS}"')["rows"]
    assert rows[0]["number"]["value"] is None
    assert rows[0]["number"]["reason"]


def test_the_way_from_a_number_to_the_payload(inside):
    here = inside()
    found = here.ask("find_answers", project="acme", cites="Acme", query=FORKS, engine="beacon")
    assert (found["cycle"], found["total"]) == ("november", 3)
    shown = here.ask("get_answer", project="acme", id=found["rows"][0]["id"])
    assert shown["text"]["untrusted_text"] == f"Acme. {HOSTILE}\ufffd"
    assert shown["citations"][0]["brand"] == "Acme"
    assert shown["citations"][0]["title"]["untrusted_text"] == HOSTILE
    assert shown["citations"][1]["address_as_given"]["untrusted_text"] == f"http://[{HOSTILE}"
    assert "acme.com" in here.ask("get_payload", project="acme", id=shown["id"])["payload"]["untrusted_text"]


def test_a_long_text_goes_on_at_its_offset(inside):
    line = json.dumps({"engine": "atlas", "query": "why", "answer_text": "ab" * 3000})
    here = inside(writes=True)
    here.ask("import_answers", project="acme", cycle="long", jsonl=line)
    id = here.ask("find_answers", project="acme", cycle="long")["rows"][0]["id"]
    first = here.ask("get_answer", project="acme", id=id)["text"]
    rest = here.ask("get_answer", project="acme", id=id, offset=first["next_offset"])["text"]
    assert first["untrusted_text"] + rest["untrusted_text"] == "ab" * 3000
    assert "next_offset" not in rest


def test_a_list_goes_on_in_the_cycle_that_it_began_in(inside):
    lines = "\n".join(json.dumps({"engine": "atlas", "query": f"q{n}", "answer_text": "x"}) for n in range(PAGE + 3))
    here = inside(writes=True)
    here.ask("import_answers", project="acme", cycle="wide", jsonl=lines)
    first = here.ask("find_answers", project="acme")
    here.ask("import_answers", project="acme", cycle="later", jsonl='{"engine": "a", "query": "q", "answer_text": "x"}')
    rest = here.ask("find_answers", project="acme", cursor=first["next"])
    assert [rest["cycle"], len(rest["rows"]), rest["next"]] == ["wide", 3, None]


@pytest.mark.parametrize(
    ("name", "arguments", "said"),
    [
        ("measure", {"metrics": ["share"]}, "Known: share_of_citation"),
        ("measure", {"metric": ["share_of_citation"]}, "metric\n"),
        ("measure", {"where": "engin = atlas"}, "Did you mean engine"),
        ("measure", {"cursor": "x"}, "Take `next`"),
        ("get_answer", {"id": 10**9}, "1000000000"),
        ("find_answers", {"status": "fine"}, "answered"),
        ("cycle_progress", {"cycle": "march"}, "Cycles here: october, november"),
        ("get_opportunity", {"id": "beef"}, "no opportunity"),
    ],
)
def test_an_error_says_what_to_do(inside, name, arguments, said):
    assert said in inside().refused(name, project="acme", **arguments)


def test_an_error_names_no_path_of_the_machine(inside, shelf):
    (shelf / "acme" / "citepoll.toml").write_text("[brand\n", "utf-8")
    here = inside()
    assert str(shelf) not in here.refused("describe_project", project="acme")
    assert here.ask("list_projects")["rows"][0]["problem"]


def test_the_project_may_be_left_out_where_there_is_one(inside, shelf):
    here = inside()
    assert "acme, other" in here.refused("describe_project")
    (shelf / "other" / "citepoll.toml").unlink()
    assert here.ask("describe_project")["id"] == "acme"


def test_a_project_without_a_cycle_is_described(inside):
    found = inside().ask("describe_project", project="other")
    assert found["headline"] == []
    assert "no cycle yet" in " ".join(found["warnings"])


def test_a_dry_run_says_what_a_poll_would_do_and_does_not_do_it(inside):
    here = inside(writes=True)
    found = here.ask("start_cycle", project="acme", dry_run=True)
    assert found["runs_to_ask"] > 0
    assert "work" not in found or found["work"] is None
    assert here.ask("list_cycles", project="acme")["total"] == 2


def test_a_poll_goes_on_in_the_background_and_can_be_measured(inside):
    here = inside(writes=True)
    name = here.ask("start_cycle", project="acme", cycle="december")["cycle"]
    end = time.monotonic() + 30
    while (found := here.ask("cycle_progress", project="acme", cycle=name))["work"]["state"] == "running":
        assert time.monotonic() < end
        time.sleep(0.05)
    assert found["cycle"]["status"] == "closed"
    assert found["cycle"]["recorded"] == found["cycle"]["runs"] > 0
    assert here.ask("measure", project="acme", cycles=[name])["simulated"] is True
    assert "closed" in here.refused("stop_cycle", project="acme", cycle=name)


def test_an_open_cycle_that_nobody_polls_is_closed_by_stopping_it(inside, shelf):
    here = inside(writes=True)
    polls = here.ask("start_cycle", project="acme", cycle="december")
    found = here.ask("stop_cycle", project="acme", cycle=polls["cycle"]) if polls else None
    end = time.monotonic() + 30
    while here.ask("cycle_progress", project="acme")["work"]["state"] in ("running", "stopping"):
        assert time.monotonic() < end
        time.sleep(0.05)
    assert found["work"]["state"] in ("stopping", "idle")
    assert here.ask("list_cycles", project="acme")["rows"][0]["status"] == "closed"


def test_resources_are_written_from_the_tables(inside):
    async def read(client):
        listed = [str(found.uri) for found in (await client.list_resources()).resources]
        return {
            uri: (await client.read_resource(uri)).contents[0].text for uri in [*listed, "citepoll://projects/acme"]
        }

    found = inside().session(read)
    assert "jeffreys-shrunk-fixed" in found["citepoll://methodology"]
    assert "`citation_gap`" in found["citepoll://metrics"]
    assert all(word in found["citepoll://glossary"] for word, *_ in glossary.glossary()[0].rows)
    assert json.loads(found["citepoll://projects/acme"])["brand"] == "Acme"


def test_tools_say_what_they_change():
    hints = {tool.name: tool.annotations for tool in tools(writes=True)}
    reading = {tool.name for tool in tools(writes=False)}
    assert {name for name, hint in hints.items() if hint.read_only_hint} == reading
    assert hints["start_cycle"].open_world_hint
    assert hints["stop_cycle"].destructive_hint


def test_every_argument_that_needs_words_has_them():
    for tool in tools(writes=True):
        assert tool.description
        assert tool.parameters["additionalProperties"] is False
        assert tool.output_schema


def test_pages_and_cursors():
    found = page(range(60), Place(50, "may@1"), "may@1")
    assert (list(found.rows), found.next) == (list(range(50, 60)), None)
    assert place_of(page(range(60), Place(), "may@1").next) == Place(25, "may@1")
    for wrong in ("", "-1", "x@y", "9" * 30):
        with pytest.raises(InputError):
            place_of(wrong)
