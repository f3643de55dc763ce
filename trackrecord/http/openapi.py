"""The OpenAPI document, made from the route table and the wire types."""

import re
from collections.abc import Sequence
from typing import Any

import msgspec

from .. import __version__
from .errors import ErrorList
from .routes import Route

_CONVERTOR = re.compile(r":\w+}")
REF = "#/components/schemas/{name}"
ALWAYS = {400: "the request cannot be read; errors[0] says which field and why"}
WITH_TOKEN = {401: "no access token, or none that is known", 403: "the token lacks the scope"}


def _json(schema: dict[str, Any]) -> dict[str, Any]:
    return {"application/json": {"schema": schema}}


def _responses(route: Route, schemas: dict[Any, dict[str, Any]]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    good: dict[str, Any] = {"description": "done"}
    if route.response is bytes:
        good["content"] = {"text/html": {"schema": {"type": "string"}}}
    elif route.response is not None:
        good["content"] = _json(schemas[route.response])
    if route.status == 202:
        good = {
            "description": "kept on stable storage, or kept before; zero bytes",
            "headers": {
                "Trackrecord-Receipt": {"description": "journal position; ask /-/api/receipts/{position}", "schema": {"type": "integer"}}
            },
        }
    found[str(route.status)] = good
    refusals = {**ALWAYS, **({} if route.open else WITH_TOKEN), **route.errors}
    if route.request is not None:
        refusals |= {
            408: "the body did not arrive in time",
            413: "the body is too large",
            415: "the body is no JSON",
            503: "not kept; send it again later",
        }
    elif not route.open:
        refusals |= {503: "the record is behind; ask again later"}
    for status, meaning in sorted(refusals.items()):
        kind = route.response if route.path == "/-/health" and status == 503 else ErrorList
        found[str(status)] = {"description": meaning, "content": _json(schemas[kind])}
    return found


def document(routes: Sequence[Route]) -> dict[str, Any]:
    """The whole API as OpenAPI 3.1."""
    kinds = [ErrorList]
    for route in routes:
        kinds += [kind for kind in (route.request, route.response) if kind is not None and kind is not bytes]
    unique = list(dict.fromkeys(kinds))
    made, components = msgspec.json.schema_components(unique, ref_template=REF)
    schemas = dict(zip(unique, made, strict=True))
    paths: dict[str, Any] = {}
    for route in routes:
        path = _CONVERTOR.sub("}", route.path)
        operation: dict[str, Any] = {
            "operationId": f"{route.method.lower()}{re.sub('[^A-Za-z]+', '_', path).rstrip('_')}",
            "summary": route.summary,
            "tags": [route.tag],
            "parameters": [
                {"name": each.name, "in": each.place, "required": each.required, "description": each.meaning, "schema": {"type": each.kind}}
                for each in route.params
            ],
            "responses": _responses(route, schemas),
            "security": [] if route.open else [{"bearer": []}, {"basic": []}],
        }
        if route.need is not None:
            operation["x-scope"] = route.need
        if route.request is not None:
            operation["requestBody"] = {"required": route.path != "/events/summaries", "content": _json(schemas[route.request])}
        paths.setdefault(path, {})[route.method.lower()] = operation
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Trackrecord",
            "version": __version__,
            "description": "The record of what a product's customers did. "
            "Paths at the root speak Intercom's wire (REST API 2.14); those under /-/ are ours.",
        },
        "paths": paths,
        "components": {
            "schemas": components,
            "securitySchemes": {
                "bearer": {"type": "http", "scheme": "bearer"},
                "basic": {"type": "http", "scheme": "basic", "description": "the access token as user name, with an empty password"},
            },
        },
    }
