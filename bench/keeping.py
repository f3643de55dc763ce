"""Whether the store has everything that was acknowledged, and when. A fast server that loses events is no use."""

import contextlib
import time
from pathlib import Path

from trackrecord import engines

from . import processes
from .dataset import external_id
from .processes import Served, Trouble

CAUGHT_UP_S = 120.0
POLL_S = 0.005


def caught_up(server: Served) -> float:
    """Seconds until reads see all that was acknowledged: they wait for the store, or answer 503 to be asked again."""
    began = time.monotonic()
    read = processes.request("GET", f"/events?type=user&user_id={external_id(0)}&per_page=1", close=True)
    while processes.ask(server.port, read) != 200:
        if time.monotonic() - began > CAUGHT_UP_S:
            raise Trouble(f"the store did not catch up within {CAUGHT_UP_S:.0f} s")
        time.sleep(POLL_S)
    return time.monotonic() - began


def check(data: Path, acknowledged: int, *, exactly: bool = False) -> str:
    """Compare what was acknowledged with what is kept, which may be more unless `exactly`. Raises Trouble where it does not fit.

    What a generator sent just before it stopped counting may be kept too.
    """
    with contextlib.closing(engines.read_store(data)) as reader:
        totals = reader.name_totals(1)
    kept, copies = sum(total.count for total in totals), sum(total.duplicates for total in totals)
    if kept < acknowledged or copies or (exactly and kept != acknowledged):
        raise Trouble(f"{acknowledged:,} events were acknowledged, {kept:,} are kept, and {copies:,} came twice")
    return f"Acknowledged: {acknowledged:,} events; kept: {kept:,}; none twice."
