from dataclasses import replace

from citepoll.report.pairs import is_blended
from citepoll.report.view import page


def test_a_warning_does_not_say_again_what_its_label_says(report):
    equal = "equal weights: the project gives none to these engines"
    rows = [
        replace(row, estimate=replace(row.estimate, warnings=(equal,)))
        if is_blended(str(row.dimensions["engine"]))
        else row
        for row in report.shares.rows
    ]
    said = page(replace(report, shares=replace(report.shares, rows=tuple(rows)))).warnings
    assert [text for text in said if "equal weights" in text] == [f"Blended (recorded): {equal}"]
