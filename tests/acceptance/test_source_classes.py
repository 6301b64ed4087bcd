"""The source classes on the 100 most cited domains of expertqa, labelled by someone who did not see the table."""

import csv
from pathlib import Path

from citepoll.explain.sources import classify

LABELS = Path(__file__).parent / "expertqa_source_classes.tsv"


def judged():
    with LABELS.open(encoding="utf-8") as lines:
        for row in csv.DictReader(lines, delimiter="\t"):
            yield row["domain"], row["class"].split("|"), classify(row["domain"]).source_class


def test_at_least_95_of_100_cited_domains_are_classed_right():
    wrong = [(domain, labels, found) for domain, labels, found in judged() if found not in labels]
    assert len(wrong) <= 5, wrong
