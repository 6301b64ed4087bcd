import pytest
from hypothesis import given
from hypothesis import strategies as st

from citepoll.errors import SliceError
from citepoll.measure.slices import FIELDS, Filter, entities_of, known, parse_where, validate
from citepoll.model import Slice

TEXT_FIELDS = [f for f in FIELDS if f not in ("run", "branded", "citation_level", "domain")]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", ()),
        ("   ", ()),
        ("engine = perplexity", (Filter("engine", "=", ("perplexity",)),)),
        ("ENGINE=perplexity", (Filter("engine", "=", ("perplexity",)),)),
        ("engine = openai:responses@de", (Filter("engine", "=", ("openai:responses@de",)),)),
        ("url = https://a.example/x?b=1&c=2", (Filter("url", "=", ("https://a.example/x?b=1&c=2",)),)),
        ("domain ~ Tech.", (Filter("domain", "~", ("tech",)),)),
        ("run<=2 AND branded=TRUE", (Filter("run", "<=", (2,)), Filter("branded", "=", (True,)))),
        (
            "topic in (laptops, \"mobile phones\",'x, y')",
            (Filter("topic", "in", ("laptops", "mobile phones", "x, y")),),
        ),
        (r'query != "say \"hi\" and go"', (Filter("query", "!=", ('say "hi" and go',)),)),
        ("topic = and and intent = versus", (Filter("topic", "=", ("and",)), Filter("intent", "=", ("versus",)))),
        ("citation_level in (span, marker)", (Filter("citation_level", "in", ("span", "marker")),)),
    ],
)
def test_filters_that_can_be_read(text, expected):
    assert parse_where(text) == expected


@pytest.mark.parametrize(
    ("text", "position", "says"),
    [
        ("engin = x", "character 1", "Did you mean engine?"),
        ("engine x", "character 8", "operator"),
        ("engine =", "at its end", "value is missing"),
        ("topic in (a, b", "at its end", ") is missing"),
        ("topic in a", "character 10", "( is missing"),
        ("topic in ()", "character 11", "value is missing"),
        ("engine = a b", "character 12", "Quote a value"),
        ("engine = a or topic = b", "character 12", "`and`"),
        ("engine = a and", "at its end", "field name"),
        ("run = first", "character 7", "run is a number"),
        ("run = -1", "character 7", "run is a number"),
        ("run ~ 1", "character 7", "looks inside text"),
        ("engine < 3", "character 10", "needs a number"),
        ("branded = maybe", "character 11", "true or false"),
        ("citation_level = spam", "character 18", "Did you mean span?"),
        ('engine = "open', "character 10", "value is missing"),
        ("status = refused", "character 1", "unknown field"),
    ],
)
def test_filters_that_cannot_be_read_say_where_and_what_to_do(text, position, says):
    with pytest.raises(SliceError) as raised:
        parse_where(text)
    assert position in raised.value.cause
    assert says in str(raised.value)
    assert raised.value.fix


@given(st.text(max_size=60))
def test_any_text_gives_filters_or_a_slice_error(text):
    try:
        assert all(f.field in FIELDS and f.values for f in parse_where(text))
    except SliceError:
        pass


@given(st.sampled_from(TEXT_FIELDS), st.sampled_from(["=", "!=", "~"]), st.text(min_size=1, max_size=20))
def test_a_quoted_value_is_read_as_written(field, op, value):
    quoted = value.replace("\\", "\\\\").replace('"', '\\"')
    assert parse_where(f'{field} {op} "{quoted}"') == (Filter(field, op, (value,)),)


@pytest.mark.parametrize(
    ("asked", "says"),
    [
        (Slice(metrics=("share_of_citations",)), "Did you mean share_of_citation?"),
        (Slice(metrics=()), "no metric"),
        (Slice(by=("enginee",)), "Did you mean engine?"),
        (Slice(by=("engine", "engine")), "twice"),
        (Slice(target="all"), "unknown target"),  # type: ignore[arg-type]
        (Slice(confidence=95), "confidence"),
        (Slice(confidence=1e-320), "not between 0.01 and 0.9999"),
        (Slice(confidence=0.99999), "Use 0.95"),
        (Slice(confidence=float("nan")), "confidence"),
        (Slice(limit=0), "limit"),
        (Slice(where="topic"), "operator"),
        (Slice(metrics=("mention_rate",), by=("domain",)), "mention_rate cannot be shown or filtered by domain"),
        (Slice(metrics=("mention_rate",), where="domain = a.com"), "cannot be shown or filtered by domain"),
        (Slice(metrics=("trigger_rate",), where="citation_level = span"), "by citation_level"),
    ],
)
def test_a_slice_that_makes_no_sense_is_refused(asked, says):
    with pytest.raises(SliceError) as raised:
        validate(asked)
    assert says in str(raised.value)


def test_a_metric_of_the_engine_ignores_the_brand():
    assert validate(Slice(metrics=("trigger_rate", "share_of_citation"), where="brand = Acme"))
    assert entities_of("trigger_rate", ("brand", "engine")) == ()
    assert entities_of("share_of_citation", ("engine",)) == ("brand",)
    assert entities_of("share_of_citation", ("engine", "domain", "brand")) == ("domain", "brand")


def test_a_long_list_of_names_is_cut():
    with pytest.raises(SliceError, match="and 5 more"):
        known("topic", "zzz", [f"topic {i}" for i in range(25)])
