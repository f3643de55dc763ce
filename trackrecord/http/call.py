"""What a handler is given, and what it gives back."""

from collections.abc import Awaitable, Callable, Sequence
from typing import Any, NamedTuple, Protocol

from ..directory import Directory
from ..ingest import Ingest, Reads
from ..rules.directory import Token, Workspace
from ..rules.profiles import Profile
from ..rules.versions import Version
from ..settings import Settings


class Answer(NamedTuple):
    """`body` is encoded as JSON, but for bytes, which go as they are; None sends zero bytes and no Content-Type."""

    body: Any = None
    status: int = 200
    headers: tuple[tuple[bytes, bytes], ...] = ()


class Services(Protocol):
    """Everything opened by server.py that handlers reach for."""

    @property
    def directory(self) -> Directory: ...

    @property
    def ingest(self) -> Ingest: ...

    @property
    def reads(self) -> Reads: ...

    @property
    def settings(self) -> Settings: ...

    @property
    def profile(self) -> Profile: ...

    def now(self) -> float:
        """Unix seconds, by the server's clock."""

    async def in_thread(self, function: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        """Run blocking work beside the event loop."""

    async def at_gate(self, function: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        """As in_thread, in threads that only tokens, contacts and names are looked up in: no slow read stands before an event."""

    def troubles(self) -> list[str]:
        """Why the server cannot do its whole work now; empty when it can."""


class Asked:
    """One request that anybody may make. Query parameters keep their order and their repetitions."""

    __slots__ = ("base_url", "body", "path", "query", "request_id", "services", "version")

    def __init__(
        self,
        *,
        services: Services,
        version: Version,
        base_url: str,
        request_id: str,
        path: dict[str, str],
        query: Sequence[tuple[str, str]],
        body: bytes,
    ) -> None:
        self.services = services
        self.version = version
        self.base_url = base_url  # scheme and authority the client used, no trailing slash
        self.request_id = request_id
        self.path = path
        self.query = query
        self.body = body

    @property
    def profile(self) -> Profile:
        return self.services.profile

    def now(self) -> int:
        """Whole Unix seconds, by the server's clock."""
        return int(self.services.now())

    def param(self, name: str) -> str | None:
        """The last value of a query parameter; None when it is absent."""
        return next((value for key, value in reversed(self.query) if key == name), None)


class Call(Asked):
    """One request with a good token."""

    __slots__ = ("token", "workspace")

    def __init__(self, *, workspace: Workspace, token: Token, **asked: Any) -> None:
        super().__init__(**asked)
        self.workspace = workspace
        self.token = token


Handler = Callable[[Any], Awaitable[Answer]]
