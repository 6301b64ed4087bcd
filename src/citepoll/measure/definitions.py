"""How other houses define their numbers: numerator, denominator, and how ours differs. Data; `explain.views` counts them."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Definition:
    """A number as others define it. `ours` is the counted metric nearest to it, and `differs` says how.

    `metric` is its name as a found metric: its own, with `pooled_` before it where a counted metric has that name.
    """

    name: str
    numerator: str
    denominator: str
    ours: str
    differs: str

    @property
    def metric(self) -> str:
        return f"pooled_{self.name}" if self.name == self.ours else self.name


DEFINITIONS: tuple[Definition, ...] = (
    Definition(
        "share_of_citation", "valid answers that cite a page of the brand", "valid answers",
        "share_of_citation", "the same counts; ours averages the queries and has an interval",
    ),
    Definition(
        "slot_share", "citations of the brand's pages", "all citations of valid answers",
        "slot_share", "elsewhere called citation share; a page cited twice in an answer counts twice",
    ),
    Definition(
        "share_of_citing_answers", "valid answers that cite a page of the brand",
        "valid answers with at least one citation",
        "share_of_citation", "answers without any source are left out, so it is never lower than ours",
    ),
    Definition(
        "prompt_coverage", "queries with at least one run that cites the brand", "queries with a valid answer",
        "share_of_citation", "grows with the number of runs: three runs find more than one",
    ),
    Definition(
        "mention_voice", "mentions of the brand by name", "mentions of all brands of the project",
        "mention_share_of_voice", "counts names in the text, no sources; depends on who is in the project",
    ),
    Definition(
        "presence", "valid answers that cite or name the brand", "valid answers",
        "presence_rate", "elsewhere called visibility; a name without a source counts",
    ),
    Definition(
        "share_over_all_requests", "valid answers that cite a page of the brand", "all requests, failures included",
        "share_over_all_requests", "a failed or refused request counts as an answer that does not cite",
    ),
)  # fmt: skip
