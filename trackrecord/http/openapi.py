"""The OpenAPI document, made from the route table and the wire types."""

import re
from collections.abc import Sequence
from types import UnionType
from typing import Any, get_args

import msgspec

from .. import __version__
from ..rules.versions import KNOWN, NAMED, NEWEST
from .errors import ErrorList
from .routes import Route
from .routes.route import V2

_CONVERTOR = re.compile(r":\w+}")
V1 = (1, 0)
UNASKED = (2, 14)  # the version served without the header, unless default_version says another
REF = "#/components/schemas/{name}"
ALWAYS = {400: "the request cannot be read; errors[0] says which field and why"}
WITH_TOKEN = {
    401: "no access token, or none that is known",
    403: "the token lacks the scope",
    429: "too many calls in these ten seconds; Retry-After says when to come again",
}


def _json(schema: dict[str, Any]) -> dict[str, Any]:
    return {"application/json": {"schema": schema}}


def _responses(route: Route, schemas: dict[Any, dict[str, Any]]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    good: dict[str, Any] = {"description": "done"}
    if route.response is bytes:
        good["content"] = {media: {"schema": {"type": "string"}} for media in route.media}
    elif route.response is not None:
        good["content"] = _json(schemas[route.response])
    if route.status == 202 and route.response is None:
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


def _parts(kind: Any) -> tuple[Any, ...]:
    """The types of a union one by one: msgspec wants a tag in each where several are objects, and the wire has none."""
    return get_args(kind) if isinstance(kind, UnionType) else (kind,)


def _version(route: Route) -> list[dict[str, Any]]:
    """The header that asks for a version, with those the row is for. What is ours has none."""
    if route.path == "/" or route.path.startswith("/-/"):
        return []
    first, last = route.first or (V1 if route.last else V2), route.last or NEWEST
    names = [f"{major}.{minor}" for major, minor in sorted(KNOWN) if first <= (major, minor) <= last]
    schema = {"type": "string", "enum": names if route.last else [*names, *NAMED]}
    needed = not (first <= UNASKED <= last or route.unversioned)
    return [{"name": "Intercom-Version", "in": "header", "required": needed, "description": "in whose form to answer", "schema": schema}]


def document(routes: Sequence[Route]) -> dict[str, Any]:
    """The whole API as OpenAPI 3.1."""
    kinds = [kind for route in routes for kind in (route.request, route.response) if kind is not None and kind is not bytes]
    unique = list(dict.fromkeys([ErrorList, *(part for kind in kinds for part in _parts(kind))]))
    made, components = msgspec.json.schema_components(unique, ref_template=REF)
    schemas = dict(zip(unique, made, strict=True))
    schemas |= {kind: {"anyOf": [schemas[part] for part in _parts(kind)]} for kind in kinds if len(_parts(kind)) > 1}
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
            ]
            + _version(route),
            "responses": _responses(route, schemas),
            "security": [] if route.open else [{"bearer": []}, {"basic": []}],
        }
        if route.need is not None:
            operation["x-scope"] = route.need
        if route.request is not None:
            operation["requestBody"] = {"required": route.path != "/events/summaries", "content": _json(schemas[route.request])}
        paths.setdefault(path, {}).setdefault(route.method.lower(), operation)  # the first of rows that versions tell apart
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
