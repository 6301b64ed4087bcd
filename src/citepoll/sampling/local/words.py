"""Words that carry no topic in a question. Data, no logic."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

_ENGLISH = """
a about all also am an and any are as at be been best better between but by can could did do does for from get give good
had has have how i if in into is it its like make me more most my need of on or our out over should so some such than
that the their them then there these they this to up use used using want was way we were what when where which who why
will with without work would you your
"""
_GERMAN = """
als am auf aus bei das dem den der des die ein eine einem einen einer es für ich im in ist kann man mein mit oder sich
sind soll und von was welche welcher welches wenn wer wie wo zu zum zur
"""
_FRENCH = """
au aux avec ce ces comment dans de des du elle en est et il je la le les mon où ou par pour quand que quel quelle
quelles quels qui se son sont sur un une
"""
_SPANISH = """
al como con cual cuál cuáles cómo cuando de del donde dónde el en es la las lo los mi para por que qué se ser sin son su
sus un una y
"""

# In a small corpus such words are rare, and BM25 would take a page that says "what" for an answer to every "what is".
STOP_WORDS: Final[Mapping[str, frozenset[str]]] = {
    "en": frozenset(_ENGLISH.split()),
    "de": frozenset(_GERMAN.split()),
    "fr": frozenset(_FRENCH.split()),
    "es": frozenset(_SPANISH.split()),
}


def stop_words(language: str) -> frozenset[str]:
    """Those of a language tag (`en`, `en-GB`); none for a language that is not in the table."""
    return STOP_WORDS.get(language.lower().partition("-")[0], frozenset())
