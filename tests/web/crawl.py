"""Everything that a desk serves, found by following its own links and forms; so later pages are tried without a line here."""

import re
from collections import Counter, deque
from html.parser import HTMLParser
from urllib.parse import urljoin, urlsplit

from .conftest import HERE

VISITS = 2
"""Pages of one shape that are looked at; the shapes of all cells of a matrix are one."""
LINKS = {"href", "src", "action", "formaction", "hx-get", "hx-post", "xlink:href", "data", "poster", "cite"}


class Elements(HTMLParser):
    """Every element of a page with its attributes, as a browser's parser would find them."""

    def __init__(self, text):
        super().__init__(convert_charrefs=True)
        self.found = []
        self.inside = ""
        self.scripted = []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag, attrs):
        self.inside = tag
        self.found.append((tag, {name: value or "" for name, value in attrs}))

    handle_startendtag = handle_starttag

    def handle_endtag(self, tag):
        self.inside = ""

    def handle_data(self, data):
        if self.inside in ("script", "style") and data.strip():
            self.scripted.append(data)

    def links(self):
        """(element, attributes, address) of everything that leads somewhere or loads something."""
        for tag, attributes in self.found:
            for name in LINKS & attributes.keys():
                yield tag, attributes, attributes[name]


def shape(url):
    """The address without what differs between pages of one kind."""
    return re.sub(r"/(answers|experiments|sources|cycles)/[^/]+", r"/\1/*", urlsplit(url).path)


def pages(browser, starts=("/",)):
    """(address, response) of all that can be reached by links, at most `VISITS` of a shape."""
    waiting, seen, shapes = deque(urljoin(HERE, start) for start in starts), set(), Counter()
    while waiting:
        url = waiting.popleft().partition("#")[0]
        if url in seen or not url.startswith(HERE) or shapes[shape(url)] >= VISITS:
            continue
        seen.add(url)
        shapes[shape(url)] += 1
        answer = browser.get(url.removeprefix(HERE))
        yield url, answer
        if answer.headers.get("content-type", "").startswith("text/html"):
            for tag, attributes, link in Elements(answer.text).links():
                if (
                    not (tag == "form" and attributes.get("method", "get").lower() == "post")
                    and "hx-post" not in attributes
                ):
                    waiting.append(urljoin(url, link))
