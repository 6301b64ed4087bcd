"""The glossary."""

from __future__ import annotations

from litestar import Response, get

from citepoll.report.glossary import glossary
from citepoll.surfaces.dashboard.page import PageNow


@get("/glossary", needs="read", sync_to_thread=True)
def glossary_page(page: PageNow) -> Response[str]:
    """Every word that numbers and pages use; the same as docs/glossary.md."""
    return page.show("glossary.html", "Glossary", tables=glossary())


ROUTES = [glossary_page]
