"""The settings pages by their HTML: what each shows, what it changes, and who may."""

import io
import tarfile
import time
from collections.abc import Iterator
from html import unescape
from pathlib import Path
from typing import Any

import httpx
import pytest
from looking import EMAIL, PASSWORD, Looker, Shown
from wire.client import fresh, until

from trackrecord.dashboard.settings import PAGES
from trackrecord.testing import TrackrecordServer

HOSTILE = "<script>alert(1)</script>\"'>&"
OTHER = "other words in a row"


@pytest.fixture(scope="module")
def viewer(shown: Shown) -> Looker:
    """Somebody who may look and not change."""
    directory = shown.server.server.directory
    account = directory.accounts.create("viewer@example.com", "Vi", now=1, role="viewer", workspaces=[1], password=PASSWORD)
    assert account.number
    looker = Looker(shown.url)
    assert looker.sign_in("viewer@example.com").status == 303
    looker.get("settings/you")
    return looker


@pytest.fixture
def kept(tmp_path: Path) -> Iterator[Shown]:
    """A server with a data directory, for what an ephemeral one cannot do."""
    with TrackrecordServer(data=str(tmp_path / "there")) as server:
        yield Shown(server, Looker(server.url).begin())


def rows(server: TrackrecordServer, statement: str) -> list[Any]:
    with server.server.directory.accounts._db.reading() as connection:
        return [tuple(row) for row in connection.exec_driver_sql(statement)]


# Who may


SENT = [page for page in PAGES if page.method == "POST"]
OWN = ("settings/you/password", "settings/you/sessions")  # what everybody may do to their own account


@pytest.mark.parametrize("page", SENT, ids=lambda page: page.path)
def test_nothing_is_changed_by_a_form_of_another_session(shown: Shown, looker: Looker, page: Any) -> None:
    path = page.path.replace("{id}", "1").replace("{number}", "1")
    before = rows(shown.server, "SELECT count(*), sum(revoked_at) FROM tokens")
    for csrf in ("", "wrong"):
        assert looker.post(path, {"name": "x", "role": "viewer"}, csrf=csrf).status == 403
    assert looker.post(path, Origin="https://evil.example").status == 403
    assert rows(shown.server, "SELECT count(*), sum(revoked_at) FROM tokens") == before


@pytest.mark.parametrize("page", [page for page in SENT if page.path not in OWN], ids=lambda page: page.path)
def test_a_viewer_changes_nothing(viewer: Looker, page: Any) -> None:
    answer = viewer.post(page.path.replace("{id}", "1").replace("{number}", "1"), {"name": "x"})
    assert (answer.status, "Not for your role" in answer.words) == (403, True)


@pytest.mark.parametrize("path", [page.path for page in PAGES if page.method == "GET" and "{" not in page.path])
def test_a_viewer_sees_everything_and_no_form_that_changes_something(viewer: Looker, path: str) -> None:
    page = viewer.get(path)
    if path == "settings":
        return
    assert page.status == 200
    main = page.text.partition("<main")[2]
    if path != "settings/you":
        assert 'method="post"' not in main


def test_settings_lead_to_the_workspace(looker: Looker) -> None:
    assert looker.get("settings").location.endswith("/settings/workspace")


# Workspaces


def test_a_workspace_is_called_otherwise_and_has_another_time_zone(kept: Shown) -> None:
    looker = kept.looker
    page = looker.follow(looker.post("settings/workspace", {"name": HOSTILE, "timezone": "Asia/Tokyo"}))
    assert "The workspace was changed" in page.words
    assert (HOSTILE in page.text, HOSTILE in unescape(page.text)) == (False, True)
    changed = kept.server.server.directory.workspaces.by_number(1)
    assert (changed.name, changed.timezone) == (HOSTILE, "Asia/Tokyo")
    assert "trackrecord workspace change trackrecord --name" in page.words
    wrong = looker.post("settings/workspace", {"name": "", "timezone": "Asia/Tokyo"})
    assert (wrong.status, "A workspace&#39;s name has 1 to 255 characters, got 0." in wrong.text) == (422, True)


def test_whoever_makes_a_workspace_is_its_admin_and_sees_it_beside_the_first(looker: Looker, shown: Shown) -> None:
    id = fresh("made-")
    answer = looker.post("settings/workspaces", {"id": id, "name": "Another", "timezone": "Europe/Dublin"})
    assert answer.location == f"/-/ui/w/{id}/start"
    page = looker.get(f"/-/ui/w/{id}/settings/workspace")
    assert "Another" in page.words
    assert f"/-/ui/w/{id}/settings" in looker.get("settings/workspace").text
    again = looker.post("settings/workspaces", {"id": id, "name": "", "timezone": "UTC"})
    assert (again.status, f"There is a workspace {id} already." in again.words) == (422, True)
    assert f'value="{id}"' in again.text


# People


def test_somebody_is_invited_by_a_link_that_is_shown_once_and_signs_in_with_it(looker: Looker, shown: Shown) -> None:
    email = f"{fresh('new-')}@example.com"
    page = looker.post("settings/people", {"email": email, "name": "New", "role": "viewer"})
    assert page.status == 200
    link = unescape(page.text).split(f"{shown.url}/-/ui/link?key=")[1][:43]
    assert "Nothing is sent by mail" in page.words
    assert link not in looker.get("settings/people").text
    invited = Looker(shown.url)
    invited.get(f"/-/ui/link?key={link}")
    assert invited.post("/-/ui/link", {"key": link, "password": PASSWORD}).location == "/-/ui/"
    assert "viewer" in invited.get("settings/you").words
    assert f"{email}, viewer" in invited.get("settings/you").words


def test_who_has_an_account_already_is_let_in_without_a_link(looker: Looker, shown: Shown) -> None:
    email = f"{fresh('known-')}@example.com"
    shown.server.server.directory.accounts.create(email, "Known", now=1)
    page = looker.follow(looker.post("settings/people", {"email": email.upper(), "name": "", "role": "admin"}))
    assert f"{email} is admin here now, and signs in as before" in page.words
    again = looker.post("settings/people", {"email": email, "name": "", "role": "admin"})
    assert (again.status, f"{email} is in this workspace already" in again.words.lower()) == (422, True)
    for fields, said in (
        ({"email": "x"}, "Email must be an address"),
        ({"email": "x@y.z", "role": "owner"}, "Role must be admin or viewer"),
    ):
        wrong = looker.post("settings/people", {"name": "", "role": "viewer", **fields})
        assert (wrong.status, said in wrong.words) == (400, True)


def member(shown: Shown, **more: Any) -> int:
    directory = shown.server.server.directory
    account = directory.accounts.create(f"{fresh('member-')}@example.com", "Member", now=1, **{"workspaces": [1], "role": "viewer", **more})
    return int(account.number)


def test_a_person_gets_another_role_a_link_is_shut_out_and_taken_out(looker: Looker, shown: Shown) -> None:
    number = member(shown)
    path, accounts = f"settings/people/{number}", shown.server.server.directory.accounts
    assert "Invited" in looker.get(path).words
    assert "was changed" in looker.follow(looker.post(f"{path}/role", {"role": "admin"})).words
    assert accounts.memberships(number)[0].role == "admin"
    assert "/-/ui/link?key=" in looker.post(f"{path}/link").text
    assert "Disabled" in looker.follow(looker.post(f"{path}/disable")).words
    assert "Invited" in looker.follow(looker.post(f"{path}/enable")).words
    assert looker.post(f"{path}/remove").location.endswith("/settings/people")
    assert (accounts.memberships(number), looker.get(path).status) == ([], 404)


def test_the_last_admin_stays_and_is_told_why(kept: Shown) -> None:
    for action, fields in (("role", {"role": "viewer"}), ("remove", {}), ("disable", {})):
        answer = kept.looker.post(f"settings/people/1/{action}", fields)
        assert (answer.status, "This is the last admin of the workspace trackrecord" in answer.words) == (422, True)


def test_an_admin_of_one_workspace_does_nothing_to_an_account_that_counts_in_another(kept: Shown) -> None:
    directory = kept.server.server.directory
    directory.workspaces.create("second", "Second", now=1)
    directory.accounts.create("both@example.com", "Both", now=1, workspaces=[1, 2], password=PASSWORD)
    page = kept.looker.get("settings/people/2")
    assert "is in a workspace where you are no admin" in page.words
    for action in ("link", "disable", "enable"):
        assert kept.looker.post(f"settings/people/2/{action}").status == 422
    assert rows(kept.server, "SELECT count(*) FROM sign_in_links") == [(0,)]
    assert kept.looker.post("settings/people/2/remove").status == 303
    assert [each.workspace.id for each in directory.accounts.memberships(2)] == ["second"]


# Access tokens


def test_a_token_is_shown_once_and_does_what_was_ticked(looker: Looker, shown: Shown) -> None:
    page = looker.post("settings/tokens", {"name": "Backend", "scope": ["read_contacts", "read_tags"]})
    secret = "tr_" + page.text.split("<code>tr_")[1].split("<")[0]
    assert (page.headers["cache-control"], "shown this once" in page.words) == ("no-store", True)
    assert secret not in looker.get("settings/tokens").text
    headers = {"Authorization": f"Bearer {secret}"}
    assert [httpx.get(shown.url + path, headers=headers).status_code for path in ("/contacts", "/events?user_id=x&type=user")] == [200, 403]
    until(lambda: "Backend" in (words := looker.get("settings/tokens").words) and "read_contacts, read_tags" in words and "ago" in words)


def test_a_token_without_a_name_or_scope_is_told_and_what_was_typed_stays(looker: Looker) -> None:
    for fields, said in (({"name": ""}, "A token&#39;s name has 1 to 255 characters"), ({"name": "Tool"}, "Scopes must be of")):
        page = looker.post("settings/tokens", {**fields, **({"scope": "read_tags"} if not fields["name"] else {})})
        assert (page.status, said in page.text) == (422, True)
    assert 'value="Tool"' in page.text


def test_a_token_is_revoked_after_a_warning_that_says_when_it_was_used(looker: Looker, shown: Shown) -> None:
    token, secret = shown.server.server.directory.tokens.create(1, HOSTILE, ["read_contacts"], now=int(time.time()))
    page = looker.get(f"settings/tokens/{token.id}/revoke")
    assert "It was never used" in page.words
    assert HOSTILE not in page.text
    answer = looker.follow(looker.post(f"settings/tokens/{token.id}/revoke"))
    assert "is revoked" in answer.words
    assert f"settings/tokens/{token.id}/revoke" not in answer.text
    assert "Revoked" in looker.get("settings/tokens?revoked=yes").words
    assert "This token is revoked since" in looker.get(f"settings/tokens/{token.id}/revoke").words
    assert httpx.get(f"{shown.url}/contacts", headers={"Authorization": f"Bearer {secret}"}).status_code == 401
    assert [looker.get(f"settings/tokens/{wrong}/revoke").status for wrong in ("999", "x", "²")] == [404] * 3


def test_a_token_of_another_workspace_is_not_there(looker: Looker, shown: Shown) -> None:
    directory = shown.server.server.directory
    other = directory.workspaces.create(fresh("other-"), "Other", now=1)
    token, _ = directory.tokens.create(other.number, "theirs", ["read_tags"], now=1)
    assert looker.get(f"settings/tokens/{token.id}/revoke").status == 404
    assert looker.post(f"settings/tokens/{token.id}/revoke").status == 404
    assert directory.tokens.list(other.number)[0].revoked_at is None


# Identity and origins


def test_secrets_are_made_enforced_and_retired_as_on_the_command_line(kept: Shown) -> None:
    looker, messenger = kept.looker, kept.server.server.directory.messenger
    assert "Believed as pages say it" in looker.get("settings/identity").words
    refused = looker.post("settings/identity/enforce", {"state": "on"})
    assert (refused.status, "Make an identity secret first" in refused.words) == (422, True)
    page = looker.post("settings/identity/secrets")
    secret = messenger.secrets(1)[0]
    assert secret.secret in page.text
    assert secret.secret not in looker.get("settings/identity").text
    assert "Must be proved" in looker.follow(looker.post("settings/identity/enforce", {"state": "on"})).words
    last = looker.post(f"settings/identity/secrets/{secret.id}/retire")
    assert (last.status, "This is the last identity secret" in last.words) == (422, True)
    looker.post("settings/identity/secrets")
    assert "sign with the other one by now" in looker.get(f"settings/identity/secrets/{secret.id}/retire").words
    assert "proves nothing any more" in looker.follow(looker.post(f"settings/identity/secrets/{secret.id}/retire")).words
    assert [each.id for each in messenger.secrets(1)] == [secret.id + 1]
    assert looker.get(f"settings/identity/secrets/{secret.id}/retire").status == 404
    assert "Believed" in looker.follow(looker.post("settings/identity/enforce", {"state": "off"})).words


def test_origins_are_named_and_taken_off(kept: Shown) -> None:
    looker, messenger = kept.looker, kept.server.server.directory.messenger
    page = looker.follow(looker.post("settings/identity/origins", {"origin": "https://App.example.com/"}))
    assert "Pages of https://app.example.com may deliver" in page.words
    wrong = looker.post("settings/identity/origins", {"origin": HOSTILE})
    assert (wrong.status, "An origin is like https://app.example.com" in wrong.words, HOSTILE in wrong.text) == (422, True, False)
    assert looker.post("settings/identity/origins/remove", {"origin": "https://nobody.example"}).status == 404
    assert (
        "may not deliver any more"
        in looker.follow(looker.post("settings/identity/origins/remove", {"origin": "https://app.example.com"})).words
    )
    assert messenger.gate("trackrecord").origins == frozenset()


def test_what_browsers_gave_up_is_told(kept: Shown) -> None:
    kept.server.server.directory.messenger.note_dropped(1, {"old": 1234}, now=1_700_000_000)
    assert "2023-11-14 older than a week 1,234" in kept.looker.get("settings/identity").words


# Profile, data


def test_every_setting_is_shown_with_where_it_comes_from_and_no_secret(kept: Shown) -> None:
    page = kept.looker.get("settings/profile")
    assert "body_max_bytes 1048576 default" in page.words
    assert "token set, and not shown a flag" in page.words
    assert kept.server.token not in page.text
    changed = kept.looker.get("settings/profile?changed=yes").words
    assert ("port 0 a flag" in changed, "body_max_bytes" in changed) == (True, False)
    assert "rate_limit_per_minute 0 0 10000" in changed


def test_data_shows_how_far_the_journal_and_the_store_are(kept: Shown) -> None:
    headers = {"Authorization": f"Bearer {kept.server.token}"}
    httpx.post(f"{kept.url}/contacts", json={"external_id": "ada"}, headers=headers)
    for second in range(3):
        sent = {"event_name": "ordered", "user_id": "ada", "created_at": 1_700_000_000 + second}
        assert httpx.post(f"{kept.url}/events", json=sent, headers=headers).status_code == 202
    httpx.get(f"{kept.url}/events?type=user&user_id=ada", headers=headers)  # waits for the store
    (kept.server.server.data / "notes").mkdir()
    (kept.server.server.data / "notes" / "mine.txt").write_bytes(bytes(5_000))
    page = kept.looker.get("settings/data")
    assert "All is well" in page.words
    assert "notes/ 5.0 kB not ours" in page.words
    assert "Last record 3" in page.words
    assert "The store-writer is behind by 0 it has 3" in page.words
    assert "directory.db" in page.words
    assert f"trackrecord backup DIR --data {kept.server.server.data}" in page.words


def test_exports_are_the_apis_own(looker: Looker, shown: Shown) -> None:
    headers = {"Authorization": f"Bearer {shown.server.token}"}
    httpx.post(f"{shown.url}/contacts", json={"external_id": fresh("exported-")}, headers=headers)
    for noun in ("contacts", "events"):
        for format in ("ndjson", "csv"):
            page = looker.get(f"settings/data/export/{noun}?format={format}")
            assert page.text == httpx.get(f"{shown.url}/-/api/export/{noun}?format={format}", headers=headers).text
            assert "attachment" in page.headers["content-disposition"]
    assert looker.get("settings/data/export/people").status == 404


def test_a_backup_is_downloaded_whole_by_an_admin_of_every_workspace_alone(kept: Shown) -> None:
    directory = kept.server.server.directory
    answer = kept.looker.http.post("/-/ui/w/trackrecord/settings/data/backup", data={"csrf": kept.looker.get("settings/data").csrf})
    assert answer.headers["content-type"] == "application/x-tar"
    with tarfile.open(fileobj=io.BytesIO(answer.content)) as tar:
        names = {Path(name).name for name in tar.getnames()}
        assert all(member.mode == 0o600 for member in tar.getmembers())
        directory_file = next(name for name in tar.getnames() if name.endswith("directory.db"))
        assert tar.extractfile(directory_file).read(16) == b"SQLite format 3\0"  # type: ignore[union-attr]
    assert names == {"journal.db", "events.db", "directory.db"}
    directory.workspaces.create("second", "Second", now=1)
    assert "Download a backup" not in kept.looker.get("settings/data").text
    assert kept.looker.post("settings/data/backup").status == 403


def test_an_ephemeral_server_has_no_backup_and_no_command(looker: Looker) -> None:
    page = looker.get("settings/data")
    assert "An ephemeral server keeps nothing that a backup could bring back" in page.words
    assert "As command" not in page.words
    assert looker.post("settings/data/backup").status in (403, 404)


# The request log


def test_a_refused_request_is_found_by_its_id_and_by_words_with_its_exact_cause(looker: Looker, shown: Shown) -> None:
    nobody = fresh("nobody-")
    refused = httpx.get(f"{shown.url}/contacts/{nobody}", headers={"Authorization": f"Bearer {shown.server.token}"})
    id = refused.json()["request_id"]
    cause = f"this workspace has no contact with id '{nobody}'"
    for query in (f"request_id={id}", f"text={nobody.upper()}", f"path=/contacts/{nobody}&status=404"):
        page = looker.get(f"settings/requests?{query}")
        assert (cause in page.words, id in page.words) == (True, True), query
        assert f"{shown.url}/-/api/requests?" in unescape(page.text)
    assert "No such request" in looker.get(f"settings/requests?request_id={id}&status=5xx").words
    wrong = looker.get("settings/requests?status=zzz")
    assert (wrong.status, "Status must be a status such as 404" in wrong.words) == (400, True)
    lines = looker.get(f"settings/requests?text={nobody}&format=csv").text.splitlines()
    assert (lines[0].startswith("\ufeffat_ms,request_id,status"), len(lines), id in lines[1]) == (True, 2, True)


def test_what_the_dashboard_refused_is_in_the_log_with_its_cause(looker: Looker) -> None:
    page = looker.get("settings/tokens/999/revoke")
    id = page.headers["x-request-id"]
    found = looker.get(f"settings/requests?request_id={id}")
    assert "this workspace has no such token" in found.words
    assert "/-/ui/w/trackrecord/settings/tokens/999/revoke" in found.words


def test_the_log_goes_on_as_one_scrolls(kept: Shown) -> None:
    headers = {"Authorization": f"Bearer {kept.server.token}"}
    with httpx.Client(base_url=kept.url, headers=headers) as client:
        for n in range(60):
            client.get(f"/contacts/{HOSTILE if n == 5 else f'nobody-{n}-'}")
    page = kept.looker.get("settings/requests")
    assert ("60 requests" in page.words, "nobody-59-" in page.words, "nobody-9-" in page.words) == (True, True, False)
    more = unescape(page.text.split('hx-get="')[1].split('"')[0])
    piece = kept.looker.get(more, **{"HX-Request": "true"})
    assert ("<html" in piece.text, "nobody-9-" in piece.words, "nobody-59-" in piece.words, 'class="more"' in piece.text) == (
        False,
        True,
        False,
        False,
    )
    assert HOSTILE not in piece.text
    assert "nobody-9-" in kept.looker.get(more).words  # the same address without a script


# One's account


def test_the_password_is_changed_with_the_current_one_and_all_other_sessions_end(kept: Shown) -> None:
    other = Looker(kept.url)
    assert other.sign_in().status == 303
    looker = kept.looker
    for fields, status, said in (
        ({"current": "wrong words in a row", "password": OTHER}, 422, "The current password is wrong"),
        ({"current": PASSWORD, "password": "short"}, 422, "A password has at least 10 characters"),
    ):
        page = looker.post("settings/you/password", fields)
        assert (page.status, said in page.words) == (status, True)
        assert "wrong words" not in page.text
    page = looker.follow(looker.post("settings/you/password", {"current": PASSWORD, "password": OTHER}))
    assert "The password is changed" in page.words
    assert other.get("start").status == 303
    assert Looker(kept.url).sign_in(EMAIL, PASSWORD).status == 401
    assert Looker(kept.url).sign_in(EMAIL, OTHER).status == 303


def test_who_guesses_the_current_password_is_held_up(kept: Shown) -> None:
    kept.server.clock.freeze(time.time())
    fields = {"current": "wrong words in a row", "password": OTHER}
    statuses = [kept.looker.post("settings/you/password", fields).status for _ in range(6)]
    assert statuses == [422] * 5 + [429]


def test_sessions_are_listed_and_all_others_ended(kept: Shown) -> None:
    other = Looker(kept.url, **{"User-Agent": HOSTILE})
    assert other.sign_in().status == 303
    page = kept.looker.get("settings/you")
    assert ("This one" in page.words, HOSTILE in page.text, HOSTILE in page.words) == (True, False, True)
    assert "1 other session ended" in kept.looker.follow(kept.looker.post("settings/you/sessions")).words
    assert (other.get("start").status, kept.looker.get("start").status) == (303, 200)


def test_no_password_key_or_cookie_is_in_any_log(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    caplog.set_level("DEBUG")
    with TrackrecordServer(data=str(tmp_path), request_log="all") as server:
        looker = Looker(server.url).begin()
        page = looker.post("settings/people", {"email": "x@example.com", "name": "", "role": "viewer"})
        link = unescape(page.text).split("link?key=")[1][:43]
        looker.get(f"/-/ui/link?key={link}")
        looker.get(f"/-/ui/welcome?key={server.server.first_link}")
        guesser = Looker(server.url)
        guesser.sign_in(EMAIL, "a wrong guess of words")
        looker.post("settings/you/password", {"current": "a wrong guess of words", "password": OTHER})
        secrets = [PASSWORD, OTHER, "a wrong guess", link, str(server.server.first_link), looker.http.cookies["trackrecord_session"]]
        log = looker.get("settings/requests?text=/-/ui/").text
        assert "settings/you/password" in log
    told = capfd.readouterr()
    files = b"".join(path.read_bytes() for path in tmp_path.iterdir())
    # httpx, the client of these tests, logs what it asks for.
    said = "\n".join(record.getMessage() for record in caplog.records if not record.name.startswith(("httpx", "httpcore")))
    assert [secret for secret in secrets if secret in said + told.out + told.err + log or secret.encode() in files] == []
