"""The starter set: mix, wording and refusals."""

import re
from collections import Counter

import pytest

from citepoll.errors import InputError
from citepoll.model import INTENTS
from citepoll.queryset.formats import parse, write
from citepoll.queryset.intent import suggest
from citepoll.queryset.lint import lint
from citepoll.queryset.starter import LANGUAGES, quotas, starter
from citepoll.queryset.tables import table

_CATEGORIES = {
    "en": ["project management software", "running shoes", "CRM", "web analytics", "B2B payment APIs",
           "software for small teams", "open source project management software for construction companies"],
    "de": ["Projektmanagement-Software", "Laufschuhe"],
    "fr": ["logiciel de gestion de projet", "chaussures de running"],
    "es": ["software de gestión de proyectos", "zapatillas de running"],
}  # fmt: skip
_CASES = [(language, category) for language, categories in _CATEGORIES.items() for category in categories]
_TEXTS = {
    language: [text for rows in table(f"starter_{language}")["queries"].values() for text, _ in rows]
    for language in LANGUAGES
}


@pytest.mark.parametrize("audience", [None, "beginners", "small teams"])
@pytest.mark.parametrize(("language", "category"), _CASES)
def test_fifty_queries_pass_our_own_lint(language, category, audience):
    queries = starter(category, language=language, audience=audience)
    assert len({query.id for query in queries}) == 50
    assert [finding.code for finding in lint(queries, lambda text: ())] == ["grade"]
    assert all(category.lower() in query.text.lower() for query in queries)
    assert all(query.intent in INTENTS and query.topic and query.language == language for query in queries)


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_rules_agree_with_the_templates(language):
    queries = starter("running shoes", language=language)
    agreed = sum(suggest(query.text, language)[0] == query.intent for query in queries)
    assert agreed >= 0.9 * len(queries)


@pytest.mark.parametrize(("language", "least"), [("en", 60), ("de", 25), ("fr", 25), ("es", 25)])
def test_there_are_templates_enough_and_no_slot_is_unknown(language, least):
    texts = _TEXTS[language]
    assert len(set(texts)) == len(texts) >= least
    known = {"c", "C", "audience", *table(f"starter_{language}").get("words", {}).get("plural", {})}
    rows = [text for rows in table(f"starter_{language}")["audience"].values() for text, _ in rows]
    assert set(re.findall(r"\{(\w+)\}", " ".join(texts + rows))) <= known
    assert all(("{c}" in text) or ("{C}" in text) for text in texts + rows)


@pytest.mark.parametrize(
    ("category", "expected"),
    [
        ("project management software", "What is the best project management software?"),
        ("running shoes", "What are the best running shoes?"),
        ("software for small teams", "What is the best software for small teams?"),
        ("web analytics", "What is the best web analytics?"),
        ("mattress", "What is the best mattress?"),
        ("shoes for children", "What are the best shoes for children?"),
    ],
)
def test_english_agrees_in_number(category, expected):
    assert expected in [query.text for query in starter(category)]


def test_the_number_can_be_given():
    assert "What are the best sheep?" in [query.text for query in starter("sheep", plural=True)]


def test_capitals_are_kept():
    texts = [query.text for query in starter("iOS apps")]
    assert "iOS apps explained in simple terms" in texts


@pytest.mark.parametrize("n", [1, 7, 20, 33, 50, 60])
def test_any_size_keeps_the_mix(n):
    queries = starter("running shoes", n=n)
    assert Counter(query.intent for query in queries) == Counter({k: v for k, v in quotas(n).items() if v})
    assert len(queries) == n
    if n >= 20:
        assert "mix" not in [finding.code for finding in lint(queries, lambda text: ())]


def test_the_same_arguments_give_the_same_set_and_it_round_trips():
    queries = starter("running shoes", audience="beginners", language="en-GB", market="gb")
    assert queries == starter("running shoes", audience="beginners", language="en-GB", market="gb")
    assert queries == parse(write(queries, "toml").encode(), "toml")
    assert {(query.language, query.market) for query in queries} == {("en-GB", "GB")}


@pytest.mark.parametrize(
    ("arguments", "cause"),
    [
        ({"category": "running shoes", "language": "it"}, "no starter templates in “it”"),
        ({"category": "  "}, "no noun phrase"),
        ({"category": "x" * 81}, "no noun phrase"),
        ({"category": "Acme shoes", "brands": ["Beta", "acme"]}, "names the brand acme"),
        ({"category": "shoes", "audience": "Acme users", "brands": ["Acme"]}, "names the brand Acme"),
        ({"category": "shoes", "n": 0}, "0 questions is none"),
        ({"category": "shoes", "n": 500}, "of 500 questions"),
        ({"category": "shoes", "market": "Europe"}, "not a market"),
    ],
)
def test_refusals_say_cause_and_fix(arguments, cause):
    with pytest.raises(InputError) as caught:
        starter(arguments.pop("category"), **arguments)
    assert cause in caught.value.cause
    assert caught.value.fix


def test_braces_in_a_category_are_left_alone():
    assert all("{x}" in query.text for query in starter("{x} shoes", n=5))
