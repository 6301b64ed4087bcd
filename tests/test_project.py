import pytest
from hypothesis import given
from hypothesis import strategies as st

from citepoll.errors import ProjectError
from citepoll.newproject import Start, project_text, write_project
from citepoll.project import parse_project, read_project, surface_of

BRAND = '[brand]\nname = "Northwind"\n'


def wrong(text, root):
    with pytest.raises(ProjectError) as caught:
        parse_project(text, root)
    assert caught.value.fix
    return caught.value.cause


def test_a_whole_file_is_read(tmp_path):
    project = parse_project(
        """
        seed = "s"
        time_zone = "Europe/Berlin"
        [brand]
        name = "Northwind"
        aliases = ["NW", { text = "Wind", case_sensitive = true, needs = ["garden"] }]
        owns = ["northwind.example", { rule = "old.example", valid_to = 2025-12-31 }]
        category = "garden tools"
        [[competitor]]
        name = "Foxglove"
        [[engine]]
        id = "local:bm25"
        name = "narrow"
        weight = 0.25
        [[engine]]
        id = "atlas"
        weight = 0.75
        [queries]
        language = "de"
        market = "DE"
        [budget]
        per_cycle_usd = 20.0
        [cadence]
        every = "weekly"
        [blend]
        mix_surfaces = true
        """,
        tmp_path,
    )
    assert [a.text for a in project.tracked.aliases] == ["Northwind", "NW", "Wind"]
    assert project.tracked.tracked
    assert not project.brands[1].tracked
    assert project.tracked.owns[1].valid_to.isoformat() == "2025-12-31"
    assert [(e.name, e.surface, e.weight) for e in project.engines] == [
        ("narrow", "simulated", 0.25),
        ("atlas", "recorded", 0.75),
    ]
    assert (project.language, project.market, project.budget, project.cadence) == ("de", "DE", 20.0, "weekly")
    assert project.query_file == tmp_path / "queries.toml"
    assert project.mix_surfaces


@pytest.mark.parametrize(
    ("text", "line", "cause"),
    [
        ("", 1, "`brand` is missing"),
        ("[brand]\n", 1, "`name` is missing"),
        ("[brand]\nname = 5\n", 2, "name: expected `str`, got `int`"),
        ("[brand]\nname = ''\n", 2, "length >= 1"),
        (BRAND + "owns = 'northwind.example'\n", 3, "expected `array`, got `str`"),
        (BRAND + "colour = 'red'\n", 3, "`colour` is not a setting here"),
        (BRAND + "[budgets]\n", 3, "`budgets` is not a setting here"),
        (BRAND + "\n[[engine]]\nid = 'atlas'\n[[engine]]\nid = 'b'\nruns = 0\n", 8, ">= 1"),
        (BRAND + "[[engine]]\nid = 'atlas'\nruns = 99999999999999999999\n", 5, "<= 1000"),
        (BRAND + "[[engine]]\nid = 'atlas'\nweight = -1\n", 5, "> 0"),
        (BRAND + "[[engine]]\nid = 'atlas'\nweight = inf\n", 5, "<= 1000000000"),
        (BRAND + "[[engine]]\nid = 'atlas'\nweight = nan\n", 5, ""),
        (BRAND + "[[engine]]\nid = 'atlas'\n[[engine]]\nid = 'atlas'\n", 5, "stands twice"),
        (BRAND + "[[engine]]\nid = 'atlas'\nname = 'blended (api)'\n", 3, "cannot be called"),
        (BRAND + "[[engine]]\nid = 'a'\nweight = 1\n[[engine]]\nid = 'b'\n", 6, "has no weight"),
        (BRAND + "[[competitor]]\nname = 'A'\n[[competitor]]\nname = 'northwind'\n", 6, "stands twice"),
        (BRAND + "[cadence]\nevery = 'hourly'\n", 4, "hourly"),
        (BRAND + "[schedule]\nover = '3d'\n", 4, "either `every` or `cron`"),
        (BRAND + "[schedule]\nevery = 'weekly'\ncron = '0 6 * * 1'\n", 5, "either `every` or `cron`"),
        (BRAND + "[schedule]\ncron = '0 6 * *'\n", 4, "not a cron expression"),
        (BRAND + "[schedule]\nevery = 'weekly'\nover = '9d'\n", 5, "not done when the next one begins"),
        (BRAND + "[schedule]\nevery = 'weekly'\nat = '6:00'\n", 5, "at"),
        (BRAND + "[schedule]\nevery = 'weekly'\ntime_zone = 'Mars'\n", 5, "Mars"),
        (BRAND + "[retention]\nraw_months = 0\n", 4, "raw_months"),
        ("time_zone = 'Nowhere/Here'\n" + BRAND, 1, "not a time zone"),
        ("time_zone = '../../passwd'\n" + BRAND, 1, "not a time zone"),
    ],
)
def test_a_mistake_is_answered_with_its_line(text, line, cause, tmp_path):
    said = wrong(text, tmp_path)
    assert f"line {line}:" in said
    assert cause in said


def test_what_is_not_toml_is_answered_with_its_line(tmp_path):
    assert "line 2" in wrong("[brand]\nname = Northwind\n", tmp_path)
    assert "nested too deeply" in wrong("a = " + "[" * 100_000, tmp_path)


def test_the_name_is_an_alias_once(tmp_path):
    project = parse_project('[brand]\nname = "Box"\naliases = [{ text = "box", case_sensitive = true }]\n', tmp_path)
    assert [(a.text, a.case_sensitive) for a in project.tracked.aliases] == [("box", True)]


def test_the_hash_of_brands_changes_with_what_ownership_depends_on(tmp_path):
    one, same, other = (
        parse_project(BRAND + owns, tmp_path).brands_hash
        for owns in ("owns = ['a.example']", "owns=[ 'a.example' ]\n[budget]\n", "owns = ['b.example']")
    )
    assert one == same != other


def test_a_missing_unreadable_or_foreign_file_says_what_to_do(tmp_path):
    with pytest.raises(ProjectError, match="citepoll init"):
        read_project(tmp_path)
    file = tmp_path / "citepoll.toml"
    file.write_bytes(b"[brand]\nname = '\xff'\n")
    with pytest.raises(ProjectError, match="UTF-8"):
        read_project(tmp_path)
    file.unlink()
    file.mkdir()
    with pytest.raises(ProjectError, match="cannot be read"):
        read_project(tmp_path)


def test_a_byte_order_mark_and_crlf_are_read(tmp_path):
    (tmp_path / "citepoll.toml").write_bytes(b"\xef\xbb\xbf[brand]\r\nname = 'Northwind'\r\n")
    assert read_project(tmp_path).tracked.name == "Northwind"


names = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=30)


domains = st.from_regex(r"[a-z]{3,10}\.(com|org|de)(/[a-z]{1,8})?", fullmatch=True)


@given(brand=names, owned=st.lists(domains, max_size=3), category=st.text(st.characters(exclude_categories=["Cs"])))
def test_a_new_file_reads_back_as_given(tmp_path_factory, brand, owned, category):
    rivals = ((brand + "2", "rival.example"),)
    text = project_text(Start(brand, tuple(owned), rivals, category))
    project = parse_project(text, tmp_path_factory.getbasetemp())
    assert project.tracked.name == brand
    assert [o.rule for o in project.tracked.owns] == owned
    assert project.category == category
    assert [(b.name, b.owns[0].rule) for b in project.brands[1:]] == list(rivals)


def test_a_project_is_never_overwritten(tmp_path):
    start = Start("Northwind", ("northwind.example",))
    path = write_project(tmp_path / "new" / "folder", start)
    before = path.read_bytes()
    with pytest.raises(ProjectError, match="exists already"):
        write_project(path.parent, Start("Other", ("other.example",)))
    assert path.read_bytes() == before


@pytest.mark.parametrize(
    ("start", "cause"),
    [
        (Start("", ("a.example",)), "length >= 1"),
        (Start("A", ("a.example",), (("a", "b.example"),)), "stands twice"),
        (Start("A\udcff", ("a.example",)), "UTF-8"),
    ],
)
def test_a_start_that_cannot_be_read_back_is_not_written(start, cause, tmp_path):
    with pytest.raises(ProjectError, match=cause):
        write_project(tmp_path / "new", start)
    assert not (tmp_path / "new").exists()


def test_a_folder_that_cannot_be_written_to_is_said(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(ProjectError, match="cannot be written"):
        write_project(tmp_path / "file" / "below", Start("A", ("a.example",)))


@pytest.mark.parametrize(
    ("engine_id", "surface"),
    [
        ("atlas", "recorded"),
        ("local:bm25", "simulated"),
        ("openai:responses", "api"),
        ("google:ai-overview@serp", "serp"),
        ("openai:ui-chat", "ui"),
    ],
)
def test_the_id_names_the_surface(engine_id, surface):
    assert surface_of(engine_id) == surface


def test_prices_budgets_and_limits_are_read_by_engine(tmp_path):
    text = (
        '[brand]\nname = "Acme"\n[[engine]]\nid = "openai:responses"\nname = "chat"\n'
        '[budget]\nper_engine_usd = { chat = 2.5 }\n[prices."openai:responses"]\nper_search = 0.01\nsearches = 3\n'
        "[limits.chat]\nat_once = 20\nper_minute = 90\n"
    )
    found = parse_project(text, tmp_path)
    assert found.engine_budgets == {"chat": 2.5}
    assert found.prices == {"openai:responses": {"per_search": 0.01, "searches": 3}}
    assert (found.paces["chat"].at_once, found.paces["chat"].per_minute) == (20, 90.0)


@pytest.mark.parametrize(
    ("table", "line", "cause"),
    [
        ('[prices."nobody"]\nper_call = 1.0', 5, "no engine"),
        ("[limits.nobody]\nat_once = 3", 5, "no engine"),
        ("[budget]\nper_engine_usd = { nobody = 1.0 }", 6, "no engine"),
        ('[prices."local:bm25"]\nper_cal = 1.0', None, "not a setting"),
        ('[limits."local:bm25"]\nat_once = 0', None, "at_once"),
    ],
)
def test_a_mistake_in_prices_or_limits_is_told(tmp_path, table, line, cause):
    text = f'[brand]\nname = "Acme"\n[[engine]]\nid = "local:bm25"\n{table}\n'
    with pytest.raises(ProjectError, match=cause) as caught:
        parse_project(text, tmp_path)
    assert caught.value.fix
    if line:
        assert f"line {line}" in caught.value.cause


@pytest.mark.parametrize(
    ("more", "cause"),
    [
        ('owns = ["co.uk"]', "suffix that many share"),
        ('owns = ["notadomain"]', "cannot own `notadomain`"),
        ('owns = ["other.com"]\n[[competitor]]\nname = "B"\nowns = ["other.com"]', "both own other.com"),
        ('aliases = ["Globex"]\n[[competitor]]\nname = "globex"', "line 5: 'A' and 'globex' both go by 'globex'"),
    ],
)
def test_brands_that_cannot_be_told_apart_are_refused_when_the_file_is_read(tmp_path, more, cause):
    with pytest.raises(ProjectError) as wrong:
        parse_project(f'[brand]\nname = "A"\n{more}\n', tmp_path)
    assert cause in wrong.value.cause
    assert wrong.value.fix
