"""What Python and a notebook see of a slice."""

import re

import citepoll
from citepoll.report.palette import css_variables
from citepoll.report.tables import json_rows
from citepoll.service.importing import import_file


def test_a_slice_is_a_frame_and_a_picture_without_a_request(project, ledger, at, row, jsonl):
    import_file(project, ledger, jsonl(row()), "c", at=at)
    measured = citepoll.open(project.root).measure(citepoll.Slice())
    assert measured.to_polars()["value"].to_list() == [r["value"] for r in json_rows(measured)]
    shown = measured._repr_mimebundle_()
    picture = shown["image/svg+xml"]
    assert picture.startswith("<svg ")
    assert "Acme" in picture
    assert not re.search(r"(href|src)=", picture)
    assert not any(placeholder in picture + measured.chart().to_json() for placeholder in css_variables())
    assert "share_of_citation" in shown["text/plain"]
