"""citepoll measures who AI answer engines cite: share of citation, with honest intervals.

`citepoll.open(DIR).measure(citepoll.Slice(...))` asks a project; `citepoll.measure.intervals` holds the statistics.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from citepoll.model import Slice
    from citepoll.service.opened import open_project as open

__version__ = "0.1.0"
__all__ = ["Slice", "__version__", "open"]

_DOORS = {"open": ("citepoll.service.opened", "open_project"), "Slice": ("citepoll.model", "Slice")}


def __getattr__(name: str) -> Any:
    # Loaded when first used: `import citepoll.measure.intervals` needs neither the ledger nor the charts.
    if name not in _DOORS:
        raise AttributeError(f"module 'citepoll' has no attribute {name!r}")
    module, attribute = _DOORS[name]
    return getattr(import_module(module), attribute)
