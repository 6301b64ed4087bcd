from citepoll.explain.views import DEFINITIONS, BrandCounts, EngineCounts, views


def test_every_number_has_its_own_numerator_and_denominator():
    counts = EngineCounts(requests=10, valid=8, citing=6, slots=20, queries=4)
    brands = {
        "Northwind": BrandCounts(cited=3, present=5, slots=4, mentions=6, queries=2),
        "Foxglove": BrandCounts(mentions=2),
    }
    found = {v.name: (v.numerator, v.denominator) for v in views("atlas", counts, brands) if v.brand == "Northwind"}
    assert found == {
        "share_of_citation": (3, 8), "slot_share": (4, 20), "share_of_citing_answers": (3, 6),
        "prompt_coverage": (2, 4), "mention_voice": (6, 8), "presence": (5, 8), "share_over_all_requests": (3, 10),
    }  # fmt: skip
    assert set(found) == {d.name for d in DEFINITIONS}


def test_nothing_to_divide_by_is_none():
    found = list(views("atlas", EngineCounts(3, 0, 0, 0, 0), {"Northwind": BrandCounts()}))
    assert {v.name: v.value for v in found if v.name != "share_over_all_requests"} == {
        d.name: None for d in DEFINITIONS if d.name != "share_over_all_requests"
    }
