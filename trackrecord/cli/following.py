"""A running server's live stream, read as it comes and connected to again when it is lost."""

import time
from collections.abc import Callable, Iterator, Sequence

import httpx

from ..errors import Unauthorized
from ..wire.live import Read, Reader
from .remote import PAUSES_S, ServerAway, ServerRefuses, message_of, seconds, words

CONNECT_S = 10.0
SILENCE_S = 40.0  # a server says something every 15 s, even when nothing arrives


def follow(url: str, token: str, asked: Sequence[tuple[str, str]], *, tell: Callable[[str], None]) -> Iterator[Read]:
    """Every message but beats, for ever; `tell` hears when the connection is lost, and when it is there again.

    Raises ServerAway when the server is not reached at first, and Unauthorized or ServerRefuses when it will never answer this.
    """
    headers = {"Authorization": f"Bearer {token}", "Accept-Encoding": "identity"}
    connected, lost, tries = False, False, 0
    with httpx.Client(timeout=httpx.Timeout(SILENCE_S, connect=CONNECT_S)) as client:
        while True:
            pause_s: float | None = None
            try:
                with client.stream("GET", f"{url}/-/api/live", params=list(asked), headers=headers) as response:
                    if response.status_code == 200:
                        if lost:
                            tell("connected again")
                        connected, lost, tries = True, False, 0
                        reader = Reader()
                        for piece in response.iter_raw():
                            for message in reader.feed(piece):
                                headers["Last-Event-ID"] = str(message.position)
                                if message.kind != "beat":
                                    yield message
                        trouble = f"{url} ended the stream"
                    else:
                        response.read()
                        trouble, pause_s = _refused(url, response)
            except (httpx.InvalidURL, httpx.UnsupportedProtocol) as error:
                raise ServerRefuses(f"{url} is no address of a server: {error}") from None
            except httpx.TransportError as error:
                trouble = f"the connection to {url} is lost ({words(error)})" if connected else f"{url} cannot be reached ({words(error)})"
            if not connected and pause_s is None:
                raise ServerAway(trouble)
            if not lost:
                tell(f"{trouble}; connecting again until Ctrl-C")
            lost = True
            time.sleep(PAUSES_S[min(tries, len(PAUSES_S) - 1)] if pause_s is None else pause_s)
            tries += 1


def _refused(url: str, response: httpx.Response) -> tuple[str, float]:
    """Why the server does not stream now, and how long to wait. Raises Unauthorized or ServerRefuses where waiting will not help."""
    status, said = response.status_code, message_of(response)
    if status == 401:
        raise Unauthorized(f"{url} does not know this access token: give a valid one with --token or TRACKRECORD_TOKEN")
    if status != 429 and status < 500:
        raise ServerRefuses(f"{url} answers {status}: {said}")
    return f"{url} answers {status} ({said})", seconds(response.headers.get("retry-after")) or PAUSES_S[-1]
