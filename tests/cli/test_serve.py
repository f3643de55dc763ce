"""`trackrecord serve`, from its first start to its end."""

import re
import shutil
import signal
import socket
import subprocess
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest

from .shell import Shell, environment


@pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not installed")
def test_the_first_start_says_what_to_do_next_and_all_of_it_works(shell: Shell):
    with shell.serving() as server:
        commands = [part.replace("\\\n", " ") for part in re.findall(r"^  (curl .*?)$(?!\n    )", server.said, re.MULTILINE | re.DOTALL)]
        answers = [subprocess.run(["bash", "-c", command], capture_output=True, text=True, check=True).stdout for command in commands]
        docs = httpx.get(re.search(r"described at (\S+)", server.said)[1])
        code, said, logged = server.stop()
    assert len(answers) == 3
    assert '"external_id":"ada-1"' in answers[0]
    assert answers[1].startswith("HTTP/1.1 202 Accepted")
    assert '"event_name":"invited-friend"' in answers[2]
    assert docs.status_code == 200
    assert (code, said, logged) == (0, "Stopped; everything is kept in trackrecord-data.\n", "")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_later_start_prints_one_line_and_no_token(shell: Shell, number: int):
    with shell.serving("--data", "there") as server:
        assert server.token.startswith("tr_")
        server.stop(number)
    assert shell.run("account", "create", "ada@example.com", "--data", "there").code == 0
    with shell.serving("--data", "there") as server:
        assert server.said == f"Trackrecord is listening on {server.url}; its data is in there. Ctrl-C stops it.\n"
        assert server.stop(number) == (0, "Stopped; everything is kept in there.\n", "")


def test_every_start_prints_a_link_to_the_dashboard_until_somebody_has_an_account(shell: Shell):
    links = []
    for more in ((), (), ("--public-url", "https://events.example.com/")):
        with shell.serving("--data", "there", *more) as server:
            links.append(re.search(r"(\S+)/-/ui/welcome\?key=([\w-]{43})\b", server.said).groups())
            assert server.url == links[-1][0] or more
            server.stop()
    assert links[2][0] == "https://events.example.com"
    assert len({key for _, key in links}) == 3
    assert all(key.encode() not in path.read_bytes() for path in (shell.cwd / "there").iterdir() for _, key in links)


def test_a_token_that_is_given_opens_everything_and_is_not_printed(shell: Shell):
    with shell.serving("--ephemeral", "--token", "a-token-for-tests", "--set", "default-version=2.11") as server:
        answer = httpx.get(f"{server.url}/me", headers={"Authorization": "Bearer a-token-for-tests"})
        assert (answer.status_code, answer.headers["intercom-version"]) == (200, "2.11")
        assert "a-token-for-tests" not in server.said
        assert server.stop() == (0, "Stopped; what it kept is gone.\n", "")
    assert list(shell.cwd.iterdir()) == []


def test_every_interface_is_shown_by_an_address_that_can_be_used(shell: Shell):
    with shell.serving("--host", "0.0.0.0", "--public-url", "https://events.example.com") as server:
        assert re.match(
            r"Trackrecord is listening on http://127\.0\.0\.1:\d+, and on every interface of this machine, "
            r"for clients of https://events\.example\.com\n",
            server.said,
        )
        assert httpx.get(f"{server.url}/-/health?check=live").status_code == 200


def test_a_port_that_is_taken_is_named(shell: Shell):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        ran = shell.run("serve", "--port", str(port))
        from_make = shell.run("serve", "--port", str(port), env=environment(TRACKRECORD_MAKE="1"))
    said = (
        f"trackrecord: port {port} on 127.0.0.1 is taken by another program: stop that one, or choose another port with --port "
        "(0 takes a free one)"
    )
    assert (ran.code, ran.out, ran.err) == (1, "", f"{said}\n")
    assert from_make.err == f"{said}. With make that is: make serve PORT=8081\n"
    assert list(shell.cwd.iterdir()) == []  # no data directory for a server that never was


@pytest.mark.skipif(shutil.which("make") is None, reason="make is not installed")
def test_make_serve_hands_port_and_directory_over():
    given = ["make", "--no-print-directory", "-n", "serve", "PORT=8081", "DATA=my data"]
    ran = subprocess.run(given, cwd=Path(__file__).parents[2], capture_output=True, text=True, check=True)
    command = ran.stdout.splitlines()[-1]  # before it stands what would be installed first
    assert command == "exec env TRACKRECORD_MAKE=1 .venv/bin/trackrecord serve --data 'my data' --port '8081'"


def test_a_directory_that_holds_other_things_is_said_to(shell: Shell):
    for name in ("notes.txt", "settings.toml", "a", "b", "c"):
        (shell.cwd / name).write_text("")
    with shell.serving("--data", ".") as server:
        assert "Everything is kept in ., beside what was there before: a, b, c and 1 more.\n" in server.said
        server.stop()
    with shell.serving("--data", ".") as server:
        assert "its data is in .. Ctrl-C" in server.said


def test_a_directory_has_one_server(shell: Shell):
    with shell.serving("--data", "there") as server:
        ran = shell.run("serve", "--data", "there", "--port", "0")
        owner = f"process {server.process.pid} (serving on 127.0.0.1:{urlsplit(server.url).port})"
        assert (ran.code, ran.out) == (1, "")
        assert ran.err == (
            f"trackrecord: the data directory there is in use by {owner}. Stop that one, or choose another directory with --data\n"
        )


def test_the_log_is_json_where_asked_for(shell: Shell):
    with shell.serving("--ephemeral", "--log-format", "json", "--token", "a-token-for-tests") as server:
        headers = {"Authorization": "Bearer a-token-for-tests", "Intercom-Version": "2.99"}
        httpx.get(f"{server.url}/me", headers=headers)
        _, _, logged = server.stop()
    assert re.fullmatch(
        r'\{"time":"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z","level":"info","logger":"trackrecord\.http",'
        r'"message":"version \'2\.99\' was asked for and served as [\d.]+"\}\n',
        logged,
    )
