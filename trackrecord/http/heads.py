"""Heads that the parser takes and we refuse: what a proxy in front could read in another way than we do."""

import re
from collections.abc import Sequence
from typing import NamedTuple

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
ZERO = ord("0")
_LENGTH = re.compile(rb"\r\ncontent-length: ?([1-9][0-9]{0,8})(?=\r\n)", re.IGNORECASE)
_PATH = re.compile(rb"[/?#]")


def origin_form(target: bytes) -> bytes:
    """A request's target without scheme and authority, whosever they are: clients send whole addresses (RFC 9112, 3.2.2)."""
    scheme, mark, rest = target.partition(b"://")
    if not mark or scheme.lower() not in (b"http", b"https"):
        return target
    found = _PATH.search(rest)
    path = rest[found.start() :] if found else b""
    return path if path.startswith(b"/") else b"/" + path


class Known(NamedTuple):
    """A head that was parsed, by what stands before and behind the digits of its Content-Length."""

    before: bytes
    behind: bytes

    def body(self, piece: bytes | memoryview) -> bytes | None:
        """The body of a request that is `piece` and nothing else and has this head, whatever its length; else None."""
        at = len(self.before)
        if not isinstance(piece, bytes) or not piece.startswith(self.before):
            return None
        end = piece.find(b"\r", at)
        digits, start = piece[at:end], end + len(self.behind)
        if not digits.isdigit() or digits[0] == ZERO or not piece.startswith(self.behind, end) or len(piece) - start != int(digits):
            return None
        return piece[start:]


def known(piece: bytes | memoryview, body: bytes) -> Known | None:
    """The head of a request that is `piece` and nothing else, with the body that the parser has found; None where it is not plain."""
    if not isinstance(piece, bytes) or not piece.endswith(b"\r\n\r\n" + body):
        return None
    head = piece[: len(piece) - len(body)]
    found = _LENGTH.search(head)
    if found is None or int(found[1]) != len(body) or head.count(b"\n") != head.count(b"\r\n"):
        return None
    return Known(head[: found.start(1)], head[found.end(1) :])


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
