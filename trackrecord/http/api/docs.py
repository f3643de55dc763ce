"""The API's own description: as OpenAPI, and as a page."""

from functools import cache
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined

from ... import __version__
from ..call import Answer, Asked

HTML = ((b"content-type", b"text/html; charset=utf-8"),)
# The page has no script and asks nobody else for anything.
PAGE_HEADERS = (
    *HTML,
    (
        b"content-security-policy",
        b"default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    ),
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
)


@cache
def _document() -> dict[str, Any]:
    # Imported here because the routes name these handlers.
    from ..openapi import document
    from ..routes import ROUTES

    return document(ROUTES)


@cache
def _page() -> bytes:
    environment = Environment(loader=PackageLoader("trackrecord.http"), autoescape=True, undefined=StrictUndefined, trim_blocks=True)
    document = _document()
    tags: dict[str, list[dict[str, Any]]] = {}
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            tags.setdefault(operation["tags"][0], []).append({"method": method.upper(), "path": path, **operation})
    return environment.get_template("docs.html").render(tags=tags, schemas=document["components"]["schemas"], version=__version__).encode()


async def get_openapi(asked: Asked) -> Answer:
    """GET /-/openapi.json."""
    return Answer(_document())


async def get_docs(asked: Asked) -> Answer:
    """GET /-/docs."""
    return Answer(_page(), headers=PAGE_HEADERS)


async def get_root(asked: Asked) -> Answer:
    """GET /: the dashboard, for whoever types the address alone."""
    return Answer(status=302, headers=((b"location", b"/-/ui/"),))
