"""`trackrecord token` and `trackrecord workspace`, while the server runs."""

import httpx

from trackrecord.rules.directory import SCOPES
from trackrecord.testing import TrackrecordServer

from .shell import Shell, until


def test_a_token_is_good_at_once_and_bad_within_a_second_of_being_revoked(shell: Shell):
    with TrackrecordServer(data=str(shell.cwd / "there")) as server:

        def status(token: str, method: str = "GET", path: str = "/contacts") -> int:
            return httpx.request(method, server.url + path, headers={"Authorization": f"Bearer {token}"}, json={}).status_code

        made = shell.run("token", "create", "--data", "there", "--name", "support", "--scopes", "read_contacts,read_events")
        token = made.out.strip()
        assert (made.code, made.err, token.startswith("tr_")) == (0, "", True)
        assert (status(token), status(token, "POST")) == (200, 403)
        listed = shell.run("token", "list", "--data", "there", "--json").json
        assert [(row["name"], row["scopes"], row["revoked_at"]) for row in listed] == [
            ("from --token", sorted(SCOPES), None),
            ("support", ["read_contacts", "read_events"], None),
        ]
        assert token not in str(listed)
        revoked = shell.run("token", "revoke", str(listed[1]["id"]), "--data", "there")
        assert (revoked.code, revoked.out) == (0, f"Token {listed[1]['id']} (support) is revoked.\n")
        until(lambda: status(token) == 401)
        unknown = shell.run("token", "revoke", "99", "--data", "there")
        assert (unknown.code, unknown.err) == (1, "trackrecord: workspace trackrecord has no token 99; trackrecord token list shows them\n")
        wrong = shell.run("token", "create", "--data", "there", "--scopes", "fly")
        assert (wrong.code, wrong.err) == (
            1,
            f"trackrecord: scopes must be of {', '.join(SCOPES)}, got fly\n",
        )


def test_a_second_workspace_has_tokens_and_data_of_its_own(shell: Shell):
    with TrackrecordServer(data=str(shell.cwd / "there")) as server:
        made = shell.run("workspace", "create", "second", "--data", "there", "--name", "The second")
        assert made.out == "Made the workspace second. Its first access token: trackrecord token create --data there --workspace second\n"
        which = shell.run("token", "create", "--data", "there")
        assert (which.code, which.err) == (
            2,
            "trackrecord: there are several workspaces: choose one with --workspace (trackrecord, second)\n",
        )
        token = shell.run("token", "create", "--data", "there", "--workspace", "second").out.strip()
        shell.write("contacts.ndjson", [{"user_id": "only-there"}])
        assert shell.run("import", "contacts", "contacts.ndjson", "--url", server.url, "--token", token).code == 0
        listed = shell.run("workspace", "list", "--data", "there", "--json").json
        assert [(row["id"], row["name"], row["contacts"], row["tokens"]) for row in listed] == [
            ("trackrecord", "trackrecord", 0, 1),
            ("second", "The second", 1, 1),
        ]
        changed = shell.run("workspace", "change", "second", "--data", "there", "--name", "Two", "--timezone", "Europe/Dublin")
        assert changed.out == "The workspace second is called Two; its days are those of Europe/Dublin.\n"
        wrong = shell.run("workspace", "change", "second", "--data", "there", "--timezone", "Mars")
        assert wrong.err == "trackrecord: timezone must be an IANA name such as Europe/Dublin, got 'Mars'\n"
        mine, other = (shell.run("export", "contacts", "--data", "there", "--workspace", name).out for name in ("second", "trackrecord"))
        assert ('"external_id":"only-there"' in mine, other) == (True, "")
