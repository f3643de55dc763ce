"""Which address a client used, so that the links we give it lead back. Source: the contract, 1.1 "URLs we generate"."""

import re
from collections.abc import MutableMapping
from typing import Any

_AUTHORITY = re.compile(r"^[A-Za-z0-9._~\-]+(?::\d{1,5})?$|^\[[0-9A-Fa-f:.]+\](?::\d{1,5})?$", re.ASCII)


class Addresses:
    def __init__(self, *, public_url: str, trusted_proxies: str) -> None:
        self._public_url = public_url.rstrip("/")
        self._trusted = frozenset(part.strip() for part in trusted_proxies.split(",") if part.strip())

    def client(self, scope: MutableMapping[str, Any], headers: dict[bytes, bytes]) -> str | None:
        """The address a request came from: the last that a trusted proxy names, else that of the connection."""
        peer = scope.get("client")
        if peer is None:
            return None
        if self._trusted and ("*" in self._trusted or peer[0] in self._trusted):
            named = headers.get(b"x-forwarded-for", b"").rpartition(b",")[2].strip().decode("latin-1")
            return named or peer[0]
        return str(peer[0])

    def base_url(self, scope: MutableMapping[str, Any], headers: dict[bytes, bytes]) -> str:
        """Scheme and authority, no trailing slash: the configured one, a trusted proxy's, or the Host the client named."""
        if self._public_url:
            return self._public_url
        scheme, host = scope.get("scheme", "http"), headers.get(b"host", b"").decode("latin-1")
        client = scope.get("client")
        if self._trusted and ("*" in self._trusted or (client is not None and client[0] in self._trusted)):
            scheme = headers.get(b"x-forwarded-proto", scheme.encode()).split(b",")[0].strip().decode("latin-1").lower()
            host = headers.get(b"x-forwarded-host", host.encode("latin-1")).split(b",")[0].strip().decode("latin-1")
        if not _AUTHORITY.match(host):
            server = scope.get("server") or ("localhost", None)
            host = f"{server[0]}:{server[1]}" if server[1] else server[0]
        return f"{'https' if scheme == 'https' else 'http'}://{host}"
