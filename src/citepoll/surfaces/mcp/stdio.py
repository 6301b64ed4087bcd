"""The server over standard input and output, for an agent on this machine."""

from __future__ import annotations

from citepoll.surfaces.mcp.calling import Local
from citepoll.surfaces.mcp.polls import Polls
from citepoll.surfaces.mcp.server import build
from citepoll.surfaces.web.rooms import Rooms


def serve(rooms: Rooms, writes: bool) -> None:
    """Answer until the input ends. Standard output holds the protocol and nothing else."""
    polls = Polls(rooms) if writes else None
    caller = Local(rooms, writes, polls)
    try:
        build(lambda _: caller, writes=writes).run("stdio")
    finally:
        if polls is not None:
            polls.end()
        rooms.close()
