"""`trackrecord messenger`, while the server runs."""

from trackrecord.testing import TrackrecordServer

from .shell import Shell


def test_origins_secrets_and_enforcement_can_be_set_and_shown(shell: Shell):
    with TrackrecordServer(data=str(shell.cwd / "there")):

        def run(*words: str) -> tuple[int, str]:
            done = shell.run("messenger", *words, "--data", "there")
            return done.code, (done.out or done.err).strip()

        assert run("allow", "https://App.Example.com/") == (0, "Pages of https://app.example.com may deliver to trackrecord.")
        code, said = run("allow", "app.example.com")
        assert (code, said) == (
            1,
            "trackrecord: an origin is like https://app.example.com or http://localhost:3000, got 'app.example.com'",
        )
        code, said = run("enforce", "on")
        assert (code, said) == (1, "trackrecord: make an identity secret first: nobody could prove who they are without one")
        _, first = run("secret")
        _, second = run("secret", "--secret", "given-by-the-customer")
        assert (len(first), second) == (43, "given-by-the-customer")
        assert run("enforce", "on") == (0, "Identities in trackrecord must be proved from now on.")
        shown = shell.run("messenger", "show", "--data", "there", "--json").json
        assert (shown["origins"], shown["identity_enforced"]) == (["https://app.example.com"], True)
        assert [each["begins"] for each in shown["secrets"]] == ["give", first[:4]]
        assert "given-by-the-customer" not in str(shown)
        assert run("retire", str(shown["secrets"][1]["id"]))[0] == 0
        code, said = run("retire", str(shown["secrets"][0]["id"]))
        assert (code, said) == (
            1,
            "trackrecord: this is the last identity secret, and identities must be proved: add another first",
        )
        assert run("forbid", "https://app.example.com") == (
            0,
            "Pages of https://app.example.com may not deliver to trackrecord any more. It was the last: now pages of every origin may.",
        )
        assert run("forbid", "https://app.example.com")[0] == 1
        assert run("enforce", "maybe") == (2, "trackrecord: enforce wants on or off, got 'maybe'")
