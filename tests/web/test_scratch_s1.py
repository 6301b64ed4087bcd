import re, json, pytest
from citepoll.newproject import Start, write_project
from citepoll.service.importing import import_file
from .crawl import Elements, pages, reads_of_api

X = "\"'><img src=x onerror=alert(1)><script>alert(2)</script>{{7*7}}</title></textarea></svg>"
BAD = ["javascript:alert(1)", "data:text/html,<script>alert(1)</script>", f"https://evil.example/{X}", "https://evil.example/a\" onmouseover=\"x", "//evil.example/x", "vbscript:x", "https://user:pw@evil.example/", "https://evil.example/ok", "https://acme.com/" + X]

@pytest.fixture
def shelf(tmp_path, row, jsonl, at):
    folder = tmp_path / "shelf"
    for name in ("acme", "other"):
        write_project(folder / name, Start(f"{name}{X}", (f"{name}.com",), ((f"Riv{X}", "riv.com"),), f"forks{X}"))
    return folder

@pytest.fixture
def filled(desk, row, jsonl, at):
    room = desk.rooms.find("acme")
    for cycle in (f"a{X}", f"b{X}"):
        rows = [row(engine=e, query=f"{q}{X}", run=run, answer_text=f"acme{X} says {X} https://riv.com/{X}", model=X, search_queries=[X], topic=X, message=X, query_id=X,
                    status="failed" if (run == 4) else None,
                    citations=[{"url": u, "title": X} for u in (BAD if cycle.startswith("b") or q != "best fork" else ["https://acme.com/1"])] + [{"url":"https://riv.com/x","title":X}], additional_sources=[{"url": u, "title": X} for u in BAD])
                for e in (f"atlas{X}", f"beacon{X}") for run in (1,2,3,4) for q in ("best fork", "good hoe", "how")]
        import_file(room.project, room.ledger, jsonl(*rows, name="x.jsonl"), cycle, at=at)
    return room

def test_all(app, desk, people, browser, filled, token):
    b = browser("anna")
    # writes with hostile text
    n = 0
    for url, answer in pages(b):
        n += 1
        ct = answer.headers.get("content-type", "")
        print(answer.status_code, url[:150], ct, len(answer.content))
        assert answer.status_code < 500, (url, answer.text[-600:])
        if ct.startswith("text/html") and "attachment" not in answer.headers.get("content-disposition",""):
            el = Elements(answer.text)
            assert not el.scripted, (url, el.scripted[:3])
            for tag, attrs in el.found:
                for name, value in attrs.items():
                    assert not name.startswith("on"), (url, tag, attrs)
                    assert name != "style", (url, tag, attrs)
                assert tag not in ("style","iframe","object","embed","base")
                if tag == "script": assert attrs["src"].startswith("/static/"), attrs
                if tag == "img": print("IMG", url, attrs)
            for tag, attrs, link in el.links():
                if link.startswith(("/", "#", "?")) and not link.startswith("//"): continue
                if link == "": continue
                assert re.match("https?://", link), (url, tag, attrs)
                if not attrs.get("rel"): print("NOREL", url, attrs)
        if "49" in answer.text and "{{7*7}}" not in answer.text and "img src=x" in answer.text: print("49?", url)
    print("pages", n)
    t = token("anna", "write")
    for path in reads_of_api(app):
        p = re.sub(r"\{number:int\}", "1", re.sub(r"\{cycle:str\}", "@1", path))
        p = p.replace("{id:str}", "x")
        r = b.client.get(p, params={"project": "acme"}, headers={"authorization": f"Bearer {t}"})
        print(r.status_code, p, r.headers["content-type"], r.headers.get("content-disposition"), len(r.content))
        assert r.status_code < 500
    print([r.path for r in app.routes])
