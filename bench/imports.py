"""Is the memory of an import flat in the file's size?

    python bench/imports.py [--rows 5000 20000 80000] [--queries 500] [--json]

Each size is a JSONL file of answers of 2 KB text with 12 URLs, imported in a process of its own; the table shows its peak
resident memory (VmHWM): of the reading and recording, and of the whole command with its extraction, worker processes apart.
The base is what the process holds before it reads a row. Exits 1 where reading the largest file takes over 16 MiB more
than reading the smallest.
"""

from __future__ import annotations

import argparse
import json
import random
import subprocess
import sys
import tempfile
from pathlib import Path

SLACK = 16
"""MiB by which the largest file may exceed the smallest: the allocator's own variation."""

CHILD = """
import json, sys
from datetime import UTC, datetime
from pathlib import Path
from time import perf_counter
from citepoll.service.deriving import derive
from citepoll.service.importing import import_file
from citepoll.service.opened import open_project

def peak():
    line = next(line for line in open("/proc/self/status") if line.startswith("VmHWM"))
    return int(line.split()[1]) / 1024

desk = open_project(Path(sys.argv[1]))
at = datetime.now(UTC)
base, start = peak(), perf_counter()
summary = import_file(desk.project, desk.ledger, Path(sys.argv[2]), "c", at=at)
read, seconds = peak(), perf_counter() - start
derive(desk.project, desk.ledger, desk.ledger.cycle("c"), at)
whole, total = peak(), perf_counter() - start
print(json.dumps({"new": summary.new, "base": base, "read": read, "whole": whole, "seconds": seconds, "total": total}))
"""


def write_file(path: Path, rows: int, queries: int) -> float:
    """Write recorded answers; returns the file's size in MiB."""
    draw = random.Random(7)
    words = [f"word{n}" for n in range(2000)]
    texts = [" ".join(draw.choices(words, k=260)) for _ in range(200)]
    with path.open("w", encoding="utf-8") as out:
        for n in range(rows):
            links = [{"url": f"https://site{draw.randrange(3000)}.com/page/{draw.randrange(20)}"} for _ in range(12)]
            row = {
                "engine": f"engine-{n % 4}",
                "query": f"question number {n // 4 % queries}",
                "run": n // (4 * queries) + 1,
                "answer_text": f"{draw.choice(texts)} {n}",
                "citations": links,
                "asked_at": "2026-11-03T09:00:00Z",
            }
            out.write(json.dumps(row) + "\n")
    return path.stat().st_size / 2**20


def measure(rows: int, queries: int) -> dict[str, float]:
    """One import in a process of its own. Memory in MiB, times in seconds."""
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        (root / "citepoll.toml").write_text('[brand]\nname = "Acme"\nowns = ["site1.com"]\n')
        size = write_file(root / "rows.jsonl", rows, queries)
        child = subprocess.run(
            [sys.executable, "-c", CHILD, folder, str(root / "rows.jsonl")], check=True, capture_output=True, text=True
        )
    return {"rows": rows, "size": size, **json.loads(child.stdout)}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, nargs="+", default=[5_000, 20_000, 80_000])
    parser.add_argument("--queries", type=int, default=500)
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    found = []
    if not given.json:
        print(
            f"{'rows':>8} {'file MiB':>9} {'base MiB':>9} {'reading MiB':>12} {'whole MiB':>10} {'reading s':>10} {'whole s':>8}"
        )
    for rows in given.rows:
        one = measure(rows, given.queries)
        found.append(one)
        if not given.json:
            print(
                f"{rows:8,} {one['size']:9.1f} {one['base']:9.1f} {one['read']:12.1f} {one['whole']:10.1f} "
                f"{one['seconds']:10.1f} {one['total']:8.1f}",
                flush=True,
            )
    growth = found[-1]["read"] - found[0]["read"]
    if given.json:
        print(json.dumps(found, indent=2))
    else:
        print(f"reading the largest file takes {growth:+.1f} MiB beside the smallest")
    return 1 if growth > SLACK else 0


if __name__ == "__main__":
    sys.exit(main())
