import json

import pytest

from citepoll.engines.failures import Failed, failure, opened, retry_after


def told(status_code, document=None, headers=None, body=None):
    answer = opened(status_code, headers or {}, json.dumps(document).encode() if body is None else body, "choices")
    assert isinstance(answer, Failed)
    return answer


@pytest.mark.parametrize(
    ("status_code", "retry"),
    [(401, "stop"), (402, "stop"), (403, "stop"), (404, "stop"), (410, "stop"), (400, "no"), (413, "no"), (422, "no")]
    + [(302, "no"), (408, "later"), (409, "later"), (429, "later"), (500, "later"), (503, "later"), (529, "later")],
)
def test_a_status_code_alone_says_whether_to_ask_again(status_code, retry):
    assert told(status_code, {"error": {"message": "Words."}}).retry == retry
    proxy = told(status_code, body=b"<html>oops</html>")
    assert (proxy.retry, proxy.message) == (retry, None)
    assert f"HTTP {status_code}" in proxy.reason


@pytest.mark.parametrize(
    ("status_code", "error", "retry"),
    [
        (429, {"code": "insufficient_quota", "message": "You exceeded your current quota."}, "stop"),
        (400, {"message": "Your credit balance is too low to access the Anthropic API."}, "stop"),
        (400, {"message": "Incorrect API key provided: x."}, "stop"),
        (400, {"message": "Invalid model 'nope'. Permitted models can be found in the documentation."}, "stop"),
        (400, {"message": "Model Not Exist"}, "stop"),
        (400, {"code": "model_not_found", "message": "The model does not exist."}, "stop"),
        (400, {"message": "Web search options not supported with this model."}, "stop"),
        (429, {"message": "Slow down, you exceeded your current quota.", "status": "RESOURCE_EXHAUSTED"}, "later"),
        (400, {"message": "The engine is currently overloaded."}, "later"),
        (400, {"message": "`temperature` is below 0."}, "no"),
        (200, {"message": "Something.", "code": 401}, "stop"),
        (200, {"message": "Something.", "code": 502}, "later"),
        (200, {"message": "Something."}, "later"),
    ],
)
def test_words_and_codes_outrank_the_status_code(status_code, error, retry):
    assert told(status_code, {"error": error}).retry == retry


@pytest.mark.parametrize(
    "error",
    [
        {"code": "content_filter", "message": "Filtered."},
        {"code": "invalid_prompt", "message": "Flagged."},
        {"message": "Output blocked by content filtering policy"},
        {"message": "Content Exists Risk"},
    ],
)
def test_a_policy_that_refuses_the_question_blocks_that_run_alone(error):
    answer = told(400, {"error": error})
    assert (answer.status, answer.retry, answer.message) == ("blocked", "no", error["message"])


@pytest.mark.parametrize(
    ("document", "message"),
    [
        ({"error": {"message": " Words. "}}, "Words."),
        ({"error": {"type": "overloaded_error"}}, "overloaded_error"),
        ({"error": "Words.", "code": "Other"}, "Words."),
        ({"message": "Words."}, "Words."),
        ({"detail": "Words."}, "Words."),
        ({"detail": [{"loc": ["body"], "msg": "Words."}]}, "Words."),
        ([{"error": {"message": "Words."}}], "Words."),
        ({"error": {}}, None),
        ({"error": ["x"]}, None),
        ({}, None),
    ],
)
def test_the_message_is_the_vendors_own(document, message):
    answer = told(500, document)
    assert answer.message == message
    assert answer.reason


def test_what_was_used_by_a_failed_call_is_kept():
    answer = failure({"error": {"message": "x"}, "model": "m", "usage": {"input_tokens": 5}})
    assert (answer.model, answer.usage) == ("m", {"input_tokens": 5})


def test_an_object_of_another_kind_is_no_empty_answer():
    answer = told(200, {"hello": "world"})
    assert (answer.status, answer.retry) == ("failed", "later")
    assert "without choices" in answer.reason


DATE = "Sun, 22 Nov 2026 12:00:00 GMT"


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({}, None),
        ({"Retry-After": "20"}, 20.0),
        ({"RETRY-AFTER": " 1.5 "}, 1.5),
        ({"retry-after-ms": "250", "retry-after": "1"}, 0.25),
        ({"retry-after": "Sun, 22 Nov 2026 12:00:30 GMT", "date": DATE}, 30.0),
        ({"retry-after": "Sun, 22 Nov 2026 11:00:00 GMT", "date": DATE}, 0.0),
        ({"retry-after": "Sun, 22 Nov 2026 12:00:30 GMT"}, None),
        ({"retry-after": "Sun, 22 Nov 2026 12:00:30", "date": DATE}, None),
        ({"retry-after": "soon"}, None),
        ({"retry-after": "-1"}, None),
        ({"retry-after": "9" * 400}, None),
    ],
)
def test_the_wait_that_a_header_asks_for(headers, seconds):
    assert retry_after(headers) == seconds


@pytest.mark.parametrize(("delay", "seconds"), [("34.4s", 34.4), ("7s", 7.0), ("0.5s", 0.5), ("x", None), (5, None)])
def test_the_wait_that_google_asks_for(delay, seconds):
    details = [{"@type": "type.googleapis.com/google.rpc.Help"}, {"retryDelay": delay}]
    assert retry_after({}, {"error": {"details": details}}) == seconds
    assert retry_after({"retry-after": "3"}, {"error": {"details": details}}) == 3.0
