"""A Chromium, servers of `citepoll serve` on loopback, and a project with content that all pages are looked at with."""

import http.client
import shutil
import subprocess
import sys
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import sync_playwright

from citepoll.model import Query, QuerySet
from citepoll.newproject import Start, write_project
from citepoll.project import read_project
from citepoll.service import corpus, experiments, polling
from citepoll.store.ledger import Ledger

ARTEFACTS = Path(__file__).parent / "artefacts"
CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
WIDTHS = (360, 1440)
OPTIONS = ("--no-sandbox", "--disable-gpu", "--disable-background-networking", "--hide-scrollbars")
SERIOUS = {"serious", "critical"}
SHOES = ("trail", "road", "track", "winter")
AT = datetime.now(UTC) - timedelta(days=15)
QUESTIONS = QuerySet(
    (
        *(Query(f"best {kind} running shoes", intent="best-of", topic=kind) for kind in SHOES),
        *(Query(f"which {kind} running shoes to buy", intent="how-to", topic=kind) for kind in SHOES),
        Query("is Acme any good", intent="definitional"),
    )
)
BROAD = """
[[engine]]
id = "local:bm25"
name = "broad"
runs = 2
settings = { cite = 4, temperature = 2.0 }
"""
MAKERS = {"Acme": "acme.com", "Foxglove": "foxglove.com", "Brook": "brook.example"}


def pytest_collection_modifyitems(items):
    missing = pytest.mark.skip(reason="There is no Chromium on this machine: apt-get install chromium")
    for item in items:
        if Path(__file__).parent in item.path.parents and CHROMIUM is None:
            item.add_marker(missing)


@pytest.fixture(scope="module")
def chromium():
    """Of a module: while it is open, no other test of the process may run an event loop."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=OPTIONS)
        yield browser
        browser.close()


@dataclass
class Tab:
    """A page in a browser, with what it complained about and whom it asked."""

    page: object
    home: str
    wrong: list = field(default_factory=list)
    hosts: set = field(default_factory=set)

    def __post_init__(self):
        self.page.on("console", lambda said: said.type in ("error", "warning") and self.wrong.append(said.text))
        self.page.on("pageerror", lambda wrong: self.wrong.append(str(wrong)))
        self.page.on("request", lambda asked: self.hosts.add(urlsplit(asked.url).netloc))

    def open(self, path="/"):
        return self.page.goto(f"{self.home}{path}")

    def narrow(self, width):
        self.page.set_viewport_size({"width": width, "height": 800})

    def check(self):
        """No error said, nobody else asked, nothing wider than the window."""
        assert self.wrong == []
        assert self.hosts <= {urlsplit(self.home).netloc}
        assert self.page.evaluate("document.documentElement.scrollWidth - window.innerWidth") <= 0, self.page.url

    def check_for_all(self):
        """What axe finds that keeps somebody out."""
        found = [v for v in Axe().run(self.page).response["violations"] if v["impact"] in SERIOUS]
        assert [(v["id"], [node["target"] for node in v["nodes"][:3]]) for v in found] == [], self.page.url

    def keep(self, name):
        """A picture of the whole page."""
        ARTEFACTS.mkdir(exist_ok=True)
        self.page.screenshot(path=ARTEFACTS / f"{name}.jpg", full_page=True, type="jpeg", quality=70)


@contextmanager
def serving(folder):
    """`citepoll serve` on the folder; gives the address that lets one browser in."""
    command = [sys.executable, "-m", "citepoll.main", "serve", str(folder), "--port", "0", "--no-open"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as running:
        try:
            yield running.stdout.readline().strip()
        finally:
            running.terminate()
            with suppress(subprocess.TimeoutExpired):
                running.wait(10)
            running.kill()


@dataclass(frozen=True)
class Server:
    """Where it listens, and the cookie of the one browser that it has let in."""

    home: str
    cookies: tuple[dict, ...] = ()

    @contextmanager
    def tab(self, chromium, **options):
        with chromium.new_context(**options) as context:
            context.set_default_timeout(15_000)
            context.add_cookies(self.cookies)
            yield Tab(context.new_page(), self.home)


@contextmanager
def entered(folder):
    """A server of the folder that has been entered."""
    with serving(folder) as entry:
        parts = urlsplit(entry)
        link = http.client.HTTPConnection(parts.netloc, timeout=20)
        link.request("GET", parts.path)
        name, value = link.getresponse().headers["set-cookie"].split(";")[0].split("=", 1)
        link.close()
        home = f"http://{parts.netloc}"
        yield Server(home, ({"name": name, "value": value, "url": home},))


@pytest.fixture(scope="session")
def server(measured):
    """Shows the measured project."""
    with entered(measured) as found:
        yield found


def write_pages(folder, maker):
    """For each kind of shoe a page of the maker's; returns their folder."""
    place = folder / MAKERS[maker]
    place.mkdir(parents=True, exist_ok=True)
    for kind in SHOES:
        text = (
            f"---\nurl: https://{MAKERS[maker]}/{kind}\ntitle: {maker} {kind} shoes\n---\n# {maker} {kind} shoes\n\n"
            f"{maker} makes {kind} running shoes for every runner. The best {kind} running shoes are light.\n\n"
            f"Which {kind} running shoes to buy depends on the ground; {maker} has a cheap pair and a good one.\n"
        )
        (place / f"{kind}.md").write_text(text, "utf-8")
    return place


@pytest.fixture(scope="session")
def measured(tmp_path_factory):
    """A folder with two projects. `bare` has a question and nothing to answer it from. `acme` has two engines, nine
    questions, an experiment, and three cycles, between which pages of one maker came and those of another went."""
    shelf = tmp_path_factory.mktemp("shelf")
    root = shelf / "acme"
    rivals = (("Foxglove", "foxglove.com"), ("Brook", "brook.example"))
    write_project(root, Start("Acme", ("acme.com",), rivals, "running shoes"))
    with (root / "citepoll.toml").open("a", encoding="utf-8") as out:
        out.write(BROAD)
    project, ledger = read_project(root), Ledger(root / ".citepoll" / "ledger.db")
    ledger.lock(QUESTIONS, "queries.toml", AT)
    store = project.data / "corpus.db"
    for maker in ("Foxglove", "Brook"):
        corpus.add(store, write_pages(root / "pages", maker))
    poll(project, ledger, "week-1", AT)
    corpus.add(store, write_pages(root / "pages", "Acme"))
    poll(project, ledger, "week-2", AT + timedelta(days=7))
    experiments.start(
        project, ledger, "topic = trail", "topic = road", "A new guide for trails", AT + timedelta(days=8)
    )
    corpus.remove(store, [str(root / "pages" / MAKERS["Foxglove"])])
    poll(project, ledger, "week-3", AT + timedelta(days=14))
    write_project(shelf / "bare", Start("Bare", ("bare.example",)))
    Ledger(shelf / "bare" / ".citepoll" / "ledger.db").lock(QuerySet(QUESTIONS.queries[:1]), "queries.toml", AT)
    return shelf


def poll(project, ledger, name, at):
    planned = polling.plan(project, ledger, name=name, over=None, retry=False, at=at)
    polling.poll(project, ledger, planned, at=at)
