"""Routes of the server itself."""

from typing import Any

from ..api import docs, health
from .route import Param, Route

ROUTES: tuple[Route, ...] = (
    Route(
        "GET",
        "/-/health",
        health.get_health,
        "Whether the server lives and is ready, and why not",
        "Server",
        response=health.Health,
        params=(Param("check", "live: answer 200 whenever the server can answer at all"),),
        errors={503: "not ready: reasons say why"},
        open=True,
    ),
    Route("GET", "/-/openapi.json", docs.get_openapi, "This API as an OpenAPI 3.1 document", "Server", response=dict[str, Any], open=True),
    Route("GET", "/-/docs", docs.get_docs, "This API as a page to read", "Server", response=bytes, open=True),
    Route("GET", "/", docs.get_root, "Sends a browser to the dashboard", "Server", status=302, open=True),
)
