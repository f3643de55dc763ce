"""The web interface under /-/ui/: pages that show what the API answers, and nothing else. Loaded with the first request for one."""

from ..http.call import Answer, Asked
from ..http.routes import Route


async def _get(asked: Asked) -> Answer:
    from .serving import serve

    return await serve("GET", asked)


async def _post(asked: Asked) -> Answer:
    from .serving import serve

    return await serve("POST", asked)


# Which pages there are stands in pages.py. They are no part of the API, and in none of its descriptions.
ROUTES: tuple[Route, ...] = (
    Route("GET", "/-/ui", _get, "The dashboard", "Dashboard", response=bytes, open=True),
    Route("GET", "/-/ui/{path:path}", _get, "The dashboard", "Dashboard", response=bytes, open=True),
    Route("POST", "/-/ui/{path:path}", _post, "The dashboard", "Dashboard", response=bytes, open=True, forms=True),
)
