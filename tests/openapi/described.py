"""Answers held to an OpenAPI document: Intercom's, which is 3.0, and ours, which is 3.1 and so JSON Schema as it stands."""

import re
from typing import Any, NamedTuple

import jsonschema_rs

METHODS = ("get", "post", "put", "delete", "patch")


def nameless(path: str) -> str:
    """A path without the names of its parameters: those may differ between two documents of one API."""
    return re.sub(r"\{[^}]*\}", "{}", path)


def plain(schema: Any) -> Any:
    """A schema of OpenAPI 3.0 as JSON Schema: what is nullable may be null; examples and the like are left out."""
    if isinstance(schema, list):
        return [plain(each) for each in schema]
    if not isinstance(schema, dict):
        return schema
    made = {}
    for key, value in schema.items():
        if key == "properties":
            made[key] = {name: plain(each) for name, each in value.items()}
        elif key not in ("nullable", "example", "description", "title", "default", "format", "discriminator", "xml"):
            made[key] = plain(value)
    if not schema.get("nullable"):
        return made
    if isinstance(made.get("type"), str) and not made.keys() & {"allOf", "anyOf", "oneOf", "enum"}:
        return {**made, "type": [made["type"], "null"]}
    return {"anyOf": [{"type": "null"}, made]}


class Fault(NamedTuple):
    """Where an answer is not as described, with * for any place in a list: data/*/email."""

    place: str
    text: str


class Described:
    """The answers that a document describes."""

    def __init__(self, document: dict[str, Any]) -> None:
        self.document = document
        self._old = document["openapi"].startswith("3.0")
        components = document["components"]["schemas"]
        self._components = {name: plain(each) for name, each in components.items()} if self._old else components
        self._operations = {
            (method.upper(), nameless(path)): operation
            for path, operations in document["paths"].items()
            for method, operation in operations.items()
            if method in METHODS
        }

    @property
    def calls(self) -> list[str]:
        """Every operation, as `GET /contacts/{contact_id}`."""
        paths = self.document["paths"].items()
        return [f"{method.upper()} {path}" for path, operations in paths for method in operations if method in METHODS]

    def operation(self, call: str) -> Any:
        """The operation of a call, whatever its parameters are called; None when there is none."""
        method, _, path = call.partition(" ")
        return self._operations.get((method, nameless(path)))

    def statuses(self, call: str) -> dict[int, Any]:
        return {int(status): answer for status, answer in self.operation(call)["responses"].items()}

    def faults(self, call: str, status: int, content_type: str | None, body: Any) -> list[Fault]:
        """What is not as described about an answer. `body` is the JSON, or None for zero bytes."""
        answer = self.statuses(call).get(status)
        if answer is None:
            return [Fault("", f"{status} is not described")]
        content = answer.get("content", {})
        if body is None:
            return [Fault("", "nothing came, and a body is described")] if content else []
        if not content:
            return [Fault("", "a body came, and none is described")]
        kind = (content_type or "").partition(";")[0]
        if kind not in content:
            return [Fault("", f"{kind} is not described")]
        if kind != "application/json":
            return []
        schema = content[kind]["schema"]
        whole = {"components": {"schemas": self._components}, "allOf": [plain(schema) if self._old else schema]}
        return [
            Fault("/".join("*" if isinstance(step, int) else step for step in error.instance_path), error.message)
            for error in jsonschema_rs.Draft202012Validator(whole).iter_errors(body)
        ]
