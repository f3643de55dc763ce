"""The ASGI application: POST /events takes the fast lane, everything else the routes."""

import asyncio
import contextlib
import logging
from collections.abc import MutableMapping, Sequence
from typing import Any
from urllib.parse import parse_qsl

from starlette.routing import Route as StarletteRoute
from starlette.routing import Router

from ..errors import NotFound, ParameterInvalid, RequestError, TrackrecordError, VersionInvalid
from ..ingest import Services
from ..rules import versions
from ..rules.versions import Version
from ..wire.json import encode
from . import bodies, errors
from .addresses import Addresses
from .auth import Auth, allow
from .bodies import Headers, Receive, Send
from .call import Answer, Asked, Call
from .fastlane import FastLane
from .limits import Counter, RequestIds
from .routes import ROUTES, Route

log = logging.getLogger("trackrecord.http")

Scope = MutableMapping[str, Any]
QUERY_PARAMS_MAX = 100
SAID_MAX = 100
# First parts of paths that ended with API 1.x. Source: the contract, 1.3 and 5.
LEGACY = frozenset({"users", "leads", "bulk", "user_delete_requests"})
FIRST_WITHOUT_LEGACY = (2, 0)


class App:
    """Every answer passes through here, so that every one has its headers and no error has another shape than error.list."""

    def __init__(self, services: Services, routes: Sequence[Route] = ROUTES) -> None:
        settings = services.settings
        self._services = services
        self._settings = settings
        self._auth = Auth(services.directory, services.at_gate)
        self._addresses = Addresses(public_url=settings.public_url, trusted_proxies=settings.trusted_proxies)
        self._ids = RequestIds()
        self._counter = Counter(services.profile.rate_limit_per_minute)
        self._default = versions.served(None, default=settings.default_version, newer=True)
        self._said: set[tuple[str, ...]] = set()
        self._lane = FastLane(services, self._auth, self._counter)
        by_path: dict[str, dict[str, list[Route]]] = {}
        for route in routes:
            by_path.setdefault(route.path, {}).setdefault(route.method, []).append(route)
        # Paths without parameters stand first, so that /contacts/search is never the contact "search".
        paths = sorted(by_path, key=lambda path: "{" in path)
        self._router = Router([StarletteRoute(path, _Methods(self, by_path[path])) for path in paths], redirect_slashes=False)
        self._router.default = self._unknown_path

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return
        path, raw_path = scope["path"], scope["raw_path"]
        if raw_path.endswith(b"/"):  # and not %2F, which belongs to an id
            path = scope["path"] = path[: len(raw_path.rstrip(b"/")) - len(raw_path)] or "/"
        request_id = scope["request_id"] = self._ids.next()
        headers: Headers = [(b"x-request-id", request_id.encode())]
        sent = scope["sent"] = dict(scope["headers"])
        try:
            if path == "/events" and scope["method"] == "POST":
                await self._lane.create_event(sent, receive, send, headers, self._version(sent, headers))
            else:
                scope["answer_headers"] = headers
                # The router would find /me for the path "/me\n".
                await (self._unknown_path if "\n" in path else self._router)(scope, receive, send)
        except bodies.ClientGone:
            return
        except asyncio.CancelledError:
            raise
        except Exception as error:
            await self._refuse(send, errors.seen(error, request_id), headers, request_id, head=scope["method"] == "HEAD")

    def _version(self, sent: dict[bytes, bytes], headers: Headers) -> Version | TrackrecordError:
        """The version asked for, or the error to answer once the token is known to be good. Adds the echo."""
        asked = sent.get(b"intercom-version")
        if asked is None:
            headers.append((b"intercom-version", self._default.text.encode()))
            return self._default
        try:
            version = versions.served(
                asked.decode("latin-1"), default=self._settings.default_version, newer=self._services.profile.newer_versions
            )
        except TrackrecordError as error:
            headers.append((b"intercom-version", self._default.text.encode()))
            return error
        if version.text != asked.decode("latin-1").strip().capitalize():
            self._say_once("version %r was asked for and served as %s", asked.decode("latin-1")[:20], version.text)
        headers.append((b"intercom-version", version.text.encode()))
        return version

    def _say_once(self, text: str, *values: str) -> None:
        """Into the log, but not again for the same values, nor for very many different ones."""
        if values not in self._said and len(self._said) < SAID_MAX:
            self._said.add(values)
            log.info(text, *values)

    async def handle(self, routes: list[Route], scope: Scope, receive: Receive, send: Send) -> None:
        """Authenticate, read, call the handler of the first of these routes that the version has, answer. Errors travel up to __call__."""
        sent: dict[bytes, bytes] = scope["sent"]
        headers: Headers = scope["answer_headers"]
        version = self._version(sent, headers)
        asked_number = None if isinstance(version, TrackrecordError) or b"intercom-version" not in sent else version.number
        route = _fitting(routes, self._default.number if asked_number is None else asked_number, named=asked_number is not None)
        asked: dict[str, Any] = {
            "services": self._services,
            "base_url": self._addresses.base_url(scope, sent),
            "request_id": scope["request_id"],
            "path": scope["path_params"],
        }
        access = None
        if not route.open:
            access = await self._auth.access(sent.get(b"authorization"))
            headers += self._counter.count(access.token.id, self._services.now())
            allow(access.token, route.need)
        if isinstance(version, TrackrecordError):
            if not route.path.startswith("/-/"):
                raise version
            version = self._default
        versions.available(version, first=route.first, last=route.last, unversioned=route.unversioned and asked_number is None)
        body = b""  # clients send one on GET and DELETE too: it is passed over, whatever it is
        if route.method not in ("GET", "DELETE"):
            body = await bodies.read(receive, sent, limit=self._settings.body_max_bytes)
        asked |= {"version": version, "query": _query(scope["query_string"]), "body": body}
        call = Asked(**asked) if access is None else Call(workspace=access.workspace, token=access.token, **asked)
        assert route.handler is not None  # noqa: S101 - the fast lane has answered where a row has none
        answer: Answer = await route.handler(call)
        content = answer.body if isinstance(answer.body, bytes) else b"" if answer.body is None else encode(answer.body)
        await bodies.answer(
            send,
            answer.status,
            [*headers, *answer.headers],
            content,
            head=scope["method"] == "HEAD",
            gzipped=bodies.takes_gzip(sent.get(b"accept-encoding")),
            in_thread=self._services.in_thread,
        )

    async def unknown_method(self, allowed: list[str], scope: Scope, receive: Receive, send: Send) -> None:
        headers: Headers = [*scope["answer_headers"], (b"allow", ", ".join(allowed).encode())]
        await self._not_here(scope, headers)
        await self._refuse(send, NotFound(), headers, scope["request_id"], head=scope["method"] == "HEAD")

    async def _unknown_path(self, scope: Scope, receive: Receive, send: Send) -> None:
        version = await self._not_here(scope, scope["answer_headers"])
        legacy = b"intercom-version" in scope["sent"] and scope["path"].split("/")[1] in LEGACY
        if legacy and isinstance(version, Version) and version.number >= FIRST_WITHOUT_LEGACY:
            raise VersionInvalid(versions.ABSENT_RESOURCE, field="Intercom-Version")
        raise NotFound

    async def _not_here(self, scope: Scope, headers: Headers) -> Version | TrackrecordError:
        """The headers of an answer that nobody needs a token for, but that tells whoever sends one how many calls are left."""
        version = self._version(scope["sent"], headers)
        with contextlib.suppress(RequestError):
            access = await self._auth.access(scope["sent"].get(b"authorization"))
            headers += self._counter.count(access.token.id, self._services.now())
        return version

    async def _refuse(self, send: Send, error: TrackrecordError, headers: Headers, request_id: str, *, head: bool) -> None:
        if error.retry_after_s is not None:
            headers.append((b"retry-after", b"%d" % error.retry_after_s))
        if error.status in (408, 413):
            headers.append((b"connection", b"close"))  # the rest of the body is not wanted
        await bodies.answer(send, error.status, headers, errors.body(error, request_id), head=head)


class _Methods:
    """What one path does, by method. HEAD is GET without a body."""

    def __init__(self, app: App, routes: dict[str, list[Route]]) -> None:
        self._app = app
        self._routes = routes
        self._allowed = sorted([*routes, *(["HEAD"] if "GET" in routes else [])])

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        method = scope["method"]
        routes = self._routes.get("GET" if method == "HEAD" else method)
        if routes is None:
            await self._app.unknown_method(self._allowed, scope, receive, send)
        else:
            await self._app.handle(routes, scope, receive, send)


def _fitting(routes: list[Route], number: tuple[int, int], *, named: bool) -> Route:
    """The first route the version has; else the first of all, which then says that it is not there."""
    for route in routes:
        in_range = (route.first is None or number >= route.first) and (route.last is None or number <= route.last)
        if in_range or (route.unversioned and not named):
            return route
    return routes[0]


def _query(text: bytes) -> list[tuple[str, str]]:
    try:
        return parse_qsl(text.decode("latin-1"), keep_blank_values=True, max_num_fields=QUERY_PARAMS_MAX)
    except ValueError:
        raise ParameterInvalid(f"a query may have at most {QUERY_PARAMS_MAX} parameters") from None
