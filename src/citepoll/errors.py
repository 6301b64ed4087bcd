"""Errors say the cause, then the fix.

CitepollError
├── ProjectError      citepoll.toml, the environment or a project folder is not usable
├── InputError        a file or value that the user gave cannot be read
├── QuerySetError     the query set is missing, unlocked or differs
├── SliceError        a question to the read side names an unknown metric, field or cycle
├── LedgerError       the ledger is locked, damaged, from a newer version, or the disk failed
├── EngineError       an engine cannot be asked (a refusal or a failed run is an answer's status, not an error)
├── FetchError        an address that a user or an answer named is not opened, or gives nothing
└── SendError         a mail or a webhook was not taken
"""

from __future__ import annotations


class CitepollError(Exception):
    """Base of all. `cause` is one sentence; `fix` says what the reader can do; `kept` what was not lost.

    `exit_code` is the process status that the command line returns (docs/cli.md has the table).
    """

    exit_code = 1

    def __init__(self, cause: str, fix: str = "", *, kept: str = "") -> None:
        super().__init__(cause)
        self.cause = cause
        self.fix = fix
        self.kept = kept

    def __str__(self) -> str:
        return "\n".join(part for part in (self.cause, self.kept, self.fix) if part)


class ProjectError(CitepollError):
    exit_code = 3


class InputError(CitepollError, ValueError):
    exit_code = 4


class QuerySetError(CitepollError):
    exit_code = 5


class SliceError(CitepollError):
    exit_code = 6


class LedgerError(CitepollError):
    exit_code = 7


class EngineError(CitepollError):
    exit_code = 8


class FetchError(CitepollError):
    """`refused`: the address itself is not opened, so that another try cannot help."""

    exit_code = 10

    def __init__(self, cause: str, fix: str = "", *, kept: str = "", refused: bool = False) -> None:
        super().__init__(cause, fix, kept=kept)
        self.refused = refused


class SendError(CitepollError):
    """`again`: another try may help."""

    exit_code = 11

    def __init__(self, cause: str, fix: str = "", *, kept: str = "", again: bool = False) -> None:
        super().__init__(cause, fix, kept=kept)
        self.again = again
