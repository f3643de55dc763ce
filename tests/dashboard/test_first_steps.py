"""From a new server to the first event on the page."""

import re
import subprocess
from collections.abc import Iterator
from html import unescape
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from looking import EMAIL, INSIDE, PASSWORD, Looker, Shown, Tab

from trackrecord.dashboard.start import LANGUAGES
from trackrecord.rules.requests import Wanted
from trackrecord.testing import TrackrecordServer


@pytest.fixture
def new() -> Iterator[Looker]:
    """Somebody before a server that has no account."""
    with TrackrecordServer() as server:
        yield Looker(server.url)


def test_a_new_server_leads_from_its_address_to_the_first_account_and_on_to_the_first_steps(new: Looker) -> None:
    assert new.get("/").location == "/-/ui/"
    assert new.follow(new.get("/-/ui/")).words.startswith("Welcome")
    answer = new.post("/-/ui/welcome", {"email": EMAIL, "password": PASSWORD})
    assert answer.location == f"{INSIDE}/start"
    page = new.follow(answer)
    assert "Listening for the first event" in page.words
    assert "Authorization: Bearer tr_" in page.words


def test_a_bad_password_is_told_and_what_was_typed_stays(new: Looker) -> None:
    new.get("/-/ui/welcome")
    answer = new.post("/-/ui/welcome", {"email": EMAIL, "name": "Ann", "password": "short"})
    assert answer.status == 422
    assert "A password has at least 10 characters" in answer.words
    assert f'value="{EMAIL}"' in answer.text
    assert "short" not in answer.text.replace("shortcuts", "")


@pytest.mark.parametrize("language", [language.key for language in LANGUAGES])
def test_every_language_has_a_snippet_with_the_servers_address_and_a_token(looker: Looker, shown: Shown, language: str) -> None:
    page = looker.get(f"start?language={language}")
    assert page.status == 200
    assert re.search(rf"127\.0\.0\.1\D*{urlsplit(shown.url).port}\b", page.words)
    assert ("tr_" in page.words) == (language != "web")


def test_a_token_that_was_revoked_is_in_no_snippet_nor_one_of_another_server() -> None:
    with TrackrecordServer() as one, TrackrecordServer() as other:
        looker = Looker(one.url).begin()
        tokens = one.server.directory.tokens
        (made,) = [each for each in tokens.list(1) if each.name == "first steps"]
        assert "Bearer tr_" in looker.get("start").words
        accounts = one.server.directory.accounts
        spare = accounts.create("bob@example.com", "Bob", now=1, workspaces=[1], password=PASSWORD)
        for role, shown in (("viewer", False), ("admin", True)):
            accounts.set_role(accounts.by_email(EMAIL).number, 1, role)
            assert ("Bearer tr_" in looker.get("start").words) == shown
        assert spare.able
        tokens.revoke(1, made.id, now=1)
        assert "Bearer tr_" not in looker.get("start").words
        other.server.directory.accounts.create(EMAIL, "Ann", now=1, password=PASSWORD)
        stranger = Looker(other.url)
        stranger.sign_in()
        assert "Bearer tr_" not in stranger.get("start").words


def test_a_script_in_a_snippet_is_shown_and_never_run(looker: Looker) -> None:
    assert "&lt;script&gt;" in looker.get("start?language=web").text


def test_the_snippet_for_curl_works_as_it_stands_and_its_event_appears_by_itself(tab: Tab) -> None:
    tab.open("start")
    assert "Listening for the first event" in tab.words
    snippet = tab.page.locator("pre code").first.text_content()
    done = subprocess.run(["bash", "-c", snippet or ""], capture_output=True, text=True, timeout=30, check=True)
    assert "202 Accepted" in done.stdout
    tab.page.wait_for_selector(".arrived")
    assert "invited-friend of ann-curl@example.com" in tab.words
    assert "3.49 EUR" in tab.words


def test_the_snippet_for_python_works_as_it_stands(looker: Looker, shown: Shown) -> None:
    text = looker.get("start?language=python").text
    code = unescape(text.split("<pre", 3)[2].split("<code>")[1].split("</code>")[0])
    exec(compile(code, "snippet", "exec"), {})
    assert "ann-python@example.com" in looker.get("start/first").words


def test_what_came_before_the_page_was_opened_is_told_apart_from_what_it_waits_for(new: Looker) -> None:
    new.begin()
    secret = re.search(r"tr_[\w-]+", new.get("start").text)
    assert secret
    headers = {"Authorization": f"Bearer {secret[0]}"}
    assert new.http.post("/contacts", json={"external_id": "a"}, headers=headers).status_code == 200

    def submit(name: str) -> None:
        assert new.http.post("/events", json={"user_id": "a", "event_name": name, "created_at": 1}, headers=headers).status_code == 202

    submit("earlier")
    page = new.get("start")
    assert "Listening for the next event" in page.words
    assert "The last before: earlier of" in page.words
    (waits,) = re.findall(r'hx-get="([^"]+start/first[^"]*)"', page.text)
    assert "Listening" in new.get(unescape(waits)).words
    submit("later")
    assert "It arrived later of" in new.get(unescape(waits)).words


def test_no_page_says_anything_to_somebody_who_is_not_signed_in(shown: Shown) -> None:
    stranger = Looker(shown.url)
    answer = stranger.get("start")
    assert (answer.status, answer.location) == (303, f"/-/ui/sign-in?next={INSIDE.replace('/', '%2F')}%2Fstart")
    assert "trackrecord" not in stranger.follow(answer).words.replace("Trackrecord", "").replace("trackrecord account link", "")


def test_who_signs_in_comes_to_where_they_wanted_to_go_and_never_to_another_site(shown: Shown) -> None:
    somebody = Looker(shown.url)
    somebody.get("/-/ui/sign-in")
    fields = {"email": EMAIL, "password": PASSWORD}
    for wanted, goes in (
        (f"{INSIDE}/find?q=x", f"{INSIDE}/find?q=x"),
        ("https://elsewhere.example/", "/-/ui/"),
        ("//elsewhere.example", "/-/ui/"),
    ):
        assert somebody.post("/-/ui/sign-in", {**fields, "next": wanted}).location == goes
        somebody.http.cookies.clear()
        somebody.get("/-/ui/sign-in")


def test_who_guesses_at_a_password_is_told_when_to_try_again_and_the_log_says_why(tmp_path: Path) -> None:
    with TrackrecordServer(data=str(tmp_path), public_url="https://events.example.com") as server:
        server.server.directory.accounts.create(EMAIL, "Ann", now=1, password=PASSWORD)
        server.clock.freeze(1_800_000_000)
        guesser = Looker(server.url)
        page = guesser.get("/-/ui/sign-in")
        cookie = page.headers["set-cookie"].split(";")
        assert (cookie[0].startswith("__Host-trackrecord_form="), cookie[1:]) == (
            True,
            [" Path=/", " HttpOnly", " SameSite=Lax", " Secure"],
        )
        guesser.http.headers["Cookie"] = cookie[0]  # which a browser sends over https alone
        answers = [guesser.post("/-/ui/sign-in", {"email": EMAIL, "password": "a wrong guess"}) for _ in range(6)]
        assert [answer.status for answer in answers] == [401] * 5 + [429]
        assert ("Too many tries to sign in: try again in 1 second." in answers[5].words, answers[5].headers["retry-after"]) == (True, "1")
        found = server.server.requests.search(Wanted(status=(401, 429)), limit=10).entries
        assert [entry.cause for _, entry in found] == [
            "sign-in was held up for 1 s",
            *["sign-in with an email or password that is wrong"] * 5,
        ]
