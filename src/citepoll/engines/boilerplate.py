"""References that a surface adds to answers of any subject: left out by a rule that stands here, and counted."""

from __future__ import annotations

from typing import Final

COUNT: Final = "boilerplate_references"
"""The name in `Answer.usage` under which the number of references left out is kept, 0 included."""

NOTE: Final = "pages of the shopping section of blog.google are left out, and counted in usage.boilerplate_references"

# AI Mode explains how its product panels come about with a page of Google's own blog. Counted as a citation it would
# make blog.google one of the most cited sites of every shopping question.
_GOOGLE_BLOG: Final = ("blog.google", "www.blog.google")
_SHOPPING: Final = ("/products/shopping/", "/products-and-platforms/products/shopping/")


def in_ai_mode(url: str) -> bool:
    """True for a page of the shopping section of Google's blog."""
    host, slash, path = url.partition("://")[2].partition("/")
    return host.lower() in _GOOGLE_BLOG and (slash + path).startswith(_SHOPPING)
