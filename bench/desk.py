"""How long a page of the desk takes with a year of answers, while people read and a cycle is being written.

    python bench/desk.py [--weeks 52] [--readers 20] [--seconds 60] [--pause 1.0] [--keep FOLDER] [--server-polls] [--json]

A project of `--weeks` closed cycles of 50 queries × 10 engines × 5 runs (52: 130,000 answers) is imported, `citepoll serve`
is started on loopback as a process of its own, and `citepoll poll` (with `--server-polls` the server itself) writes a
cycle of the local engine all the while, 14 answers a second. Each page is opened once right after the start, when the
server has just begun to make its pages ahead: the column `first`. Then `--readers` people open pages in a random order,
each pausing `--pause` seconds on average between two (0: not at all, which measures the machine's throughput, not a
reader's wait). A page's time is from the request to its last byte, on loopback. Peak memory is the server's VmHWM. The
goals: 150 ms at the median and 500 ms at the 95th percentile for every page, 500 MB.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import re
import signal
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx2
from rich.console import Console
from rich.progress import track
from rich.table import Table

QUERIES, ENGINES, RUNS = 50, 10, 5
LIVE_RUNS, LIVE_OVER = 50, "3m"
"""Runs a query of the cycle that is written meanwhile, 2,500 in all as in a week's, and the span over which they are asked."""
BRANDS = ("Acme", "Birch", "Cedar", "Dogwood", "Elm", "Foxglove")
MEDIAN_GOAL, TAIL_GOAL, MEMORY_GOAL = 0.150, 0.500, 500

PAGES = (
    "/", "/queries", "/answers", "/answers?cites=Acme", "/answers?q=word7", "/answers/{answer}", "/sources", "/gaps",
    "/todo", "/cycles", "/cycles/week-{weeks}", "/movement", "/engines", "/experiments", "/exports", "/alerts",
)  # fmt: skip
CALLS = ("/api/v1/measures?by=brand,engine", "/api/v1/answers?cites=Acme", "/api/v1/gaps")


def project_file() -> str:
    brands = [f'[brand]\nname = "{BRANDS[0]}"\nowns = ["{BRANDS[0].lower()}.com"]']
    brands += [f'[[competitor]]\nname = "{name}"\nowns = ["{name.lower()}.com"]' for name in BRANDS[1:]]
    brands += [f'[[engine]]\nid = "local:bm25"\nruns = {LIVE_RUNS}']
    return "\n".join(brands) + "\n"


def query_text(number: int) -> str:
    return f"which tool number {number} is best for gardens of kind {number % 7}"


def rows(week: int, draw: random.Random) -> Iterator[str]:
    """A week's answers as JSON lines: 8 links each, the brands cited at rates of their own by query and engine."""
    words = [f"word{n}" for n in range(400)]
    rates = random.Random(1)
    propensity = {
        (q, e, b): rates.betavariate(0.6, 1.6) for q in range(QUERIES) for e in range(ENGINES) for b in BRANDS
    }
    at = datetime(2025, 11, 3, 9, tzinfo=UTC) + timedelta(weeks=week)
    for query in range(QUERIES):
        for engine in range(ENGINES):
            for run in range(1, RUNS + 1):
                cited = [b for b in BRANDS if draw.random() < propensity[query, engine, b]]
                links = [{"url": f"https://{b.lower()}.com/page/{query}-{draw.randrange(3)}"} for b in cited]
                links += [
                    {"url": f"https://site{int(draw.paretovariate(0.8)) % 3000}.com/page/{draw.randrange(9)}"}
                    for _ in range(8 - len(links))
                ]
                text = f"{' '.join(draw.choices(words, k=160))} {' and '.join(cited)} {' '.join(draw.choices(words, k=60))}"
                yield json.dumps(
                    {"engine": f"engine-{engine}", "query": query_text(query), "run": run, "answer_text": text,
                     "citations": links, "asked_at": at.isoformat()}
                )  # fmt: skip


def build(root: Path, weeks: int) -> None:
    """Make the project, or what is missing of it."""
    root.mkdir(parents=True, exist_ok=True)
    (root / "citepoll.toml").write_text(project_file(), "utf-8")
    listed = [f'[[query]]\ntext = "{query_text(n)}"\ntopic = "topic {n % 5}"' for n in range(QUERIES)]
    (root / "queries.toml").write_text("\n".join(listed) + "\n", "utf-8")
    command("queries", "lock", root=root)
    pages = root / "pages"
    pages.mkdir(exist_ok=True)
    for n in range(60):
        words = " ".join(random.Random(n).choices([query_text(m) for m in range(QUERIES)], k=12))
        (pages / f"{n}.md").write_text(f"# Page {n}\n\n{words}\n", "utf-8")
    command("corpus", "add", str(pages), "--base-url", "https://acme.com/", root=root)
    have = {item["cycle"]["name"] for item in json.loads(command("cycles", "list", "--json", root=root) or "[]")}
    for week in track(range(1, weeks + 1), "importing", console=Console(stderr=True)):
        if f"week-{week}" not in have:
            path = root / "week.jsonl"
            path.write_text("\n".join(rows(week, random.Random(week))) + "\n", "utf-8")
            command("import", str(path), "--cycle", f"week-{week}", root=root)
            path.unlink()


def command(*words: str, root: Path) -> str:
    done = subprocess.run(
        [sys.executable, "-m", "citepoll.main", *words, "--project", str(root)],
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise SystemExit(f"citepoll {' '.join(words)} ended with {done.returncode}:\n{done.stderr[-2000:]}")
    return done.stdout


@contextmanager
def server(root: Path, port: int) -> Iterator[tuple[int, str]]:
    """`citepoll serve` as a process; gives its id and the token of the address that it prints."""
    process = subprocess.Popen(
        [sys.executable, "-m", "citepoll.main", "serve", str(root), "--port", str(port), "--no-open"],
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
    )  # fmt: skip
    try:
        assert process.stdout is not None
        for line in process.stdout:
            if found := re.search(r"/enter/(\S+)", line):
                threading.Thread(target=process.stdout.read, daemon=True).start()
                yield process.pid, found[1]
                return
        raise SystemExit("citepoll serve ended before it printed its address.")
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(30)
        except subprocess.TimeoutExpired:
            process.kill()


@contextmanager
def written(root: Path) -> Iterator[None]:
    """`citepoll poll` until the end of the block."""
    words = ["poll", "--cycle", f"live-{int(time.time())}", "--over", LIVE_OVER, "--project", str(root)]
    process = subprocess.Popen(
        [sys.executable, "-m", "citepoll.main", *words], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        yield
        if process.poll() is not None:
            raise SystemExit("The cycle ended before its readers: raise LIVE_OVER.")
    finally:
        process.send_signal(signal.SIGINT)
        process.wait(60)


@contextmanager
def written_by_server(client: httpx2.Client) -> Iterator[None]:
    """The same by the server's own worker."""
    order = {"cycle": f"live-{int(time.time())}", "over": LIVE_OVER}
    client.post("/api/v1/cycles", json=order).raise_for_status()
    yield
    ended = client.get(f"/api/v1/cycles/{order['cycle']}").json()["cycle"]["status"] != "open"
    client.post(f"/api/v1/cycles/{order['cycle']}/stop")
    if ended:
        raise SystemExit("The cycle ended before its readers: raise LIVE_OVER.")


def timed(client: httpx2.Client, url: str) -> float:
    start = time.perf_counter()
    response = client.get(url)
    if response.status_code != 200:
        raise SystemExit(f"{url} answered {response.status_code}: {response.text[:300]}")
    return time.perf_counter() - start


def read(
    base: str, cookies: dict[str, str], token: str, urls: list[str], given: argparse.Namespace
) -> dict[str, list[float]]:
    """Open pages for `given.seconds`; page → seconds of each opening."""
    found: dict[str, list[float]] = defaultdict(list)
    until = time.monotonic() + given.seconds

    def reader(number: int) -> None:
        draw = random.Random(number)
        headers = {"Authorization": f"Bearer {token}"}
        with (
            httpx2.Client(base_url=base, cookies=cookies, timeout=60) as pages,
            httpx2.Client(base_url=base, headers=headers, timeout=60) as calls,
        ):
            while time.monotonic() < until:
                url = draw.choice(urls)
                found[url].append(timed(calls if url.startswith("/api") else pages, url))
                if given.pause:
                    time.sleep(draw.expovariate(1 / given.pause))

    threads = [threading.Thread(target=reader, args=(n,)) for n in range(given.readers)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return found


def peak(pid: int) -> float:
    line = next(line for line in Path(f"/proc/{pid}/status").read_text().splitlines() if line.startswith("VmHWM"))
    return int(line.split()[1]) / 1024


def run(root: Path, given: argparse.Namespace) -> int:
    build(root, given.weeks)
    answer = json.loads(command("answers", "--cycle", f"week-{given.weeks}", "--json", "--limit", "1", root=root))
    run_id = (answer[0] if isinstance(answer, list) else answer["answers"][0])["id"]
    base = f"http://127.0.0.1:{given.port}"
    with server(root, given.port) as (pid, token), httpx2.Client(base_url=base, timeout=120) as first:
        time.sleep(0.5)
        first.get(f"/enter/{token}", follow_redirects=True)
        cookies = dict(first.cookies.items())
        rooms = json.loads(first.get("/api/v1/projects", headers={"Authorization": f"Bearer {token}"}).text)
        room = (rooms["items"] if isinstance(rooms, dict) else rooms)[0]["id"]
        pages = [f"/p/{room}{page.format(answer=run_id, weeks=given.weeks)}" for page in PAGES]
        first.headers["Authorization"] = f"Bearer {token}"
        urls = pages + list(CALLS)
        cold = {url: timed(first, url) for url in urls}
        with written_by_server(first) if given.server_polls else written(root):
            time.sleep(3)
            found = read(base, cookies, token, urls, given)
        memory = peak(pid)
    return show(found, cold, memory, given)


def show(found: dict[str, list[float]], cold: dict[str, float], memory: float, given: argparse.Namespace) -> int:
    lines = [
        {"page": url, "opened": len(times), "first": cold[url], "median": statistics.median(times),
         "p95": sorted(times)[max(0, int(len(times) * 0.95) - 1)], "longest": max(times)}
        for url, times in sorted(found.items())
    ]  # fmt: skip
    missed = [line for line in lines if line["median"] > MEDIAN_GOAL or line["p95"] > TAIL_GOAL]
    if given.json:
        print(json.dumps({"pages": lines, "memory": memory, "missed": [line["page"] for line in missed]}, indent=2))
        return 1 if missed or memory > MEMORY_GOAL else 0
    table = Table("page", *(f"{name} ms" for name in ("first", "median", "95th", "longest")), "opened")
    for line in lines:
        numbers = [f"{line[name] * 1000:.0f}" for name in ("first", "median", "p95", "longest")]
        table.add_row(line["page"], *numbers, str(line["opened"]))
    Console(width=120).print(table)
    count = QUERIES * ENGINES * RUNS * given.weeks
    load = os.getloadavg()[0]
    who = "server" if given.server_polls else "command"
    print(f"{count:,} answers, {given.readers} readers, pause {given.pause} s, a cycle written by the {who}")
    print(f"{os.cpu_count()} cores, load {load:.1f}; peak memory {memory:.0f} MB")
    print(f"{len(missed)} of {len(lines)} pages miss the goals")
    return 1 if missed or memory > MEMORY_GOAL else 0


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--weeks", type=int, default=52)
    parser.add_argument("--readers", type=int, default=20)
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--pause", type=float, default=1.0)
    parser.add_argument("--port", type=int, default=8399)
    parser.add_argument("--server-polls", action="store_true")
    parser.add_argument("--keep", type=Path)
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    if given.keep:
        return run(given.keep, given)
    with tempfile.TemporaryDirectory() as folder:
        return run(Path(folder) / "year", given)


if __name__ == "__main__":
    sys.exit(main())
