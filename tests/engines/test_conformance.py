"""Every registered engine over every payload: what is written for it gives the golden answer, what is not gives no exception.

`payloads/<engine id, ~ for :>/<name>.json` is a body shaped after the vendor's documented types, `<name>.golden.json`
the answer, `<name>.meta.json` the HTTP status and the headers where they are not 200 and none.

python tests/engines/test_conformance.py openai~responses …
    writes the golden answers of these folders anew: look at the difference before you keep it
"""

import json
import sys
from pathlib import Path
from typing import get_args

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from citepoll import engines
from citepoll.engines.failures import Failed, Retry
from citepoll.model import CITED_LEVELS, STATUSES, Answer
from citepoll.urls import Canonical, canonical

PAYLOADS = Path(__file__).parent / "payloads"
WITHOUT = {"local:bm25", "recorded"}
"""Engines that read no vendor's body; they have tests of their own."""

CASES = sorted(path for path in PAYLOADS.glob("*/*.json") if not path.name.endswith((".golden.json", ".meta.json")))


def name_of(path):
    return f"{path.parent.name}/{path.stem}"


def engine_of(path):
    return engines.load(path.parent.name.replace("~", ":"))


def parsed(engine, path):
    meta_file = path.with_suffix(".meta.json")
    meta = json.loads(meta_file.read_text("utf-8")) if meta_file.exists() else {}
    return engine.parse(meta.get("http_status", 200), meta.get("headers", {}), path.read_bytes())


def shown(answer):
    """The fields of an answer that differ from an empty one, as JSON."""
    empty, fields = (json.loads(msgspec.json.encode(each)) for each in (Failed("failed"), answer))
    return {name: value for name, value in fields.items() if name == "status" or value != empty[name]}


@pytest.mark.parametrize("path", CASES, ids=name_of)
def test_a_payload_gives_its_golden_answer(path):
    golden = json.loads(path.with_suffix(".golden.json").read_text("utf-8"))
    assert shown(parsed(engine_of(path), path)) == golden


def test_every_engine_has_payloads_and_every_payload_an_engine():
    assert {path.parent.name.replace("~", ":") for path in CASES} == set(engines.REGISTRY) - WITHOUT


@pytest.mark.parametrize("engine_id", engines.REGISTRY)
def test_no_payload_makes_an_engine_raise_or_break_a_promise(engine_id):
    engine = engines.load(engine_id)
    for path in CASES:
        check(engine, parsed(engine, path))


@pytest.mark.parametrize("engine_id", engines.REGISTRY)
@pytest.mark.parametrize(
    "body",
    [b"", b"null", b"[]", b"{}", b"5", b'"x"', b"\xff\xfe", b"<html>502 Bad Gateway</html>", b"[" * 50_000]
    + [b'{"error": {}}', b'{"error": true}', b'{"error": "\\ud800"}', b'\xef\xbb\xbf{"choices": NaN}'],
)
def test_what_is_no_answer_is_a_failed_one_with_a_reason(engine_id, body):
    for status_code in (200, 502):
        answer = engines.load(engine_id).parse(status_code, {}, body)
        check(engines.load(engine_id), answer)
        if engine_id not in WITHOUT:
            assert answer.status == "failed"
            assert isinstance(answer, Failed)
            assert answer.retry == "later"


def check(engine, answer):
    """What holds for every answer of every engine."""
    assert isinstance(answer, Answer)
    assert answer.status in STATUSES
    assert answer.message is None or answer.message.strip()
    if isinstance(answer, Failed):
        assert answer.status in ("failed", "blocked")
        assert answer.retry in get_args(Retry)
        assert answer.reason
    for at, citation in enumerate(answer.citations, 1):
        assert citation.url
        assert citation.level in CITED_LEVELS
        assert (citation.start is None) == (citation.end is None)
        assert citation.start is None or 0 <= citation.start <= citation.end <= len(answer.text)
        assert engine.FACTS.id == "recorded" or citation.position == at
    cited = {page(citation.url) for citation in answer.citations}
    for source in answer.sources:
        assert source.level in ("listed", "retrieved")
        assert engine.FACTS.id in WITHOUT or page(source.url) not in cited
    assert answer.retry_after is None or answer.retry_after >= 0
    assert answer.cost is None or answer.cost >= 0
    assert (answer.follow_up is None) or (answer.status == "deferred" and answer.follow_up["delay"] >= 0)
    msgspec.json.encode(answer)


def page(url):
    found = canonical(url)
    return found.url if isinstance(found, Canonical) else url


# ---------------------------------------------------------------- any bytes

REMOTE = sorted(set(engines.REGISTRY) - WITHOUT)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=4),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["url", "text", "type", "x"]), inner),
    max_leaves=4,
)
CALM = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])


@CALM
@given(st.sampled_from(REMOTE), st.integers(100, 599), st.binary(max_size=120))
def test_no_bytes_make_an_engine_raise(engine_id, status_code, body):
    engine = engines.load(engine_id)
    check(engine, engine.parse(status_code, {}, body))


@CALM
@given(st.sampled_from(CASES), st.data())
def test_a_body_that_ends_early_is_failed_and_asked_again(path, data):
    body = path.read_bytes().rstrip()
    cut = body[: data.draw(st.integers(0, len(body) - 1))]
    answer = engine_of(path).parse(200, {}, cut)
    check(engine_of(path), answer)
    assert (answer.status, answer.retry) == ("failed", "later")


@settings(CALM, max_examples=400)
@given(st.sampled_from(CASES), st.data())
def test_no_change_within_a_payload_makes_its_engine_raise(path, data):
    document = json.loads(path.read_text("utf-8"))
    holders = list(nodes(document))
    for _ in range(data.draw(st.integers(1, 3))):
        holder = data.draw(st.sampled_from(holders))
        if holder:
            key = data.draw(st.sampled_from(sorted(holder) if isinstance(holder, dict) else range(len(holder))))
            holder[key] = data.draw(JSON)
    check(engine_of(path), engine_of(path).parse(200, {}, json.dumps(document).encode()))


def nodes(value):
    """Every object and list within a JSON value, itself included."""
    if isinstance(value, dict | list):
        yield value
        for inner in value.values() if isinstance(value, dict) else value:
            yield from nodes(inner)


if __name__ == "__main__":
    for case in (case for case in CASES if case.parent.name in sys.argv[1:]):
        golden = json.dumps(shown(parsed(engine_of(case), case)), ensure_ascii=False, indent=1)
        case.with_suffix(".golden.json").write_text(golden + "\n", "utf-8")
