"""One call to each engine against the emulator: what is wrong is told in words, with the vendor's own, and never the key."""

import msgspec
import pytest
from tests.emulator import SURFACES, Emulator, reroute
from tests.emulator.client import QUICK
from tests.emulator.dialects import OPENAI

from citepoll import engines
from citepoll.engines.base import HttpResponse
from citepoll.engines.diagnosis import diagnosed, unreached
from citepoll.errors import EngineError, InputError, ProjectError
from citepoll.model import Answer
from citepoll.project import parse_project
from citepoll.sampling.http import Timeouts
from citepoll.service import engine_checks
from citepoll.service.corpus import add
from citepoll.service.engine_checks import candidates, check, expected, project_at

KEY = "login:canary-4f1b"
IDS = tuple(SURFACES)
NEEDED = {"openai-compatible": 'model = "m"\nsettings = { base_url = "http://127.0.0.1:8080/v1" }\n'}
SHORT = Timeouts(connect=2.0, first_byte=1.0, total=2.0)


@pytest.fixture(scope="module")
def emulator():
    with Emulator(QUICK) as running:
        yield running


@pytest.fixture
def here(monkeypatch, emulator, project):
    """A project of one engine whose calls go to the emulator, its key set; returns how it was checked."""
    for name in ("http_proxy", "HTTP_PROXY", "https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(engine_checks, "TIMEOUTS", SHORT)

    def checked(engine_id, *faults, key=KEY, lines=""):
        module = engines.load(engine_id)
        made = module.request
        monkeypatch.setattr(module, "request", lambda query, values: reroute(made(query, values), emulator.url))
        monkeypatch.setenv(module.FACTS.key_variable, key)
        emulator.desk.script(engine_id, *faults)
        return check(candidates(of(project.root, engine_id, lines or NEEDED.get(engine_id, "")), None))[0]

    return checked


def of(root, engine_id, lines=""):
    return parse_project(f'[brand]\nname = "Acme"\n[[engine]]\nid = "{engine_id}"\n{lines}', root)


SAID = {
    "unauthorized": "wrong_key", "forbidden": "wrong_key", "no_model": "no_model", "no_quota": "no_quota",
    "rate_limited": "rate_limited", "server_error": "vendor", "unavailable": "vendor", "overloaded": "vendor",
    "policy": "blocked", "proxy_page": "web_page", "truncated": "unreadable", "reset": "network", "stalled": "network",
    None: "works", "gzip": "works", "absent": "works",
    "echoed_error": "vendor", "echoed_key": "works", "error_in_200": "vendor",
    "refused": "works", "deferred": "works", "queued": "works", "paused": "works", "blocked": "blocked",
}  # fmt: skip
CASES = [
    (i, fault, "region" if fault == "forbidden" and SURFACES[i].dialect is OPENAI else kind)
    for i in IDS
    for fault, kind in SAID.items()
    if fault is None or fault in SURFACES[i].possible()
]


@pytest.mark.parametrize(("engine_id", "fault", "kind"), CASES)
def test_each_fault_is_told_in_words(here, engine_id, fault, kind):
    found = here(engine_id, fault)
    assert (found.kind, found.works) == (kind, kind == "works"), found
    assert found.says
    assert found.works or found.fix
    assert "canary" not in msgspec.json.encode(found).decode()
    if found.works and fault is None:
        assert found.seconds > 0
        assert found.citations > 0
    if kind not in ("works", "web_page", "unreadable", "network"):
        assert found.vendor


def test_nothing_is_sent_where_the_fault_is_known_before(here, emulator, monkeypatch, project):
    calls = emulator.desk.state()["engines"].get("xai:grok", {}).get("calls", 0)
    assert here("xai:grok", lines="settings = { serach = 1 }\n").kind == "settings"
    assert here("xai:grok", key="two words").kind == "wrong_key"
    none = here("xai:grok", key="")
    assert (none.kind, none.cost, none.http_status) == ("no_key", None, None)
    assert "XAI_API_KEY" in none.says
    assert "environment" in none.fix
    assert emulator.desk.state()["engines"].get("xai:grok", {}).get("calls", 0) == calls
    assert expected(candidates(of(project.root, "xai:grok"), None)) == (0, 0.0, ())


def test_a_check_asks_in_the_cheap_settings_and_as_a_poll_asks(here, project):
    made = candidates(of(project.root, "anthropic:messages", 'country = "DE"\nmodel = "m-1"\n'), None)
    assert made[0].found is not None or made[0].request is not None
    request = engine_checks._request(engines.load("anthropic:messages"), made[0].engine)
    assert (request.json["model"], request.json["tools"][0]["max_uses"]) == ("m-1", 1)
    assert request.json["tools"][0]["user_location"]["country"] == "DE"


@pytest.mark.parametrize("engine_id", engines.REGISTRY)
def test_the_settings_of_a_check_are_settings_of_the_engine(engine_id):
    facts = engines.load(engine_id).FACTS
    assert set(facts.check_settings) <= set(facts.settings)


def test_an_answer_without_a_search_is_no_good_one():
    facts = engines.load("openai:responses").FACTS
    reply = HttpResponse(200, {}, b"{}")
    assert diagnosed(facts, "m", reply, Answer("answered", "From memory.")).kind == "no_search"
    assert diagnosed(facts, "m", reply, Answer("answered", "x", queries=("fork",))).works
    failed_search = Answer("answered", "x", queries=("fork",), message="unavailable")
    assert diagnosed(engines.load("anthropic:messages").FACTS, "m", reply, failed_search).kind == "no_search"
    silent = diagnosed(engines.load("openai-compatible").FACTS, "m", reply, Answer("answered", "x"))
    assert silent.works
    assert "does not say" in silent.says


def refused(engine_id, status_code, message, code="x"):
    body = msgspec.json.encode({"error": {"message": message, "code": code}})
    answer = engines.load(engine_id).parse(status_code, {}, body)
    return diagnosed(engines.load(engine_id).FACTS, "m", HttpResponse(status_code, {}, body), answer).kind


@pytest.mark.parametrize(
    ("status_code", "message", "kind"),
    [
        (400, "User location is not supported for the API use.", "region"),
        (400, "Hosted tool 'web_search' is not supported with this model.", "no_search"),
        (403, "web_search is not enabled for this organization", "no_search"),
        (400, "Your credit balance is too low", "no_quota"),
        (402, "Pay.", "no_quota"),
        (404, "The model `x` does not exist", "no_model"),
        (422, "temperature: out of range", "request"),
        (418, "no", "request"),
    ],
)  # fmt: skip
def test_vendors_words_are_read(status_code, message, kind):
    assert refused("openai:responses", status_code, message) == kind


@pytest.mark.parametrize(
    ("reason", "words"),
    [
        ("ConnectError: [Errno -2] Name or service not known", "cannot be found"),
        ("ConnectError: [SSL: CERTIFICATE_VERIFY_FAILED] certificate verify failed", "no secure connection"),
        ("ConnectTimeout", "in time"),
        ("nothing came for 120 s", "in time"),
        ("ProxyError: 407 Proxy Authentication Required", "the proxy"),
        ("RemoteProtocolError: Server disconnected", "broke the connection off"),
        ("the body is larger than 32 MiB", "too large"),
        ("ConnectError: All connection attempts failed", "no connection"),
    ],
)
def test_what_did_not_arrive_is_explained(reason, words):
    found = unreached("api.example", reason)
    assert words in found.says
    assert "api.example" in found.says
    assert found.fix


# ---------------------------------------------------------------- which engines


def names(*given):
    return [each.engine.name for each in candidates(*given)]


def test_a_project_names_the_engines_and_else_the_keys_do(project, monkeypatch):
    for engine_id in IDS:
        monkeypatch.delenv(engines.load(engine_id).FACTS.key_variable, raising=False)
    assert names(project, None) == ["narrow", "broad"]
    assert names(project, "broad") == ["broad"]
    assert names(project, "local:bm25") == ["narrow", "broad"]
    assert names(project, "xai:grok") == ["xai:grok"]
    with pytest.raises(EngineError, match="no engine to check"):
        candidates(None, None)
    monkeypatch.setenv("DATAFORSEO_KEY", KEY)
    assert set(names(None, None)) == {i for i in IDS if i.endswith("dataforseo")}
    monkeypatch.setenv("XAI_API_KEY", "two words")
    assert "xai:grok" in names(None, None)
    with pytest.raises(InputError, match="not asked"):
        candidates(None, "recorded")
    with pytest.raises(EngineError, match="no engine 'acme'"):
        candidates(project, "acme")


def test_the_local_engine_needs_documents(project, tmp_path):
    assert check(candidates(None, "local:bm25"))[0].kind == "documents"
    assert check(candidates(project, "narrow"))[0].kind == "documents"
    (tmp_path / "page.md").write_text("# Forks\n\nA fork digs.\n", "utf-8")
    add(project.data / "corpus.db", tmp_path / "page.md", base_url="https://acme.com")
    found = check(candidates(project, "narrow"))[0]
    assert found.works
    assert "1 document " in found.says


def test_an_engine_that_cannot_be_loaded_is_a_finding_among_the_others(project):
    both = of(project.root, "acme:gone", '[[engine]]\nid = "local:bm25"\n')
    assert [(found.engine, found.kind) for found in check(candidates(both, None))] == [
        ("acme:gone", "settings"),
        ("local:bm25", "documents"),
    ]


def test_a_folder_that_is_named_has_to_be_a_project(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert project_at(engine_checks.Path(".")) is None
    with pytest.raises(ProjectError):
        project_at(tmp_path)
