"""An emulator of the engines' wire protocols, for tests: a loopback server that speaks each surface's protocol.

    with Emulator(Settings(plan=Seeded("s", share=0.2))) as emulator:
        response = send(reroute(request, emulator.url))
        emulator.desk.script("openai:responses", "rate_limited", None)
        emulator.desk.state()["engines"]["openai:responses"]["charged_usd"]

`python -m tests.emulator --help` runs it as a program. `/__emulator__/state` and `/__emulator__/answers` show what was
counted, a POST of `{engine: [fault, …]}` to `/__emulator__/script` sets what the next calls meet.

It is stricter than the vendors in one thing: where a vendor would answer without a search, it refuses.
"""

from tests.emulator.desk import Desk, Settings
from tests.emulator.plans import (
    BLOCKING,
    CONTINUED,
    ENDLESS,
    FAULTS,
    HARMLESS,
    OUTCOMES,
    PASSING,
    STOPPING,
    Seeded,
)
from tests.emulator.prices import PRICES, Price
from tests.emulator.routing import reroute
from tests.emulator.server import Emulator, serve
from tests.emulator.surfaces import SURFACES

__all__ = [
    "BLOCKING", "CONTINUED", "ENDLESS", "FAULTS", "HARMLESS", "OUTCOMES", "PASSING", "PRICES", "STOPPING", "SURFACES",
    "Desk", "Emulator", "Price", "Seeded", "Settings", "reroute", "serve",
]  # fmt: skip
