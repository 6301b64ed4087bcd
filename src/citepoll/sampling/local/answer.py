"""Drawing the cited passages and writing the answer: pure, the seed is an argument."""

from __future__ import annotations

import hashlib
import math
import re
from collections.abc import Sequence
from typing import Final

from citepoll.engines.local import MARKER
from citepoll.store.corpus import Found, terms

NOTHING: Final = "The documents of this corpus do not answer this question."
SENTENCES_PER_PASSAGE: Final = 2
SENTENCE_LENGTH: Final = 300
_END: Final = re.compile(r"(?<=[.!?])\s+|(?<=[。！？])|\n+")


def gumbel(seed: str, key: str) -> float:
    """A standard Gumbel number of seed and key alone, so that a new page leaves the others' luck as it is."""
    digest = hashlib.sha256(f"{seed}\n{key}".encode("utf-8", "replace")).digest()
    uniform = (int.from_bytes(digest[:7], "big") + 0.5) / 2**56
    return -math.log(-math.log(uniform))


def draw(found: Sequence[Found], count: int, temperature: float, seed: str) -> list[Found]:
    """`count` passages without replacement, each next one with odds exp(score ÷ temperature), in the order drawn.

    The Gumbel top-k trick (Kool, van Hoof, Welling 2019, arXiv:1903.06059). Temperature 0 takes the best. A passage
    that two files hold for one page is drawn once.
    """

    def luck(passage: Found) -> float:
        return passage.score + temperature * gumbel(seed, passage.key)

    distinct = {passage.key: passage for passage in found}
    return sorted(distinct.values(), key=luck, reverse=True)[:count]


def number_pages(drawn: Sequence[Found]) -> dict[str, int]:
    """URL → its number in the answer, from 1, in the order drawn; passages of one page share it."""
    return {url: at for at, url in enumerate(dict.fromkeys(passage.url for passage in drawn), 1)}


def write(question: str, drawn: Sequence[Found], stop_words: frozenset[str] = frozenset()) -> str:
    """A paragraph of each drawn passage's best sentences, each with its page's [n]; `NOTHING` where none is drawn."""
    numbers = number_pages(drawn)
    wanted = {_stem(term) for term in terms(question, stop_words)}
    paragraphs = [
        " ".join(_marked(sentence, numbers[passage.url]) for sentence in best_sentences(passage.body, wanted))
        for passage in drawn
    ]
    return "\n\n".join(paragraphs) or NOTHING


def best_sentences(body: str, wanted: set[str]) -> list[str]:
    """The one or two sentences with most of the wanted words, in the text's order; the first one where none has any."""
    sentences = [s.strip() for s in _END.split(body) if s.strip()]
    hits = [len(wanted & {_stem(term) for term in terms(sentence)}) for sentence in sentences]
    order = sorted(range(len(sentences)), key=lambda at: (-hits[at], at))[:SENTENCES_PER_PASSAGE]
    chosen = sorted(at for at in order if hits[at]) or order[:1]
    return [sentences[at] for at in chosen]


def _stem(term: str) -> str:
    # FTS5's Porter stemmer is not to be had from Python; five letters join "validate" and "validation".
    return term[:5]


def _marked(sentence: str, number: int) -> str:
    text = MARKER.sub(r"(\1)", sentence)
    if len(text) > SENTENCE_LENGTH:
        text = text[:SENTENCE_LENGTH].rsplit(" ", 1)[0] + " …"
    ending = text[-1] if text[-1] in ".!?。！？" else "."
    return f"{text.rstrip('.!?。！？:')} [{number}]{ending}"
