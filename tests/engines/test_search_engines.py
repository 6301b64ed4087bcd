"""The engines that read a consumer surface through a search vendor, and Qwen."""

import json
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest

from citepoll import engines
from citepoll.engines.absence import without_answer
from citepoll.engines.base import HttpRequest, continued, with_key
from citepoll.engines.boilerplate import in_ai_mode
from citepoll.errors import EngineError
from citepoll.model import Query

PAYLOADS = Path(__file__).parent / "payloads"
IDS = (
    "google:ai-overview@serpapi", "google:ai-mode@serpapi", "google:ai-overview@dataforseo", "google:ai-mode@dataforseo",
    "chatgpt:ui@dataforseo", "copilot:ui@serpapi", "copilot:ui@searchapi", "qwen:dashscope",
)  # fmt: skip
SERPAPI, DATAFORSEO = IDS[:2], IDS[2:5]
QUESTION = Query("C++ or Größe 100%?", "pt-BR", "GB")


def ask(engine_id, query=QUESTION, **given):
    return engines.load(engine_id).request(query, {"model": None, "country": None, "language": None, **given})


def parameters(request: HttpRequest):
    return {name: values[0] for name, values in parse_qs(urlsplit(request.url).query).items()}


def body(engine_id, name):
    return (PAYLOADS / engine_id.replace(":", "~") / f"{name}.json").read_bytes()


def parse(engine_id, name, status_code=200):
    return engines.load(engine_id).parse(status_code, {}, body(engine_id, name))


# ---------------------------------------------------------------- what is asked


@pytest.mark.parametrize("engine_id", SERPAPI)
def test_serpapi_is_asked_for_the_place_and_never_for_a_cached_page(engine_id):
    sent = parameters(ask(engine_id))
    assert sent.pop("engine") in ("google", "google_ai_mode")
    assert sent == {"q": QUESTION.text, "gl": "gb", "hl": "pt-br", "no_cache": "true"}
    sent = parameters(ask(engine_id, country="de", language="de-AT", location="Berlin, Germany", device="mobile"))
    assert (sent["gl"], sent["hl"], sent["location"], sent["device"]) == ("de", "de", "Berlin, Germany", "mobile")


@pytest.mark.parametrize("engine_id", DATAFORSEO)
def test_dataforseo_gets_the_question_so_that_its_decoding_gives_it_back(engine_id):
    request = ask(engine_id)
    assert request.method == "POST"
    assert request.url.endswith("/live/advanced")
    (task,) = request.json
    assert task["keyword"] == "C%2B%2B or Größe 100%25?"
    assert (task["location_code"], task["language_code"]) == (2826, "pt-BR")


def test_dataforseo_takes_another_place_and_the_cheaper_queue():
    (task,) = ask(IDS[2], location="Berlin,Germany", device="mobile").json
    assert (task["location_name"], task["device"], task["load_async_ai_overview"]) == ("Berlin,Germany", "mobile", True)
    assert "location_code" not in task
    assert ask(IDS[3], location_code=1003854).json[0]["location_code"] == 1003854
    assert ask(IDS[3], queue="standard").url == "https://api.dataforseo.com/v3/serp/google/ai_mode/task_post"
    assert ask(IDS[4], force_web_search=True).json[0]["force_web_search"] is True
    assert "force_web_search" not in ask(IDS[4]).json[0]


@pytest.mark.parametrize(("engine_id", "host"), [(IDS[5], "serpapi.com"), (IDS[6], "www.searchapi.io")])
def test_copilot_gets_the_question_alone(engine_id, host):
    request = ask(engine_id)
    assert urlsplit(request.url).netloc == host
    assert parameters(request)["q"] == QUESTION.text
    assert "gl" not in parameters(request)


def test_qwen_is_made_to_search_and_to_mark_its_sources():
    request = ask("qwen:dashscope")
    assert request.json["model"] == "qwen-plus"
    assert request.json["input"] == {"messages": [{"role": "user", "content": QUESTION.text}]}
    assert request.json["parameters"]["search_options"] == {
        "forced_search": True,
        "enable_source": True,
        "enable_citation": True,
        "citation_format": "[ref_<number>]",
    }
    other = ask("qwen:dashscope", model="qwen3-max", host="international", search_strategy="agent", force_search=False)
    assert other.url.startswith("https://dashscope-intl.aliyuncs.com/api/v1/services/aigc/text-generation/")
    assert other.json["parameters"]["search_options"] == {
        "forced_search": False,
        "enable_source": True,
        "search_strategy": "agent",
    }


@pytest.mark.parametrize("engine_id", IDS)
def test_a_key_goes_where_the_facts_say_and_is_not_in_the_request(engine_id):
    facts = engines.load(engine_id).FACTS
    request = ask(engine_id)
    sent = with_key(request, facts.auth, "login:canary-key")
    assert "canary" not in repr(request)
    where = {"query": parameters(sent).get("api_key"), "header": sent.headers.get("Authorization")}[facts.auth.where]
    assert where in ("login:canary-key", "Bearer login:canary-key", "Basic bG9naW46Y2FuYXJ5LWtleQ==")
    assert facts.key_variable


@pytest.mark.parametrize("engine_id", IDS)
@pytest.mark.parametrize("given", [{"temperature": 1}, {"device": "fridge"}, {"location": 5}, {"queue": "fast"}])
def test_a_setting_that_is_not_usable_is_refused_before_anything_is_sent(engine_id, given):
    with pytest.raises(EngineError, match=engine_id):
        ask(engine_id, **given)


@pytest.mark.parametrize("engine_id", [*SERPAPI, *DATAFORSEO])
def test_a_place_has_to_be_known(engine_id):
    with pytest.raises(EngineError, match="told a country"):
        ask(engine_id, Query("q", "en", "Europe"))
    with pytest.raises(EngineError, match="told a country"):
        ask(engine_id, country="XX")


@pytest.mark.parametrize(
    ("language", "sent"),
    [("en-US", "en"), ("zh", "zh-cn"), ("zh_TW", "zh-tw"), ("nb", "no"), ("es-419", "es-419"), ("pt", "pt")],
)
def test_languages_go_out_as_google_writes_them(language, sent):
    assert parameters(ask(SERPAPI[0], language=language))["hl"] == sent


def test_uk_is_gb():
    assert ask(DATAFORSEO[0], country="UK").json[0]["location_code"] == 2826


# ---------------------------------------------------------------- what comes back


def test_a_deferred_overview_is_fetched_by_its_token_without_a_key():
    first = ask(SERPAPI[0])
    answer = parse(SERPAPI[0], "deferred")
    assert answer.status == "deferred"
    assert set(answer.follow_up) == {"method", "url", "json", "delay"}
    second = continued(first, answer.follow_up)
    assert second.method == "GET"
    assert parameters(second) == {"engine": "google_ai_overview", "page_token": "W6wY73ic+/= &x", "no_cache": "true"}
    assert parse(SERPAPI[0], "second_call").status == "answered"


@pytest.mark.parametrize("name", ["in_queue", "task_created"])
def test_a_task_in_the_queue_is_fetched_by_its_id(name):
    answer = parse(DATAFORSEO[0], name)
    assert answer.status == "deferred"
    second = continued(ask(DATAFORSEO[0], queue="standard"), answer.follow_up)
    assert (second.method, second.json) == ("GET", None)
    assert second.url.endswith("/v3/serp/google/organic/task_get/advanced/11020900-1535-0139-0000-0123456789ab")
    assert answer.follow_up["delay"] > 0


@pytest.mark.parametrize("bad", ["../../../x", "a b", "", None, 5])
def test_an_id_that_is_none_is_not_followed(bad):
    queued = json.loads(body(DATAFORSEO[0], "in_queue"))
    queued["tasks"][0]["id"] = bad
    running = json.loads(body(SERPAPI[0], "still_running"))
    running["search_metadata"]["id"] = bad
    for engine_id, document in ((DATAFORSEO[0], queued), (SERPAPI[0], running)):
        answer = engines.load(engine_id).parse(200, {}, json.dumps(document).encode())
        assert (answer.status, answer.follow_up) == ("deferred", None)


@pytest.mark.parametrize(
    ("engine_id", "name", "status_code", "retry"),
    [
        (IDS[0], "wrong_key", 401, "stop"),
        (IDS[0], "no_searches_left", 429, "stop"),
        (IDS[0], "search_failed", 503, "later"),
        (IDS[0], "not_generated", 200, "later"),
        (IDS[0], "second_call_empty", 200, "later"),
        (IDS[2], "wrong_key", 401, "stop"),
        (IDS[2], "cost_limit", 200, "stop"),
        (IDS[2], "too_fast", 200, "later"),
        (IDS[2], "engine_error", 200, "later"),
        (IDS[2], "wrong_field", 200, "no"),
        (IDS[4], "not_read", 200, "later"),
        (IDS[6], "no_searches_left", 429, "stop"),
        (IDS[7], "wrong_key", 401, "stop"),
        (IDS[7], "in_arrears", 400, "stop"),
        (IDS[7], "no_such_model", 400, "stop"),
        (IDS[7], "too_fast", 429, "later"),
        (IDS[7], "error_in_200", 200, "later"),
    ],
)
def test_failures_say_whether_asking_again_is_worth_it(engine_id, name, status_code, retry):
    answer = parse(engine_id, name, status_code)
    assert (answer.status, answer.retry) == ("failed", retry)
    assert answer.reason


@pytest.mark.parametrize(
    ("words", "status"),
    [
        ("Google hasn't returned any results for this query.", "absent"),
        ("Bing didn't return any results for this query.", "absent"),
        ("An AI Overview is not available for this search", "absent"),
        ("AI Mode isn't available in your country", "absent"),
        ("Can't generate an AI overview right now. Try again later.", "failed"),
        ("The service is not available. Please try again.", "failed"),
        (" ", "empty"),
    ],
)
def test_nothing_to_show_and_a_failure_are_told_apart_by_the_words(words, status):
    assert without_answer(words).status == status


@pytest.mark.parametrize(
    ("url", "out"),
    [
        ("https://blog.google/products/shopping/shopping-graph-explained/", True),
        ("https://www.blog.google/products/shopping/x?hl=en", True),
        ("https://blog.google/products-and-platforms/products/shopping/x/", True),
        ("https://blog.google/products/search/x", False),
        ("https://blog.google.example/products/shopping/x", False),
        ("https://acme.example/products/shopping/", False),
        ("blog.google/products/shopping/", False),
    ],
)
def test_the_boilerplate_rule_names_one_section_of_one_blog(url, out):
    assert in_ai_mode(url) is out


def test_organic_results_are_no_sources():
    for engine_id in (IDS[0], IDS[2]):
        answer = parse(engine_id, "shown")
        assert all("organic" not in page.url for page in (*answer.citations, *answer.sources))


def test_blocks_within_blocks_without_end_are_read_to_a_depth():
    deep = b'{"snippet": "x", "list": [' * 300 + b"{}" + b"]}" * 300
    page = b'{"search_metadata": {"status": "Success"}, "text_blocks": [%s], "ai_overview": {"text_blocks": [%s]}}'
    for engine_id in (*SERPAPI, *IDS[5:7]):
        answer = engines.load(engine_id).parse(200, {}, page % (deep, deep))
        assert (answer.status, answer.text.count("x")) == ("answered", 20)


def test_elements_within_elements_without_end_are_read_to_a_depth():
    element = {"text": "x"}
    for _ in range(300):
        element = {"text": "x", "components": [element]}
    document = json.loads(body(DATAFORSEO[1], "shown"))
    document["tasks"][0]["result"][0]["items"][0]["items"] = [element]
    answer = engines.load(DATAFORSEO[1]).parse(200, {}, json.dumps(document).encode())
    assert (answer.status, answer.text.count("x")) == ("answered", 20)


def test_a_search_that_failed_inside_http_200_is_worth_another_try():
    answer = parse(SERPAPI[0], "search_failed")
    assert (answer.status, answer.retry) == ("failed", "later")
    assert answer.message == "We couldn't get valid results for this search. Please try again later."
