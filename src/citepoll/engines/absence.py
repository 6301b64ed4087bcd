"""Pages that hold no answer: nothing to show, or a failure, told apart by the vendor's words."""

from __future__ import annotations

import re
from typing import Final

from citepoll.engines.failures import Failed
from citepoll.model import Answer

_NOTHING: Final = re.compile(
    r"(has|did|have)(n't| not) return(ed)? any|no (search )?results|(not|isn't) (available|shown|supported) (for|in) (this|your)"
    r"|no ai (overview|answer|response)",
    re.IGNORECASE,
)


def without_answer(words: str) -> Answer:
    """`absent` where `words` say that the surface shows nothing, failed (worth another try) where they say else.

    Without words it is `empty`: a success that holds no text.
    """
    words = words.strip()
    if not words:
        return Answer("empty")
    if _NOTHING.search(words):
        return Answer("absent", message=words)
    return Failed("failed", message=words, retry="later", reason=words)
