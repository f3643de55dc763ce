"""Accounts, their roles, sessions and links, in the file."""

import threading

import argon2
import pytest

from trackrecord.directory import passwords
from trackrecord.directory.sessions import AGE_MAX_S, FIRST_LINK_S, IDLE_S, LINK_S, digest_of
from trackrecord.errors import Conflict, DataInvalid, NotFound, ParameterInvalid
from trackrecord.rules.accounts import token_of

GOOD, OTHER = "four words in a row", "four other words in a row"


@pytest.fixture(scope="module")
def hashed():
    """Made once, as it takes its time."""
    return passwords.hashed(GOOD)


@pytest.fixture
def ada(directory, workspace, other, elsewhere, hashed):
    """The first account, so admin of both workspaces, with a password."""
    directory.accounts.create("Ada@Example.com", "Ada", now=20)
    elsewhere("UPDATE accounts SET password = ?", hashed)
    return directory.accounts.by_email("ada@example.com")


@pytest.fixture
def bob(directory, ada, workspace, elsewhere, hashed):
    """A viewer of one workspace, with a password."""
    made = directory.accounts.create("bob@example.com", "", now=30, role="viewer", workspaces=[workspace])
    elsewhere("UPDATE accounts SET password = ? WHERE number = ?", hashed, made.number)
    return directory.accounts.by_email("bob@example.com")


def roles(directory, account):
    return {each.workspace.id: each.role for each in directory.accounts.memberships(account.number)}


def test_the_first_account_is_admin_everywhere_and_later_ones_what_they_are_made(directory, ada, bob):
    assert (roles(directory, ada), roles(directory, bob)) == ({"first": "admin", "other": "admin"}, {"first": "viewer"})
    assert [(each.email, each.name, each.able) for each in directory.accounts.list()] == [
        ("Ada@Example.com", "Ada", True),
        ("bob@example.com", "bob", True),
    ]
    assert directory.accounts.by_email(" ADA@example.COM ") == ada


@pytest.mark.parametrize(
    ("email", "more", "error", "field"),
    [
        ("ADA@example.com", {}, Conflict, "email"),
        ("nobody", {}, ParameterInvalid, "email"),
        ("eve@example.com", {"role": "owner"}, ParameterInvalid, "role"),
        ("eve@example.com", {"password": "short"}, DataInvalid, "password"),
    ],
)
def test_an_account_that_cannot_be_made_leaves_nothing(directory, ada, workspace, email, more, error, field):
    with pytest.raises(error) as caught:
        directory.accounts.create(email, "", now=30, workspaces=[workspace], **more)
    assert (caught.value.field, len(directory.accounts.list())) == (field, 1)


def test_no_session_begins_with_a_password_that_was_changed_meanwhile(directory, ada):
    verified = directory.accounts.verified("ada@example.com", GOOD)
    assert directory.sessions.create(ada.number, now=1, kept=verified.kept) is not None
    directory.accounts.set_password(ada, OTHER)
    assert directory.sessions.create(ada.number, now=2, kept=verified.kept) is None


def test_a_password_is_kept_as_a_hash_and_opens_its_own_account_alone(directory, ada, bob, elsewhere):
    assert directory.accounts.verify("ada@example.com", GOOD) == ada
    assert [directory.accounts.verify(*each) for each in (("ada@example.com", OTHER), ("eve@example.com", GOOD))] == [None, None]
    (kept,) = elsewhere("SELECT password FROM accounts WHERE number = ?", ada.number)[0]
    assert kept.startswith("$argon2id$")
    assert elsewhere("SELECT count(*) FROM accounts WHERE password LIKE '%four words%'") == [(0,)]


def test_who_has_no_password_yet_is_disabled_or_whose_hash_is_damaged_cannot_sign_in(directory, ada, bob, elsewhere):
    eve = directory.accounts.create("eve@example.com", "Eve", now=30)
    assert (eve.able, directory.accounts.verify("eve@example.com", "a password that nobody has")) == (False, None)
    directory.accounts.disable(bob.number, now=40)
    assert directory.accounts.verify("bob@example.com", GOOD) is None
    assert directory.accounts.enable(bob.number).able
    assert directory.accounts.verify("bob@example.com", GOOD) == bob
    elsewhere("UPDATE accounts SET password = 'x' WHERE number = ?", bob.number)
    assert directory.accounts.verify("bob@example.com", GOOD) is None


def test_a_hash_of_other_parameters_is_made_anew_when_its_password_is_at_hand(directory, ada, elsewhere):
    quick = argon2.PasswordHasher(time_cost=1, memory_cost=64)
    elsewhere("UPDATE accounts SET password = ? WHERE number = ?", quick.hash(GOOD), ada.number)
    assert directory.accounts.verify("ada@example.com", GOOD) == ada
    assert not passwords.outdated(elsewhere("SELECT password FROM accounts")[0][0])
    assert directory.accounts.verify("ada@example.com", GOOD) == ada


def test_a_workspace_keeps_an_admin_who_can_sign_in(directory, ada, bob, workspace, other):
    directory.accounts.create("invited@example.com", "", now=30, workspaces=[workspace, other])  # cannot sign in yet
    for take in (
        lambda: directory.accounts.set_role(ada.number, workspace, "viewer"),
        lambda: directory.accounts.set_role(ada.number, workspace, None),
        lambda: directory.accounts.disable(ada.number, now=40),
    ):
        with pytest.raises(DataInvalid, match="this is the last admin of the workspace first who can sign in"):
            take()
    directory.accounts.set_role(bob.number, workspace, "admin")
    with pytest.raises(DataInvalid, match="the workspace other"):
        directory.accounts.disable(ada.number, now=40)
    directory.accounts.set_role(ada.number, workspace, "viewer")
    assert (roles(directory, ada), roles(directory, bob)) == ({"first": "viewer", "other": "admin"}, {"first": "admin"})
    directory.accounts.set_role(ada.number, workspace, None)
    assert [(account.email, role) for account, role in directory.accounts.members(workspace)] == [
        ("bob@example.com", "admin"),
        ("invited@example.com", "admin"),
    ]


def test_a_role_of_what_is_not_there(directory, ada, workspace):
    for number, where, role in ((99, workspace, "admin"), (ada.number, 99, "admin"), (99, workspace, None)):
        with pytest.raises(NotFound):
            directory.accounts.set_role(number, where, role)
    eve = directory.accounts.create("eve@example.com", "", now=30)
    with pytest.raises(NotFound, match="not in the workspace"):
        directory.accounts.set_role(eve.number, workspace, None)


def test_a_session_is_found_by_its_digest_until_it_was_unused_for_long_or_is_very_old(directory, ada):
    secret = directory.sessions.create(ada.number, now=100, client="127.0.0.1", user_agent="x" * 999)
    digest = digest_of(secret)
    found = directory.sessions.find(digest, now=100 + IDLE_S - 1)
    assert (found.account, [each.role for each in found.memberships], found.seen_at) == (ada, ["admin", "admin"], 100)
    assert directory.sessions.find(digest, now=100 + IDLE_S) is None
    at = 100
    while at + IDLE_S - 1 < 100 + AGE_MAX_S:
        at += IDLE_S - 1
        assert directory.sessions.find(digest, now=at)
        directory.sessions.touch(digest, now=at)
    assert directory.sessions.find(digest, now=100 + AGE_MAX_S) is None
    (shown,) = directory.sessions.list(ada.number, now=at)
    assert (shown.client, shown.user_agent, shown.seen_at) == ("127.0.0.1", "x" * 255, at)
    directory.sessions.drop_expired(now=100 + AGE_MAX_S)
    assert directory.sessions.list(ada.number, now=at) == []


def test_what_ends_sessions(directory, ada, bob):
    def begin(account):
        return digest_of(directory.sessions.create(account.number, now=100))

    def there(*digests):
        return [directory.sessions.find(each, now=101) is not None for each in digests]

    mine, mine_too, bobs = begin(ada), begin(ada), begin(bob)
    directory.sessions.end(mine)
    assert there(mine, mine_too, bobs) == [False, True, True]
    third = begin(ada)
    assert (directory.sessions.end_all(ada.number, but=third), there(mine_too, third, bobs)) == (1, [False, True, True])
    directory.accounts.set_password(ada, OTHER)
    directory.accounts.disable(bob.number, now=102)
    assert there(third, bobs) == [False, False]
    assert directory.sessions.create(bob.number, now=103) is None
    assert directory.accounts.verify("ada@example.com", OTHER) == ada


def test_a_link_chooses_a_password_once(directory, ada):
    eve = directory.accounts.create("eve@example.com", "Eve", now=30)
    key = directory.links.create(eve.number, now=100)
    assert directory.links.account(key, now=100 + LINK_S - 1) == eve
    with pytest.raises(DataInvalid):
        directory.links.redeem(key, "short", now=101)
    assert directory.links.redeem(key, GOOD, now=102).able
    for again in (lambda: directory.links.redeem(key, OTHER, now=103), lambda: directory.links.account(key, now=103)):
        with pytest.raises(NotFound, match="this link opens nothing"):
            again()
    assert directory.accounts.verify("eve@example.com", GOOD)


def test_a_link_that_is_too_old_replaced_or_of_a_disabled_account_opens_nothing(directory, ada, bob):
    old = directory.links.create(bob.number, now=100)
    new = directory.links.create(bob.number, now=101)
    for key, at in ((old, 102), (new, 101 + LINK_S), ("nothing", 102), ("\ud83d", 102)):
        with pytest.raises(NotFound):
            directory.links.redeem(key, OTHER, now=at)
    directory.accounts.disable(bob.number, now=103)
    with pytest.raises(NotFound):
        directory.links.redeem(new, OTHER, now=104)
    with pytest.raises(NotFound):
        directory.links.create(bob.number, now=104)


def test_of_two_who_use_a_link_at_once_one_chooses_the_password(directory, ada, bob):
    key = directory.links.create(bob.number, now=100)
    chosen = []

    def choose(password):
        try:
            directory.links.redeem(key, password, now=101)
        except NotFound:
            return
        chosen.append(password)

    threads = [threading.Thread(target=choose, args=(password,)) for password in (GOOD + " one", GOOD + " two")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(chosen) == 1
    assert directory.accounts.verify("bob@example.com", chosen[0]) == bob


def test_the_first_account_is_made_once_by_the_newest_link_or_by_none(directory, workspace):
    old = directory.links.create_first(now=100)
    key = directory.links.create_first(now=101)
    assert [directory.links.opens_first(each, now=102) for each in (old, key, "nothing")] == [False, True, False]
    assert directory.links.opens_first(key, now=101 + FIRST_LINK_S) is False
    with pytest.raises(NotFound):
        directory.links.begin(old, "ada@example.com", "", GOOD, now=102)
    with pytest.raises(DataInvalid):
        directory.links.begin(key, "ada@example.com", "", "short", now=102)
    ada = directory.links.begin(key, "ada@example.com", "", GOOD, now=102)
    assert (roles(directory, ada), directory.links.create_first(now=103)) == ({"first": "admin"}, None)
    with pytest.raises(NotFound):
        directory.links.begin(key, "eve@example.com", "", GOOD, now=103)
    with pytest.raises(Conflict):
        directory.links.begin(None, "eve@example.com", "", GOOD, now=103)


def test_the_link_to_begin_with_opens_nothing_once_the_command_line_made_an_account(directory, workspace):
    key = directory.links.create_first(now=100)
    directory.accounts.create("ada@example.com", "", now=101)
    assert directory.links.opens_first(key, now=102) is False
    with pytest.raises(NotFound):
        directory.links.begin(key, "eve@example.com", "", GOOD, now=103)


def test_an_audit_names_the_account_that_deleted_in_the_dashboard(directory, ada, workspace):
    (membership, _) = directory.accounts.memberships(ada.number)
    id = directory.audits.begin(workspace, token=token_of(ada, membership).id, action="delete_events", subject={}, count=1, now=40)
    assert directory.audits.complete(workspace, id, now=41).token_name == "Ada@Example.com"
    assert [each.token_name for each in directory.audits.list(workspace, limit=5)[0]] == ["Ada@Example.com"]
