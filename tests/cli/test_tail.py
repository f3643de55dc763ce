"""`trackrecord tail`: events in the terminal as they arrive."""

import json
import re
import signal
import socket
import threading
from typing import Any

import httpx
import pytest

from trackrecord.testing import TrackrecordServer

from .shell import DEADLINE_S, Shell, until

WHEN = 1_671_028_894
INTERRUPTED = 130


def post(server: Any, path: str, body: Any) -> httpx.Response:
    answer = httpx.post(server.url + path, json=body, headers={"Authorization": f"Bearer {server.token}"})
    assert answer.status_code in (200, 202), answer.text
    return answer


def submit(server: Any, user_id: str, **event: Any) -> int:
    answer = post(server, "/events", {"event_name": "clicked", "created_at": WHEN, "user_id": user_id, **event})
    return int(answer.headers["trackrecord-receipt"])


class Tail:
    """The command, running; every wait for a line of it ends."""

    def __init__(self, shell: Shell, *arguments: str) -> None:
        self.process = shell.start("tail", *arguments)
        self._timer = threading.Timer(2 * DEADLINE_S, self.process.kill)
        self._timer.start()

    def __enter__(self) -> "Tail":
        return self

    def __exit__(self, *exc: object) -> None:
        self._timer.cancel()
        self.process.kill()
        self.process.communicate()

    def line(self) -> str:
        assert self.process.stdout is not None
        return self.process.stdout.readline().decode().rstrip("\n")

    def complaint(self) -> str:
        assert self.process.stderr is not None
        return self.process.stderr.readline().decode().rstrip("\n")

    def interrupted(self) -> tuple[int, str, str]:
        self.process.send_signal(signal.SIGINT)
        out, err = self.process.communicate(timeout=DEADLINE_S)
        return self.process.returncode, out.decode(), err.decode()


def told(server: Any) -> tuple[str, ...]:
    return ("--url", server.url, "--token", server.token)


def test_events_are_shown_as_they_arrive_by_kind_with_what_became_of_them(shell: Shell):
    with TrackrecordServer() as server:
        post(server, "/contacts", {"external_id": "ann"})
        first = submit(server, "ann", metadata={"seen_date": 1_671_000_000, "price": {"amount": 1999, "currency": "eur"}, "note": None})
        with Tail(shell, *told(server)) as tail:
            lines = [tail.line()]
            submit(server, "ann")
            lines.append(tail.line())
            submit(server, "ann", event_name="left", metadata={"why": "tea \x1b[31m"})
            lines.append(tail.line())
            assert tail.interrupted() == (INTERRUPTED, "", "")
        stored = "seen_date: 2022-12-14 06:40:00, price: 19.99 EUR"
    assert [re.sub(r"^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d  ", "", line) for line in lines] == [
        f"stored, without note  clicked  ann  {stored}",
        f"duplicate of {first}  clicked  ann  {stored}",
        "stored  left  ann  why: tea \N{REPLACEMENT CHARACTER}[31m",
    ]


def test_each_line_of_json_is_the_receipt(shell: Shell):
    with TrackrecordServer() as server:
        post(server, "/contacts", {"external_id": "ann"})
        at = submit(server, "ann")
        with Tail(shell, *told(server), "--json", "--since-position", str(at - 1)) as tail:
            line = tail.line()
        receipt = httpx.get(f"{server.url}/-/api/receipts/{at}", headers={"Authorization": f"Bearer {server.token}"}).json()
    assert json.loads(line) == receipt


def test_a_name_a_contact_an_outcome_and_a_beginning_choose_what_is_shown(shell: Shell):
    with TrackrecordServer() as server:
        for user_id in ("ann", "bob"):
            post(server, "/contacts", {"external_id": user_id})
            for name in ("came", "went", "went"):
                submit(server, user_id, event_name=name)
        for chosen, shown in {
            ("--name", "came"): ["came ann", "came bob"],
            ("--contact", "bob", "--last", "2"): ["went bob", "went bob"],
            ("--outcome", "duplicate"): ["went ann", "went bob"],
        }.items():
            with Tail(shell, *told(server), "--json", *chosen) as tail:
                found = [json.loads(tail.line()) for _ in shown]
            events = [each.get("event") or each["duplicate_of"]["event"] for each in found]
            assert [f"{each['event_name']} {each['user_id']}" for each in events] == shown


def test_a_lost_server_is_said_and_connected_to_again_and_nothing_is_missed(shell: Shell):
    with socket.create_server(("127.0.0.1", 0)) as held:
        port = str(held.getsockname()[1])
    with shell.serving("--data", "there", "--port", port, "--token", "secret-1") as server:
        server.token = "secret-1"
        post(server, "/contacts", {"external_id": "ann"})
        sent = [submit(server, "ann")]
        tail = Tail(shell, *told(server), "--json")
        found = [json.loads(tail.line())["position"]]
        server.process.kill()
        lost = tail.complaint()
    with tail, shell.serving("--data", "there", "--port", port, "--token", "secret-1") as server:
        server.token = "secret-1"
        sent += [submit(server, "ann", created_at=WHEN + 1)]
        found.append(json.loads(tail.line())["position"])
        again = tail.complaint()
        assert tail.interrupted() == (INTERRUPTED, "", "")
    assert found == sent
    assert lost.startswith("trackrecord: ")
    assert lost.endswith("; connecting again until Ctrl-C")
    assert again == "trackrecord: connected again"


def test_at_a_terminal_a_row_is_short_and_a_revoked_token_ends_it(shell: Shell):
    with TrackrecordServer() as server:
        tokens = server.server.directory.tokens
        token, secret = tokens.create(1, "to be revoked", frozenset(["read_events"]), now=0)
        post(server, "/contacts", {"external_id": "ann"})
        first = submit(server, "ann", metadata={"where": "here", "page": "https://example.com/a"})
        submit(server, "ann")

        def revoke() -> None:
            until(lambda: server.server.live.watchers)
            tokens.revoke(1, token.id, now=1)

        revoking = threading.Thread(target=revoke)
        revoking.start()
        printed = shell.at_terminal("tail", "--url", server.url, "--token", secret, columns=60)
        revoking.join()
    plain = re.sub(r"\x1b\]8;[^\x1b]*\x1b\\|\x1b\[[0-9;]*m", "", printed)  # links and underlines
    rows = [re.sub(r"^\d\d:\d\d:\d\d  ", "", line) for line in plain.splitlines()]
    shown = f"{'clicked':26}{'ann':26}where here · page https://example.com/a"
    assert rows == [
        shown,
        f"{shown}  duplicate of {first}",
        f"trackrecord: {server.url} ended the stream; connecting again until Ctrl-C",
        f"trackrecord: {server.url} does not know this access token: give a valid one with --token or TRACKRECORD_TOKEN",
    ]


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        ((), 2, "a running server wants an access token: give it with --token or TRACKRECORD_TOKEN"),
        (("--token", "x", "--url", "ftp://here"), 2, "--url must begin with http:// or https://, got 'ftp://here'"),
        (("--token", "x", "--last", "many"), 2, None),
    ],
)
def test_a_wrong_command_line_is_told(shell: Shell, arguments: tuple[str, ...], code: int, message: str | None):
    ran = shell.run("tail", *arguments)
    assert (ran.code, ran.out) == (code, "")
    assert ran.err.startswith("trackrecord: ")
    assert message is None or ran.err == f"trackrecord: {message}\n"


def test_what_the_server_refuses_is_told_in_one_sentence(shell: Shell):
    with TrackrecordServer() as server:
        unknown = shell.run("tail", "--url", server.url, "--token", "nobody's")
        nobody = shell.run("tail", *told(server), "--contact", "nobody")
        gone = server.url
    away = shell.run("tail", "--url", gone, "--token", "x")
    assert [(ran.code, ran.out, ran.err) for ran in (unknown, nobody, away)] == [
        (1, "", f"trackrecord: {gone} does not know this access token: give a valid one with --token or TRACKRECORD_TOKEN\n"),
        (1, "", f"trackrecord: {gone} answers 404: User Not Found\n"),
        (1, "", f"trackrecord: {gone} cannot be reached (connection refused)\n"),
    ]
