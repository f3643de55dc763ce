"""What a handler is given, and what it gives back."""

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple, Protocol

from ..rules.directory import Token, Workspace
from ..rules.profiles import Profile


class Answer(NamedTuple):
    """`body` is encoded as JSON; None sends zero bytes and no Content-Type."""

    body: Any = None
    status: int = 200
    headers: tuple[tuple[str, str], ...] = ()


class Services(Protocol):
    """Everything opened by server.py that handlers reach for. Attributes are the parts themselves."""

    directory: Any
    ingest: Any
    reads: Any
    settings: Any
    health: Any
    now: Callable[[], float]


class Call:
    """One authenticated request. Query parameters keep their order and their repetitions."""

    __slots__ = ("base_url", "body", "path", "profile", "query", "request_id", "services", "token", "version", "workspace")

    def __init__(
        self,
        *,
        services: Any,
        workspace: Workspace,
        token: Token,
        profile: Profile,
        version: str,
        base_url: str,
        request_id: str,
        path: dict[str, str],
        query: Sequence[tuple[str, str]],
        body: bytes,
    ) -> None:
        self.services = services
        self.workspace = workspace
        self.token = token
        self.profile = profile
        self.version = version
        self.base_url = base_url  # scheme and authority the client used, no trailing slash
        self.request_id = request_id
        self.path = path
        self.query = query
        self.body = body

    def now(self) -> int:
        """Whole Unix seconds, by the server's clock."""
        return int(self.services.now())

    def param(self, name: str) -> str | None:
        """The last value of a query parameter; None when it is absent."""
        found = None
        for key, value in self.query:
            if key == name:
                found = value
        return found
