from concurrent.futures import ThreadPoolExecutor

import pytest

from citepoll.errors import InputError
from citepoll.service.drafts import ABSENT, DraftMoved, can_undo, draft_version, read_draft, save_draft, undo_draft


def save(project, *texts):
    return save_draft(project, [{"text": text} for text in texts], draft_version(project))


def test_a_draft_that_is_not_there_has_no_queries(project):
    found = read_draft(project)
    assert (found.version, found.queries) == (ABSENT, ())
    assert not can_undo(project, ABSENT)


def test_what_is_saved_is_read_again(project):
    saved = save(project, "one", "two", "one")
    assert read_draft(project).queries == saved.queries
    assert read_draft(project).version == saved.version == draft_version(project)
    assert [query.text for query in saved.queries] == ["one", "two"]


def test_undo_goes_one_save_back_and_forth(project):
    save(project, "one")
    save(project, "two")
    for expected in ("one", "two", "one"):
        assert can_undo(project, draft_version(project))
        assert [query.text for query in undo_draft(project, draft_version(project)).queries] == [expected]


def test_a_save_that_changes_nothing_keeps_what_undo_knows(project):
    save(project, "one")
    save(project, "two")
    save(project, "two")
    assert [query.text for query in undo_draft(project, draft_version(project)).queries] == ["one"]


def test_undo_refuses_another_version(project):
    with pytest.raises(DraftMoved):
        undo_draft(project, ABSENT)
    seen = save(project, "one").version
    project.query_file.write_text("# by hand\n", "utf-8")
    for version in (seen, draft_version(project)):
        with pytest.raises(DraftMoved):
            undo_draft(project, version)
    assert project.query_file.read_text("utf-8") == "# by hand\n"


def test_of_two_writers_of_one_version_one_is_told(project):
    seen = save(project, "one").version

    def write(number):
        try:
            return save_draft(project, [{"text": f"by {number}"}], seen).queries[0].text
        except DraftMoved:
            return None

    with ThreadPoolExecutor(8) as pool:
        wrote = [text for text in pool.map(write, range(8)) if text]
    assert [query.text for query in read_draft(project).queries] == wrote
    assert len(wrote) == 1


def test_a_file_that_cannot_be_read_has_a_version_all_the_same(project):
    project.query_file.write_text("[[query", "utf-8")
    with pytest.raises(InputError):
        read_draft(project)
    assert save(project, "one").queries
