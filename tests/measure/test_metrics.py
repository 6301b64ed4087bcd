from citepoll.measure.metrics import ENTITY_FIELDS, METRICS, metrics_page


def test_every_metric_says_what_it_is():
    for name, metric in METRICS.items():
        assert metric.name == name
        assert metric.label
        assert "÷" in metric.formula
        assert metric.empty.startswith("no estimate")
        assert "STATISTICS" in metric.source
        assert metric.needs[0] == "answers"
        assert set(metric.entities) <= set(ENTITY_FIELDS)


def test_a_metric_of_brands_can_be_shown_by_brand_and_one_of_the_engine_cannot():
    assert all(("brand" in metric.entities) == metric.per_brand for metric in METRICS.values())


def test_only_the_mean_is_no_share():
    assert [m.name for m in METRICS.values() if m.unit != "share"] == ["mean_citations_per_answer"]


def test_the_page_has_a_section_for_each_metric_in_order():
    page = metrics_page()
    found = [line.split("`")[1] for line in page.splitlines() if line.startswith("## ")]
    assert found == list(METRICS)
    assert "citation rate" not in page.lower()
    assert page == metrics_page()
