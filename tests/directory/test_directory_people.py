"""Workspaces, admins, tokens, event names."""

import threading
from zoneinfo import available_timezones

import pytest

from trackrecord.errors import AdminNotFound, DataInvalid, NotFound, Unprocessable
from trackrecord.rules.directory import SCOPES, Admin, EventName, Token, Workspace, token_digest

SECRET = "tr_a-secret-somebody-chose-for-the-tests"


def test_a_workspace_is_found_by_its_app_id_and_its_number(directory):
    made = directory.workspaces.create("abc_12-3", "Acme", now=10, timezone="Europe/Dublin", region="EU")
    assert made == Workspace(number=1, id="abc_12-3", name="Acme", created_at=10, timezone="Europe/Dublin", region="EU")
    assert [directory.workspaces.by_id("abc_12-3"), directory.workspaces.by_number(1)] == [made, made]
    assert directory.workspaces.list() == [made]


def test_an_unknown_workspace_is_none(directory):
    assert [directory.workspaces.by_id("abc"), directory.workspaces.by_number(1)] == [None, None]


@pytest.mark.parametrize(
    ("changed", "field"),
    [
        ({"app_id": ""}, "app_id"),
        ({"app_id": "a" * 65}, "app_id"),
        ({"app_id": "a b"}, "app_id"),
        ({"app_id": "é"}, "app_id"),
        ({"app_id": "first"}, "app_id"),  # taken
        ({"name": ""}, "name"),
        ({"timezone": "Europe/Nowhere"}, "timezone"),
        ({"timezone": "../../etc/passwd"}, "timezone"),
        ({"timezone": ""}, "timezone"),
        ({"timezone": "Europe"}, "timezone"),
        ({"region": "Mars"}, "region"),
    ],
)
def test_a_workspace_that_cannot_be_is_refused_by_field(directory, workspace, changed, field):
    assert "Europe/Dublin" in available_timezones()
    with pytest.raises(DataInvalid) as caught:
        directory.workspaces.create(**{"app_id": "next", "name": "Next", "now": 10, **changed})
    assert caught.value.field == field
    assert len(directory.workspaces.list()) == 1


def test_a_workspace_has_an_admin_from_the_start(directory, workspace):
    admin = Admin(id="1", workspace=workspace, name="Administrator", email="admin@localhost", created_at=10)
    assert directory.admins.list(workspace) == [admin]
    assert directory.admins.get(workspace, "1") == admin


@pytest.mark.parametrize("id", ["2", "0", "-1", "x", "", "1.0", "١", "9" * 40])
def test_an_unknown_admin_is_not_found(directory, workspace, id):
    with pytest.raises(AdminNotFound):
        directory.admins.get(workspace, id)


def test_an_admin_of_another_workspace_is_not_found(directory, workspace, other):
    [admin] = directory.admins.list(other)
    with pytest.raises(AdminNotFound):
        directory.admins.get(workspace, admin.id)


def test_a_token_is_found_by_the_digest_of_its_secret_and_keeps_no_secret(directory, workspace, path):
    token, secret = directory.tokens.create(workspace, "backend", ["write_events", "read_events"], now=20)
    assert token == Token(
        id=1,
        workspace=workspace,
        name="backend",
        digest=token_digest(secret),
        hint=secret[:6],
        scopes=frozenset({"read_events", "write_events"}),
        created_at=20,
    )
    assert (secret[:3], len(secret)) == ("tr_", 43)
    assert directory.tokens.find(token_digest(secret)) == token
    assert directory.tokens.find(token_digest("tr_another")) is None
    files = b"".join(file.read_bytes() for file in path.parent.glob("directory.db*"))
    assert (secret[:6].encode() in files, secret[6:].encode() in files) == (True, False)


def test_a_revoked_token_is_still_found_and_says_so(directory, workspace):
    token, secret = directory.tokens.create(workspace, "backend", SCOPES, now=20)
    assert directory.tokens.revoke(workspace, token.id, now=30).revoked_at == 30
    assert directory.tokens.revoke(workspace, token.id, now=40).revoked_at == 30  # revoked is revoked
    assert directory.tokens.find(token_digest(secret)).revoked_at == 30
    assert [each.revoked_at for each in directory.tokens.list(workspace)] == [30]


def test_a_token_of_another_workspace_cannot_be_revoked(directory, workspace, other):
    token, secret = directory.tokens.create(other, "theirs", SCOPES, now=20)
    with pytest.raises(NotFound):
        directory.tokens.revoke(workspace, token.id, now=30)
    assert directory.tokens.find(token_digest(secret)).revoked_at is None
    assert directory.tokens.list(workspace) == []


def test_the_same_secret_given_again_is_the_same_token_made_valid(directory, workspace):
    token, _ = directory.tokens.create(workspace, "ci", ["read_events"], now=20, secret=SECRET)
    directory.tokens.revoke(workspace, token.id, now=30)
    again, secret = directory.tokens.create(workspace, "ci", ["write_events"], now=40, secret=SECRET)
    assert secret == SECRET
    assert again == Token(
        id=token.id,
        workspace=workspace,
        name="ci",
        digest=token_digest(SECRET),
        hint="tr_a-s",
        scopes=frozenset({"write_events"}),
        created_at=20,
    )
    assert directory.tokens.list(workspace) == [again]


def test_a_secret_opens_one_workspace_only(directory, workspace, other):
    directory.tokens.create(workspace, "ci", SCOPES, now=20, secret=SECRET)
    with pytest.raises(DataInvalid) as caught:
        directory.tokens.create(other, "ci", SCOPES, now=20, secret=SECRET)
    assert caught.value.field == "secret"
    assert directory.tokens.list(other) == []


def test_the_hint_of_a_short_secret_gives_little_of_it_away(directory, workspace):
    token, _ = directory.tokens.create(workspace, "ci", SCOPES, now=20, secret="dev-token")
    assert token.hint == "de"


@pytest.mark.parametrize(
    ("changed", "field"),
    [
        ({"scopes": []}, "scopes"),
        ({"scopes": ["read_events", "read_minds"]}, "scopes"),
        ({"name": ""}, "name"),
        ({"secret": "two words"}, "secret"),
        ({"secret": "sécret"}, "secret"),
        ({"secret": ""}, "secret"),
    ],
)
def test_a_token_that_cannot_be_is_refused_by_field(directory, workspace, changed, field):
    with pytest.raises(DataInvalid) as caught:
        directory.tokens.create(workspace, **{"name": "ci", "scopes": ["read_events"], "now": 20, **changed})
    assert caught.value.field == field
    assert directory.tokens.list(workspace) == []


def test_a_name_keeps_its_number_and_its_first_writing(directory, workspace):
    first = directory.names.resolve(workspace, "signed-up", "Signed-Up", now=20, limit=0)
    assert first == EventName(number=1, workspace=workspace, folded="signed-up", name="Signed-Up", created_at=20)
    assert directory.names.resolve(workspace, "signed-up", "SIGNED-UP", now=30, limit=0) == first
    assert directory.names.all(workspace) == [first]
    assert directory.names.by_numbers([1, 1, 2]) == {1: first}


def test_workspaces_have_names_of_their_own(directory, workspace, other):
    mine = directory.names.resolve(workspace, "signed-up", "Signed-Up", now=20, limit=0)
    theirs = directory.names.resolve(other, "signed-up", "signed-up", now=20, limit=0)
    assert (mine.number, theirs.number) == (1, 2)
    assert directory.names.all(workspace) == [mine]


def test_names_past_the_limit_are_refused_and_known_ones_are_not(directory, workspace, elsewhere):
    for number in range(3):
        directory.names.resolve(workspace, f"n{number}", f"n{number}", now=20, limit=3)
    with pytest.raises(Unprocessable) as caught:
        directory.names.resolve(workspace, "n3", "n3", now=20, limit=3)
    assert (caught.value.message, caught.value.field) == ("Cannot have more than 3 active event names", "event_name")
    assert directory.names.resolve(workspace, "n0", "n0", now=20, limit=3).number == 1
    elsewhere("UPDATE event_names SET archived_at = 30 WHERE folded = 'n0'")
    assert directory.names.resolve(workspace, "n3", "n3", now=20, limit=3).number == 4  # archiving frees room
    assert directory.names.resolve(workspace, "n0", "n0", now=20, limit=3).archived_at == 30  # and it stays archived


def test_many_names_are_resolved_at_once_up_to_the_limit(directory, workspace):
    known = directory.names.resolve(workspace, "a", "A", now=20, limit=0)
    found = directory.names.resolve_many(workspace, [("b", "B"), ("a", "a"), ("b", "b"), ("c", "C")], now=30, limit=2)
    assert [found["a"], found["b"]] == [known, EventName(number=2, workspace=workspace, folded="b", name="B", created_at=30)]
    assert (type(found["c"]), found["c"].field) == (Unprocessable, "event_name")
    assert [name.folded for name in directory.names.all(workspace)] == ["a", "b"]


def test_a_thousand_names_can_be_asked_for_by_number(directory, workspace):
    wanted = [(f"n{number}", f"N{number}") for number in range(1200)]
    found = directory.names.resolve_many(workspace, wanted, now=20, limit=0)
    assert directory.names.by_numbers(range(1, 1201)) == {name.number: name for name in found.values()}
    assert directory.names.resolve_many(workspace, wanted, now=30, limit=0) == found


def test_a_name_used_first_by_many_at_once_has_one_number(directory, workspace):
    found, start = [], threading.Barrier(8)

    def run():
        start.wait()
        found.append(directory.names.resolve(workspace, "a", "A", now=20, limit=1))

    threads = [threading.Thread(target=run) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [name.number for name in found] == [1] * 8
