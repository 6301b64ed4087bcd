"""One emulator for the tests of a file."""

import pytest
from tests.emulator import Emulator
from tests.emulator.client import QUICK


@pytest.fixture(scope="module")
def emulator():
    with Emulator(QUICK) as running:
        yield running
