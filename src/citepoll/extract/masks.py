"""Stretches of a text in which a name is no mention: code, URLs, link titles, HTML tags, the echo of the question."""

from __future__ import annotations

import re
from bisect import bisect_left

from citepoll.extract.folding import Folded, fold
from citepoll.urls import known_suffix

Stretch = tuple[int, int]

_CJK = "\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af\uff66-\uff9f"
# ASCII characters of a URL and letters of alphabets; CJK only right after `/`, `=`, `_`, `-` or other CJK that began so,
# since Japanese and Chinese sentences go on after a URL without a space; brackets only in pairs.
_URL = re.compile(
    rf"(?:https?|ftp)://(?:[^\s<>\"`()\[\]|{_CJK}\u2018-\u201f\u3000-\u303f\uff00-\uffef]"
    rf"|\([^\s()<>]*\)|(?<=[/=_\-])[{_CJK}]+)*"
)
_TAG = re.compile(r"</?[a-z][^<>]*>")
_LINK_TITLE = re.compile(r"""\]\([^\s()]{1,2000}\s+("[^"\n]{1,300}"|'[^'\n]{1,300}')\)""")
_BACKTICKS = re.compile("`+")
_FENCE = re.compile(r"^ {0,3}(```+|~~~+)[^\n]*$", re.MULTILINE)
_INDENTED = re.compile(r"(?:\A|\n[ \t]*\n)((?:(?: {4}|\t)[^\n]*(?:\n|\Z))+)")
_LIST_ITEM = re.compile(r"\s*(?:[-*+\u2022]|\d{1,3}[.)])\s")


def masks(text: Folded, question: Folded | None) -> list[Stretch]:
    """Stretches of the folded text, in order and apart from each other."""
    # To look for one character costs a twentieth of what a string costs, and most texts have none of these.
    plain, low = text.plain, text.low
    found: list[Stretch] = []
    if "`" in plain or ("~" in plain and "~~~" in plain):
        found += _code(plain)
    if "\n    " in plain or ("\t" in plain and "\n\t" in plain) or plain[:1] in (" ", "\t"):
        found += _indented_code(plain)
    if "/" in low and "://" in low:
        found += [m.span() for m in _URL.finditer(low)]
    if "(" in low and "](" in low:
        found += [m.span(1) for m in _LINK_TITLE.finditer(low)]
    if "<" in low:
        found += [m.span() for m in _TAG.finditer(low)]
    if question is not None:
        found += _echoes(text, question)
    return _merged(found)


def _merged(stretches: list[Stretch]) -> list[Stretch]:
    merged: list[Stretch] = []
    for start, end in sorted(stretches):
        if merged and start <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(end, merged[-1][1]))
        else:
            merged.append((start, end))
    return merged


def inside(stretches: list[Stretch], start: int, end: int) -> bool:
    """Whether `start` to `end` touches one of the stretches, which are in order and apart."""
    before = bisect_left(stretches, (end, -1))
    return before > 0 and stretches[before - 1][1] > start


def _code(text: str) -> list[Stretch]:
    """Fenced blocks, an unclosed one to the end; then spans between runs of backticks of the same length."""
    blocks: list[Stretch] = []
    opened: re.Match[str] | None = None
    for fence in _FENCE.finditer(text):
        if opened is None:
            opened = fence
        elif fence[1].startswith(opened[1]):
            blocks.append((opened.start(), fence.end()))
            opened = None
    if opened is not None:
        blocks.append((opened.start(), len(text)))
    return blocks + _code_spans(text, blocks)


def _code_spans(text: str, blocks: list[Stretch]) -> list[Stretch]:
    runs = [m.span() for m in _BACKTICKS.finditer(text) if not inside(blocks, *m.span())]
    following: dict[int, list[int]] = {}
    for at in reversed(range(len(runs))):
        following.setdefault(runs[at][1] - runs[at][0], []).append(at)
    spans: list[Stretch] = []
    closed = -1
    for at, (start, end) in enumerate(runs):
        later = following[end - start]
        later.pop()
        if at > closed and later and "\n\n" not in text[end : runs[later[-1]][0]]:
            closed = later[-1]
            spans.append((start, runs[closed][1]))
    return spans


def _indented_code(text: str) -> list[Stretch]:
    """Lines indented by four after an empty line, unless they belong to a list."""
    found = []
    for block in _INDENTED.finditer(text):
        before = text[max(0, block.start() - 400) : block.start()].rstrip().rpartition("\n")[2]
        if not _LIST_ITEM.match(block[1]) and not _LIST_ITEM.match(before) and not before.startswith((" ", "\t")):
            found.append(block.span(1))
    return found


# ---------------------------------------------------------------- the echo of the question

SHORTEST_ECHO = 6
"""A question below this many code points is not looked for: it may be the brand itself."""


def folded_question(question: str) -> Folded | None:
    """The question without its closing marks, folded; None where it is too short to be told from ordinary words."""
    bare = fold(" ".join(question.split()).strip(" ?!.:\u3002\uff1f\uff01\u00bf\u00a1\"'"))
    return bare if len(bare.low) >= SHORTEST_ECHO else None


_ECHO_BEFORE = re.compile(r"(?:^|[\n:\"'\u201c\u201e\u00ab\u300c\u00bf#>(\[]|[.?!\u3002\uff1f]\s)[\s_#\u00bf]*\Z")
_ECHO_AFTER = re.compile(r"[\s_]*(?:[?\uff1f]|[.:!\u3002]?[\s_]*(?:\n|\Z|[\"'\u201d\u201c\u00bb\u300d)\]]))")


def _echoes(text: Folded, question: Folded) -> list[Stretch]:
    """Places where the whole question stands as a line, a sentence or a quotation of its own."""
    found = []
    at = text.low.find(question.low)
    while at >= 0:
        end = at + len(question.low)
        if _ECHO_BEFORE.search(text.plain[max(0, at - 12) : at]) and _ECHO_AFTER.match(text.plain, end):
            found.append((at, end))
        at = text.low.find(question.low, end)
    return found


# ---------------------------------------------------------------- bare domains and addresses

_ADDRESS_CHARS = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._~@/:?#=&%+")
_ADDRESS = re.compile(r"(?:[^\s/@]+@)?((?:[A-Za-z0-9_\-]+\.)+([a-z]{2,24}|[A-Z]{2,24}))(?=[/:?#]|\Z)")
LONGEST_ADDRESS = 300


def in_address(plain: str, start: int, end: int) -> bool:
    """Whether the name at `start` to `end` is part of a domain, an address or a path written without a scheme.

    A name that is itself the whole domain (`monday.com`) is not.
    """
    before, after = plain[start - 1 : start] in _TOUCHING, plain[end : end + 1] in _TOUCHING
    if not (before and plain[start - 2 : start - 1].isalnum()) and not (after and plain[end + 1 : end + 2].isalnum()):
        return False
    first, last = start, end
    while first and start - first < LONGEST_ADDRESS and plain[first - 1] in _ADDRESS_CHARS:
        first -= 1
    while last < len(plain) and last - end < LONGEST_ADDRESS and plain[last] in _ADDRESS_CHARS:
        last += 1
    token = plain[first:last].rstrip(".:?")
    address = _ADDRESS.match(token)
    return address is not None and token != plain[start:end] and known_suffix(address[1].lower())


_TOUCHING = frozenset("./@:-_=?&#%~")
