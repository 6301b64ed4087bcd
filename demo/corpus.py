"""The demo's corpus: long descriptions of installed distributions, cut at their headings into Markdown files."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.metadata import PackageMetadata, metadata
from pathlib import Path

DISTRIBUTIONS = Path(__file__).parent / "distributions.toml"
PASSAGE_LENGTH = 2_000

# Release notes would outweigh what a library says of itself; what follows such a heading is left out, as are the
# sections that say the same for every library.
NOTES = re.compile(r"\W*(changelog|release information|history|release notes|recent changes)", re.IGNORECASE)
COMMON = re.compile(
    r"\W*(licen[cs]e|sponsors|contribut|code of conduct|support|for enterprise|\W*attrs\W* for enterprise|security|"
    r"maintainers?|authors?|acknowledge?ments|donate|development|testing|reporting|help\b|getting help|used by|"
    r"appears on|community|citing|download|writing documentation|profiling|releasing|get the|contact|bugs)",
    re.IGNORECASE,
)

# Labels that packaging.python.org lists as well known, lower case, letters only.
LABELS = (
    ("documentation", "docs"),
    ("homepage", "home"),
    ("source", "sourcecode", "repository", "github", "code"),
)


@dataclass(frozen=True, slots=True)
class Page:
    """One file of the corpus: a passage of a distribution's description, under its heading."""

    name: str
    url: str
    title: str
    text: str


def names(path: Path = DISTRIBUTIONS) -> list[str]:
    """The distributions of the demo, in the file's order."""
    return [entry["name"] for entry in tomllib.loads(path.read_text("utf-8"))["distribution"]]


def pages(distribution: str) -> Iterator[Page]:
    """The passages of an installed distribution's long description, each at most 2,000 characters."""
    found = metadata(distribution)
    url, text = page_url(found), description(found)
    written = text if "markdown" in (found.get("Description-Content-Type") or "") else from_rst(text)
    for at, (heading, body) in enumerate(passages(written), 1):
        title = (
            found["Name"] if not heading or heading.lower() == found["Name"].lower() else f"{found['Name']}: {heading}"
        )
        yield Page(f"{distribution}-{at:02}.md", url, title, f"## {heading}\n\n{body}\n" if heading else body + "\n")


def description(found: PackageMetadata) -> str:
    return found.get("Description") or str(getattr(found, "get_payload", str)() or "")


def page_url(found: PackageMetadata) -> str:
    """Documentation, else homepage, else source. Raises `KeyError` where the metadata names none of them."""
    urls = {"homepage": found["Home-page"]} if found.get("Home-page") else {}
    for entry in found.get_all("Project-URL") or []:
        label, _, url = entry.partition(",")
        urls[re.sub(r"[^a-z]", "", label.lower())] = url.strip()
    for labels in LABELS:
        for label in labels:
            if label in urls:
                return urls[label]
    raise KeyError(f"{found['Name']} names no documentation, homepage or source")


def passages(text: str) -> Iterator[tuple[str, str]]:
    """(heading, body) of each section, split again at paragraphs where it is too long."""
    for heading, body in sections(text):
        if NOTES.match(heading):
            return
        if COMMON.match(heading):
            continue
        yield from ((heading, piece) for piece in pieces(body))


def sections(text: str) -> Iterator[tuple[str, str]]:
    heading, lines, fenced = "", [], False
    for line in text.splitlines():
        fenced ^= line.lstrip().startswith(("```", "~~~"))
        found = None if fenced else re.match(r"#{1,6}\s+(.*?)\s*#*$", line)
        if found:
            yield heading, "\n".join(lines)
            heading, lines = plain(found[1]), []
        else:
            lines.append(line)
    yield heading, "\n".join(lines)


def plain(heading: str) -> str:
    """A heading without tags, links and marks."""
    text = re.sub(r"<[^>]*>|[*`]", "", heading)
    text = re.sub(r"!?\[([^\]]*)\]\([^)]*\)", r"\1", text)
    return re.sub(r":\w+:", "", text).strip()


def pieces(body: str) -> Iterator[str]:
    """Paragraphs gathered up to 2,000 characters; code blocks, badges and lists of links are left out."""
    bare = re.sub(r"^([ \t]*)(```|~~~).*?^\1\2[ \t]*$", "", body, flags=re.DOTALL | re.MULTILINE)
    held = ""
    for paragraph in (p.strip("\n") for p in re.split(r"\n\s*\n", bare) if says_something(p)):
        if held and len(held) + 2 + len(paragraph) > PASSAGE_LENGTH:
            yield held
            held = ""
        held = f"{held}\n\n{paragraph[:PASSAGE_LENGTH]}".strip("\n")
    if held:
        yield held


def says_something(paragraph: str) -> bool:
    """Whether three words are left without images, links and tags; a block of HTML says nothing here."""
    if paragraph.startswith("<"):
        return False
    words = re.sub(r"!?\[[^\[\]]*\]\([^)]*\)", "", re.sub(r"!\[[^\]]*\]\([^)]*\)", "", paragraph))
    words = re.sub(r"<[^>]*>", "", words)
    return len(re.findall(r"[^\W\d_]{2,}", words)) > 2


def from_rst(text: str) -> str:
    """reStructuredText as Markdown, as far as the demo needs it: headings, links, literals; directives are left out."""
    lines = re.sub(r"^\.\. .*\n(?:[ \t]+.*\n|\n(?=[ \t]))*", "", text.replace("\r\n", "\n"), flags=re.MULTILINE)
    lines = re.sub(r"^(?:([=~-])\1{2,}\n)?(\S.*)\n([=~^\"'-])\3{2,}$", r"## \2\n", lines, flags=re.MULTILINE)
    lines = re.sub(r"::\n\n(?:[ \t]+.*\n|\n(?=[ \t]))*", ":\n\n", lines)
    lines = re.sub(r":\w+:`([^`<]*?)(?:\s*<[^>]*>)?`|`([^`<]+?)\s*<[^>]*>`__?|`([^`]+)`__?", r"\1\2\3", lines)
    return re.sub(r"\|[\w -]+\|_?", "", lines.replace("``", "`"))


def write(folder: Path) -> int:
    """Write every page of the demo as Markdown with its URL and title in front, in place of those of before.

    Returns their number.
    """
    folder.mkdir(parents=True, exist_ok=True)
    for old in folder.glob("*.md"):
        old.unlink()
    every = [page for name in names() for page in pages(name)]
    for page in every:
        title = page.title.replace('"', "'")
        (folder / page.name).write_text(f'---\nurl: {page.url}\ntitle: "{title}"\n---\n{page.text}', "utf-8")
    return len(every)
