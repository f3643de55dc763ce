"""The ASGI application: POST /events takes the fast lane, everything else the routes."""

import logging
import time
from collections.abc import AsyncIterator, MutableMapping, Sequence
from typing import Any
from urllib.parse import parse_qsl, unquote

from starlette.routing import Match, Router
from starlette.routing import Route as StarletteRoute

from ..errors import (
    ContactMerged,
    ContactNotFound,
    NotFound,
    ParameterInvalid,
    RequestError,
    TrackrecordError,
)
from ..journal.commit import Kept
from ..rules import versions
from ..rules.versions import Version
from ..wire.json import encode
from . import bodies, errors
from .addresses import Addresses
from .auth import Access, Auth, allow
from .bodies import Headers, Held, Receive, Room, Send
from .call import Answer, Asked, Call, Services
from .fastlane import FastLane
from .limits import Limiter, RequestIds
from .notes import Notes, Watched
from .routes import ROUTES, Route
from .routes.route import OURS

log = logging.getLogger("trackrecord.http")

Scope = MutableMapping[str, Any]
QUERY_PARAMS_MAX = 100
SAID_MAX = 100
INSIDE_VERSION = "2.14"  # what the dashboard speaks
# Nothing that a page sends here is sent with cookies, so letting it read the answer gives nothing away.
PAGES_HEADERS = (
    (b"access-control-allow-origin", b"*"),
    (b"access-control-expose-headers", b"retry-after, x-request-id"),
    (b"cross-origin-resource-policy", b"cross-origin"),
)


class App:
    """Every answer passes through here, so that every one has its headers and no error has another shape than error.list."""

    def __init__(self, services: Services, routes: Sequence[Route] = ROUTES) -> None:
        settings = services.settings
        self._services = services
        self._settings = settings
        self._auth = Auth(services.directory, services.at_gate, in_thread=services.in_thread, now=services.now)
        self._addresses = Addresses(public_url=settings.public_url, trusted_proxies=settings.trusted_proxies)
        self._ids = RequestIds()
        self.room = Room(settings.bodies_max_mb << 20)  # protocol.py's too
        profile = services.profile
        self._limiter = Limiter(per_token=profile.rate_limit_per_minute, per_workspace=profile.rate_limit_workspace_per_minute)
        self._notes = Notes(services, self._auth, self._addresses)
        self._default = versions.served(None, default=settings.default_version, newer=True)
        self._said: set[tuple[str, ...]] = set()
        self.again = 0  # events of the fast lane whose heads were known: see flights.py
        self.lane = FastLane(services, self._auth, self._limiter, request_id=self._ids.next, version=self._version, noted=self._notes.every)
        by_path: dict[str, dict[str, list[Route]]] = {}
        for route in routes:
            by_path.setdefault(route.path, {}).setdefault(route.method, []).append(route)
        # Paths without parameters stand first, so that /contacts/search is never the contact "search".
        paths = sorted(by_path, key=lambda path: "{" in path)
        self._slashed = tuple(path.partition("{")[0] for path in paths if path.endswith(":path}"))
        self._router = Router([StarletteRoute(path, _Methods(self, by_path[path])) for path in paths], redirect_slashes=False)
        self._router.default = self._unknown_path

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return
        path, raw_path = scope["path"], scope["raw_path"]
        if raw_path.endswith(b"/"):  # and not %2F, which belongs to an id
            path = scope["path"] = path[: len(raw_path.rstrip(b"/")) - len(raw_path)] or "/"
        scope["began"] = time.perf_counter()
        request_id = scope["request_id"] = self._ids.next()
        headers: Headers = [(b"x-request-id", request_id.encode())]
        held = scope["held"] = Held(self.room)
        sent = scope["sent"] = dict(scope["headers"])
        if self._notes.every:
            send = scope["watched"] = Watched(send)
        try:
            if path == "/events" and scope["method"] == "POST":
                await self.lane.create_event(sent, receive, send, headers, self._version(sent, headers), held)
            else:
                scope["answer_headers"] = headers
                # The router would find /me for the path "/me\n", and /-/health for /-%2Fhealth, which a proxy takes for another.
                lost = "\n" in path or (b"%" in raw_path and self._divides(raw_path))
                await (self._unknown_path if lost else self._router)(scope, receive, send)
        except bodies.ClientGone:
            return
        except bodies.BrokenOff as error:
            # Returning without the end of the answer makes uvicorn close the connection, so that nobody takes it for whole.
            log.error("request %s failed after its answer had begun", request_id, exc_info=error.__cause__)
            failure = errors.ServerError(error.__cause__ or error)
            self._notes.answered(scope, headers, failure.status, failure)
        except Exception as error:
            await self._refuse(send, errors.seen(error, request_id), headers, scope)
        else:
            if self._notes.every:
                watched: Watched = scope["watched"]
                self._notes.answered(scope, watched.headers, watched.status)
        finally:
            held.release()

    def _divides(self, raw_path: bytes) -> bool:
        """Whether an encoded slash stands where it would divide a path: anywhere but in what a route takes with its slashes."""
        at = raw_path.lower().find(b"%2f")
        return at >= 0 and not unquote(raw_path[:at].decode("latin-1")).startswith(self._slashed)

    def _version(self, sent: dict[bytes, bytes], headers: Headers) -> Version | TrackrecordError:
        """The version asked for, or the error to answer once the token is known to be good. Adds the echo."""
        asked = sent.get(b"intercom-version")
        if asked is None:
            headers.append((b"intercom-version", self._default.text.encode()))
            return self._default
        try:
            profile = self._services.profile
            version = versions.served(
                asked.decode("latin-1"),
                default=self._settings.default_version,
                newer=profile.newer_versions,
                padded=profile.padded_versions,
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
        ours = routes[0].path == "/" or routes[0].path.startswith(OURS)
        version = self._version({} if ours else sent, headers)
        named = not ours and bool(sent.get(b"intercom-version", b"").strip())
        asked_number = version.number if named and isinstance(version, Version) else None
        route = _fitting(routes, self._default.number if asked_number is None else asked_number, named=asked_number is not None)
        if route.pages:
            headers += PAGES_HEADERS
        asked: dict[str, Any] = {
            "services": self._services,
            "headers": sent,
            "client": self._addresses.client(scope, sent),
            "base_url": self._addresses.base_url(scope, sent),
            "request_id": scope["request_id"],
            "path": scope["path_params"],
        }
        access = None
        if not route.open:
            access = await self._auth.access(sent.get(b"authorization"))
            self._limiter.count(access.token.id, access.workspace.number, self._services.now(), headers)
            allow(access.token, route.need)
        if isinstance(version, TrackrecordError):
            raise version
        versions.available(version, first=route.first, last=route.last, unversioned=route.unversioned and asked_number is None)
        body = b""  # clients send one on GET and DELETE too: it is passed over, whatever it is
        if route.method not in ("GET", "DELETE"):
            limit = max(route.body_max, self._settings.body_max_bytes)
            body = await bodies.read(receive, sent, limit=limit, held=scope["held"], in_thread=self._services.in_thread, forms=route.forms)
        asked |= {"version": version, "query": _query(scope["query_string"]), "body": body}
        call = Asked(**asked) if access is None else Call(workspace=access.workspace, token=access.token, **asked)
        assert route.handler is not None  # noqa: S101 - the fast lane has answered where a row has none
        try:
            answer: Answer = await route.handler(call)
        except ContactMerged as error:
            if versions.has(version, "merged_is_gone"):
                raise
            raise ContactNotFound(field=error.field, cause=error.cause) from None
        scope["failure"], scope["whose"] = answer.failure, answer.whose
        if answer.status >= 400 and not self._notes.every:
            self._notes.answered(scope, headers, answer.status)
        head, gzipped = scope["method"] == "HEAD", bodies.takes_gzip(sent.get(b"accept-encoding"))
        if isinstance(answer.body, AsyncIterator):
            await bodies.stream(
                send,
                receive,
                answer.status,
                [*headers, *answer.headers],
                answer.body,
                head=head,
                gzipped=gzipped,
                in_thread=self._services.in_thread,
            )
            return
        content = answer.body if isinstance(answer.body, bytes) else b"" if answer.body is None else encode(answer.body)
        await bodies.answer(
            send,
            answer.status,
            [*headers, *answer.headers],
            content,
            head=head,
            gzipped=gzipped,
            in_thread=self._services.in_thread,
        )

    async def ask(self, asked: Asked, access: Access, method: str, target: str, body: bytes = b"") -> Answer:
        """What a call answers, asked in the process by whoever answers `asked`: as if it had come with this access, by INSIDE_VERSION;
        where that does not have it, as if no version had been asked for.

        Raises what the handler raises, TokenUnauthorized where the token's scopes do not cover the call, and NotFound for a path
        that is not there. Nothing is counted against a limit.
        """
        path, _, query = target.partition("?")
        scope = {"type": "http", "method": method, "path": unquote(path), "root_path": "", "headers": []}
        for row in self._router.routes:
            match, found = row.matches(scope)
            if match is Match.FULL:
                break
        else:
            raise NotFound(field="path", cause="no route has this path")
        routes = found["endpoint"].rows.get(method, ())
        version = versions.served(INSIDE_VERSION, default=INSIDE_VERSION, newer=True)
        fitting = [route for route in routes if _there(route, version.number, named=True)]
        route = next(iter(fitting), None) or next((route for route in routes if route.unversioned), None)
        if route is None or route.handler is None:
            raise NotFound(field="path", cause=f"{method} {path} is not there in {INSIDE_VERSION}")
        allow(access.token, route.need)
        answer: Answer = await route.handler(
            Call(
                workspace=access.workspace,
                token=access.token,
                services=self._services,
                version=version,
                base_url=asked.base_url,
                request_id=asked.request_id,
                path=found["path_params"],
                query=_query(query.encode()),
                body=body,
                headers={},
                client=asked.client,
            )
        )
        return answer

    async def unknown_method(self, rows: dict[str, list[Route]], scope: Scope, receive: Receive, send: Send) -> None:
        """A method that the path does not have. `rows` are the path's, by method; told are those of the version asked for."""
        version = await self._not_here(scope)
        number = version.number if isinstance(version, Version) else self._default.number
        named = bool(scope["sent"].get(b"intercom-version", b"").strip())
        there = [method for method, routes in rows.items() if any(_there(route, number, named=named) for route in routes)]
        allowed = there or list(rows)  # of a path that another version has
        allowed = sorted([*allowed, *(["HEAD"] if "GET" in allowed else [])])
        scope["answer_headers"].append((b"allow", ", ".join(allowed).encode()))
        raise NotFound(field="method", cause=f"this path has {', '.join(allowed)} and not {scope['method'][:20]}")

    async def _unknown_path(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self._not_here(scope)
        raise NotFound(field="path", cause="no route has this path")

    async def _not_here(self, scope: Scope) -> Version | TrackrecordError:
        """Nobody needs a token to be told that something is not here. Whoever sends a good one has a call less left, and is told so.

        Returns the version asked for, as _version does.
        """
        headers: Headers = scope["answer_headers"]
        version = self._version(scope["sent"], headers)
        try:
            access = await self._auth.access(scope["sent"].get(b"authorization"))
        except RequestError:
            return version
        self._limiter.count(access.token.id, access.workspace.number, self._services.now(), headers)
        return version

    async def _refuse(self, send: Send, error: TrackrecordError, headers: Headers, scope: Scope) -> None:
        errors.name_the_fault(error, scope["method"], scope.get("path_params", {}))
        if error.retry_after_s is not None:
            headers.append((b"retry-after", b"%d" % error.retry_after_s))
        if error.status in (408, 413):
            headers.append((b"connection", b"close"))  # the rest of the body is not wanted
        if isinstance(error, ContactMerged):
            headers.append((b"link", f'<{error.location}>; rel="canonical"'.encode()))
        self._notes.answered(scope, headers, error.status, error)  # first, so that whoever has the answer finds it in the log
        await bodies.answer(send, error.status, headers, errors.body(error, scope["request_id"]), head=scope["method"] == "HEAD")

    def taken(self, sent: dict[bytes, bytes], body: bytes, kept: Kept) -> tuple[str, Headers] | None:
        """What flights.py asks first; see FastLane.taken."""
        return self.lane.taken(sent, body, kept)

    def refused(self, error: TrackrecordError, request_id: str, headers: Headers) -> Any:
        """An application that answers a request of the fast lane whose event could not be kept."""

        async def answering(scope: Scope, receive: Receive, send: Send) -> None:
            scope["began"], scope["request_id"], scope["sent"] = time.perf_counter(), request_id, dict(scope["headers"])
            await self._refuse(send, error, headers, scope)

        return answering

    @property
    def default_version(self) -> str:
        """What stands in Intercom-Version where nothing was asked for, or could be."""
        return self._default.text

    def refused_below(self, error: TrackrecordError, request_id: str, method: str, target: str, client: str | None) -> None:
        """What protocol.py tells of the requests it refuses itself."""
        self._notes.below(error, request_id, method=method, target=target, client=client)


class _Methods:
    """What one path does, by method. HEAD is GET without a body."""

    def __init__(self, app: App, routes: dict[str, list[Route]]) -> None:
        self._app = app
        self.rows = routes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        method = scope["method"]
        routes = self.rows.get("GET" if method == "HEAD" else method)
        if routes is None:
            await self._app.unknown_method(self.rows, scope, receive, send)
        else:
            await self._app.handle(routes, scope, receive, send)


def _fitting(routes: list[Route], number: tuple[int, int], *, named: bool) -> Route:
    """The first route the version has; else the first of all, which then says that it is not there."""
    for route in routes:
        if _there(route, number, named=named):
            return route
    return routes[0]


def _there(route: Route, number: tuple[int, int], *, named: bool) -> bool:
    """Whether a version has the route; `named` when a version was asked for."""
    in_range = (route.first is None or number >= route.first) and (route.last is None or number <= route.last)
    return in_range or (route.unversioned and not named)


def _query(text: bytes) -> list[tuple[str, str]]:
    try:
        return parse_qsl(text.decode("latin-1"), keep_blank_values=True, max_num_fields=QUERY_PARAMS_MAX)
    except ValueError:
        raise ParameterInvalid(f"a query may have at most {QUERY_PARAMS_MAX} parameters", field="query") from None
