"""The API, asked in the process by a page for whoever looks at it: the same handlers, the same rules, the same answers."""

import shlex
from collections.abc import AsyncIterator, Mapping
from typing import Any, NamedTuple
from urllib.parse import urlencode

import msgspec

from ..http.auth import Access
from ..http.call import Answer, Asked
from ..wire.cursors import PER_PAGE_MAX
from ..wire.json import encode

Query = Mapping[str, Any]


class ApiCall(NamedTuple):
    """What a page asked, so that it can be asked by hand. `body` is JSON, or None."""

    method: str
    target: str  # the path with its query
    body: Any = None

    def curl(self, base_url: str) -> str:
        """As a command; the token stands in the variable TOKEN."""
        parts = ["curl -s"]
        if self.method not in ("GET", "POST") or (self.method == "POST" and self.body is None):
            parts.append(f"-X {self.method}")
        parts.append(shlex.quote(base_url + self.target))
        parts.append('-H "Authorization: Bearer $TOKEN"')
        if self.body is not None:
            parts.append("-H 'Content-Type: application/json'")
            parts.append("-d " + shlex.quote(encode(self.body).decode()))
        return " \\\n  ".join(parts)


class Reply(NamedTuple):
    """What the API answered, decoded, and the call that gets it. Everything in `data` may have been written by a stranger."""

    status: int
    data: Any
    call: ApiCall

    @property
    def following(self) -> str | None:
        """The cursor of the next page of a list; None on the last."""
        found: str | None = self.data["pages"].get("next", {}).get("starting_after")
        return found


class Api:
    """One request's view of the API: with the scopes of a role, in one workspace."""

    def __init__(self, asked: Asked, access: Access) -> None:
        self._asked = asked
        self._access = access

    async def get(self, path: str, query: Query | None = None) -> Reply:
        """Raises what the API would answer as an error. Values of None are left out of the query, and a list is repeated."""
        return await self.ask("GET", path, query)

    async def pages(self, path: str, query: Query) -> AsyncIterator[list[dict[str, Any]]]:
        """All that a list has, page by page, each when it is asked for."""
        after = None
        while True:
            reply = await self.get(path, {**query, "per_page": PER_PAGE_MAX, "starting_after": after})
            yield reply.data["data"]
            after = reply.following
            if after is None:
                return

    async def every(self, path: str, query: Query) -> list[dict[str, Any]]:
        """All that a list has, where it cannot be long."""
        return [each async for page in self.pages(path, query) for each in page]

    async def post(self, path: str, body: Any = None, *, query: Query | None = None) -> Reply:
        return await self.ask("POST", path, query, body)

    async def put(self, path: str, body: Any) -> Reply:
        return await self.ask("PUT", path, None, body)

    async def delete(self, path: str, body: Any = None) -> Reply:
        return await self.ask("DELETE", path, None, body)

    async def ask(self, method: str, path: str, query: Query | None = None, body: Any = None) -> Reply:
        call = ApiCall(method, target(path, query), body)
        answer = await self.raw(call)
        content = await _whole(answer)
        is_json = not any(name == b"content-type" and not value.startswith(b"application/json") for name, value in answer.headers)
        return Reply(answer.status, msgspec.json.decode(content) if content and is_json else content, call)

    async def raw(self, call: ApiCall) -> Answer:
        """The answer as the handler gave it, for what is handed on as it is: a CSV, a stream."""
        body = b"" if call.body is None else encode(call.body)
        answer: Answer = await self._asked.services.app.ask(self._asked, self._access, call.method, call.target, body)
        return answer


def target(path: str, query: Query | None) -> str:
    pairs = {name: value for name, value in (query or {}).items() if value is not None}
    return f"{path}?{urlencode(pairs, doseq=True)}" if pairs else path


async def _whole(answer: Answer) -> bytes:
    body = answer.body
    if body is None or isinstance(body, bytes):
        return body or b""
    if isinstance(body, AsyncIterator):
        return b"".join([piece async for piece in body])
    return encode(body)
