import os
import subprocess
import sys
from dataclasses import dataclass

import pytest

from citepoll.main import main
from citepoll.surfaces.cli import terminal


@dataclass(frozen=True)
class Said:
    code: int
    out: str
    err: str


@pytest.fixture
def citepoll(project, monkeypatch, capsys):
    """Runs a command in this process, in the project's folder; returns its exit status and what it wrote."""
    monkeypatch.chdir(project.root)
    monkeypatch.setattr(terminal.out, "width", 200)
    monkeypatch.setattr(terminal.err, "width", 200)

    def run(*arguments):
        monkeypatch.setattr(sys, "argv", ["citepoll", *map(str, arguments)])
        capsys.readouterr()
        try:
            main()
            code = 0
        except SystemExit as ended:
            code = ended.code or 0
        return Said(code, *capsys.readouterr())

    return run


@pytest.fixture
def process(project):
    """Runs a command as a process of its own; `shell` may go on from it with a pipe or a redirection."""

    def run(*arguments, shell="", environment=None):
        command = [sys.executable, "-m", "citepoll.main", *map(str, arguments)]
        if shell:
            command = ["bash", "-c", f'"$@" {shell}', "bash", *command]
        ended = subprocess.run(
            command,
            capture_output=True,
            timeout=60,
            cwd=project.root,
            env={**os.environ, **(environment or {})},
            check=False,
        )
        return Said(ended.returncode, ended.stdout.decode(), ended.stderr.decode())

    return run


@pytest.fixture
def imported(citepoll, row, jsonl):
    """A cycle `c` of six answers on two engines to two queries."""
    rows = [
        row(engine=e, query=q, run=n, citations=[f"https://{d}/{n}"])
        for e in ("atlas", "beacon")
        for n, (q, d) in enumerate(
            (("best fork", "acme.com"), ("best fork", "other.com"), ("what is a spade", "x.com")), 1
        )
    ]
    assert citepoll("import", jsonl(*rows), "--cycle", "c").code == 0
