import json
from contextlib import suppress
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from citepoll.engines import bodies, recorded
from citepoll.errors import EngineError, InputError
from citepoll.hashing import canonical_json
from citepoll.model import STATUSES, Citation, Query, Source


def parse(**row):
    return recorded.parse(200, {}, json.dumps(row).encode())


def test_a_row_becomes_an_answer():
    answer = parse(
        status="completed",
        answer_text="Northwind [1] is fine.",
        citations=[
            "https://a.example/",
            {"url": "https://b.example/", "title": "B", "position": 7, "start": 10, "end": 13, "level": "marker"},
            {"url": "https://c.example/", "level": "retrieved"},
        ],
        additional_sources=[{"url": "https://d.example/"}, "https://e.example/"],
        search_queries=["garden fork", 5],
        model="atlas-2",
    )
    assert answer.status == "answered"
    assert answer.citations == (
        Citation("https://a.example/", 1),
        Citation("https://b.example/", 7, "marker", "B", 10, 13),
    )
    assert answer.sources == (
        Source("https://c.example/", 3),
        Source("https://d.example/", 1),
        Source("https://e.example/", 2),
    )
    assert answer.queries == ("garden fork",)
    assert answer.model == "atlas-2"
    assert answer.spans


@pytest.mark.parametrize(
    ("citations", "spans"), [([], True), (["https://a.example/"], False), ([{"url": "u", "start": 0, "end": 1}], True)]
)
def test_spans_are_known_where_a_citation_says_its_passage_or_there_is_none(citations, spans):
    assert parse(answer_text="abc", citations=citations).spans is spans


@pytest.mark.parametrize("span", [(2, 1), (-1, 2), (0, 99), (True, 2), ("0", "2"), (0, None), (0, 2**70)])
def test_offsets_outside_the_text_are_dropped(span):
    answer = parse(answer_text="abc", citations=[{"url": "u", "start": span[0], "end": span[1]}])
    assert (answer.citations[0].start, answer.citations[0].end) == (None, None)


@pytest.mark.parametrize("position", [0, -1, True, "3", 1.5, 2**70, None])
def test_a_position_that_is_none_is_the_place_in_the_list(position):
    assert [c.position for c in parse(citations=["u", {"url": "v", "position": position}]).citations] == [1, 2]


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"5", b"\xff", b"[" * 100_000, b'{"status": "purple"}'])
def test_a_body_that_is_no_row_is_a_failed_answer(body):
    answer = recorded.parse(200, {}, body)
    assert answer.status == "failed"
    assert answer.message


values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["url", "level", "x"]), inner),
    max_leaves=6,
)
KEYS = (
    "engine", "query", "prompt", "query_id", "run", "status", "answer_text", "citations", "additional_sources",
    "search_queries", "asked_at", "model", "message", "language", "market", "surface",
)  # fmt: skip


@given(st.dictionaries(st.sampled_from(KEYS), values))
def test_no_row_makes_the_parser_or_the_check_fail(row):
    answer = recorded.parse(200, {}, json.dumps(row).encode())
    assert answer.status in STATUSES
    with suppress(InputError):
        found = recorded.entry(row, "atlas")
        assert found.text
        assert found.run is None or 1 <= found.run < 2**16


@given(st.dictionaries(st.text(max_size=3), st.integers() | st.text(max_size=5), max_size=5), st.randoms())
def test_the_canonical_form_is_stable_under_the_order_of_keys(row, random):
    pairs = list(row.items())
    random.shuffle(pairs)
    one, other = (json.dumps(r, ensure_ascii=False).encode("utf-8", "surrogatepass") for r in (row, dict(pairs)))
    assert canonical_json(bodies.decode(one)) == canonical_json(recorded.decode(other))


@pytest.mark.parametrize(
    ("body", "value"),
    [
        (b'{"a": NaN, "b": -Infinity, "c": 1e999}', {"a": None, "b": None, "c": None}),
        (b'{"a": "x\\ud800y"}', {"a": "x\ufffdy"}),
        (b'{"a": "\\ud83d\\ude00"}', {"a": "\U0001f600"}),
        (b'\xef\xbb\xbf{"a": 1}', {"a": 1}),
        (b'{"a": 1, "a": 2}', {"a": 2}),
        (b'{"a": 18446744073709551616}', {"a": 2**64}),
        (b'{"a": "\\u0000"}', {"a": "\x00"}),
    ],
)
def test_json_as_the_world_writes_it_is_read(body, value):
    found = bodies.decode(body)
    assert json.loads(canonical_json(found)) == value


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b"", "not JSON"),
        (b'{"a": 1', "not JSON"),
        (b'{"a": 1} {"a": 2}', "Extra data at column 10"),
        (b'{"a": "\xff\xfe"}', "not UTF-8: byte 7 is 0xff"),
        (b"[" * 100_000, "nested too deeply"),
        (b'{"a":' * 100_000 + b"1" + b"}" * 100_000, "nested too deeply"),
        (b'{"a": ' + b"9" * 5000 + b"}", "too many digits"),
    ],
)
def test_what_cannot_be_read_says_why(body, reason):
    with pytest.raises(ValueError, match=reason):
        bodies.decode(body)


@pytest.mark.parametrize(
    ("word", "status"),
    [
        (None, "answered"), ("", "answered"), ("shown", "answered"), ("OK", "answered"), (" Completed ", "answered"),
        ("error", "failed"), ("Timed Out", "failed"), ("content-filter", "blocked"), ("not shown", "absent"),
        ("page_token", "deferred"), *((s, s) for s in STATUSES),
    ],
)  # fmt: skip
def test_statuses_take_the_words_in_use(word, status):
    assert recorded.status_of(word) == status


def entry(**changes):
    return recorded.entry({"engine": "atlas", "query": "q", **changes}, None)


def test_the_facts_of_a_row():
    found = recorded.entry({"prompt": " a\n b\u0301 ", "query_id": 7, "run": "2.0", "surface": "simulated"}, "mine")
    assert (found.engine, found.text, found.ref, found.run, found.status) == ("mine", "a b\u0301", "7", 2, "answered")
    assert found.simulated
    assert entry(engine="own").engine == "own"


@pytest.mark.parametrize(
    ("value", "moment"),
    [
        (None, None),
        ("", None),
        ("2026-11-03T09:00:00Z", datetime(2026, 11, 3, 9, tzinfo=UTC)),
        ("2026-11-03T10:00:00+01:00", datetime(2026, 11, 3, 9, tzinfo=UTC)),
        ("2026-11-03 09:00", datetime(2026, 11, 3, 9, tzinfo=UTC)),
        (1793696400, datetime(2026, 11, 3, 9, tzinfo=UTC)),
    ],
)
def test_moments(value, moment):
    assert entry(asked_at=value).asked_at == moment


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"query": None}, "`query` is missing"),
        ({"query": " \n"}, "`query` is missing"),
        ({"query": 5}, "`query` is a number"),
        ({"engine": ""}, "`engine` is missing"),
        ({"engine": ["atlas"]}, "`engine` is a list"),
        ({"engine": "blended"}, "names that begin with blended"),
        ({"engine": "blended (api)"}, "names that begin with blended"),
        ({"engine": "a\x1b[31m"}, "control characters"),
        ({"engine": "a\udcff"}, "control characters"),
        ({"engine": "a" * 201}, "longer than 200"),
        ({"answer_text": {"text": "x"}}, "`answer_text` is an object"),
        ({"status": 200}, "`status` is a number"),
        ({"status": "purple"}, "'purple' is unknown"),
        ({"query_id": 1.5}, "`query_id` is a number"),
        ({"query_id": []}, "`query_id` is a list"),
        ({"model": False}, "`model` is true or false"),
        ({"citations": "https://a.example/"}, "`citations` is text"),
        ({"citations": {"url": "u"}}, "`citations` is an object"),
        ({"citations": [None]}, "`citations` 1 is null"),
        ({"citations": ["u", {"url": 5}]}, "`citations` 2 is a number"),
        ({"citations": [{"url": "u", "level": "loud"}]}, "the level 'loud'"),
        ({"citations": [{"url": "u", "level": ["span"]}]}, "the level"),
        ({"additional_sources": [7]}, "`additional_sources` 1 is a number"),
        *(({"run": run}, "`run` is") for run in (0, -1, 65536, 1.5, True, "two", "²", "", [], "1" * 6000, 1e300)),
        *(
            ({"asked_at": when}, "`asked_at` is")
            for when in (
                "soon",
                True,
                [],
                1e20,
                float("inf"),
                10**400,
                "0001-01-01T00:00:00Z",
                "9999-12-31",
                "9" * 6000,
            )
        ),
    ],
)
def test_a_row_that_cannot_be_used_says_why(changes, reason):
    with pytest.raises(InputError) as caught:
        entry(**changes)
    assert reason in caught.value.cause
    assert len(caught.value.cause) < 200


def test_a_path_in_an_engine_name_is_only_a_name():
    assert entry(engine="../../x").engine == "../../x"


def test_recorded_answers_are_not_asked():
    with pytest.raises(EngineError, match="cannot be asked"):
        recorded.request(Query("q"), {})
