"""Reading request bodies within limits, and writing answers."""

import asyncio
import gzip
import zlib
from collections.abc import AsyncIterator, Awaitable, Callable, MutableMapping
from typing import Any

from ..errors import BodyTooLarge, ParameterInvalid, Unavailable, UnsupportedMedia

Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
InThread = Callable[..., Awaitable[Any]]
Headers = list[tuple[bytes, bytes]]

JSON_TYPE = b"application/json; charset=utf-8"
EVENTS_TYPE = b"text/event-stream"  # never compressed: what is to be seen at once must not wait for more to pack it with
GZIP_FROM_BYTES = 860  # shorter bodies gain nothing
GZIP_ASIDE_BYTES = 32 << 10  # longer bodies take long enough to compress that others would notice
ROOM_RETRY_S = 2  # what who sends a body without room for it is told to wait
FORM_TYPES = (b"application/x-www-form-urlencoded", b"multipart/form-data")


class ClientGone(Exception):
    """The client hung up in the middle of its body or of our answer: there is nobody to answer."""


class BrokenOff(Exception):
    """An answer failed after its first byte. It cannot be taken back, so the connection ends without a proper end; see __cause__."""


class Room:
    """How many bytes of bodies, and of requests that wait (pacing.py), may be held at once, of all connections together."""

    def __init__(self, most: int) -> None:
        self.left = most

    def take(self, size: int) -> None:
        """Raises Unavailable where there is no room for so much."""
        if size > self.left:
            raise Unavailable("too much is on its way already; send this again later", retry_after_s=ROOM_RETRY_S)
        self.left -= size

    def give(self, size: int) -> None:
        self.left += size


class Held:
    """What one request or connection has of the room, until it is answered."""

    __slots__ = ("_room", "_size")

    def __init__(self, room: Room) -> None:
        self._room = room
        self._size = 0

    def add(self, size: int) -> None:
        self._room.take(size)
        self._size += size

    def become(self, size: int) -> None:
        """Hold so much in place of what was held."""
        if size > self._size:
            self.add(size - self._size)
        else:
            self._room.give(self._size - size)
            self._size = size

    def release(self) -> None:
        self.become(0)


async def read(
    receive: Receive, headers: dict[bytes, bytes], *, limit: int, held: Held, in_thread: InThread | None = None, forms: bool = False
) -> bytes:
    """The whole body, decompressed. `limit` bounds it on the wire and after decompression; protocol.py bounds the wait for it.

    A long body is decompressed by `in_thread`, so that nobody else waits for it. All of it is held in the room. `forms`: forms too.
    Raises BodyTooLarge, UnsupportedMedia, ParameterInvalid for a broken gzip stream, Unavailable without room, and ClientGone.
    """
    length = headers.get(b"content-length")
    if length is not None and length.isdigit() and int(length) > limit:
        raise _too_large(limit)
    message = await receive()
    body: bytes = message.get("body", b"")
    held.add(len(body))
    if message.get("more_body"):
        body = await _rest(receive, body, limit=limit, held=held)
    elif message["type"] == "http.disconnect":
        raise ClientGone
    if len(body) > limit:
        raise _too_large(limit)
    encoding = headers.get(b"content-encoding")
    if encoding and body:
        packed, coding = body, encoding.strip().lower()
        if in_thread is not None and len(packed) > GZIP_ASIDE_BYTES:
            body = await in_thread(_decompress, packed, coding, limit)
        else:
            body = _decompress(packed, coding, limit)
        held.add(len(body))
    if body and not forms and is_form(headers, body):
        raise UnsupportedMedia(f"send the body as application/json, not {_media(headers).decode()}")
    return body


def _media(headers: dict[bytes, bytes]) -> bytes:
    return headers.get(b"content-type", b"").partition(b";")[0].strip().lower()


def is_form(headers: dict[bytes, bytes], body: bytes) -> bool:
    """Whether a body is a form. curl -d calls JSON so when nobody says otherwise: what looks like JSON is none."""
    return _media(headers) in FORM_TYPES and not body.lstrip().startswith((b"{", b"["))


def _too_large(limit: int) -> BodyTooLarge:
    return BodyTooLarge(f"the body must be at most {limit} bytes")


async def _rest(receive: Receive, start: bytes, *, limit: int, held: Held) -> bytes:
    body = bytearray(start)  # and no list: a body may come byte by byte
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise ClientGone
        part = message.get("body", b"")
        held.add(len(part))
        body += part
        if len(body) > limit:
            raise _too_large(limit)
        if not message.get("more_body"):
            return bytes(body)


def _decompress(body: bytes, encoding: bytes, limit: int) -> bytes:
    if encoding == b"identity":
        return body
    if encoding not in (b"gzip", b"x-gzip"):
        raise UnsupportedMedia(f"Content-Encoding may be gzip, not {encoding.decode('latin-1')[:40]}", field="Content-Encoding")
    stream = zlib.decompressobj(wbits=31)
    try:
        plain = stream.decompress(body, limit + 1)
    except zlib.error:
        raise ParameterInvalid("the body is not valid gzip", field="body") from None
    if len(plain) > limit:
        raise _too_large(limit)
    if not stream.eof:
        raise ParameterInvalid("the body is not valid gzip: it ends too early", field="body")
    if stream.unused_data:
        raise ParameterInvalid("the body is not valid gzip: more follows its end; send one member", field="body")
    return plain


def takes_gzip(header: bytes | None) -> bool:
    """Whether an Accept-Encoding header lists gzip, and not with q=0."""
    if header is None:
        return False
    for part in header.lower().split(b","):
        coding, _, q = part.partition(b";")
        if coding.strip() == b"gzip":
            return q.replace(b" ", b"") not in (b"q=0", b"q=0.0", b"q=0.00", b"q=0.000")
    return False


async def answer(
    send: Send, status: int, headers: Headers, body: bytes, *, head: bool = False, gzipped: bool = False, in_thread: InThread | None = None
) -> None:
    """Send a whole answer. An empty body has no type; `head` sends the headers of the body and not the body.

    A long body is compressed by `in_thread`, so that nobody else waits for it.
    """
    if body:
        if not any(name == b"content-type" for name, _ in headers):
            headers.append((b"content-type", JSON_TYPE))
        if len(body) >= GZIP_FROM_BYTES:
            headers.append((b"vary", b"accept-encoding"))
            if gzipped:
                if in_thread is not None and len(body) > GZIP_ASIDE_BYTES:
                    body = await in_thread(gzip.compress, body, 1, mtime=0)
                else:
                    body = gzip.compress(body, 5, mtime=0)
                headers.append((b"content-encoding", b"gzip"))
    headers.append((b"content-length", b"%d" % len(body)))
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": b"" if head else body})


async def stream(
    send: Send,
    receive: Receive,
    status: int,
    headers: Headers,
    pieces: AsyncIterator[bytes],
    *,
    head: bool,
    gzipped: bool,
    in_thread: InThread,
) -> None:
    """Send an answer piece by piece, each when the client has taken most of those before it. `pieces` is closed in any case.

    What fails before the first piece is raised as it is, and can still be answered. Raises BrokenOff for what fails later, and
    ClientGone once the client has hung up, or has taken nothing for so long that pacing.py ended the connection.
    """
    gone = asyncio.ensure_future(_gone(receive))
    begun = False
    try:
        if not any(name == b"content-type" for name, _ in headers):
            headers.append((b"content-type", JSON_TYPE))
        headers.append((b"vary", b"accept-encoding"))
        gzipped = gzipped and not any(name == b"content-type" and value.startswith(EVENTS_TYPE) for name, value in headers)
        if gzipped:
            headers.append((b"content-encoding", b"gzip"))
        piece = None if head else await _next(pieces, gone)
        await send({"type": "http.response.start", "status": status, "headers": headers})
        begun = True
        packer = zlib.compressobj(1, wbits=31) if gzipped and not head else None
        while piece is not None:
            if packer is not None:
                piece = packer.compress(piece) if len(piece) < GZIP_ASIDE_BYTES else await in_thread(packer.compress, piece)
            if piece:
                await _push(send, piece, more=True)
            piece = await _next(pieces, gone)
        await _push(send, b"" if packer is None else packer.flush(), more=False)
    except ClientGone:
        raise
    except Exception as error:
        if begun:
            raise BrokenOff from error
        raise
    finally:
        gone.cancel()
        if (close := getattr(pieces, "aclose", None)) is not None:
            await close()


async def _next(pieces: AsyncIterator[bytes], gone: "asyncio.Future[None]") -> bytes | None:
    """The next piece; None after the last. Raises ClientGone as soon as the client has hung up, however long the piece takes."""
    coming = asyncio.ensure_future(anext(pieces, None))
    try:
        await asyncio.wait((coming, gone), return_when=asyncio.FIRST_COMPLETED)
    finally:
        if not coming.done():
            coming.cancel()
            await asyncio.wait((coming,))
    if gone.done():
        coming.cancelled() or coming.exception()  # seen, whatever it was: there is nobody to tell
        raise ClientGone
    return coming.result()


async def _push(send: Send, piece: bytes, *, more: bool) -> None:
    try:
        await send({"type": "http.response.body", "body": piece, "more_body": more})
    except RuntimeError as error:  # what uvloop says of a transport that was closed this very moment
        if "Transport" not in str(error):
            raise
        raise ClientGone from None


async def _gone(receive: Receive) -> None:
    """Return when the client has hung up, or the answer is out."""
    while (await receive())["type"] != "http.disconnect":
        pass
