"""A load on a real server (torture/server.py) for tests that kill it, and what the load was told."""

import contextlib
import threading
from collections import Counter
from typing import Any

from torture.server import DEADLINE_S, GONE, TOKEN, Client, RealServer, children, runs, until

__all__ = ["TOKEN", "Client", "Load", "RealServer", "children", "runs", "until"]
EPOCH = 1_600_000_000  # created_at of the first event of a load


class Sender:
    """One connection's share of a load: a user of its own, distinct events, and now and then an earlier one again."""

    def __init__(self, number: int) -> None:
        self.user_id = f"user-{number}"
        self.sent = 0  # events 0 … sent - 1 have been sent at least once
        self.acknowledged: set[int] = set()
        self.refused: dict[int, int] = {}  # events answered with another status, and with which
        self.unanswered = 0  # requests whose answer never came

    def event(self, n: int) -> tuple[str, int, int]:
        return (f"event-{n % 5}", EPOCH + n // 2, n)  # different names in one second; the same name in the seconds beside

    def submit(self, client: Client, n: int) -> tuple[int, dict[str, str], Any]:
        """Send event n and note the answer, which is returned. Raises OSError or HTTPException when none came."""
        name, created_at, _ = self.event(n)
        self.sent = max(self.sent, n + 1)
        body = {"user_id": self.user_id, "event_name": name, "created_at": created_at, "metadata": {"n": n}}
        try:
            status, headers, answer = client.ask("POST", "/events", body)
        except GONE:
            self.unanswered += 1
            raise
        if status == 202:
            self.acknowledged.add(n)
        else:
            assert answer["type"] == "error.list", answer
            self.refused[n] = status
        return status, headers, answer

    def run(self, url: str, stop: threading.Event) -> None:
        """Send until told to stop, or until the server goes away."""
        with Client(url) as client, contextlib.suppress(*GONE):
            while not stop.is_set():
                n = self.sent
                self.submit(client, n)
                if n % 3 == 0:  # the same again, and one from long before
                    self.submit(client, n)
                    self.submit(client, n // 2)


class Load:
    """Several senders at once, and what all of them were told. Lasts over restarts of the server."""

    def __init__(self, connections: int = 8) -> None:
        self.senders = [Sender(number) for number in range(connections)]
        self._stop = threading.Event()
        self._threads: list[threading.Thread] = []

    @property
    def acknowledged(self) -> int:
        return sum(len(sender.acknowledged) for sender in self.senders)

    @property
    def refused(self) -> Counter[int]:
        """How many events were answered with each other status."""
        return Counter(status for sender in self.senders for status in sender.refused.values())

    @property
    def unanswered(self) -> int:
        return sum(sender.unanswered for sender in self.senders)

    def make_users(self, url: str) -> None:
        with Client(url) as client:
            for sender in self.senders:
                assert client.ask("POST", "/contacts", {"external_id": sender.user_id})[0] == 200

    def start(self, url: str) -> None:
        self._stop.clear()
        self._threads = [threading.Thread(target=sender.run, args=(url, self._stop)) for sender in self.senders]
        for thread in self._threads:
            thread.start()

    def wait_for_more(self, events: int) -> None:
        """Return once so many events more than now are acknowledged."""
        wanted = self.acknowledged + events
        until(lambda: self.acknowledged >= wanted or not any(thread.is_alive() for thread in self._threads))
        assert self.acknowledged >= wanted, f"the senders ended early: {self.unanswered} of them got no answer"

    def stop(self) -> None:
        self._stop.set()
        self.join()

    def join(self) -> None:
        """Wait for the senders to end by themselves, because the server went away."""
        for thread in self._threads:
            thread.join(DEADLINE_S)
        assert not any(thread.is_alive() for thread in self._threads)

    def compare(self, url: str) -> None:
        """Every acknowledged event is there once; nothing is there twice, and nothing that nobody sent or that was refused."""
        with Client(url) as client:
            for sender in self.senders:
                found = client.everything(sender.user_id)
                assert len(found) == len(set(found))
                acknowledged = {sender.event(n) for n in sender.acknowledged}
                possible = {sender.event(n) for n in range(sender.sent) if n in sender.acknowledged or n not in sender.refused}
                assert (acknowledged - set(found), set(found) - possible) == (set(), set())
                assert client.counts(sender.user_id) == Counter(name for name, _, _ in found)

    def send_the_rest(self, url: str) -> None:
        """Send again what was never acknowledged, as a client would; then everything sent must be acknowledged."""
        with Client(url) as client:
            for sender in self.senders:
                for n in set(range(sender.sent)) - sender.acknowledged:
                    assert sender.submit(client, n)[0] == 202
