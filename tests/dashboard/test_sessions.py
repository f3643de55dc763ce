"""Signing in and out: cookies, forms, roles, throttling, the first account and one-time links."""

from collections.abc import Callable, Iterator
from http.cookies import SimpleCookie
from typing import Any

import pytest
from wire.client import fresh, until

from trackrecord.dashboard.errors import FormRefused, SignInRefused, TooManyTries
from trackrecord.dashboard.sessions import Sessions
from trackrecord.dashboard.throttle import PAIR
from trackrecord.directory.sessions import digest_of
from trackrecord.errors import DataInvalid, NotFound
from trackrecord.http.call import Asked
from trackrecord.rules.versions import served
from trackrecord.testing import TrackrecordServer

GOOD, OTHER = "four words in a row", "four other words in a row"
HOME = "http://127.0.0.1:8080"


class Browser:
    """Keeps cookies, and asks what the dashboard's pages ask."""

    def __init__(self, server: TrackrecordServer, sessions: Sessions, base_url: str = HOME, client: str = "127.0.0.1") -> None:
        self.server = server
        self.sessions = sessions
        self.base_url = base_url
        self.client = client
        self.jar: dict[str, str] = {}
        self.said: list[str] = []  # every Set-Cookie

    def asked(self, **headers: str) -> Asked:
        sent = {"host": self.base_url.partition("://")[2], "cookie": "; ".join(f"{k}={v}" for k, v in self.jar.items()), **headers}
        return Asked(
            services=self.server.server,
            version=served(None, default="2.14", newer=True),
            base_url=self.base_url,
            request_id="r",
            path={},
            query=(),
            body=b"",
            headers={name.replace("_", "-").encode(): value.encode() for name, value in sent.items() if value},
            client=self.client,
        )

    def do(self, method: Callable[..., Any], *args: Any, **headers: str) -> Any:
        """Call a coroutine method that answers with cookies, and keep them."""
        answered = self.server.call(method, self.asked(**headers), *args)
        self.keep(answered)
        return answered

    def keep(self, headers: Any) -> None:
        for name, value in headers:
            assert name == b"set-cookie"
            self.said.append(value.decode())
            for key, morsel in SimpleCookie(value.decode()).items():
                if morsel["max-age"] == "0":
                    self.jar.pop(key, None)
                else:
                    self.jar[key] = morsel.value

    def who(self) -> Any:
        return self.server.call(self.sessions.who, self.asked())

    def sign_in(self, email: str, password: str = GOOD) -> Any:
        self.do(self.sessions.sign_in, email, password)
        return self.who()


@pytest.fixture(scope="module")
def sessions(server: TrackrecordServer) -> Sessions:
    async def make() -> Sessions:
        return Sessions(server.server)

    return server.call(make)


@pytest.fixture
def browser(server: TrackrecordServer, sessions: Sessions) -> Browser:
    return Browser(server, sessions)


@pytest.fixture(scope="module")
def email(server: TrackrecordServer) -> str:
    """Of an account that all tests here sign in to."""
    return make_account(server)


def make_account(server: TrackrecordServer, **more: Any) -> str:
    email = f"{fresh('account-')}@example.com"
    directory, number = server.server.directory, server.server.default_workspace.number
    directory.accounts.create(email, "", now=1_700_000_000, workspaces=[number], **{"password": GOOD, **more})
    return email


@pytest.fixture
def new() -> Iterator[TrackrecordServer]:
    """A server without accounts."""
    with TrackrecordServer() as server:
        yield server


def sessions_of(server: TrackrecordServer) -> Sessions:
    async def make() -> Sessions:
        return Sessions(server.server)

    return server.call(make)


def refused(browser: Browser, fields: dict[str, str], **headers: str) -> str | None:
    """Why a form with these fields is refused in the browser's session; None where it is not."""
    signed_in = browser.who()
    try:
        browser.sessions.check_csrf(browser.asked(**headers), signed_in, fields)
    except FormRefused as error:
        return error.cause
    return None


# Cookies


def test_the_cookie_over_http_goes_to_our_pages_alone_and_no_script_reads_it(browser: Browser, email: str):
    assert browser.who() is None
    signed_in = browser.sign_in(email)
    assert signed_in.account.email == email
    assert ("trackrecord", "admin") in [(each.workspace.id, each.role) for each in signed_in.memberships]
    secret = browser.jar["trackrecord_session"]
    assert browser.said[0] == f"trackrecord_session={secret}; Path=/-/; HttpOnly; SameSite=Lax; Max-Age=7776000"
    assert len(secret) == 43


def test_over_https_it_is_this_hosts_alone(server: TrackrecordServer, sessions: Sessions, email: str):
    browser = Browser(server, sessions, base_url="https://events.example.com")
    assert browser.sign_in(email).account.email == email
    secret = browser.jar["__Host-trackrecord_session"]
    assert browser.said[0] == f"__Host-trackrecord_session={secret}; Path=/; HttpOnly; SameSite=Lax; Secure; Max-Age=7776000"
    browser.jar = {"trackrecord_session": secret}  # as a neighbour below the same domain could plant it
    assert browser.who() is None


def test_an_address_below_which_the_server_is_reached_stands_in_the_path(server: TrackrecordServer, sessions: Sessions, email: str):
    browser = Browser(server, sessions, base_url="http://example.com/record")
    browser.sign_in(email)
    assert "; Path=/record/-/; " in browser.said[0]


@pytest.mark.parametrize("value", ["", "x", "x" * 200, '"', "\xff", "a=b", "../../x"])
def test_a_cookie_that_was_never_given_opens_nothing(browser: Browser, value: str):
    browser.jar["trackrecord_session"] = value
    assert browser.who() is None


def test_neither_the_cookie_nor_the_csrf_token_is_kept(browser: Browser, email: str, server: TrackrecordServer):
    signed_in = browser.sign_in(email)
    with server.server.directory.sessions._db.reading() as connection:
        kept = repr(connection.exec_driver_sql("SELECT * FROM sessions").all())
    assert (browser.jar["trackrecord_session"] in kept, signed_in.csrf in kept, repr(signed_in.digest) in kept) == (False, False, True)


def test_cookies_of_other_programs_on_the_same_host_do_no_harm(browser: Browser, email: str):
    browser.sign_in(email)
    browser.jar = {'{"a": 1}': '"x y"', "=": ";;", **browser.jar, "\x01": "[]"}
    assert browser.who().account.email == email


# In and out


@pytest.mark.parametrize(("whose", "password"), [("theirs", OTHER), ("nobody@example.com", GOOD), ("", ""), ("\ud83d@x.y", "\ud83d")])
def test_an_unknown_address_and_a_wrong_password_are_answered_alike(browser: Browser, email: str, whose: str, password: str):
    with pytest.raises(SignInRefused) as caught:
        browser.sign_in(email if whose == "theirs" else whose, password)
    assert (caught.value.message, caught.value.status, caught.value.field) == ("the email or the password is wrong", 401, "password")


def test_signing_out_ends_the_session_also_for_who_kept_its_cookie(browser: Browser, email: str):
    browser.sign_in(email)
    kept = dict(browser.jar)
    browser.do(browser.sessions.sign_out)
    assert browser.jar == {}
    browser.jar = kept
    assert browser.who() is None


def test_each_browser_has_a_session_and_a_token_of_its_own(browser: Browser, server: TrackrecordServer, sessions: Sessions, email: str):
    other = Browser(server, sessions)
    first, second = browser.sign_in(email), other.sign_in(email)
    assert (first.account, first.csrf == second.csrf, first.digest == second.digest) == (second.account, False, False)
    other.do(sessions.sign_out)
    assert (other.who(), browser.who()) == (None, first)


def test_an_account_that_is_disabled_is_out_at_once_and_a_role_changes_at_once(browser: Browser, server: TrackrecordServer):
    address = make_account(server, role="viewer")
    signed_in = browser.sign_in(address)
    assert signed_in.membership("trackrecord").changes is False
    assert signed_in.membership("elsewhere") is None
    assert signed_in.token(signed_in.membership("trackrecord")).allows("write_events") is False
    accounts, number = server.server.directory.accounts, signed_in.account.number
    accounts.set_role(number, server.server.default_workspace.number, "admin")
    assert browser.who().membership("trackrecord").changes is True
    accounts.disable(number, now=1)
    assert browser.who() is None
    with pytest.raises(SignInRefused):
        browser.sign_in(address)


def test_a_session_ends_when_it_was_not_used_for_two_weeks(browser: Browser, server: TrackrecordServer, email: str, clock: Any):
    clock.freeze(1_800_000_000)
    browser.sign_in(email)
    for _ in range(3):
        clock.advance(13 * 86_400)
        assert browser.who() is not None
        until(lambda: last_seen(server, browser) == clock())
    clock.advance(14 * 86_400)
    assert browser.who() is None


def last_seen(server: TrackrecordServer, browser: Browser) -> int:
    found = server.server.directory.sessions.find(digest_of(browser.jar["trackrecord_session"]), now=int(server.clock()))
    assert found is not None
    return found.seen_at


# Forms


def test_a_form_needs_the_token_of_its_session(browser: Browser, server: TrackrecordServer, sessions: Sessions, email: str):
    csrf = browser.sign_in(email).csrf
    other = Browser(server, sessions)
    foreign = other.sign_in(email).csrf
    assert refused(browser, {"csrf": csrf}) is None
    assert refused(browser, {}, x_csrf_token=csrf) is None
    assert refused(browser, {}) == "there is neither a field csrf nor a header X-CSRF-Token"
    for wrong in (foreign, csrf[:-1], "é", "\ud83d"):
        assert refused(browser, {"csrf": wrong}) == "the token of the form is of another session"
    browser.do(sessions.sign_out)
    browser.sign_in(email)
    assert refused(browser, {"csrf": csrf}) == "the token of the form is of another session"  # of a page that stood open


@pytest.mark.parametrize(
    ("headers", "good"),
    [
        ({}, True),
        ({"origin": HOME}, True),
        ({"sec_fetch_site": "same-origin", "origin": "null"}, True),
        ({"sec_fetch_site": "none"}, True),
        ({"origin": "http://127.0.0.1:8081"}, False),
        ({"origin": "https://evil.example"}, False),
        ({"origin": "null"}, False),
        ({"sec_fetch_site": "cross-site"}, False),
        ({"sec_fetch_site": "same-site", "origin": HOME}, False),
    ],
)
def test_a_form_of_another_site_is_refused_even_with_the_token(browser: Browser, email: str, headers: dict[str, str], good: bool):
    csrf = browser.sign_in(email).csrf
    cause = refused(browser, {"csrf": csrf}, **headers)
    assert (cause is None) == good
    assert good or "comes from elsewhere" in cause


def test_a_form_before_there_is_a_session_needs_the_cookie_it_came_with(browser: Browser, server: TrackrecordServer, sessions: Sessions):
    form = sessions.form(browser.asked())
    browser.keep(form.headers)
    assert browser.said == [f"trackrecord_form={browser.jar['trackrecord_form']}; Path=/-/; HttpOnly; SameSite=Lax"]
    assert sessions.form(browser.asked()) == (form.csrf, ())  # of two pages that stand open both can be sent
    sessions.check_form(browser.asked(), {"csrf": form.csrf})
    other = Browser(server, sessions)
    with pytest.raises(FormRefused):
        sessions.check_form(other.asked(), {"csrf": form.csrf})  # without the cookie
    other.keep(sessions.form(other.asked()).headers)
    for asked, fields in (
        (other.asked(), {"csrf": form.csrf}),
        (browser.asked(), {}),
        (browser.asked(), {"csrf": browser.jar["trackrecord_form"]}),
        (browser.asked(origin="https://evil.example"), {"csrf": form.csrf}),
    ):
        with pytest.raises(FormRefused):
            sessions.check_form(asked, fields)


# Throttling


def test_whoever_guesses_is_told_when_to_try_again_and_signs_in_then(browser: Browser, server: TrackrecordServer, clock: Any):
    clock.freeze(1_800_000_000.0)
    address = make_account(server)
    guesser = Browser(server, browser.sessions, client="192.0.2.7")
    for _ in range(PAIR.free):
        with pytest.raises(SignInRefused):
            guesser.sign_in(address, OTHER)
    with pytest.raises(TooManyTries) as caught:
        guesser.sign_in(address, GOOD)  # not even looked at
    assert (caught.value.status, caught.value.retry_after_s, caught.value.message) == (
        429,
        1,
        "too many tries to sign in: try again in 1 second",
    )
    assert browser.sign_in(address).account.email == address  # from elsewhere
    clock.advance(1)
    assert guesser.sign_in(address).account.email == address


def test_the_throttle_says_nothing_of_whether_there_is_an_account(server: TrackrecordServer, sessions: Sessions, clock: Any):
    clock.freeze(1_810_000_000.0)
    told = []
    for address in (make_account(server), "nobody-at-all@example.com"):
        guesser = Browser(server, sessions, client=f"192.0.2.{10 + len(told)}")
        said = []
        for _ in range(PAIR.free + 2):
            with pytest.raises((SignInRefused, TooManyTries)) as caught:
                guesser.sign_in(address, OTHER)
            said.append(caught.value.message)
        told.append(said)
    assert told[0] == told[1]


# The first account, and links


def test_the_first_account_is_made_by_the_link_of_the_start_and_by_no_other(new: TrackrecordServer):
    sessions = sessions_of(new)
    stranger = Browser(new, sessions, base_url="http://events.example.com", client="192.0.2.9")
    key = new.server.first_link
    assert [new.call(sessions.may_begin, stranger.asked(), each) for each in (None, "guessed", key)] == [False, False, True]
    for wrong in (None, "guessed"):
        with pytest.raises(NotFound):
            stranger.do(sessions.begin, wrong, "eve@example.com", "", "short")  # the link is looked at first, and nothing hashed
    with pytest.raises(DataInvalid):
        stranger.do(sessions.begin, key, "ada@example.com", "Ada", "short")
    stranger.do(sessions.begin, key, "ada@example.com", "Ada", GOOD)
    signed_in = stranger.who()
    assert (signed_in.account.name, signed_in.memberships[0].role) == ("Ada", "admin")
    assert new.call(sessions.may_begin, stranger.asked(), key) is False
    with pytest.raises(NotFound):
        stranger.do(sessions.begin, key, "eve@example.com", "", GOOD)


@pytest.mark.parametrize(
    ("base_url", "client", "headers", "may"),
    [
        (HOME, "127.0.0.1", {}, True),
        ("http://localhost:8080", "127.0.0.1", {}, True),
        ("http://[::1]:8080", "::1", {}, True),
        (HOME, "192.0.2.9", {}, False),
        (HOME, None, {}, False),
        ("http://events.example.com", "127.0.0.1", {}, False),  # a proxy on this machine, or a name that leads here
        *((HOME, "127.0.0.1", {name: "127.0.0.1"}, False) for name in ("x_forwarded_for", "forwarded", "via", "x_real_ip")),
    ],
)
def test_without_the_link_it_is_made_on_the_same_machine_alone(new_once: TrackrecordServer, base_url, client, headers, may):
    sessions = sessions_of(new_once)
    browser = Browser(new_once, sessions, base_url=base_url, client=client)
    assert new_once.call(sessions.may_begin, browser.asked(**headers), None) is may


@pytest.fixture(scope="module")
def new_once() -> Iterator[TrackrecordServer]:
    """A server without accounts, that no test gives one."""
    with TrackrecordServer() as server:
        yield server


def test_behind_a_proxy_that_is_known_the_first_account_needs_the_link():
    for setting in ({"public_url": "https://events.example.com"}, {"trusted_proxies": "127.0.0.1"}):
        with TrackrecordServer(**setting) as server:
            sessions = sessions_of(server)
            assert server.call(sessions.may_begin, Browser(server, sessions).asked(), None) is False


def test_of_two_who_begin_on_the_same_machine_one_makes_the_first_account(new: TrackrecordServer):
    sessions = sessions_of(new)
    first, second = Browser(new, sessions), Browser(new, sessions)
    first.do(sessions.begin, None, "ada@example.com", "", GOOD)
    with pytest.raises(NotFound):
        second.do(sessions.begin, None, "eve@example.com", "", GOOD)
    assert (first.who().account.email, second.who()) == ("ada@example.com", None)


def test_a_link_chooses_a_password_signs_in_and_ends_the_sessions_before(browser: Browser, server: TrackrecordServer):
    address = make_account(server)
    account = browser.sign_in(address).account
    key = server.server.directory.links.create(account.number, now=int(server.clock()))
    other = Browser(server, browser.sessions)
    assert server.call(browser.sessions.account_of, other.asked(), key) == account
    other.do(browser.sessions.redeem, key, OTHER)
    assert (other.who().account, browser.who()) == (account, None)
    with pytest.raises(NotFound):
        other.do(browser.sessions.redeem, key, GOOD)
    with pytest.raises(SignInRefused):
        browser.sign_in(address, GOOD)
