"""Who may sign in, and what a password must be."""

import pytest

from trackrecord.errors import DataInvalid, ParameterInvalid
from trackrecord.rules.accounts import ROLES, Account, Membership, admins_able, check_password, check_role, read_email, read_name, token_of
from trackrecord.rules.directory import SCOPES, Workspace

ADA = Account(number=7, email="ada@example.com", name="Ada", created_at=10)


@pytest.mark.parametrize("password", ["four words in a row", "пароль-из-букв", "aB3$aB3$aB", "x y z w x y z w", "abcd" * 64])
def test_a_password_that_does(password):
    check_password(password, email="ada@example.com", name="Ada")


@pytest.mark.parametrize(
    ("password", "said"),
    [
        ("short", "at least 10 characters, this one has 5"),
        ("", "at least 10 characters, this one has 0"),
        ("a" * 10, "among the first"),
        ("121212121212", "among the first"),
        ("Password123", "among the first"),
        ("  qwertyuiop ", "among the first"),
        ("ada@example.com", "own email or name"),
        ("Ada@Example.COM", "own email or name"),
        ("Augusta Ada King", "own email or name"),
        ("abcd" * 64 + "e", "at most 256 bytes"),
        ("дом" * 50, "at most 256 bytes"),
        ("half of a letter \ud83d", "whole letters"),
    ],
)
def test_a_password_that_does_not_says_why(password, said):
    with pytest.raises(DataInvalid) as caught:
        check_password(password, email="ada@example.com", name="Augusta Ada King")
    assert (caught.value.field, said in caught.value.message) == ("password", True)
    assert not password or password not in caught.value.message


def test_a_viewer_reads_and_an_admin_does_all():
    assert {"admin": SCOPES.keys(), "viewer": {name for name in SCOPES if name.startswith("read_")}} == ROLES
    workspace = Workspace(number=3, id="w", name="W", created_at=1)
    viewer, admin = (Membership(workspace=workspace, role=role) for role in ("viewer", "admin"))
    assert (viewer.changes, admin.changes) == (False, True)
    token = token_of(ADA, viewer)
    assert (token.id, token.workspace, token.name) == (-7, 3, "ada@example.com")
    assert [need for need in SCOPES if token.allows(need)] == [need for need in SCOPES if need.startswith("read_")]
    with pytest.raises(ParameterInvalid, match="role must be admin or viewer, got 'owner'"):
        check_role("owner")


@pytest.mark.parametrize("text", ["", "ada", "a b@example.com", f"{'a' * 250}@b.co", "@"])
def test_what_is_no_address(text):
    with pytest.raises(ParameterInvalid) as caught:
        read_email(text)
    assert caught.value.field == "email"


def test_an_address_and_a_name_lose_the_blanks_around_them():
    assert read_email(" Ada@Example.com ") == "Ada@Example.com"
    assert [read_name(text, email="ada@example.com") for text in (" Ada ", " ", "")] == ["Ada", "ada", "ada"]
    for text in ("a\nb", "x" * 256):
        with pytest.raises(ParameterInvalid) as caught:
            read_name(text, email="ada@example.com")
        assert caught.value.field == "name"


def test_an_admin_counts_who_could_sign_in_now():
    disabled = Account(number=1, email="a@b.c", name="a", created_at=1, disabled_at=2)
    invited = Account(number=2, email="b@b.c", name="b", created_at=1, has_password=False)
    assert admins_able([(ADA, "admin"), (ADA, "viewer"), (disabled, "admin"), (invited, "admin")]) == 1
