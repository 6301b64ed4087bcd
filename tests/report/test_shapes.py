"""The shapes of a slice hold the numbers of its rows, each once."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from citepoll.errors import SliceError
from citepoll.model import Estimate, Row, Slice, SliceResult
from citepoll.report.shapes import asked_for, shaped
from citepoll.report.tables import json_rows

BRANDS, ENGINES, CYCLES = ("Acme", "Globex", "Initech"), ("atlas", "beacon"), ("one", "two")
shares = st.one_of(st.none(), st.integers(0, 10).map(lambda tenths: tenths / 10))


@st.composite
def results(draw):
    rows = []
    for cycle in CYCLES:
        for brand in BRANDS:
            for engine in ENGINES:
                if draw(st.integers(0, 4)):
                    value = draw(shares)
                    ends = (None, None) if value is None else (max(0.0, value - 0.15), min(1.0, value + 0.15))
                    rows.append(Row("share_of_citation", {"brand": brand, "engine": engine, "cycle": cycle},
                                    Estimate(value, *ends, "fixed_set", "wilson")))  # fmt: skip
    return SliceResult(tuple(rows), Slice(by=("brand", "engine", "cycle"), cycles=CYCLES), CYCLES)


def values(rows):
    return sorted((row["brand"], row["engine"], row["cycle"], str(row["value"])) for row in rows)


@given(results())
def test_every_shape_holds_each_row_once(result):
    rows = values(json_rows(result))
    trend = [
        {**each, **point} for each in shaped(result, "trend")["series"] for point in each["points"] if point is not None
    ]
    assert values(trend) == rows
    ranked = [
        {**each, **row} for each in shaped(result, "ranking", ("brand", "engine"))["lists"] for row in each["rows"]
    ]
    assert values(ranked) == rows
    cells = [
        {**each, "brand": brand, "engine": engine, **each["cells"][i][j]}
        for each in shaped(result, "matrix", ("brand", "engine"))["matrices"]
        for i, brand in enumerate(each["rows"])
        for j, engine in enumerate(each["columns"])
        if each["cells"][i][j] is not None
    ]
    assert values(cells) == rows


@given(results())
def test_a_ranking_is_by_value_and_names_what_overlaps(result):
    for found in shaped(result, "ranking", ("brand", "engine"))["lists"]:
        known = [row for row in found["rows"] if row["value"] is not None]
        assert [row["value"] for row in known] == sorted((row["value"] for row in known), reverse=True)
        assert found["rows"][: len(known)] == known
        for row in known:
            assert row["rank"] == 1 + sum(other["value"] > row["value"] for other in known)
            near = {o["brand"] for o in known if o is not row and o["low"] <= row["high"] and row["low"] <= o["high"]}
            assert set(row["overlaps"]) == near
        assert all(row["rank"] is None and not row["overlaps"] for row in found["rows"][len(known) :])


@given(results())
def test_a_trend_has_a_point_for_every_cycle(result):
    for series in shaped(result, "trend")["series"]:
        assert len(series["points"]) == len(CYCLES)
        assert [p["cycle"] for p in series["points"] if p] == [
            c for c, p in zip(CYCLES, series["points"], strict=True) if p
        ]


def test_no_rows_give_empty_shapes():
    nothing = SliceResult((), Slice())
    found = [shaped(nothing, shape, Slice().by) for shape in ("summary", "trend", "ranking", "matrix")]
    assert [found[0]["rows"], found[1]["series"], found[2]["lists"], found[3]["matrices"]] == [[], [], [], []]


def test_a_trend_goes_over_cycles_and_compares_with_none():
    assert asked_for(Slice(), "trend").by == ("brand", "engine", "cycle")
    assert asked_for(Slice(by=("cycle",)), "trend").by == ("cycle",)
    assert asked_for(Slice(), "ranking") == Slice()
    with pytest.raises(SliceError, match="no earlier one"):
        asked_for(Slice(compare="previous"), "trend")
    found = Row("engine_overlap", {"engine": "a", "other_engine": "b"}, Estimate(0.5, None, None, "fixed_set", "none"))
    result = SliceResult((found,), Slice(by=("engine", "other_engine")))
    assert shaped(result, "matrix", Slice().by)["matrices"][0]["cells"][0][0]["value"] == 0.5
    with pytest.raises(SliceError, match="one dimension"):
        shaped(SliceResult((), Slice(by=("engine",))), "matrix", ("engine",))
