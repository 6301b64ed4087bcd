import io
import zipfile

from citepoll.service.corpus import documents

PATH = "/p/project/corpus"
FORK = b"---\nurl: https://acme.com/fork\ntitle: The <b>fork</b>\n---\n# The fork\n\nA fork is for soil.\n"


def packed(**files):
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in files.items():
            archive.writestr(name.replace("__", "."), data)
    return held.getvalue()


def send(browser, *files, base=""):
    browser.get(PATH)
    return browser.post(PATH, {"base": base}, files=[("files", file) for file in files])


def test_files_are_taken_listed_and_taken_out(project, browser):
    assert "will stand here" in browser.get(PATH).text
    assert send(browser, ("fork.md", FORK)).status_code == 303
    text = browser.get(PATH).text
    assert "1 document added" in text
    assert "The &lt;b&gt;fork" in text
    [held] = documents(project.data / "corpus.db")
    assert held.origin == "sent:fork.md"
    id = text.split('name="id" value="')[1].split('"')[0]
    assert browser.post(f"{PATH}/remove", {"id": id}).status_code == 303
    assert documents(project.data / "corpus.db") == ()
    assert browser.post(f"{PATH}/remove", {"id": id}).status_code == 422


def test_a_file_sent_again_replaces_the_one_before(project, browser):
    send(browser, ("fork.md", FORK))
    send(
        browser,
        ("fork.md", FORK.replace(b"soil", b"hay")),
        ("rake.txt", b"A rake is for leaves."),
        base="https://acme.com/docs",
    )
    assert "1 document added, 1 replaced" in browser.get(PATH).text
    assert {held.url for held in documents(project.data / "corpus.db")} == {
        "https://acme.com/fork",
        "https://acme.com/docs/rake.txt",
    }


def test_a_zip_is_unpacked_without_what_is_hidden(project, browser):
    send(browser, ("pages.zip", packed(fork__md=FORK, __hidden__md=FORK, picture__png=b"x")))
    assert [held.origin for held in documents(project.data / "corpus.db")] == ["sent:fork.md"]


def test_what_cannot_be_read_is_named_with_the_reason(project, browser):
    found = send(browser, ("fork.md", FORK), ("<i>.md", b"# No address"))
    assert found.status_code == 422
    assert "&lt;i&gt;.md" in found.text
    assert "does not say the URL" in found.text
    assert len(documents(project.data / "corpus.db")) == 1


def test_nothing_and_no_address_are_refused(browser):
    browser.get(PATH)
    assert "No file came along" in browser.post(PATH, files=[("other", ("fork.md", FORK))]).text
    assert "is not a web address" in send(browser, ("fork.md", FORK), base="javascript:alert(1)").text


def test_an_upload_is_bounded(browser):
    browser.get(PATH)
    assert send(browser, ("a.md", b"x" * (16 * 2**20 + 1))).status_code == 413
