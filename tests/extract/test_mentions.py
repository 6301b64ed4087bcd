import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from citepoll.extract.folding import fold
from citepoll.extract.mentions import Matcher, mentions
from citepoll.model import Alias, Brand, Citation


def brand(name, *aliases):
    return Brand(name, tuple(a if isinstance(a, Alias) else Alias(a) for a in aliases or (name,)))


ACME = brand("Acme", "Acme", "Acme Cloud")
GLOBEX = brand("Globex")
BRANDS = (ACME, GLOBEX)


def surfaces(text, brands=BRANDS, question=""):
    return [text[m.start : m.end] for m in mentions(text, brands, question)]


FOUND = [
    ("Acme CloudX is out", ["Acme"]),
    ("Acme Cloud is out", ["Acme Cloud"]),
    ("Acme's, Acmes and ACMES", ["Acme", "Acme", "ACME"]),
    ("Acmesque acmeology toolacme", []),
    ("**Acme** [Acme](https://acme.com/Acme) _Acme_ <b>Acme</b>", ["Acme"] * 4),
    ("my_acme_client acme_", ["acme"]),
    ("https://acme.com www.acme.com acme.com/x me@acme.com docs.acme.io", []),
    ("Acme.The end. e.g.Acme", ["Acme", "Acme"]),
    ("Acme/Globex: (Acme) Acme-like", ["Acme", "Globex", "Acme", "Acme"]),
    ("`Acme` ``Acme ` Acme`` Acme", ["Acme"]),
    ("```\nAcme\n```\nAcme", ["Acme"]),
    ("Acme\n~~~\nAcme", ["Acme"]),
    ("text\n\n    acme --help\n\nAcme", ["Acme"]),
    ("- item\n\n    Acme goes on", ["Acme"]),
    ("* item\n    * Acme", ["Acme"]),
    ("[a page](https://x.com/y \"Acme\") Acme", ["Acme"]),
    ("Acme\u2122 Acme\u00b9 Acme\u200b Acme\u00ad", ["Acme"] * 4),
    ("\u202fAcme\u202fCloud\u00a0\u2014Acme", ["Acme\u202fCloud", "Acme"]),
    ("**Acme** Cloud", ["Acme** Cloud"]),
    ("\u0130\u0130 Acme", ["Acme"]),
    ("\ud800Acme", ["Acme"]),
    ("Acme\u306f\u3001\uff21\uff43\uff4d\uff45\u3092", ["Acme", "\uff21\uff43\uff4d\uff45"]),
    ("https://ja.wikipedia.org/wiki/Acme\u3068Globex", ["Globex"]),
    ("", []),
]  # fmt: skip


@pytest.mark.parametrize(("text", "found"), FOUND)
def test_names_in_texts(text, found):
    assert surfaces(text) == found


def test_offsets_are_those_of_the_original_text():
    name = "Café Müller"
    for form in ("NFC", "NFD"):
        written = unicodedata.normalize(form, name)
        text = unicodedata.normalize(form, "Ça, **") + written + "** — déjà vu"
        assert surfaces(text, [brand(name)]) == [written]


def test_two_brands_and_the_longest_name():
    bikes = brand("Acme Bikes")
    assert [m.brand for m in mentions("Acme Bikes and Acme", (*BRANDS, bikes))] == ["Acme Bikes", "Acme"]
    assert [m.alias for m in mentions("New York Times Square", [brand("York Times Square"), brand("New York")])] == [
        "York Times Square"
    ]


def test_order_counts_brands_by_first_appearance_and_leaves_denied_ones_out():
    found = mentions("I found no information about Globex. Acme leads. Globex? Acme.", BRANDS)
    assert [(m.brand, m.order, m.denied) for m in found] == [
        ("Globex", 0, True),
        ("Acme", 1, False),
        ("Globex", 2, False),
        ("Acme", 1, False),
    ]


def test_a_name_of_two_brands_is_ambiguous():
    found = Matcher([brand("A", "Atlas"), brand("B", "Atlas", "Atlas B")]).find("Atlas and Atlas B.")
    assert [m.brand for m in found.mentions] == ["B"]
    assert found.ambiguous == {"A": 1, "B": 1}


def test_context_decides_and_what_it_leaves_open_is_counted():
    apple = brand("Apple", Alias("Apple", case_sensitive=True, excludes=("pie", "Apple cider")))
    monday = brand("monday", Alias("Monday", case_sensitive=True, needs=("software",)))
    find = Matcher([apple, monday]).find
    assert [m.brand for m in find("Apple and apple").mentions] == ["Apple"]
    assert find("Apple pies").ambiguous == {"Apple": 1}
    assert find("Apple piece").mentions
    assert not find("Apple cider").mentions
    assert find("on Monday").ambiguous == {"monday": 1}
    assert find("Monday, the software").mentions
    assert not find("Monday" + " x" * 110 + " software").mentions


@pytest.mark.parametrize(
    ("text", "question", "found"),
    [
        ("What is Acme?\nAcme is a tool.", "What is Acme?", 1),
        ("**what is ACME**\n\nAcme is a tool.", "What is Acme?", 1),
        ("You asked “What is Acme?” Acme is a tool.", "What is Acme?", 1),
        ("Asking what is Acme worth is fair.", "What is Acme?", 1),
        ("Acme", "Acme", 1),
        ("Acme reviews are good", "Acme reviews", 1),
    ],
)
def test_the_echo_of_the_question_is_no_mention(text, question, found):
    assert len(surfaces(text, question=question)) == found


@pytest.mark.parametrize(("text", "found"), [("$3M", 0), ("€3M", 0), ("3M tape", 1), ("13M", 0), ("by 3M.", 1)])
def test_sums_of_money_are_no_names(text, found):
    assert len(surfaces(text, [brand("3M", Alias("3M", case_sensitive=True))])) == found


def test_a_name_that_is_a_domain():
    you = [brand("you", Alias("you.com", case_sensitive=True))]
    assert surfaces("Ask you.com. Or You.com, thank-you.com, https://you.com, you.com/x", you) == ["you.com"]


def test_mentions_know_the_citations_of_their_passage():
    text = "Acme leads [1]. Globex follows."
    found = Matcher(BRANDS).find(text, "", [Citation("https://a.com", 7, "marker", start=11, end=14)]).mentions
    assert [(m.brand, m.citations) for m in found] == [("Acme", (7,)), ("Globex", ())]


def test_no_brands_and_no_aliases():
    assert Matcher([]).find("Acme").mentions == ()
    assert Matcher([Brand("Acme"), brand("B", " ", "**")]).find("Acme B").mentions == ()


WORDS = st.sampled_from([
    "Acme", "Globex", "acme.com", "https://", "`", "```", "**", "_", "[", "](", ")", "<", ">", " ", "\n", "\n\n", "no ", "not ",
    "information ", "about ", ".", "?", "アクメ", "ü", "u\u0308", "\ud800", "\u0130",
])  # fmt: skip
HOSTILE = st.lists(st.one_of(WORDS, st.text(st.characters(), max_size=6)), max_size=30).map("".join)


@given(HOSTILE, HOSTILE)
def test_no_text_breaks_it_and_offsets_hold(text, question):
    for mention in mentions(text, BRANDS, question):
        assert 0 <= mention.start < mention.end <= len(text)
        assert fold(text[mention.start : mention.end]).low == mention.alias.lower()


@pytest.mark.parametrize(
    "piece",
    [
        "`",
        "``` ",
        "](",
        "https://(",
        "<a",
        "Acme ",
        "no information ",
        "Acme. ",
        "https://a.com Acme ",
        "a@",
        "\u0301",
        "    \n",
    ],
)
def test_long_hostile_texts_take_linear_time(piece):
    text = piece * (40_000 // len(piece))
    Matcher(BRANDS).find(f"Acme {text} Acme", "what about Acme", [Citation("https://a.com", 1, start=0, end=1)])
