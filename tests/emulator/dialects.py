"""How each vendor says no: status, code and words of every kind of error, and the body around them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from tests.emulator.wire import Refused, Reply


@dataclass(frozen=True, slots=True)
class Error:
    """HTTP status, the vendor's code ("type|code" where it has two) and its words."""

    status: int
    code: str
    words: str


Envelope = Callable[[Error, str], object]
"""The body around an error; the text is the field that it is about, or ""."""


@dataclass(frozen=True, slots=True)
class Dialect:
    """`errors` by kind; `problems` words what is unknown, missing or invalid, with `{field}`."""

    errors: Mapping[str, Error]
    envelope: Envelope
    problems: Mapping[str, str] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)

    def reply(self, kind: str, words: str = "", about: str = "") -> Reply:
        """The error of a kind, with other words where given."""
        known = self.errors[kind]
        error = Error(known.status, known.code, words or known.words)
        return Reply(error.status, self.envelope(error, about), self.headers)

    def refusal(self, refused: Refused) -> Reply:
        words = refused.words or self.problems.get(refused.problem, "").format(field=refused.field)
        return self.reply(refused.kind, words, refused.field)


def _errors(rows: Mapping[str, tuple[int, str, str]]) -> dict[str, Error]:
    return {kind: Error(*row) for kind, row in rows.items()}


PROBLEMS = {
    "unknown": "Unknown parameter: '{field}'.",
    "missing": "Missing required parameter: '{field}'.",
    "invalid": "Invalid value for parameter '{field}'.",
}


def _openai(error: Error, about: str) -> object:
    kind, _, code = error.code.partition("|")
    return {"error": {"message": error.words, "type": kind, "param": about or None, "code": code or None}}


OPENAI = Dialect(
    _errors({
        "no_key": (401, "invalid_request_error|", "You didn't provide an API key."),
        "unauthorized": (401, "invalid_request_error|invalid_api_key", "Incorrect API key provided: sk-***."),
        "forbidden": (403, "invalid_request_error|unsupported_country_region_territory", "Country not supported."),
        "no_model": (404, "invalid_request_error|model_not_found", "The model does not exist or you do not have access."),
        "policy": (400, "invalid_request_error|invalid_prompt", "Your prompt was flagged by our usage policy."),
        "rate_limited": (429, "tokens|rate_limit_exceeded", "Rate limit reached for requests. Try again shortly."),
        "no_quota": (429, "insufficient_quota|insufficient_quota", "You exceeded your current quota, check your plan."),
        "server_error": (500, "server_error|", "The server had an error while processing your request."),
        "unavailable": (503, "server_error|", "The engine is currently overloaded."),
        "overloaded": (529, "server_error|", "Overloaded."),
        "error_in_200": (200, "server_error|server_error", "The model failed to generate a response."),
        "bad_request": (400, "invalid_request_error|", "The request is not valid."),
        "expired": (404, "invalid_request_error|", "Response with this id not found."),
        "unknown_path": (404, "invalid_request_error|unknown_url", "Invalid URL."),
        "bad_method": (405, "invalid_request_error|", "Not allowed to use this method on this URL."),
    }),
    _openai,
    PROBLEMS,
)  # fmt: skip


def _anthropic(error: Error, about: str) -> object:
    del about
    return {"type": "error", "error": {"type": error.code, "message": error.words}, "request_id": "req_emulated"}


ANTHROPIC = Dialect(
    _errors({
        "no_key": (401, "authentication_error", "x-api-key header is required"),
        "unauthorized": (401, "authentication_error", "invalid x-api-key"),
        "forbidden": (403, "permission_error", "Your API key does not have permission to use the resource."),
        "no_model": (404, "not_found_error", "model: not known"),
        "policy": (400, "invalid_request_error", "Output blocked by content filtering policy"),
        "rate_limited": (429, "rate_limit_error", "This request would exceed your rate limit."),
        "no_quota": (400, "invalid_request_error", "Your credit balance is too low to access the Anthropic API."),
        "server_error": (500, "api_error", "Internal server error"),
        "unavailable": (503, "api_error", "Service unavailable"),
        "overloaded": (529, "overloaded_error", "Overloaded"),
        "error_in_200": (200, "overloaded_error", "Overloaded"),
        "bad_request": (400, "invalid_request_error", "The request is not valid."),
        "unknown_path": (404, "not_found_error", "Not found"),
        "bad_method": (405, "invalid_request_error", "Method Not Allowed"),
    }),
    _anthropic,
    {
        "unknown": "{field}: Extra inputs are not permitted",
        "missing": "{field}: Field required",
        "invalid": "{field}: Input should be valid",
    },
)  # fmt: skip

DEEPSEEK = Dialect(
    _errors({
        "no_key": (401, "authentication_error|invalid_request_error", "Authentication Fails (no API key)."),
        "unauthorized": (401, "authentication_error|invalid_request_error", "Authentication Fails, the key is invalid."),
        "forbidden": (403, "permission_error|", "The caller may not use this resource."),
        "no_model": (400, "invalid_request_error|invalid_request_error", "Model Not Exist"),
        "policy": (400, "invalid_request_error|invalid_request_error", "Content Exists Risk"),
        "rate_limited": (429, "rate_limit_error|", "Rate limit reached."),
        "no_quota": (402, "unknown_error|invalid_request_error", "Insufficient Balance"),
        "server_error": (500, "server_error|", "Internal error."),
        "unavailable": (503, "server_error|", "The server is overloaded."),
        "overloaded": (529, "server_error|", "Overloaded."),
        "error_in_200": (200, "server_error|", "Internal error."),
        "bad_request": (400, "invalid_request_error|invalid_request_error", "The request is not valid."),
        "unknown_path": (404, "invalid_request_error|", "Not found."),
        "bad_method": (405, "invalid_request_error|", "Method not allowed."),
    }),
    _openai,
    PROBLEMS,
)  # fmt: skip

_DETAILS: dict[str, list[object]] = {
    "API_KEY_INVALID": [{"@type": "type.googleapis.com/google.rpc.ErrorInfo", "reason": "API_KEY_INVALID"}],
    "PER_MINUTE": [
        {
            "@type": "type.googleapis.com/google.rpc.QuotaFailure",
            "violations": [{"quotaId": "GenerateRequestsPerMinutePerProjectPerModel"}],
        }
    ],
    "PER_DAY": [
        {
            "@type": "type.googleapis.com/google.rpc.QuotaFailure",
            "violations": [{"quotaId": "GenerateRequestsPerDayPerProjectPerModel-FreeTier"}],
        }
    ],
}


def _google(error: Error, about: str) -> object:
    del about
    state, _, detail = error.code.partition("|")
    code = 503 if error.status == 200 else error.status
    more = {"details": list(_DETAILS[detail])} if detail else {}
    return {"error": {"code": code, "message": error.words, "status": state, **more}}


GOOGLE = Dialect(
    _errors({
        "no_key": (403, "PERMISSION_DENIED", "Method doesn't allow unregistered callers."),
        "unauthorized": (400, "INVALID_ARGUMENT|API_KEY_INVALID", "API key not valid. Please pass a valid API key."),
        "forbidden": (403, "PERMISSION_DENIED", "The caller does not have permission."),
        "no_model": (404, "NOT_FOUND", "The model is not found for API version v1beta."),
        "rate_limited": (429, "RESOURCE_EXHAUSTED|PER_MINUTE", "You exceeded your current quota."),
        "no_quota": (429, "RESOURCE_EXHAUSTED|PER_DAY", "You exceeded your current quota."),
        "server_error": (500, "INTERNAL", "An internal error has occurred."),
        "unavailable": (503, "UNAVAILABLE", "The model is overloaded. Please try again later."),
        "overloaded": (529, "UNAVAILABLE", "The model is overloaded. Please try again later."),
        "error_in_200": (200, "UNAVAILABLE", "The model is overloaded. Please try again later."),
        "bad_request": (400, "INVALID_ARGUMENT", "The request is not valid."),
        "unknown_path": (404, "NOT_FOUND", "Requested entity was not found."),
        "bad_method": (404, "NOT_FOUND", "Requested entity was not found."),
    }),
    _google,
    {
        "unknown": 'Invalid JSON payload received. Unknown name "{field}": Cannot find field.',
        "missing": "{field} is not specified",
        "invalid": "Invalid value at '{field}'",
    },
)  # fmt: skip


def _perplexity(error: Error, about: str) -> object:
    del about
    return {"error": {"message": error.words, "type": error.code, "code": error.status if error.status > 399 else 500}}


PERPLEXITY = Dialect(
    _errors({
        "no_key": (401, "invalid_api_key", "No API key was provided."),
        "unauthorized": (401, "invalid_api_key", "Invalid API key provided."),
        "forbidden": (403, "permission_denied", "Access denied."),
        "no_model": (400, "invalid_model", "Invalid model. Permitted models can be found in the documentation."),
        "rate_limited": (429, "rate_limit", "Too many requests."),
        "no_quota": (401, "insufficient_quota", "You exceeded your current quota."),
        "server_error": (500, "internal_error", "An internal error occurred."),
        "unavailable": (503, "unavailable", "Service unavailable."),
        "overloaded": (529, "overloaded", "Overloaded."),
        "error_in_200": (200, "internal_error", "Something went wrong."),
        "bad_request": (400, "bad_request", "The request is not valid."),
        "expired": (404, "not_found", "No such response."),
        "unknown_path": (404, "not_found", "Not found."),
        "bad_method": (405, "bad_request", "Method not allowed."),
    }),
    _perplexity,
    PROBLEMS,
)  # fmt: skip


def _xai(error: Error, about: str) -> object:
    del about
    return {"code": error.code, "error": error.words}


XAI = Dialect(
    _errors({
        "no_key": (401, "Unauthorized", "No authorization header."),
        "unauthorized": (400, "Client specified an invalid argument", "Incorrect API key provided: xa***."),
        "forbidden": (403, "The caller does not have permission", "The team is not allowed to do this."),
        "no_model": (404, "Some requested entity was not found", "The model does not exist."),
        "policy": (403, "The caller does not have permission", "Content violates usage guidelines."),
        "rate_limited": (429, "Some resource has been exhausted", "Too many requests for the team."),
        "no_quota": (403, "The caller does not have permission", "The team has used all available credits."),
        "server_error": (500, "Internal error", "Internal server error."),
        "unavailable": (503, "The service is currently unavailable", "Service temporarily unavailable."),
        "overloaded": (529, "The service is currently unavailable", "Overloaded."),
        "error_in_200": (200, "Internal error", "Internal server error."),
        "bad_request": (422, "Client specified an invalid argument", "The request is not valid."),
        "gone": (410, "Live search is deprecated", "Live search is deprecated. Use the tools."),
        "expired": (404, "Some requested entity was not found", "No such response."),
        "unknown_path": (404, "Some requested entity was not found", "Not found."),
        "bad_method": (405, "Client specified an invalid argument", "Method not allowed."),
    }),
    _xai,
    {
        "unknown": "Failed to deserialize the JSON body into the target type: unknown field `{field}`",
        "missing": "Failed to deserialize the JSON body into the target type: missing field `{field}`",
        "invalid": "Failed to deserialize the JSON body into the target type: {field}: invalid value",
    },
)  # fmt: skip


def _dashscope(error: Error, about: str) -> object:
    del about
    return {"code": error.code, "message": error.words, "request_id": "00000000-0000-9000-8000-000000000000"}


DASHSCOPE = Dialect(
    _errors({
        "no_key": (401, "InvalidApiKey", "No API-key provided."),
        "unauthorized": (401, "InvalidApiKey", "Invalid API-key provided."),
        "forbidden": (403, "AccessDenied", "Access denied."),
        "no_model": (400, "InvalidParameter", "Model not exist."),
        "policy": (400, "DataInspectionFailed", "Input data may contain inappropriate content."),
        "rate_limited": (429, "Throttling.RateQuota", "Requests rate limit exceeded, please try again later."),
        "no_quota": (400, "Arrearage", "Access denied, make sure your account is in good standing."),
        "server_error": (500, "InternalError", "Internal server error."),
        "unavailable": (503, "ServiceUnavailable", "Service unavailable."),
        "overloaded": (529, "ServiceUnavailable", "Overloaded."),
        "error_in_200": (200, "InternalError.Algo", "Inference internal error."),
        "bad_request": (400, "InvalidParameter", "The request is not valid."),
        "unknown_path": (404, "InvalidURL", "Not found."),
        "bad_method": (405, "InvalidParameter", "Method not allowed."),
    }),
    _dashscope,
    {
        "unknown": "Parameter '{field}' is not supported.",
        "missing": "Required parameter '{field}' missing or invalid.",
        "invalid": "Parameter '{field}' is not valid.",
    },
)  # fmt: skip


def _search(error: Error, about: str) -> object:
    del about
    if error.status != 200:
        return {"error": error.words}
    return {"search_metadata": {"id": "0" * 24, "status": "Error"}, "error": error.words}


SERPAPI = Dialect(
    _errors({
        "no_key": (401, "", "Invalid API key. Your API key should be here: https://serpapi.com/manage-api-key"),
        "unauthorized": (401, "", "Invalid API key. Your API key should be here: https://serpapi.com/manage-api-key"),
        "forbidden": (403, "", "Your account is not allowed to do this."),
        "rate_limited": (429, "", "You are exceeding the searches per hour of your account."),
        "no_quota": (429, "", "Your account has run out of searches."),
        "server_error": (500, "", "Internal server error."),
        "unavailable": (503, "", "We couldn't get valid results for this search. Please try again later."),
        "overloaded": (529, "", "We couldn't get valid results for this search. Please try again later."),
        "error_in_200": (200, "", "We couldn't get valid results for this search. Please try again later."),
        "bad_request": (400, "", "The request is not valid."),
        "expired": (400, "", "The `page_token` has expired. Make a new search to get a new one."),
        "unknown_path": (404, "", "Not found."),
        "bad_method": (405, "", "Method not allowed."),
    }),
    _search,
    {
        "unknown": "Unsupported `{field}` parameter.",
        "missing": "Missing query `{field}` parameter.",
        "invalid": "Unsupported value of the `{field}` parameter.",
    },
)  # fmt: skip


def _searchapi(error: Error, about: str) -> object:
    del about
    return {"error": error.words}


SEARCHAPI = Dialect(
    {
        **SERPAPI.errors,
        "no_key": Error(401, "", "API key is missing."),
        "unauthorized": Error(401, "", "Invalid API key."),
        "no_quota": Error(429, "", "You have used all of the searches for the month. Upgrade your plan."),
        "rate_limited": Error(429, "", "You are over your hourly limit of searches."),
        "error_in_200": Error(200, "", "The search failed. Please try again later."),
    },
    _searchapi,
    {**SERPAPI.problems, "missing": "Missing required parameter: `{field}`."},
)


def _dataforseo(error: Error, about: str) -> object:
    del about
    code, in_task = int(error.code.rstrip("t")), error.code.endswith("t")
    head = {"version": "0.1.20261010", "time": "0 sec.", "cost": 0}
    if not in_task:
        return {**head, "status_code": code, "status_message": error.words, "tasks_count": 0, "tasks": None}
    task = {"id": "", "status_code": code, "status_message": error.words, "cost": 0, "result": None}
    return {**head, "status_code": 20000, "status_message": "Ok.", "tasks_count": 1, "tasks_error": 1, "tasks": [task]}


DATAFORSEO = Dialect(
    _errors({
        "no_key": (401, "40100", "You are not authorized to access this resource."),
        "unauthorized": (401, "40100", "You are not authorized to access this resource."),
        "forbidden": (403, "40207", "Access denied: your address is not whitelisted."),
        "rate_limited": (200, "40202t", "The rate-limit per minute has been exceeded."),
        "no_quota": (402, "40200", "Payment Required."),
        "server_error": (500, "50000", "Internal Error."),
        "unavailable": (503, "50301", "3rd Party API Service Unavailable."),
        "overloaded": (529, "50301", "3rd Party API Service Unavailable."),
        "error_in_200": (200, "40101t", "Internal SE Server Error."),
        "bad_request": (200, "40501t", "Invalid Field."),
        "expired": (200, "40403t", "Results Expired."),
        "unknown_path": (404, "40400", "Not Found."),
        "bad_method": (404, "40400", "Not Found."),
    }),
    _dataforseo,
    {"unknown": "Invalid Field: '{field}'.", "missing": "Invalid Field: '{field}'.", "invalid": "Invalid Field: '{field}'."},
)  # fmt: skip
