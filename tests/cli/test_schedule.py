import json


def set_up(project, more):
    path = project.root / "citepoll.toml"
    path.write_text(path.read_text("utf-8") + more, "utf-8")


def test_the_schedule_is_shown(citepoll, project):
    assert "none" in citepoll("schedule").out
    set_up(project, '\n[schedule]\nevery = "weekly"\ntime_zone = "Europe/Berlin"\nover = "36h"\n')
    said = citepoll("schedule", "--next", "3")
    assert said.out.startswith("schedule  weekly, Mondays at 06:00 (Europe/Berlin)\nover      36h")
    assert said.out.count("Mon ") == 4
    assert "No server has seen this schedule yet" in said.err
    found = json.loads(citepoll("schedule", "--json").out)
    assert (found["enabled"], found["over"], len(found["times"]), found["begun"]) == (True, "36h", 5, None)
    assert "next one due" in citepoll("health").out


def test_a_schedule_that_is_off(citepoll, project):
    set_up(project, '\n[schedule]\ncron = "0 6 * * mon"\nenabled = false\n')
    assert citepoll("schedule").out == "schedule  cron 0 6 * * mon (UTC), not enabled\n"


def test_a_mistake_in_a_schedule_is_told_with_its_line(citepoll, project):
    set_up(project, '\n[schedule]\ncron = "* * * * *"\n')
    said = citepoll("schedule")
    assert said.code == 3
    assert "begins a cycle every 0:01:00" in said.err
    assert "an hour or more" in said.err


def test_payloads_are_dropped_by_age(citepoll, imported):
    assert "for ever" in citepoll("delete", "payloads").err
    said = citepoll("delete", "payloads", "--older-than", "1", "--dry-run")
    assert (said.code, "none" in said.err) == (0, True)
    assert json.loads(citepoll("delete", "payloads", "--older-than", "1", "--yes", "--json").out)["cycles"] == []
