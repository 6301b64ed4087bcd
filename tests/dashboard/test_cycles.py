import re
from dataclasses import dataclass, field
from datetime import timedelta
from urllib.parse import unquote

import pytest
from tests.dashboard.conftest import AT, FILE, INLINE

from citepoll.errors import EngineError, InputError
from citepoll.model import RawAnswer
from citepoll.service.background import Order, Standing, named
from citepoll.service.corpus import add_files
from citepoll.service.queries import lock_file
from citepoll.surfaces.dashboard.doors import cycle_named, cycle_path

PATH = "/p/project/cycles"


@dataclass
class Worker:
    """Background work that notes what it was told."""

    now: Standing = field(default_factory=lambda: Standing("idle"))
    told: list = field(default_factory=list)
    refuses: bool = False

    def start(self, project, order):
        if self.refuses:
            raise InputError("No key for chat.", "Set it.")
        self.told.append(("start", project, order))
        return Standing("running", order.cycle or "2026-11-03")

    def pause(self, project):
        self.told.append(("pause", project))
        return self.now

    def stop(self, project):
        self.told.append(("stop", project))
        return self.now

    def standing(self, project):
        return self.now


@pytest.fixture
def locked(project, room, at):
    add_files(project.data / "corpus.db", [("fork.md", b"---\nurl: https://acme.com/fork\n---\n# The fork\n\nA fork.")])
    (project.root / "queries.toml").write_text(FILE, "utf-8")
    return lock_file(room.project, room.ledger, at)


@pytest.fixture
def opened(room, locked, at):
    """An open cycle of 3 + 2 runs: of narrow one is done, one failed with hostile words, one is in flight."""
    ledger, [query] = room.ledger, room.ledger.current().queries.queries
    cycle = ledger.create("a/b %", "polled", room.project.engines, "seed", at, set_hash=room.ledger.current().hash)
    ledger.plan(cycle, [("narrow", query.id, n) for n in (1, 2, 3)] + [("broad", query.id, n) for n in (1, 2)])
    done, failed = (ledger.claim(cycle, n, 1, at)[0] for n in (1, 2))
    ledger.record(done, RawAnswer("answered", b"{}", asked_at=at, cost=0.25))
    ledger.record(failed, RawAnswer("failed", b"", asked_at=at, message="<b>no quota"))
    ledger.claim(cycle, 3, 1, at)
    return cycle


@pytest.fixture
def worker(desk, browser):
    desk.worker = Worker()
    return desk.worker


def squares(text):
    return re.findall(r'<i class="(\w+)"></i>(?!\s)', re.search(r'class="squares".*?</p>', text, re.DOTALL)[0])


def test_the_list_has_every_cycle_the_newest_first(recorded, browser):
    text = browser.get(PATH).text
    assert text.index(">november<") < text.index(">october<")
    assert "12 of 12" in text
    assert "recorded" in text
    assert not INLINE.search(text)


def test_an_empty_list_says_what_will_stand_there(project, browser):
    assert "will stand here" in browser.get(PATH).text


def test_progress_is_told_in_squares_and_in_words(opened, browser, desk):
    desk.clock = lambda: AT + timedelta(seconds=60)
    text = browser.get(cycle_path("project", opened.name)).text
    assert squares(text) == ["done", "failed", "flying"]
    assert "1 done, 1 failed, 1 in flight" in text
    assert "2 of 5 runs recorded, 1 of them failed; $0.25 spent, 2 runs a minute, about 1 min 30 s left." in text
    assert "&lt;b&gt;no quota" in text
    assert "citepoll poll" in text
    assert not INLINE.search(text)


def test_the_part_is_asked_for_again_only_while_the_cycle_is_open(opened, browser, room):
    path = cycle_path("project", opened.name)
    part = browser.get(f"{path}/progress")
    assert part.text.lstrip().startswith('<div id="progress" hx-get=')
    assert "every 2s" in part.text
    assert "<html" not in part.text
    room.ledger.set_status(opened, "stopped", AT)
    assert "hx-get" not in browser.get(f"{path}/progress").text


def test_without_background_work_a_cycle_can_be_closed_and_no_more(opened, browser, room, desk):
    path = cycle_path("project", opened.name)
    text = browser.get(path).text
    assert set(re.findall(r'id="do-(\w+)"', text)) == {"close"}
    assert browser.post(path, {"what": "pause"}).status_code == 422
    sent = browser.post(path, {"what": "close"})
    assert sent.headers["location"] == path
    assert room.ledger.cycle(opened.name).status == "closed"
    assert "is closed as it is" in browser.get(path).text
    assert desk.accounts.audit(1)[0].object == f"project: {opened.name}"


@pytest.mark.parametrize(
    ("standing", "acts"),
    [
        (Standing("idle"), {"resume", "retry", "close"}),
        (Standing("running", "a/b %"), {"pause", "close"}),
        (Standing("stopping", "a/b %"), set()),
        (Standing("paused", "a/b %"), {"resume", "retry", "close"}),
        (Standing("failed", "a/b %", "<i>the disk is full"), {"resume", "retry", "close"}),
        (Standing("running", "another"), {"close"}),
    ],
)
def test_what_can_be_done_is_what_is_offered(opened, browser, worker, standing, acts):
    worker.now = standing
    text = browser.get(cycle_path("project", opened.name)).text
    assert set(re.findall(r'id="do-(\w+)"', text)) == acts
    assert "<i>the" not in text


def test_the_worker_is_told_what_somebody_asks(opened, browser, worker):
    path = cycle_path("project", opened.name)
    browser.get(path)
    browser.post(path, {"what": "resume"})
    browser.post(path, {"what": "retry"})
    assert browser.post(path, {"what": "pause"}).status_code == 422
    worker.now = Standing("running", opened.name)
    browser.post(path, {"what": "pause"})
    browser.post(path, {"what": "close"})
    assert worker.told == [
        ("start", "project", Order(cycle=opened.name)),
        ("start", "project", Order(cycle=opened.name, retry=True)),
        ("pause", "project"),
        ("stop", "project"),
    ]
    assert browser.post(path, {"what": "burn"}).status_code == 422


def test_a_cycle_that_was_ordered_is_waited_for(locked, browser, worker):
    worker.now = Standing("running", "soon")
    found = browser.get(f"{PATH}/soon")
    assert "It begins in a moment" in found.text
    assert "every 2s" in browser.get(f"{PATH}/soon/progress").text
    worker.now = Standing("failed", "soon", "the disk is full.")
    assert "The poll came to nothing: the disk is full." in browser.get(f"{PATH}/soon").text
    assert browser.get(f"{PATH}/never").status_code == 404


@pytest.mark.parametrize("name", ["2026-11", "a/b", "..", ".", "new", "50%", "a%2Fb", "ü ß", "a?b#c", "new/x", "~2F"])
def test_any_name_of_a_cycle_has_an_address(browser, locked, room, name):
    room.ledger.create(name, "polled", room.project.engines, "seed", AT, set_hash=room.ledger.current().hash)
    path = cycle_path("project", name)
    assert f"Cycle {name}".replace("&", "&amp;") in browser.get(path).text
    assert cycle_named(unquote(path.rsplit("/", 1)[1])) == name


# ---------------------------------------------------------------- a new one


def test_the_preview_says_what_is_asked_what_it_costs_and_what_it_can_see(locked, browser, worker):
    text = browser.get(f"{PATH}/new").text
    assert "Begins 2026-11-03: 1 query (version 1 of the query set), 2 engines." in text
    assert "To ask now: 5 of 5 runs; without a cost" in text
    assert re.search(r"± [\d.]+ points", text)
    assert "Start 2026-11-03" in text
    assert "6 of 6 runs" in browser.get(f"{PATH}/new?runs=3").text


@pytest.mark.parametrize("asked", ["over=soon", "runs=many", "runs=0", "stop_at=2", "name=%00"])
def test_options_that_will_not_do_are_refused_with_the_reason(locked, browser, worker, asked):
    found = browser.get(f"{PATH}/new?{asked}")
    assert found.status_code == 422
    assert 'role="alert"' in found.text


def test_without_a_locked_set_there_is_nothing_to_start(project, browser):
    found = browser.get(f"{PATH}/new")
    assert found.status_code == 200
    assert "none is locked yet" in found.text
    assert "<button" not in found.text.split("<main")[1]


def test_without_documents_a_local_engine_is_not_started(project, room, browser, worker, at):
    (project.root / "queries.toml").write_text(FILE, "utf-8")
    lock_file(room.project, room.ledger, at)
    text = browser.get(f"{PATH}/new").text
    assert "has no documents to answer from" in text
    assert "Start 2026-11-03" not in text
    with pytest.raises(EngineError, match="no documents"):
        named(room.project, room.ledger, Order(), at)


def test_starting_tells_the_worker_and_leads_to_the_cycle(locked, browser, worker, desk):
    browser.get(f"{PATH}/new?over=36h&runs=2")
    sent = browser.post(f"{PATH}/new", {"name": "", "over": "36h", "runs": "2", "stop_at": ""})
    assert sent.headers["location"] == f"{PATH}/2026-11-03"
    assert worker.told == [("start", "project", Order(over="36h", runs=2))]
    assert desk.accounts.audit(1)[0].what == "cycle: start"


def test_what_keeps_a_cycle_from_starting_stands_above_the_form(locked, browser, worker):
    worker.refuses = True
    browser.get(f"{PATH}/new")
    found = browser.post(f"{PATH}/new", {"over": "36h"})
    assert found.status_code == 422
    assert "No key for chat." in found.text
    assert 'value="36h"' in found.text


def test_a_server_without_background_work_says_how_to_poll(locked, browser):
    text = browser.get(f"{PATH}/new").text
    assert "citepoll poll" in text
    assert "Start 2026" not in text
    assert browser.post(f"{PATH}/new").status_code == 422
