"""`trackrecord requests`: why requests were refused, while the server runs and after."""

import re

import httpx

from trackrecord.testing import TrackrecordServer

from .shell import Shell, until


def test_an_operator_finds_why_a_request_was_refused(shell: Shell):
    with TrackrecordServer(data=str(shell.cwd / "there")) as server:
        second = server.server.directory.workspaces.create("second", "Second", now=0)
        theirs = server.server.directory.tokens.create(second.number, "x", ["read_contacts"], now=0)[1]

        def ask(method: str, path: str, token: str = server.token) -> str:
            answer = httpx.request(method, server.url + path, headers={"Authorization": f"Bearer {token}"}, json={})
            return str(answer.json()["request_id"])

        ids = [ask("GET", "/contacts/nobody"), ask("POST", "/events"), ask("GET", "/contacts/x", theirs), ask("GET", "/me", "unknown")]
        listed = until(lambda: (ran := shell.run("requests", "--data", "there", "--json")).code == 0 and len(ran.json) == 4 and ran)
        assert [(row["request_id"], row["status"], row["workspace"]) for row in listed.json] == [
            (ids[3], 401, None),
            (ids[2], 404, second.number),
            (ids[1], 400, 1),
            (ids[0], 404, 1),
        ]
        told = shell.run("requests", ids[0], "--data", "there")
        assert (told.code, told.err) == (0, "")
        lines = dict(line.split(None, 1) for line in told.out.splitlines()[1:])
        assert {name: lines[name] for name in ("request_id", "status", "path", "field", "cause")} == {
            "request_id": ids[0],
            "status": "404",
            "path": "/contacts/nobody",
            "field": "contact_id",
            "cause": "this workspace has no contact with id 'nobody'",
        }
        assert server.token not in told.out

        def found(*options: str) -> list[str]:
            return [row["request_id"] for row in shell.run("requests", "--data", "there", "--json", *options).json]

        assert found("--status", "4xx", "--path", "/contacts") == [ids[2], ids[0]]
        assert found("--workspace", "second") == [ids[2]]
        assert found("--text", "with id 'NOBODY'") == [ids[0]]
        assert found("--code", "unauthorized") == [ids[3]]
        assert found("--limit", "1") == [ids[3]]
        assert found("--until", "2020-01-31") == found("--since", "2999-01-01T12:00:00") == []
        table = shell.run("requests", "--data", "there").out.splitlines()
        assert (table[0].split("  ")[0], len(table)) == ("when (UTC)", 5)
        assert "there is no Authorization header" not in table[1]
        assert table[1].endswith("no token here has this secret")
        narrow = shell.at_terminal("requests", "--data", "there", "--status", "401", columns=80).splitlines()
        assert [re.split(" {2,}", line.strip()) for line in narrow[2:4]] == [
            [table[1][:19], "401", "GET /me"],
            [ids[3], "no token here has this secret"],
        ]
    assert [row["request_id"] for row in shell.run("requests", "--data", "there", "--json").json] == ids[::-1]


def test_what_is_not_there_or_cannot_be_asked_is_said(shell: Shell):
    assert shell.run("token", "list", "--data", "nowhere").code == 1
    with TrackrecordServer(data=str(shell.cwd / "there")):
        pass
    for options, code, said in (
        (["none"], 1, "has no request none: it went well, is too old, or was answered elsewhere"),
        (["--status", "fine"], 1, "status must be a status such as 404, or 4xx for all from 400 to 499, got 'fine'"),
        (["--since", "yesterday"], 2, "--since wants a day or moment such as 2026-01-31 or 2026-01-31T12:00:00, got 'yesterday'"),
        (["--workspace", "none"], 2, "there is no workspace none"),
    ):
        ran = shell.run("requests", *options, "--data", "there")
        assert (ran.code, said in ran.err) == (code, True), ran.err
