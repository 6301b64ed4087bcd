"""Labelled passages: labelled.tsv says what should be found, worlds.toml the brands, floors.toml how well."""

import hashlib
import tomllib
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from citepoll.extract.mentions import Matcher
from citepoll.model import Alias, Brand

HERE = Path(__file__).parent


@dataclass(frozen=True)
class Passage:
    """`expected` counts (brand, surface text, denied)."""

    id: str
    language: str
    world: str
    text: str
    question: str
    expected: Counter[tuple[str, str, bool]]

    @property
    def half(self) -> str:
        return ("tuning", "held_out")[hashlib.sha256(self.id.encode()).digest()[0] % 2]


def passages() -> list[Passage]:
    lines = (HERE / "labelled.tsv").read_text(encoding="utf-8").rstrip("\n").split("\n")[1:]
    return [_passage(*line.split("\t")) for line in lines]


def _passage(id: str, language: str, world: str, expected: str, text: str, question: str) -> Passage:
    names = [] if expected == "-" else _plain(expected).split(" | ")
    return Passage(id, language, world, _plain(text), _plain(question), Counter(map(_label, names)))


def _label(written: str) -> tuple[str, str, bool]:
    brand, _, surface = written.removeprefix("!").partition(":")
    return brand, surface, written.startswith("!")


def _plain(text: str) -> str:
    return text.replace("\\n", "\n").replace("\\u00a0", "\u00a0")


def worlds() -> dict[str, tuple[Brand, ...]]:
    tables = tomllib.loads((HERE / "worlds.toml").read_text(encoding="utf-8"))
    return {
        world: tuple(Brand(name, tuple(map(_alias, aliases))) for name, aliases in brands.items())
        for world, brands in tables.items()
    }


def _alias(entry: Any) -> Alias:
    if isinstance(entry, str):
        return Alias(entry)
    return Alias(
        entry["text"],
        entry.get("case_sensitive", False),
        tuple(entry.get("needs", ())),
        tuple(entry.get("excludes", ())),
    )


def floors() -> dict[str, dict[str, float]]:
    return tomllib.loads((HERE / "floors.toml").read_text(encoding="utf-8"))


PASSAGES = passages()


@pytest.fixture(scope="module")
def matchers():
    return {world: Matcher(brands) for world, brands in worlds().items()}


def test_the_set_is_large_and_in_six_languages():
    languages = Counter(p.language for p in PASSAGES)
    assert len(PASSAGES) >= 320
    assert len({p.id for p in PASSAGES}) == len(PASSAGES)
    assert set(languages) == {"en", "de", "fr", "es", "ja", "zh"}
    assert min(languages.values()) >= 40
    assert sum(not p.expected for p in PASSAGES) >= 80


@pytest.mark.parametrize("half", ["tuning", "held_out"])
def test_precision_and_recall_stay_above_their_floors(matchers, half):
    floor = floors()[half]
    some = [p for p in PASSAGES if p.half == half]
    right = found = wanted = 0
    wrong = []
    for passage in some:
        mentions = matchers[passage.world].find(passage.text, passage.question).mentions
        got = Counter((m.brand, passage.text[m.start : m.end], m.denied) for m in mentions)
        right += (got & passage.expected).total()
        found += got.total()
        wanted += passage.expected.total()
        if got != passage.expected:
            wrong.append(f"{passage.id}: {dict(got)} for {dict(passage.expected)}")
    figures = f"{half}: precision {right / found:.4f}, recall {right / wanted:.4f}\n" + "\n".join(wrong)
    assert len(some) == floor["passages"], figures
    assert right / found >= floor["precision"], figures
    assert right / wanted >= floor["recall"], figures
