"""The source classes on cited domains, labelled by people who did not see the table, before it was run on them."""

import csv
from pathlib import Path

import pytest

from citepoll.explain.sources import classify

HERE = Path(__file__).parent
SETS = ("expertqa_source_classes.tsv", "more_source_classes.tsv")


def judged(name):
    with (HERE / name).open(encoding="utf-8") as lines:
        for row in csv.DictReader((line for line in lines if not line.startswith("#")), delimiter="\t"):
            yield row["domain"], row["class"].split("|"), classify(row["domain"]).source_class


@pytest.mark.parametrize("name", SETS)
def test_at_least_95_of_100_cited_domains_are_classed_right(name):
    found = list(judged(name))
    assert len(found) == 100
    wrong = [(domain, labels, given) for domain, labels, given in found if given not in labels]
    assert len(wrong) <= 5, wrong
