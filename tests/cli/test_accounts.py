"""`trackrecord account`, while the server runs."""

import re

from trackrecord.testing import TrackrecordServer

from .shell import Shell, until

GOOD = "four words in a row"
LINK = re.compile(r"(.*)/-/ui/link\?key=([\w-]{43})\n")


def test_accounts_are_made_listed_linked_given_roles_and_disabled(shell: Shell):
    with TrackrecordServer(data=str(shell.cwd / "there"), public_url="https://events.example.com") as server:
        directory = server.server.directory

        def run(*arguments: str, stdin: bytes | None = None, code: int = 0) -> str:
            ran = shell.run("account", *arguments, "--data", "there", stdin=stdin)
            assert ran.code == code, ran.err
            return ran.out if code == 0 else ran.err

        directory.workspaces.create("second", "Second", now=1)
        base, key = LINK.fullmatch(run("create", "ada@example.com", "--url", "https://events.example.com/")).groups()
        assert base == "https://events.example.com"
        assert directory.links.redeem(key, GOOD, now=int(server.clock())).email == "ada@example.com"
        made = run("create", "bob@example.com", "--password-stdin", "--role", "viewer", "--workspace", "second", stdin=f"{GOOD}\n".encode())
        assert made == "Made the account bob@example.com.\n"
        bob = directory.accounts.verify("bob@example.com", GOOD)
        directory.sessions.create(bob.number, now=1_700_000_000)
        assert run("role", "bob@example.com", "viewer", "--workspace", "trackrecord") == "bob@example.com is viewer in trackrecord now.\n"
        assert run("role", "Bob@Example.com", "none", "--workspace", "second") == "bob@example.com is nothing in second now.\n"
        listed = shell.run("account", "list", "--json", "--data", "there").json
        assert [(row["email"], row["name"], row["state"], row["workspaces"]) for row in listed] == [
            ("ada@example.com", "ada", "good", {"trackrecord": "admin", "second": "admin"}),
            ("bob@example.com", "bob", "good", {"trackrecord": "viewer"}),
        ]
        assert "bob@example.com  bob   good" in run("list")
        _, new = LINK.fullmatch(run("link", "bob@example.com")).groups()
        assert directory.links.account(new, now=int(server.clock())) == bob
        assert run("disable", "bob@example.com") == "Nobody can sign in as bob@example.com any more.\n"
        assert directory.accounts.verify("bob@example.com", GOOD) is None
        assert run("enable", "bob@example.com") == "bob@example.com can sign in again.\n"
        assert directory.accounts.verify("bob@example.com", GOOD) == bob


def test_what_cannot_be_done_to_an_account_says_why(shell: Shell):
    with TrackrecordServer(data=str(shell.cwd / "there")) as server:
        server.server.directory.accounts.create("ada@example.com", "Ada", now=1, password=GOOD)
        for arguments, said in (
            (("link", "eve@example.com"), "nobody has an account with the address eve@example.com; trackrecord account list shows them"),
            (("create", "Ada@example.com"), "Ada@example.com has an account already"),
            (("create", "eve"), "email must be an address such as joe@example.com, got 'eve'"),
            (("create", "eve@example.com", "--role", "owner"), "role must be admin or viewer, got 'owner'"),
            (("role", "ada@example.com", "owner"), "role must be admin or viewer, got 'owner'"),
            (
                ("disable", "ada@example.com"),
                "this is the last admin of the workspace trackrecord who can sign in: make somebody else one first",
            ),
        ):
            ran = shell.run("account", *arguments, "--data", "there")
            assert (ran.code, ran.out, ran.err) == (1, "", f"trackrecord: {said}\n")


def test_the_list_of_tokens_says_when_each_was_last_used(shell: Shell):
    import httpx

    with TrackrecordServer(data=str(shell.cwd / "there")) as server:

        def used() -> list[int | None]:
            return [row["last_used_at"] for row in shell.run("token", "list", "--data", "there", "--json").json]

        shell.run("token", "create", "--data", "there")
        assert used() == [None, None]
        for at in (1_800_000_000, 1_800_003_599, 1_800_003_600):
            server.clock.freeze(at)
            httpx.get(f"{server.url}/me", headers={"Authorization": f"Bearer {server.token}"})
            until(lambda: server.server.directory.tokens.list(1)[0].last_used_at is not None)
        assert used()[0] in (1_800_000_000, 1_800_003_600)  # the second call was believed without a look at the token
        assert used()[1] is None
