"""`citepoll serve` whose polls reach the emulator: `python -m tests.jobs.serving URL ARGUMENTS…`."""

from __future__ import annotations

import sys

from tests.emulator.polling import reaching

from citepoll.main import main

if __name__ == "__main__":
    url = sys.argv.pop(1)
    with reaching(url, 20.0):
        main()
