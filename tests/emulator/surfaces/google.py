"""Gemini's generateContent with Google Search: byte offsets of parts, and redirects in the place of addresses."""

from __future__ import annotations

import base64
import re
from urllib.parse import unquote

from tests.emulator import checks
from tests.emulator.checks import list_of, object_of, one_of, whole, word
from tests.emulator.dialects import GOOGLE
from tests.emulator.prices import Price
from tests.emulator.surfaces.base import Surface, usage_of
from tests.emulator.wire import Asked, Call, Made, Usage
from tests.emulator.writing import Page, Written

REDIRECTS = "vertexaisearch.cloud.google.com"
REDIRECT_PATH = "/grounding-api-redirect/"


class Gemini(Surface):
    id = "google:gemini"
    hosts = ("generativelanguage.googleapis.com",)
    path = re.compile(r"/v1beta/models/(?P<model>[^/]+):generateContent")
    dialect = GOOGLE
    forms = frozenset({"blocked", "empty", "truncated_text", "uncited"})

    _part = object_of({"text": word})
    _body = staticmethod(
        object_of(
            {
                "contents": list_of(object_of({"parts": list_of(_part)}, {"role": one_of("user", "model")})),
                "tools": list_of(object_of({"google_search": object_of({}, {"timeRangeFilter": checks.anything})})),
            },
            {
                "generationConfig": object_of(
                    {}, {"maxOutputTokens": whole(1, 1_000_000), "temperature": checks.anything}
                )
            },
        )
    )

    def key(self, call: Call) -> str:
        return (call.headers.get("x-goog-api-key") or call.parameters.get("key") or "").strip()

    def possible(self) -> frozenset[str]:
        return super().possible() | {"rate_limited_info"}

    def check(self, call: Call) -> Asked:
        body = checks.document(call)
        self._body(body, "")
        named = self.path.fullmatch(call.path)
        model = unquote(named["model"]) if named else ""
        self.refuse_model(model)
        return Asked(body["contents"][-1]["parts"][-1]["text"], model, options=body)

    def make(self, asked: Asked, written: Written, form: str, identity: str, price: Price) -> Made:
        del price
        usage = usage_of(asked, written, 0 if form in ("blocked", "empty") else None)  # neither shows a search
        head: dict[str, object] = {"modelVersion": asked.model, "responseId": identity, "usageMetadata": _usage(usage)}
        if form == "blocked":
            return Made({**head, "promptFeedback": {"blockReason": "PROHIBITED_CONTENT"}}, usage)
        finish = "MAX_TOKENS" if form == "truncated_text" else "STOP"
        if form == "empty":
            return Made({**head, "candidates": [{"content": {"role": "model"}, "finishReason": "MAX_TOKENS"}]}, usage)
        parts, supports = _grounded(written)
        grounding = {
            "webSearchQueries": list(written.queries),
            "groundingChunks": [{"web": {"uri": redirect(page), "title": page.host}} for page in written.found],
            "groundingSupports": supports,
        }
        candidate = {
            "content": {"role": "model", "parts": parts},
            "finishReason": finish,
            "groundingMetadata": grounding,
        }
        return Made({**head, "candidates": [candidate]}, usage)


def _usage(usage: Usage) -> dict[str, int]:
    total = usage.input + usage.output
    return {"promptTokenCount": usage.input, "candidatesTokenCount": usage.output, "totalTokenCount": total}


def _grounded(written: Written) -> tuple[list[dict[str, object]], list[dict[str, object]]]:
    """A thought, the opening and the claims as parts; the claims share the last one, and are counted in its bytes."""
    said, supports = "", list[dict[str, object]]()
    for claim in written.claims:
        start = len(said.encode())
        said += claim.text
        segment = {"partIndex": 2, "startIndex": start, "endIndex": len(said.encode()), "text": claim.text}
        if start == 0:
            del segment["startIndex"]  # the vendor leaves a zero out
        if claim.pages:
            indexes = [written.number(page) - 1 for page in claim.pages]
            supports.append({"segment": segment, "groundingChunkIndices": indexes})
        said += " "
    return [{"text": "Größe prüfen …", "thought": True}, {"text": f"{written.opening} "}, {"text": said}], supports


def redirect(page: Page) -> str:
    token = base64.urlsafe_b64encode(page.url.encode()).decode().rstrip("=")
    return f"https://{REDIRECTS}{REDIRECT_PATH}{token}"


def target(path: str) -> str | None:
    """The page that a redirect leads to, None for what is none of ours."""
    token = path.removeprefix(REDIRECT_PATH)
    try:
        return base64.urlsafe_b64decode(token + "=" * (-len(token) % 4)).decode()
    except ValueError:
        return None
