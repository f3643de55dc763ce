"""Rounds with a crowd of clients that are slow, idle or deaf, or send far ahead, while others are served as ever."""

import contextlib
import itertools
import os
import signal
import socket
from urllib.parse import urlsplit

from .flood import people
from .overload import bound_mb, descriptors, most_mb, one_more
from .server import TOKEN, Client, until
from .world import World

IDLE, SLOW, DEAF = 3_000, 100, 20
PATIENCE_S = 3.0  # of the server, for heads, bodies and whoever does not read
BODIES_MAX_MB = 8
EVENTS = 400  # acknowledged to others beside the crowd
ANSWER_S = 20.0
AHEAD = 200  # requests that one sends ahead, of half a kilobyte each
ANSWER = b"HTTP/1.1 "

POST = b"POST /events HTTP/1.1\r\nHost: crowd\r\nAuthorization: Bearer %b\r\n" % TOKEN.encode()
LIVES = b"GET /-/health?check=live HTTP/1.1\r\nHost: crowd\r\n\r\n"
PADDED = LIVES[:-2] + b"X-Padding: " + b"x" * 430 + b"\r\n\r\n"
PAGE = b"GET /-/openapi.json HTTP/1.1\r\nHost: crowd\r\n\r\n"
LIST = b"GET /events?type=user&user_id=flood-1000 HTTP/1.1\r\nHost: crowd\r\nAuthorization: Bearer %b\r\n\r\n" % TOKEN.encode()
# What slow ones have sent, and what they go on with, byte by byte; and the status that tells them off.
SLOWNESS = {
    "a head": (b"POST /eve", b"n", b"408"),
    "a body": (POST + b"Content-Length: 100000\r\n\r\n{", b" ", b"408"),
    "a body in chunks": (POST + b"Transfer-Encoding: chunked\r\n\r\n", b"1\r\n \r\n", b"408"),
}


class Crowd:
    """Sockets by what they are; all are closed when the block ends."""

    def __init__(self, url: str) -> None:
        address = urlsplit(url)
        self._address = (address.hostname, address.port)
        self._stack = contextlib.ExitStack()

    def __enter__(self) -> "Crowd":
        return self

    def __exit__(self, *exc: object) -> None:
        self._stack.close()

    def join(self, sent: bytes) -> socket.socket:
        one = self._stack.enter_context(socket.create_connection(self._address, timeout=ANSWER_S))
        one.sendall(sent)
        return one

    def deaf(self) -> socket.socket:
        """Asks for far more than it and the system take in, and reads nothing."""
        one = self._stack.enter_context(socket.socket())
        one.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        one.settimeout(ANSWER_S)
        one.connect(self._address)
        one.sendall(PAGE * 60)
        return one


def slow_clients(world: World, *, idle: int = IDLE) -> None:
    """Thousands that only keep their connections, and hundreds that send byte by byte or never read. Others notice nothing."""
    descriptors(idle + 3 * SLOW + DEAF + 500)
    most = idle + 3 * SLOW + DEAF + 50
    server = world.start(
        f"connections_max={most}", f"body_timeout_s={PATIENCE_S}", f"answer_timeout_s={PATIENCE_S}", f"bodies_max_mb={BODIES_MAX_MB}"
    )
    with Crowd(server.url) as crowd:
        idlers = [crowd.join(LIVES) for _ in range(idle)]
        if not all(_lives(one) for one in idlers):
            world.oracle.found("answers", "who connects and keeps its connection is not answered")
        slow = [(crowd.join(sent), more, status) for sent, more, status in itertools.chain(*([each] * SLOW for each in SLOWNESS.values()))]
        deaf = [crowd.deaf() for _ in range(DEAF)]
        world.fault()
        world.load.start(server.url)
        before = world.oracle.acknowledged
        while world.load.running and world.oracle.acknowledged < before + EVENTS:
            for one, more, _ in slow:
                with contextlib.suppress(OSError):
                    one.sendall(more)
            world.load.for_events(20)
        if world.oracle.acknowledged < before + EVENTS or world.oracle.refusals:
            world.oracle.found("answers", f"beside slow clients {world.oracle.refusals} requests were refused")
        for one, _, status in slow:
            if not (told := _told(one)).startswith(b"HTTP/1.1 " + status):
                world.oracle.found("answers", f"who sends byte by byte is told {told[:60]!r}, not {status!r}")
        for one in deaf:
            until(lambda one=one: _is_gone(one))
        for one in idlers[::100]:
            one.sendall(LIVES)
            if not _lives(one):
                world.oracle.found("answers", "an idle connection is answered no more")
        if (memory := most_mb(server)) > (bound := bound_mb(connections=most, bodies_max_mb=BODIES_MAX_MB)):
            world.oracle.found("answers", f"with {most} connections {memory:.0f} MB were resident, more than {bound:.0f}")
    world.judge()


def _lives(one: socket.socket) -> bool:
    """Whether its next answer, which must come whole, is a yes."""
    told = b""
    while not told.endswith(b"}") and (piece := one.recv(4096)):
        told += piece
    return told.startswith(b"HTTP/1.1 200")


def _told(one: socket.socket) -> bytes:
    """What it is answered, until the server ends the connection."""
    told = b""
    with contextlib.suppress(OSError):
        while piece := one.recv(4096):
            told += piece
    return told


def _is_gone(one: socket.socket) -> bool:
    """Whether the server has reset the connection. What was answered stays unread."""
    one.setblocking(False)
    try:
        one.send(b"\r\n")
    except BlockingIOError:
        return False
    except OSError:
        return True
    return False


def sent_ahead(world: World, *, clients: int = 200) -> None:
    """Many that send ahead behind a question that waits for the store: what they sent has a bound together, and others are served."""
    server = world.start(f"bodies_max_mb={BODIES_MAX_MB}", f"read_wait_s={ANSWER_S}")
    (person,) = people(server.url, world.oracle, 1)
    os.kill(server.store_pid, signal.SIGSTOP)
    one_more(world, person, shown=False)  # so that the store is behind, and the question waits
    world.fault()
    with Crowd(server.url) as crowd:
        many = [crowd.join(LIST + PADDED * AHEAD) for _ in range(clients)]
        with Client(server.url) as client:
            for _ in range(20):
                if (status := client.ask("GET", "/me")[0]) != 200:
                    world.oracle.found("answers", f"beside those who send ahead others are answered {status}")
        os.kill(server.store_pid, signal.SIGCONT)
        told = [_answers(one) for one in many]
    refused = [answers for answers in told if len(answers) <= AHEAD]
    if any(not answers[-1].startswith(b"503") or b"\r\nretry-after: 2" not in answers[-1] for answers in refused):
        world.oracle.found("answers", "a connection that sent ahead ends without a word")
    if not refused or len(refused) == clients:
        world.oracle.found("answers", f"of {clients} that sent more ahead than has room, {len(refused)} were refused")
    if (memory := most_mb(server)) > (bound := bound_mb(connections=clients, bodies_max_mb=BODIES_MAX_MB)):
        world.oracle.found("answers", f"while {clients} sent ahead {memory:.0f} MB were resident, more than {bound:.0f}")
    world.judge()


def _answers(one: socket.socket) -> list[bytes]:
    """From the status on, of a connection that sent ahead: all of them, or until the server ends it."""
    told = b""
    with contextlib.suppress(ConnectionError):
        while told.count(ANSWER) <= AHEAD and (piece := one.recv(1 << 16)):
            told += piece
    return told.split(ANSWER)[1:]
