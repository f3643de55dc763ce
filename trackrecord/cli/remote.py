"""A running server as the place an import goes to: requests of up to 2,000 lines, sent again until they are answered."""

import asyncio
import os
import time
from collections.abc import Callable, Sequence
from typing import Any

import httpx
import msgspec

from ..errors import TrackrecordError, Unauthorized, Unavailable
from ..imports import LINES_MAX, Refused, Taken

BODY_BYTES = (1 << 20) - 4096  # of one request; a server takes a mebibyte unless it is told otherwise
PAUSES_S = (0.25, 0.5, 1.0, 2.0, 4.0, 8.0, 15.0)  # between tries; the last one repeats
ANSWER_S = 120.0  # a server may be busy folding what it has

_decode_taken = msgspec.json.Decoder(Taken).decode


class ServerAway(Unavailable):
    """The server did not answer, or not with what was asked, for as long as we were to try."""


class ServerRefuses(TrackrecordError):
    """The server answers, and will never take this from us."""


class Remote:
    """`tell` hears why we wait. Lines that may have been kept by a request whose answer was lost are counted in `sent_again`."""

    def __init__(self, url: str, token: str, noun: str, *, retry_for_s: float, tell: Callable[[str], None]) -> None:
        self.url = url.rstrip("/")
        self.lines_max, self.bytes_max, self.longest = LINES_MAX, BODY_BYTES, BODY_BYTES
        self.together = 1  # requests at once: more could change the order of lines, and with it which copy of an event is the first
        self.sent_again = 0
        self._path = f"{self.url}/-/api/import/{noun}"
        self._retry_for_s = retry_for_s
        self._tell = tell
        self._http = httpx.AsyncClient(
            headers={"Authorization": f"Bearer {token}", "Content-Type": "application/x-ndjson"},
            timeout=httpx.Timeout(ANSWER_S, connect=10.0),
        )

    async def __aenter__(self) -> "Remote":
        return self

    async def __aexit__(self, *exc: object) -> None:
        await self._http.aclose()

    async def take(self, lines: Sequence[bytes]) -> Taken:
        """Raises ServerAway when trying again later may work, and ServerRefuses or Unauthorized when it will not."""
        since, tries, uncertain = time.monotonic(), 0, False
        while True:
            retry_after_s = None
            try:
                response = await self._http.post(self._path, content=b"\n".join(lines))
            except (httpx.ConnectError, httpx.ConnectTimeout) as error:
                trouble = f"{self.url} cannot be reached ({words(error)})"
            except httpx.TransportError as error:
                uncertain, trouble = True, f"{self.url} did not answer ({words(error)})"
            except (httpx.InvalidURL, httpx.UnsupportedProtocol) as error:
                raise ServerRefuses(f"{self.url} is no address of a server: {error}") from None
            else:
                if response.status_code == 200:
                    if uncertain:
                        self.sent_again += len(lines)
                    return self._answer(response)
                if response.status_code == 413:
                    return await self._smaller(lines)
                if response.status_code != 429 and response.status_code < 500:
                    raise self._refusal(response)
                uncertain = uncertain or response.status_code != 429
                trouble = f"{self.url} answers {response.status_code} ({message_of(response)})"
                retry_after_s = seconds(response.headers.get("retry-after"))
            left_s = self._retry_for_s - (time.monotonic() - since)
            if left_s <= 0:
                raise ServerAway(f"{trouble}; tried for {self._retry_for_s:g} s")
            pause_s = retry_after_s if retry_after_s is not None else min(PAUSES_S[min(tries, len(PAUSES_S) - 1)], left_s)
            if tries >= 2:
                self._tell(f"{trouble}; trying again for up to {left_s:.0f} s")
            tries += 1
            await asyncio.sleep(pause_s)

    def _answer(self, response: httpx.Response) -> Taken:
        try:
            return _decode_taken(response.content)
        except msgspec.DecodeError:
            raise ServerRefuses(f"{self.url} does not answer as a Trackrecord server does: is the address right?") from None

    async def _smaller(self, lines: Sequence[bytes]) -> Taken:
        """The server takes less at once than we sent. One line that is too much alone is refused."""
        if len(lines) == 1:
            return Taken(0, 0, [Refused(1, "parameter_invalid", "the line is longer than the server takes (its setting body_max_bytes)")])
        self.bytes_max = max(1024, sum(map(len, lines)) // 2)
        half = len(lines) // 2
        first, second = await self.take(lines[:half]), await self.take(lines[half:])
        later = [msgspec.structs.replace(row, line=row.line + half) for row in second.refused]
        ignored = list(dict.fromkeys(first.ignored + second.ignored))
        return Taken(first.new + second.new, first.duplicate + second.duplicate, first.refused + later, ignored)

    def _refusal(self, response: httpx.Response) -> TrackrecordError:
        status = response.status_code
        if status == 401:
            return Unauthorized(f"{self.url} does not know this access token: give a valid one with --token or TRACKRECORD_TOKEN")
        if status == 403:
            return ServerRefuses(f"{self.url} refuses this access token: {message_of(response)}")
        if status == 404:
            return ServerRefuses(f"{self.url} has no import: is it the address of a Trackrecord server?")
        return ServerRefuses(f"{self.url} answers {status}: {message_of(response)}")


def message_of(response: httpx.Response) -> str:
    try:
        found: Any = response.json()["errors"][0]["message"]
    except (ValueError, KeyError, IndexError, TypeError):
        return response.reason_phrase
    return str(found)


def seconds(header: str | None) -> float | None:
    return float(header) if header is not None and header.isascii() and header.isdigit() else None


def words(error: httpx.TransportError) -> str:
    """What the system says, where it does: `connection refused`."""
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, OSError) and cause.errno:
            return os.strerror(cause.errno).lower()
        cause = cause.__cause__ or cause.__context__
    return str(error).lower() or type(error).__name__
