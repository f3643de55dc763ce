"""Whether the server lives and can do its whole work."""

import msgspec

from ... import __version__
from ..call import Answer, Asked


class Health(msgspec.Struct):
    """`ready` is false while something is amiss; `reasons` say what, in plain sentences."""

    status: str
    live: bool
    ready: bool
    reasons: list[str]
    version: str


async def get_health(asked: Asked) -> Answer:
    """GET /-/health: 200 when ready, 503 with the reasons when not; with ?check=live 200 whenever it can answer at all."""
    reasons = asked.services.troubles()
    body = Health("ok" if not reasons else "not ready", True, not reasons, reasons, __version__)
    if reasons and asked.param("check") != "live":
        return Answer(body, 503, ((b"retry-after", b"2"),))
    return Answer(body)
