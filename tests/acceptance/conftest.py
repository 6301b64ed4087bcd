import os
from pathlib import Path

import pytest

SHARED = Path(os.environ.get("CITEPOLL_SHARED", Path(__file__).parents[3] / "shared"))


@pytest.fixture(scope="session")
def shared() -> Path:
    if not (SHARED / "data").is_dir():
        pytest.skip(
            f"no recorded answers beside the checkout ({SHARED.name}/data): acceptance is tested where they are"
        )
    return SHARED
