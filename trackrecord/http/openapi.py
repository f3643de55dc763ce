"""The OpenAPI document, made from the route table and the wire types."""

import re
from collections.abc import Sequence
from functools import reduce
from types import UnionType
from typing import Any, get_args

import msgspec

from .. import __version__
from ..rules.versions import KNOWN, NAMED, NEWEST
from .errors import ErrorList
from .routes import Route
from .routes.route import OURS, V2, Param

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
# What stands in an answer that is no JSON, where it is more than text: of a stream, what each message is.
TEXTS = {
    "text/event-stream": {
        "type": "object",
        "properties": {"event": {"type": "string"}, "id": {"type": "string"}, "data": {"type": "string"}},
        "required": ["data"],
    }
}


def _json(schema: dict[str, Any]) -> dict[str, Any]:
    return {"application/json": {"schema": schema}}


def _responses(route: Route, schemas: dict[Any, dict[str, Any]]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    good: dict[str, Any] = {"description": "done"}
    if route.response is bytes:
        good["content"] = {media: {"schema": TEXTS.get(media, {"type": "string"})} for media in route.media}
    elif route.response is not None:
        good["content"] = _json(schemas[route.response]) | {media: {"schema": {"type": "string"}} for media in route.tables}
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
            415: "the body is a form that is no JSON, or is compressed with something else than gzip",
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


def _version(rows: Sequence[Route]) -> list[dict[str, Any]]:
    """The header that asks for a version, with those the rows are for. What is ours has none."""
    if rows[0].path == "/" or rows[0].path.startswith(OURS):
        return []
    names: set[tuple[int, int]] = set()
    for row in rows:
        first, last = row.first or (V1 if row.last else V2), row.last or NEWEST
        names |= {version for version in KNOWN if first <= version <= last}
    newest = [] if all(row.last for row in rows) else NAMED
    schema = {"type": "string", "enum": [*(f"{major}.{minor}" for major, minor in sorted(names)), *newest]}
    needed = not (UNASKED in names or any(row.unversioned for row in rows))
    return [{"name": "Intercom-Version", "in": "header", "required": needed, "description": "in whose form to answer", "schema": schema}]


def _either(one: Any, other: Any) -> Any:
    """What a version has and what another one has, as one description: the union of the two."""
    if one == other or other is None:
        return one
    if isinstance(one, dict) and isinstance(other, dict):
        if one.keys() & other.keys() & {"schema"}:
            schemas = [each for part in (one["schema"], other["schema"]) for each in part.get("anyOf", [part])]
            return {**one, "schema": {"anyOf": [each for at, each in enumerate(schemas) if each not in schemas[:at]]}}
        return {**other, **{key: _either(value, other.get(key)) for key, value in one.items()}}
    return one


def _operation(rows: Sequence[Route], path: str, schemas: dict[Any, dict[str, Any]]) -> dict[str, Any]:
    """One call as described. Rows that versions tell apart are one call, and the answer is that of either."""
    route = rows[0]
    params: dict[tuple[str, str], Param] = {}
    for row in rows:
        for each in row.params:
            only = f" (up to {'.'.join(map(str, row.last))} alone)" if row.last and len(rows) > 1 else ""
            params.setdefault((each.name, each.place), each._replace(meaning=each.meaning + only))
    operation: dict[str, Any] = {
        "operationId": f"{route.method.lower()}{re.sub('[^A-Za-z]+', '_', path).rstrip('_')}",
        "summary": route.summary,
        "tags": [route.tag],
        "parameters": [
            {"name": each.name, "in": each.place, "required": each.required, "description": each.meaning, "schema": each.schema}
            for each in params.values()
        ]
        + _version(rows),
        "responses": reduce(_either, (_responses(row, schemas) for row in rows)),
        "security": [] if route.open else [{"bearer": []}, {"basic": []}],
    }
    if len(rows) > 1:
        operation["description"] = " ".join(f"Up to {'.'.join(map(str, row.last))}: {row.summary}." for row in rows if row.last)
    if route.need is not None:
        operation["x-scope"] = route.need
    if bodies := [_json(schemas[row.request]) for row in rows if row.request is not None]:
        operation["requestBody"] = {"required": route.path != "/events/summaries", "content": reduce(_either, bodies)}
    return operation


def document(routes: Sequence[Route]) -> dict[str, Any]:
    """The whole API as OpenAPI 3.1."""
    kinds = [kind for route in routes for kind in (route.request, route.response) if kind is not None and kind is not bytes]
    unique = list(dict.fromkeys([ErrorList, *(part for kind in kinds for part in _parts(kind))]))
    made, components = msgspec.json.schema_components(unique, ref_template=REF)
    schemas = dict(zip(unique, made, strict=True))
    schemas |= {kind: {"anyOf": [schemas[part] for part in _parts(kind)]} for kind in kinds if len(_parts(kind)) > 1}
    calls: dict[tuple[str, str], list[Route]] = {}
    for route in routes:
        calls.setdefault((_CONVERTOR.sub("}", route.path), route.method.lower()), []).append(route)
    paths: dict[str, Any] = {}
    for (path, method), rows in calls.items():
        paths.setdefault(path, {})[method] = _operation(rows, path, schemas)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Trackrecord",
            "version": __version__,
            "description": "The record of what a product's customers did. "
            "Paths at the root speak Intercom's wire (REST API 2.14); those under /-/, /messenger/ and /widget/ are ours.",
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
