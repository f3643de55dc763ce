"""Heads that the parser takes and we refuse: what a proxy in front could read in another way than we do."""

import re
from collections.abc import Sequence

from ..errors import ParameterInvalid

VERSIONS = ("1.1", "1.0")  # the parser knows 0.9 and 2.0 too
# Headers that decide, and that a request has once: of two, one reader takes the first and another the last (RFC 9110, 5.3).
ONCE = {
    b"host": "Host",
    b"authorization": "Authorization",
    b"transfer-encoding": "Transfer-Encoding",
    b"content-type": "Content-Type",
    b"content-encoding": "Content-Encoding",
    b"intercom-version": "Intercom-Version",
}
# Behind a body these would still change how the parser goes on; it refuses lengths and encodings there itself.
NO_TRAILER = (b"connection", b"proxy-connection", b"upgrade")
_PATH = re.compile(rb"[/?#]")


def origin_form(target: bytes) -> bytes:
    """A request's target without scheme and authority, whosever they are: clients send whole addresses (RFC 9112, 3.2.2)."""
    scheme, mark, rest = target.partition(b"://")
    if not mark or scheme.lower() not in (b"http", b"https"):
        return target
    found = _PATH.search(rest)
    path = rest[found.start() :] if found else b""
    return path if path.startswith(b"/") else b"/" + path


def unclear(method: bytes, target: bytes, version: str, headers: Sequence[tuple[bytes, bytes]]) -> ParameterInvalid | None:
    """Why a head has more than one meaning; None where it has one. Header names are in lower case."""
    if version not in VERSIONS:
        return ParameterInvalid(f"this server speaks HTTP/1.1, not HTTP/{version}", field="request")
    if method == b"CONNECT":  # nobody agrees on whether it has a body, and so on where the next request begins
        return ParameterInvalid("this server is no proxy, and has no CONNECT", field="method")
    path = origin_form(target)
    if b"#" in path or not (path.startswith(b"/") or path == b"*"):
        return ParameterInvalid("the request's target must be a path or a whole http address, without a fragment", field="request")
    names = [name for name, _ in headers]
    for name, shown in ONCE.items():
        if names.count(name) > 1:
            return ParameterInvalid(f"a request must have one {shown} header", field=shown)
    coding = dict(headers).get(b"transfer-encoding")
    if coding is not None and (version != "1.1" or coding.strip().lower() != b"chunked"):
        return ParameterInvalid("Transfer-Encoding may be chunked and nothing else, in HTTP/1.1", field="Transfer-Encoding")
    return None
