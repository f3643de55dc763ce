"""What browsers ask for: the script, and to take what it delivers. No token: a page could keep none secret."""

from ...errors import NotFound
from ...messenger.script import script
from ..call import Answer, Asked

JAVASCRIPT = (b"content-type", b"text/javascript; charset=utf-8")
SHORT = (b"cache-control", b"public, max-age=300, stale-while-revalidate=86400")  # a new version is in use everywhere minutes later
FOR_EVER = (b"cache-control", b"public, max-age=31536000, immutable")
NOSNIFF = (b"x-content-type-options", b"nosniff")


async def get_widget(asked: Asked) -> Answer:
    """GET /widget/{app_id}: the script, for whichever workspace the page names."""
    found = script()
    headers = (JAVASCRIPT, SHORT, NOSNIFF, (b"etag", found.etag), (b"sourcemap", f"/messenger/static/{found.name}.map".encode()))
    if found.etag in [each.strip().removeprefix(b"W/") for each in asked.headers.get(b"if-none-match", b"").split(b",")]:
        return Answer(status=304, headers=headers[1:])
    return Answer(found.content, headers=headers)


async def get_static(asked: Asked) -> Answer:
    """GET /messenger/static/{name}: the script under a name that changes with it, and its source map."""
    found = script()
    if asked.path["name"] == found.name:
        return Answer(found.content, headers=(JAVASCRIPT, FOR_EVER, NOSNIFF))
    if asked.path["name"] == f"{found.name}.map":
        return Answer(found.source_map, headers=((b"content-type", b"application/json"), FOR_EVER, NOSNIFF))
    raise NotFound(field="name", cause="this is no file of the script as it is now")


async def deliver(asked: Asked) -> Answer:
    """POST /messenger/{app_id}/deliveries. 200 once every event that is kept is on stable storage; results say what became of each."""
    origin = asked.headers.get(b"origin")
    answer = await asked.services.messenger.take(
        asked.path["app_id"],
        asked.body,
        origin=None if origin is None else origin.decode("latin-1"),
        agent=asked.headers.get(b"user-agent", b"").decode("latin-1"),
        address=asked.client or "",
    )
    return Answer(answer)


async def preflight(asked: Asked) -> Answer:
    """OPTIONS of the same, for pages that send JSON as such; the script has no need to ask."""
    allowed = ((b"access-control-allow-methods", b"POST"), (b"access-control-allow-headers", b"content-type"))
    private = ((b"access-control-allow-private-network", b"true"),) if b"access-control-request-private-network" in asked.headers else ()
    return Answer(status=204, headers=(*allowed, (b"access-control-max-age", b"86400"), *private))
