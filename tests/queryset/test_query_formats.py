"""Query files: what goes in, what comes out, and what a bad file is answered with."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from citepoll.errors import InputError
from citepoll.model import INTENTS, Query, normal_text
from citepoll.queryset.formats import FORMATS, format_of, parse, read, write

_texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=40).map(normal_text)
_filled = _texts.filter(bool)
_queries = st.builds(
    Query,
    text=_filled,
    language=st.sampled_from(["en", "de", "pt-BR", "zh-Hant"]),
    market=st.sampled_from(["US", "GB", "DE", "001"]),
    intent=st.sampled_from([None, *INTENTS]),
    topic=st.none() | _filled,
    ref=st.none() | _filled,
)
_sets = st.lists(_queries, max_size=8, unique_by=lambda query: query.id).map(tuple)


@given(_sets)
@example((Query('a\x00b\x7f "quoted", \\ ; semicolon', intent="how-to"), Query("[[query]]", "de", "DE", ref="1")))
@example((Query("text"), Query("=1+1", topic="\ufeff")))
def test_what_is_written_is_read_back(queries):
    for format in FORMATS:
        assert parse(write(queries, format).encode(), format, language="fr", market="FR") == queries


@given(_sets, st.sampled_from(FORMATS))
def test_writing_again_changes_nothing(queries, format):
    once = write(queries, format)
    assert write(parse(once.encode(), format), format) == once


def test_toml_is_commented_and_names_the_shared_language_once():
    text = write([Query("Best running shoes?", "de", "DE"), Query("Which shoes?", "de", "DE")], "toml")
    assert text.startswith("# ")
    assert text.count('language = "de"') == 1
    assert all(intent in text for intent in INTENTS)


@pytest.mark.parametrize("name", ["text", "query", "prompt", "Prompt"])
def test_the_text_may_be_called_as_other_tools_call_it(name):
    expected = (Query("best shoes"),)
    assert parse(f"{name}\nbest shoes\n".encode(), "csv") == expected
    assert parse(f'{{"{name}": "best shoes"}}'.encode(), "jsonl") == expected
    assert parse(f'[[query]]\n{name} = "best shoes"'.encode(), "toml") == expected


@pytest.mark.parametrize(
    "data",
    [
        b"\xef\xbb\xbftext,topic\r\n\r\nbest shoes,price\r\n,\r\n",
        b'"text";"topic"\n"best shoes";"price"\n',
        b"topic\tprompt\nprice\t best  shoes \n",
        b'text,topic\n"best\nshoes",price',
    ],
    ids=["bom and crlf and blank lines", "semicolons", "tabs and loose spaces", "line break in a cell"],
)
def test_csv_as_spreadsheets_write_it(data):
    assert parse(data, "csv") == (Query("best shoes", topic="price"),)


def test_text_is_normal_text():
    assert parse('{"text": "Cafe\u0301\u00a0 bar "}'.encode(), "jsonl")[0].text == "Café bar"


@pytest.mark.parametrize(
    ("written", "intent"),
    [
        ("Comparison", "best-of"),
        ("best of", "best-of"),
        ("comparison/best-of", "best-of"),
        ("howto", "how-to"),
        ("How To", "how-to"),
        ("HOW_TO", "how-to"),
        ("vs.", "versus"),
        ("Use Case", "use-case"),
        ("recommendations", "recommendation"),
        (" Troubleshooting ", "troubleshooting"),
        ("", None),
    ],
)
def test_intents_in_any_spelling(written, intent):
    assert parse(f"text,intent\nshoes,{written}".encode(), "csv")[0].intent == intent


def test_language_and_market_default_to_the_head_then_to_the_caller():
    data = b'market = "at"\n[[query]]\ntext = "a"\n[[query]]\ntext = "b"\nlanguage = "PT_br"\nmarket = "br"\n'
    assert parse(data, "toml", language="de") == (Query("a", "de", "AT"), Query("b", "pt-BR", "BR"))


def test_repeated_queries_are_merged_and_named():
    data = b"text,intent,topic,id\nbest shoes,,price,1\nbest  shoes,best-of,quality,\nother,,,2\n"
    reading = read(data, "csv")
    assert reading.queries == (Query("best shoes", intent="best-of", topic="price", ref="1"), Query("other", ref="2"))
    (note,) = reading.warnings
    assert "Line 3 repeats the query of Line 2" in note
    assert "topic price kept, quality dropped" in note


def test_the_same_text_in_two_markets_is_two_queries():
    assert len(parse(b"text,market\nshoes,US\nshoes,GB\n", "csv")) == 2


def test_names_that_no_field_has_are_a_warning():
    reading = read(b"text,volume\nshoes,900\nboots,20\n", "csv")
    assert reading.warnings == ("“volume” is not read: no field has this name.",)


@pytest.mark.parametrize("format", FORMATS)
def test_an_empty_file_has_no_queries(format):
    assert parse(b"", format) == ()
    assert parse(b"\xef\xbb\xbf\r\n\r\n", format) == ()


@pytest.mark.parametrize(
    ("format", "data", "cause"),
    [
        ("csv", b"text,intent\nshoes,\n ,how-to\n", "Line 3: the query has no text"),
        ("csv", b"text\nshoes,boots\n", "Line 2 has 2 cells, the header 1"),
        ("csv", b"keyword,volume\nshoes,9\n", "Line 1 names no column for the text; it holds: keyword, volume"),
        ("csv", b'text\n"shoes\nboots\n', "Line 2 is not CSV"),
        ("csv", b"text\nshoes\n\xff\xfe\n", "Line 3 is not UTF-8"),
        ("csv", b"text,query\nshoes,boots\n", "Line 2: the text is given twice, once as “query”"),
        ("csv", b"text,language\nshoes,english please\n", "Line 2: “english please” is not a language"),
        ("csv", b"text,market\nshoes,Europe\n", "Line 2: “Europe” is not a market"),
        ("jsonl", b'{"text": "a"}\n\n{"text": "b", "intent": "buy"}', "Line 3: “buy” is not an intent"),
        ("jsonl", b'{"text": "a"}\n{"text": ', "Line 2 is not JSON"),
        ("jsonl", b"[" * 100_000, "Line 1 is not JSON"),
        ("jsonl", b'{"text": NaN}', "Line 1 is not JSON"),
        ("jsonl", b'{"text": "\\ud800"}', "Line 1 is not JSON"),
        ("jsonl", b'"shoes"', "Line 1 is not an object"),
        ("jsonl", b'{"text": ["shoes"]}', "Line 1: text is a list, not a text"),
        ("toml", b'[[query]]\ntext = "a"\n\n[[query]]\ntext = " "', "Line 4: the query has no text"),
        ("toml", b"[[query]]\ntext = 4", "Line 1: text is a number, not a text"),
        ("toml", b'[[query]]\ntext = """\n[[query]]\n"""\n[[query]]\n', "Query 2: the query has no text"),
        ("toml", b'[[query]]\ntext = "a', "line 2"),
        ("toml", b'[[queries]]\ntext = "a"', "The file holds “queries”"),
        ("toml", b'query = "a"', "“query” is not a list of tables"),
    ],
)
def test_a_bad_file_is_answered_with_line_cause_and_fix(format, data, cause):
    with pytest.raises(InputError) as caught:
        parse(data, format)
    assert cause in caught.value.cause
    assert caught.value.fix


@given(st.binary(max_size=60), st.sampled_from(FORMATS))
def test_any_bytes_give_queries_or_an_input_error(data, format):
    try:
        queries = parse(data, format)
    except InputError:
        return
    assert all(query.text == normal_text(query.text) and query.text for query in queries)


def test_the_format_follows_from_the_name():
    assert format_of("sets/Queries.CSV") == "csv"
    with pytest.raises(InputError, match=r"queries\.xlsx"):
        format_of("queries.xlsx")
    with pytest.raises(InputError, match="xml is not a format"):
        parse(b"", "xml")
