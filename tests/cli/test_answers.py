import json


def test_a_number_is_followed_down_to_its_answers(citepoll, imported):
    said = citepoll("answers", "--cites", "Acme", "--json")
    ids = [a["id"] for a in json.loads(said.out)]
    assert len(ids) == 2
    shown = json.loads(citepoll("answers", "show", ids[0], "--json").out)
    assert shown["citations"][0]["brand"] == "Acme"
    assert shown["citations"][0]["rule"] == "acme.com"
    raw = citepoll("answers", "show", ids[0], "--raw")
    assert json.loads(raw.out)["engine"] == "atlas"
    text = citepoll("answers", "show", ids[0]).out
    assert "owns acme.com" in text
    assert "names Acme" in text


def test_the_list_is_cut_and_says_so(citepoll, imported):
    said = citepoll("answers", "--limit", "2")
    assert "6 answers, 2 shown" in said.err
    assert len(json.loads(citepoll("answers", "--limit", "0", "--json").out)) == 6
    assert citepoll("answers", "--limit", "-1").code == 2


def test_an_unknown_answer_ends_with_six(citepoll, imported):
    said = citepoll("answers", "show", "99")
    assert (said.code, said.out) == (6, "")


def test_control_characters_do_not_reach_the_terminal(citepoll, row, jsonl):
    bad = "Acme\x1b]0;owned\x07\x1b[2J\u202e"
    citepoll(
        "import",
        jsonl(row(answer_text=bad, query=bad, citations=[{"url": bad, "title": bad}, "https://a.com/\x1b[2J"])),
        "--cycle",
        "c",
    )
    for command in (
        ("answers",), ("answers", "show", "1"), ("queries", "show", "1"), ("measure", "--by", "query"),
        ("sources", "--by", "url"),        ("cycles", "show", "c"), ("rebuild", "--diff"),
    ):  # fmt: skip
        said = citepoll(*command)
        assert said.code == 0
        assert not {"\x1b", "\x07", "\u202e"} & set(said.out + said.err), command
