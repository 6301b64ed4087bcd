"""The intent that the rules suggest. The questions were written apart from the rules and the starter templates."""

import re
from pathlib import Path

import pytest

from citepoll.model import INTENTS, Query
from citepoll.queryset.intent import MIX, intent_of, languages, suggest
from citepoll.queryset.starter import starter

_EXAMPLES = {
    "en": {
        "What is a headless CMS?": "definitional",
        "What is slow cooking?": "definitional",
        "how does an induction hob work": "definitional",
        "How much does a heat pump cost?": "definitional",
        "noise-cancelling headphones meaning": "definitional",
        "Who owns the data in a cloud CRM?": "definitional",
        "How to descale an espresso machine": "how-to",
        "What's the best way to migrate email to a new host?": "how-to",
        "What should I look for in a password manager?": "how-to",
        "how can I lower my hosting bill": "how-to",
        "What is the best smartphone under 1000 dollars?": "best-of",
        "top rated standing desks 2026": "best-of",
        "most reliable electric cars": "best-of",
        "email marketing software comparison": "best-of",
        "OLED vs QLED": "versus",
        "difference between a laptop and a notebook": "versus",
        "Hybrid or electric car: which is better for the city?": "versus",
        "How does leasing compare with buying?": "versus",
        "Which laptop should I buy for college?": "recommendation",
        "Can you recommend a CRM?": "recommendation",
        "Is a robot vacuum worth it?": "recommendation",
        "Any suggestions for a quiet dishwasher?": "recommendation",
        "running shoes for flat feet": "use-case",
        "CRM for real estate agents": "use-case",
        "When should I use a VPN?": "use-case",
        "Why is my dishwasher not draining?": "troubleshooting",
        "printer keeps disconnecting from wifi": "troubleshooting",
        "how to fix a leaking espresso machine": "troubleshooting",
        "my laptop is slow after the update": "troubleshooting",
        "common problems with heat pumps": "troubleshooting",
    },
    "de": {
        "Was ist eine Wärmepumpe?": "definitional",
        "Wie entkalke ich eine Kaffeemaschine?": "how-to",
        "Die besten Laufschuhe für Anfänger": "best-of",
        "Staubsauger Test": "best-of",
        "Was ist der Unterschied zwischen OLED und QLED?": "versus",
        "Welchen Laptop sollte ich kaufen?": "recommendation",
        "Laufschuhe für breite Füße": "use-case",
        "Spülmaschine pumpt nicht ab Fehler E24": "troubleshooting",
    },
    "fr": {
        "Qu'est-ce qu'une pompe à chaleur ?": "definitional",
        "Comment détartrer une machine à café ?": "how-to",
        "meilleur aspirateur sans fil": "best-of",
        "Quelle est la différence entre OLED et QLED ?": "versus",
        "Quel ordinateur me recommandez-vous ?": "recommendation",
        "chaussures pour pieds larges": "use-case",
        "Pourquoi mon lave-vaisselle ne vidange pas ?": "troubleshooting",
    },
    "es": {
        "¿Qué es una bomba de calor?": "definitional",
        "¿Cómo descalcificar una cafetera?": "how-to",
        "mejores zapatillas de running": "best-of",
        "diferencia entre OLED y QLED": "versus",
        "¿Qué portátil me recomiendas?": "recommendation",
        "zapatillas para pies anchos": "use-case",
        "mi lavavajillas no funciona": "troubleshooting",
    },
    "ja": {
        "ヒートポンプとは": "definitional",
        "コーヒーメーカーの掃除方法": "how-to",
        "ランニングシューズ 人気ランキング": "best-of",
        "OLEDとQLEDの違い": "versus",
        "おすすめのノートパソコンを教えてください": "recommendation",
        "初心者向けのカメラ": "use-case",
        "プリンターがつながらない": "troubleshooting",
    },
    "zh": {
        "什么是热泵？": "definitional",
        "如何清洗咖啡机": "how-to",
        "最好的跑步鞋": "best-of",
        "OLED和QLED的区别": "versus",
        "推荐一款笔记本电脑": "recommendation",
        "适合学生的平板": "use-case",
        "打印机无法连接怎么办": "troubleshooting",
    },
}
_CASES = [(language, text, intent) for language, texts in _EXAMPLES.items() for text, intent in texts.items()]


@pytest.mark.parametrize(("language", "text", "intent"), _CASES)
def test_the_rules_find_the_intent(language, text, intent):
    assert suggest(text, language)[0] == intent


def test_a_suggestion_says_why():
    assert suggest("OLED vs QLED", "en-GB") == ("versus", "sets things against each other (vs)")


def test_no_rule_is_no_intent():
    assert suggest("garden furniture", "en") == (None, "no rule matches")
    intent, reason = suggest("apa itu VPN?", "id")
    assert intent is None
    assert "no rules for “id”" in reason


def test_a_query_overrides_the_rules():
    assert intent_of(Query("OLED vs QLED", intent="definitional")) == "definitional"
    assert intent_of(Query("OLED vs QLED")) == "versus"


def test_every_language_can_suggest_every_intent():
    assert set(languages()) == set(_EXAMPLES)
    assert all(set(texts.values()) == set(INTENTS) for texts in _EXAMPLES.values())


def test_the_mix_covers_the_seven_intents():
    assert tuple(MIX) == INTENTS
    assert sum(MIX.values()) == 100


def test_a_pasted_page_is_read_in_no_time():
    assert suggest("why is " * 100_000, "en")[0] is not None


def test_the_page_for_analysts_shows_this_mix_with_examples_of_the_starter_set():
    page = Path(__file__).parents[2].joinpath("docs/query-sets.md").read_text("utf-8")
    rows = re.findall(r"^\| ([\w-]+)[^|]*\| (\d+) % \|[^|]*\| ([^|]+) \|$", page, re.MULTILINE)
    assert {intent: int(share) for intent, share, _ in rows} == MIX
    texts = {query.text: query.intent for query in starter("running shoes", n=70)}
    assert {intent: texts.get(example) for intent, _, example in rows} == {intent: intent for intent in INTENTS}
