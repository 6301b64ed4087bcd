"""How many recorded answers a second are parsed, extracted and observed, and the same beside a peer.

    python bench/rebuild.py [--answers 6000] [--seed 1] [--peer PYTHON]

Answers of about 2 KB text with 12 cited URLs that recur, 1,000 aliases of 250 brands, of which an answer names three or
four, five or six times in all; every second answer says by markers which passage carries which citation. PYTHON is the
interpreter of an environment of its own that holds the peer:

    python -m venv peer && peer/bin/pip install answer-engine-benchmark==0.1.2
    python bench/rebuild.py --peer peer/bin/python

The peer reads each row as JSON, scores it (`score`, one brand) and sums up (`summarise`); ours, with the same one brand,
parses, observes and builds the three tables. Seconds are CPU time, so that a busy machine disturbs less, and the best of
five passes counts; two processes are timed by the clock.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import os
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from datetime import date
from pathlib import Path

from rich.console import Console
from rich.table import Table

from citepoll.engines import recorded
from citepoll.extract.columns import Columns
from citepoll.extract.observe import Observer
from citepoll.model import Alias, Brand, Property

GOAL = 6000
PASSES = 5
CITED = 12
SIZE = 2000
SYLLABLES = [
    "ba",
    "ce",
    "di",
    "fo",
    "gu",
    "ha",
    "je",
    "ki",
    "lo",
    "mu",
    "na",
    "pe",
    "qui",
    "ro",
    "su",
    "ta",
    "ve",
    "wi",
    "xo",
    "zy",
]
COMMON = [
    "the",
    "a",
    "of",
    "to",
    "in",
    "and",
    "for",
    "with",
    "on",
    "at",
    "from",
    "by",
    "is",
    "are",
    "was",
    "has",
    "have",
    "it",
    "that",
    "this",
    "which",
    "you",
    "can",
]
WORDS = COMMON * 6 + [
    "more",
    "than",
    "most",
    "users",
    "teams",
    "plan",
    "price",
    "support",
    "service",
    "tool",
    "option",
    "feature",
    "quality",
    "review",
    "test",
    "result",
    "market",
    "not",
    "no",
    "company",
    "product",
    "data",
    "storage",
    "battery",
    "screen",
    "camera",
    "setup",
    "free",
    "trial",
    "year",
    "month",
    "small",
    "large",
    "fast",
    "cheap",
    "reliable",
    "best",
    "popular",
    "recommended",
    "compared",
    "reported",
    "offers",
    "includes",
    "provides",
    "however",
    "according",
    "several",
    "different",
    "important",
    "use",
    "available",
    "current",
    "excellent",
    "better",
    "performance",
    "comes",
    "needs",
    "makes",
    "takes",
    "works",
    "runs",
    "costs",
    "starts",
    "still",
    "also",
    "often",
    "while",
    "when",
    "where",
    "because",
    "if",
    "so",
    "both",
    "each",
    "other",
    "another",
    "first",
    "second",
    "third",
    "new",
    "old",
    "good",
    "great",
    "long",
    "short",
    "high",
    "low",
]


def brands(count: int) -> tuple[Brand, ...]:
    """`count` brands with four aliases, a domain and a path prefix each."""
    made = []
    for at in range(count):
        a, b, c = (SYLLABLES[at // 20**k % 20] for k in range(3))
        name = f"{a}{b}{c}{SYLLABLES[at * 7 % 20]}x".capitalize()
        texts = (name, f"{name} Cloud", f"{name} Corporation", f"{name[:4]}{at}")
        owns = (Property(f"{name.lower()}.com"), Property(f"github.com/{name.lower()}"))
        made.append(Brand(name, tuple(Alias(text) for text in texts), owns, tracked=at == 0))
    return tuple(made)


def rows(count: int, named: Sequence[Brand], seed: int) -> list[bytes]:
    """Recorded answers as JSON rows; URLs come from a pool of a few thousand, as pages recur in a cycle."""
    draw = random.Random(seed)
    pool = [
        f"https://www.site{draw.randrange(900)}.com/{draw.choice(WORDS)}/{n}?utm_source=openai" for n in range(3000)
    ]
    pool += [f"https://{b.name.lower()}.com/{page}" for b in named for page in ("", "pricing", "docs/start")]
    return [_row(at, draw, pool, named) for at in range(count)]


def _row(at: int, draw: random.Random, pool: Sequence[str], named: Sequence[Brand]) -> bytes:
    text, marks = _text(draw, named)
    citations: list[dict[str, object]] = [
        {"url": draw.choice(pool), "position": n, "title": "A page about it"} for n in range(1, CITED + 1)
    ]
    if at % 2:
        citations = [{**c, "start": start, "end": end} for c, (start, end) in zip(citations, marks, strict=True)]
    row = {"engine": "bench", "query": f"Which tool is best for case {at // 3}?", "run": at % 3 + 1}
    return json.dumps({**row, "answer_text": text, "citations": citations}, ensure_ascii=False).encode()


def _text(draw: random.Random, named: Sequence[Brand]) -> tuple[str, list[tuple[int, int]]]:
    shortlist = draw.sample(named, min(5, len(named)))
    text = ""
    marks: list[tuple[int, int]] = []
    while len(text) < SIZE:
        words = draw.choices(WORDS, k=draw.randint(9, 16))
        if draw.random() < 0.2:
            words[draw.randrange(len(words))] = f"**{draw.choice(draw.choice(shortlist).aliases).text}**"
        text += (
            draw.choice(("", "", "\n\n", "\n- "))
            + " ".join(words).capitalize()
            + draw.choice(("’s best", " – really", ""))
        )
        if len(marks) < CITED:
            mark = f" [{len(marks) + 1}]"
            marks.append((len(text) + 1, len(text) + len(mark)))
            text += mark
        text += ". "
    return text, marks


# ---------------------------------------------------------------- what is measured


def rebuild(bodies: Sequence[bytes], observer: Observer) -> int:
    """Parse, extract, observe and build the tables; the citations found."""
    columns = Columns()
    day = date(2026, 11, 3)
    for run_id, body in enumerate(bodies, 1):
        answer = recorded.parse(200, {}, body)
        seen = observer.read(answer, "Which tool is best?", day)
        columns.add(run_id, "bench", "bench", "q", 1, answer.status, day, seen)
    return columns.frames()["citations"].height


def timed(bodies: Sequence[bytes], named: Sequence[Brand]) -> float:
    """Answers a second on this core: the best of the passes, each with a fresh observer and its caches empty but for the URLs."""
    best = float("inf")
    for _ in range(PASSES):
        observer = Observer(named)
        start = time.process_time()
        rebuild(bodies, observer)
        best = min(best, time.process_time() - start)
    return len(bodies) / best


def _timed_here(work: tuple[list[bytes], tuple[Brand, ...]]) -> tuple[float, float]:
    observer = Observer(work[1])
    start = time.time()
    rebuild(work[0], observer)
    return start, time.time()


def timed_processes(bodies: list[bytes], named: tuple[Brand, ...], processes: int) -> float:
    """Answers a second by the clock over processes that each take a share, from the first start to the last end.

    The best of three passes after one that does not count, with its imports and first use.
    """
    shares = [(bodies[at::processes], named) for at in range(processes)]
    best = float("inf")
    with multiprocessing.get_context("spawn").Pool(processes) as pool:
        pool.map(_timed_here, shares, chunksize=1)
        for _ in range(3):
            spans = pool.map(_timed_here, shares, chunksize=1)
            best = min(best, max(end for _, end in spans) - min(start for start, _ in spans))
    return len(bodies) / best


PEER = """
import json, sys, time
from answer_engine_benchmark.scoring import score
from answer_engine_benchmark.summary import summarise
path, ours, terms, passes = sys.argv[1], json.loads(sys.argv[2]), json.loads(sys.argv[3]), int(sys.argv[4])
lines = open(path, "rb").read().splitlines()
best = {"all": 1e9, "score": 1e9}
for _ in range(passes):
    begin = time.process_time()
    rows = [json.loads(line) for line in lines]
    answers = [{"text": r["answer_text"], "urls": [c["url"] for c in r["citations"]]} for r in rows]
    read = time.process_time()
    records = [{"engine": "bench", "group": "g", **score(a, ours, terms)} for a in answers]
    summarise(records)
    end = time.process_time()
    best = {"all": min(best["all"], end - begin), "score": min(best["score"], end - read)}
print(json.dumps({key: len(lines) / seconds for key, seconds in best.items()}))
"""


def timed_peer(python: str, bodies: Sequence[bytes], brand: Brand) -> dict[str, float]:
    """Answers a second of the peer: `all` with reading the rows, `score` without."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "rows.jsonl"
        path.write_bytes(b"\n".join(bodies))
        ours, terms = [p.rule for p in brand.owns], [a.text for a in brand.aliases]
        command = [python, "-c", PEER, str(path), json.dumps(ours), json.dumps(terms), str(PASSES)]
        done = subprocess.run(command, check=True, capture_output=True, text=True)
    return {key: float(value) for key, value in json.loads(done.stdout).items()}


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--answers", type=int, default=6000)
    options.add_argument("--seed", type=int, default=1)
    options.add_argument("--peer", metavar="PYTHON", help="interpreter that holds answer-engine-benchmark 0.1.2")
    asked = options.parse_args()
    named = brands(250)
    bodies = rows(asked.answers, named, asked.seed)
    table = Table(
        "what",
        "answers a second",
        "",
        title=f"{len(bodies):,} answers, {sum(map(len, bodies)) // len(bodies):,} bytes a row",
    )
    one = timed(bodies, named)
    table.add_row("1 core, 1,000 aliases", f"{one:,.0f}", f"goal {GOAL:,}: {'met' if one >= GOAL else 'missed'}")
    alone, both = (timed_processes(bodies, named, processes) for processes in (1, 2))
    table.add_row("1 process, by the clock", f"{alone:,.0f}", f"load of the machine {os.getloadavg()[0]:.1f}")
    table.add_row("2 processes, by the clock", f"{both:,.0f}", f"{both / alone:.2f} times one")
    single = timed(bodies, named[:1])
    table.add_row("1 core, 1 brand", f"{single:,.0f}", "")
    if asked.peer:
        peer = timed_peer(asked.peer, bodies, named[0])
        table.add_row("peer, rows read and scored", f"{peer['all']:,.0f}", f"ours is {single / peer['all']:.2f} times")
        table.add_row(
            "peer, scored only", f"{peer['score']:,.0f}", f"ours, with reading, is {single / peer['score']:.2f} times"
        )
    Console(file=sys.stdout).print(table)


if __name__ == "__main__":
    main()
