"""What lint says of golden cases, and what it leaves alone."""

import pytest

from citepoll.model import INTENTS, Engine, Query
from citepoll.queryset.intent import MIX
from citepoll.queryset.lint import lint, plan_warnings
from citepoll.queryset.phrasing import guess_language, leading_reason, not_a_question

_SUBJECTS = (
    "tents", "boats", "lamps", "chairs", "kettles", "drills", "scooters", "cameras", "printers", "routers",
    "mattresses", "helmets", "guitars", "tripods", "monitors", "speakers", "freezers", "blenders", "toasters", "fans",
)  # fmt: skip


def _brands(text):
    return tuple(name for name in ("Acme", "Beta") if name in text)


def _codes(queries):
    return [finding.code for finding in lint(queries, _brands)]


def _balanced(n):
    """`n` different questions in the recommended mix, for n a multiple of 100."""
    intents = [intent for intent in INTENTS for _ in range(MIX[intent] * n // 100)]
    return [Query(f"question number {i} on {_SUBJECTS[i % 20]}", intent=intent) for i, intent in enumerate(intents)]


def test_a_good_set_has_nothing_to_be_said_of():
    assert lint(_balanced(200), _brands) == ()


def test_an_empty_set_is_an_error():
    (finding,) = lint([], _brands)
    assert (finding.code, finding.severity) == ("empty", "error")


def test_branded_queries_are_named_with_their_brands():
    queries = [*_balanced(200), Query("Is Acme better than Beta?", intent="versus"), Query("Acme pricing")]
    (finding,) = lint(queries, _brands)
    assert finding.code == "branded"
    assert finding.query_ids == (queries[-2].id, queries[-1].id)
    assert "2 queries name a brand (Acme 2, Beta 1)" in finding.sentence
    assert "out of the headline" in finding.cause


@pytest.mark.parametrize(
    ("n", "codes", "words"),
    [
        (19, ["few", "grade"], "exploratory"),
        (20, ["grade"], "With 20 non-branded queries the best grade of evidence is exploratory. 50 are needed"),
        (49, ["grade"], "exploratory"),
        (50, ["grade"], "With 50 non-branded queries the best grade of evidence is directional. 200 are needed"),
        (199, ["grade"], "directional"),
        (200, [], ""),
    ],
)
def test_the_size_says_which_grade_can_be_reached(n, codes, words):
    found = [finding for finding in lint(_balanced(200)[:n], _brands) if finding.code in ("few", "grade")]
    assert [finding.code for finding in found] == codes
    assert words in " ".join(finding.sentence for finding in found)


def test_branded_queries_do_not_count_towards_the_size():
    queries = _balanced(200)[:50]
    branded = [Query(f"Acme {i}", intent="how-to") for i in range(10)]
    (grade,) = [finding for finding in lint([*queries, *branded], _brands) if finding.code == "grade"]
    assert "50 non-branded" in grade.cause


def _with_intents(**counts):
    names = {name.replace("_", "-"): count for name, count in counts.items()}
    return [Query(f"{intent} {i}", intent=intent) for intent, count in names.items() for i in range(count)]


def test_an_intent_that_misses_the_mix_by_ten_points():
    even = {intent.replace("-", "_"): count for intent, count in MIX.items()}
    nearly = even | {"how_to": 29, "troubleshooting": 1}
    assert "mix" not in _codes(_with_intents(**nearly))
    off = even | {"how_to": 30, "troubleshooting": 0}
    found = [finding for finding in lint(_with_intents(**off), _brands) if finding.code == "mix"]
    assert [finding.cause for finding in found] == [
        "how-to makes up 30 % of the set (30 of 100), the recommended mix has 20 %.",
        "troubleshooting makes up 0 % of the set (0 of 100), the recommended mix has 10 %.",
    ]
    assert found[0].fix.startswith("Cut how-to queries towards 20 of 100")
    assert len(found[0].query_ids) == 30


def test_the_mix_reads_suggested_intents_and_leaves_out_the_unknown():
    queries = [Query(f"OLED vs QLED {i}") for i in range(3)] + [Query("garden furniture")]
    found = {finding.code: finding for finding in reversed(lint(queries, _brands))}
    assert found["no-intent"].query_ids == (queries[3].id,)
    assert any("versus makes up 100 %" in finding.cause for finding in lint(queries, _brands))


def test_near_duplicates_are_one_finding_a_group():
    queries = [
        *_balanced(200),
        Query("best crm software", intent="best-of"),
        Query("the best CRM software?", intent="best-of"),
    ]
    (finding,) = lint(queries, _brands)
    assert finding.code == "near-duplicate"
    assert finding.query_ids == (queries[-2].id, queries[-1].id)


@pytest.mark.parametrize(
    ("language", "text"),
    [
        ("en", "Why is cloud software the best choice for teams?"),
        ("en", "Why are running shoes better than trainers?"),
        ("en", "What makes electric cars superior?"),
        ("en", "Isn’t leasing cheaper?"),
        ("en", "Heat pumps are cheaper to run, right?"),
        ("en", "Don't you think standing desks are overrated?"),
        ("en", "Explain why an OLED screen is the best"),
        ("en", "Why should I switch to induction?"),
        ("de", "Warum ist Cloud-Software die beste Wahl?"),
        ("de", "Wärmepumpen sind günstiger, nicht wahr?"),
        ("fr", "Pourquoi les vélos électriques sont-ils meilleurs ?"),
        ("es", "¿Por qué son mejores los coches eléctricos?"),
        ("ja", "なぜ有機ELが一番良いのですか"),
        ("zh", "为什么电动车更好？"),
    ],
)
def test_leading_questions(language, text):
    assert leading_reason(Query(text, language)) is not None


@pytest.mark.parametrize(
    "text",
    [
        "What is the best CRM?",
        "Why is my phone slower and worse after the update?",
        "Why do companies use a CRM?",
        "Why are electric cars expensive?",
        "Is a heat pump better than a boiler?",
        "Which is better, a CRM or a spreadsheet?",
        "What makes a good running shoe?",
        "right-handed scissors",
        "How good are budget laptops?",
        "How do I choose the best mattress?",
    ],
)
def test_open_questions_do_not_lead(text):
    assert leading_reason(Query(text)) is None


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("word " * 41, "longer than"),
        ("best {category} for teams", "placeholder"),
        ("best [product] for teams", "placeholder"),
        ("what does https://example.com do", "an address"),
        ("12345", "no words"),
        ("Write a blog post about running shoes", "an instruction"),
        ("I run a shop. It sells tea. We ship abroad. Which carrier is best?", "more than three sentences"),
        ("CRM", "single word"),
    ],
)
def test_what_is_no_question(text, reason):
    assert reason in not_a_question(Query(text.strip()))


@pytest.mark.parametrize(
    "text",
    [
        "crm software",
        "What is the U.S. limit for drones?",
        "numpy array [1, 2, 3]",
        "I need a CRM. Which one?",
        "跑步鞋推荐",
    ],
)
def test_search_phrases_are_fine(text):
    assert not_a_question(Query(text)) is None


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("What is the best way to learn the piano?", "en"),
        ("Was ist die beste Software für ein kleines Büro?", "de"),
        ("Quel est le meilleur logiciel pour une petite équipe ?", "fr"),
        ("¿Cuál es el mejor programa para una empresa?", "es"),
        ("おすすめのカメラは何ですか", "ja"),
        ("最好的跑步鞋", "zh"),
        ("лучшие кроссовки для бега", "ru"),
        ("running shoes", None),
    ],
)
def test_a_language_is_guessed_by_script_and_grammar(text, language):
    assert guess_language(text) == language


def test_languages_that_mix_or_contradict():
    german = Query("Was ist die beste Software für ein kleines Büro?", intent="best-of")
    declared = [Query("Laufschuhe für breite Füße", "de", "DE", intent="use-case")]
    found = {finding.code: finding for finding in lint([*_balanced(200), german, *declared], _brands)}
    assert set(found) == {"mixed-languages", "language-mismatch"}
    assert "en 201, de 1" in found["mixed-languages"].cause
    assert found["language-mismatch"].query_ids == (german.id,)
    assert "like de, declared en" in found["language-mismatch"].cause


@pytest.mark.parametrize(
    ("language", "text"),
    [
        ("ja", "冷蔵庫 比較 最新"),
        ("uk", "найкращі кросівки для бігу"),
        ("de", "Software as a Service Anbieter"),
        ("en-GB", "best tyres"),
    ],
)
def test_a_language_that_fits_is_left_alone(language, text):
    assert "language-mismatch" not in _codes([Query(text, language)])


def test_long_lists_are_cut_to_three_examples():
    queries = [Query(f"Write a poem about {subject}") for subject in _SUBJECTS[:5]]
    (finding,) = [finding for finding in lint(queries, _brands) if finding.code == "not-a-question"]
    assert finding.cause.count("“") == 3
    assert "and 2 more" in finding.cause


def _engine(id, runs=3):
    return Engine(name=id, id=id, surface="api", runs=runs)


@pytest.mark.parametrize(
    ("engines", "codes"),
    [
        ([], ["no-engine"]),
        ([_engine("openai:responses")], ["one-engine"]),
        ([_engine("local:bm25"), _engine("google:gemini")], ["no-major-engine"]),
        ([_engine("google:ai-mode@serpapi"), _engine("local:bm25", runs=2)], ["few-runs"]),
        ([_engine("perplexity:agent"), _engine("chatgpt:ui@dataforseo")], []),
        ([_engine("xai:grok", runs=1)], ["one-engine", "no-major-engine", "few-runs"]),
    ],
)
def test_plan_warnings(engines, codes):
    assert [finding.code for finding in plan_warnings(engines, "sha256:a", "sha256:a")] == codes


def test_a_changed_set_is_a_warning_and_a_first_cycle_none():
    engines = [_engine("perplexity:agent"), _engine("openai:responses")]
    assert [finding.code for finding in plan_warnings(engines, "sha256:a", "sha256:b")] == ["changed-set"]
    assert plan_warnings(engines, "sha256:a", None) == ()
