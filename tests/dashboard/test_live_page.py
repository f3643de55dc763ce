"""The live page: events appear as they arrive, each opens to what became of it, and a lost connection comes back."""

import json
import re
import time
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from looking import INSIDE, LOOKS, Looker, Shown, Tab
from playwright.sync_api import Browser, expect
from ports import held_port

from trackrecord.testing import TrackrecordServer

WAIT_S = 30.0
ROWS_MAX = 200  # of dashboard/src/live.ts
ROW = "tr.event > td > details"
expect.set_options(timeout=WAIT_S * 1000)


class Sender:
    """Sends to a server as its customers do."""

    def __init__(self, server: TrackrecordServer) -> None:
        self.http = httpx.Client(base_url=server.url, headers={"Authorization": f"Bearer {server.token}"}, timeout=WAIT_S)
        self._seconds = int(time.time())

    def contact(self, **fields: Any) -> Any:
        answer = self.http.post("/contacts", json=fields)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def submit(self, user_id: str, name: str = "opened-door", **event: Any) -> int:
        """Each of a second of its own, unless it says which."""
        self._seconds -= 1
        answer = self.http.post("/events", json={"event_name": name, "created_at": self._seconds, "user_id": user_id, **event})
        assert answer.status_code == 202, answer.text
        return int(answer.headers["trackrecord-receipt"])

    def imported(self, user_id: str, count: int) -> None:
        self._seconds -= count
        lines = [{"event_name": "opened-door", "created_at": self._seconds + number, "user_id": user_id} for number in range(count)]
        answer = self.http.post("/-/api/import/events", content="\n".join(map(json.dumps, lines)))
        assert answer.json()["new"] == count


@pytest.fixture(scope="module")
def sender(shown: Shown) -> Iterator[Sender]:
    sender = Sender(shown.server)
    for user_id in ("ann", "bob"):
        sender.contact(external_id=user_id, email=f"{user_id}@example.com")
    yield sender
    sender.http.close()


def listening(tab: Tab, path: str = "live") -> Tab:
    tab.open(path)
    tab.page.wait_for_selector(".live-state.at-work")
    return tab


def positions(html: str) -> list[int]:
    return [int(each) for each in re.findall(r'data-position="(\d+)"', html)]


def test_an_empty_page_says_what_will_be_here_and_shows_the_first_event_when_it_comes(browser: Browser) -> None:
    with TrackrecordServer() as server:
        looker = Looker(server.url).begin()
        sender = Sender(server)
        sender.contact(external_id="ann")
        with browser.new_context() as context:
            context.add_cookies(
                [{"name": each.name, "value": each.value or "", "url": f"{server.url}/-/"} for each in looker.http.cookies.jar]
            )
            tab = listening(Tab(context.new_page(), server.url))
            assert "Nothing has arrived yet" in tab.words
            sender.submit("ann")
            expect(tab.page.locator(ROW)).to_have_count(1)
            assert "Nothing has arrived yet" not in tab.words
            assert tab.errors == []


def test_events_appear_at_the_top_as_they_arrive_and_once(tab: Tab, sender: Sender) -> None:
    listening(tab, "live?name=walked-in")
    for number in range(3):
        sender.submit("ann", "walked-in", metadata={"n": number})
    expect(tab.page.locator(".brief")).to_have_text(["n 2", "n 1", "n 0"])


def test_a_row_opens_to_its_metadata_by_kind_and_to_what_became_of_it(tab: Tab, sender: Sender) -> None:
    listening(tab, "live?name=placed-order")
    metadata = {
        "price": {"amount": 34999, "currency": "eur"},
        "yen": {"amount": 500, "currency": "jpy"},
        "order_date": 1_671_020_000,
        "article": {"url": "https://example.com/a", "value": "A <b>chair</b>"},
        "page": "https://example.com/b",
        "new": True,
        "note": None,
    }
    at = int(time.time())
    sender.submit("ann", "placed-order", created_at=at, metadata=metadata)
    sender.submit("ann", "placed-order", created_at=at, metadata=metadata)
    sender.submit("ann", "placed-order", created_at=at, metadata=metadata)
    expect(tab.page.locator(ROW)).to_have_count(1)
    expect(tab.page.locator(".event .pill")).to_have_text(["1 key not kept", "received 3 times"])
    tab.page.locator(f"{ROW} > summary").click()
    opened = tab.page.locator(".opened", has=tab.page.locator(".receipt"))
    facts = opened.locator("dl.metadata")
    expect(facts.locator("dd").nth(0)).to_contain_text("349.99 EUR")
    expect(facts.locator("dd").nth(1)).to_contain_text("500 JPY")
    expect(facts.locator("dd").nth(2)).to_contain_text("14 Dec 2022")
    expect(facts.locator("dd").nth(3).get_by_role("link", name="A <b>chair</b>")).to_have_attribute("rel", "noopener noreferrer nofollow")
    expect(facts.locator("dd").nth(4).get_by_role("link")).to_have_attribute("href", "https://example.com/b")
    expect(facts.locator("dt s")).to_have_text("note")
    expect(facts.locator("dd").last).to_contain_text("not kept: null carries no value")
    expect(opened.locator(".receipt")).to_contain_text("Stored")
    expect(opened.locator(".copies > summary")).to_have_text("Received 3 times; kept once")


def test_an_event_that_comes_again_is_one_row_which_moves_up_unless_somebody_reads_it(tab: Tab, sender: Sender) -> None:
    at = int(time.time())
    first = sender.submit("ann", "sent-again", created_at=at)
    sender.submit("ann", "sent-again", created_at=at)
    listening(tab, "live?name=sent-again")
    pills, rows = tab.page.locator(".event .pill"), tab.page.locator("tr.event")
    expect(pills).to_have_text(["received 2 times"])
    other = sender.submit("bob", "sent-again", created_at=at - 60)
    expect(rows).to_have_count(2)
    sender.submit("ann", "sent-again", created_at=at)
    expect(pills).to_have_text(["received 3 times"])
    assert [int(row.get_attribute("data-position") or 0) for row in rows.all()] == [first, other]
    rows.last.locator("summary").first.click()
    expect(rows.last.locator(".receipt")).to_contain_text("Stored")
    sender.submit("bob", "sent-again", created_at=at - 60)
    expect(pills).to_have_text(["received 3 times", "received 2 times"])
    assert [int(row.get_attribute("data-position") or 0) for row in rows.all()] == [first, other]


def test_copies_whose_first_is_not_listed_are_one_row_that_tells_how_often_it_came(looker: Looker, sender: Sender) -> None:
    at = int(time.time())
    for _ in range(3):
        sender.submit("ann", "came-back", created_at=at)
    page = looker.get("live?name=came-back&outcome=duplicate")
    assert len(positions(page.text)) == 1
    assert "received 3 times" in page.words
    tab_of_one = looker.get(f"live/{positions(page.text)[0]}")
    assert "Duplicate of number" in tab_of_one.words


def test_rows_and_links_of_the_page_are_those_of_the_api(looker: Looker, shown: Shown, sender: Sender) -> None:
    sent = [sender.submit("bob", "counted") for _ in range(60)]
    page = looker.get("live?name=counted")
    assert positions(page.text) == sent[:-51:-1]
    call = re.search(r"curl -s \\\s*(.*?) \\", page.words)
    assert call
    told = httpx.get(call[1].strip("'"), headers={"Authorization": f"Bearer {shown.server.token}"}).text
    assert [int(each) for each in re.findall(r'"type":"receipt","position":(\d+)', told)][-50:] == sent[-50:]


def test_without_javascript_the_page_shows_what_came_last_and_a_link_to_look_again(looker: Looker, sender: Sender) -> None:
    at = sender.submit("ann", "read-plainly", metadata={"room": "kitchen"})
    page = looker.get("live?name=read-plainly&contact=ann%40example.com")
    assert positions(page.text) == [at]
    again = re.search(r'<noscript>.*?<a href="([^"]+)"', page.text, re.DOTALL)
    assert again
    assert again[1] == f"{INSIDE}/live?name=read-plainly&amp;contact=ann%40example.com"
    event = looker.get(f"live/{at}")
    assert "room kitchen text" in event.words
    assert "Stored" in event.words


@pytest.mark.parametrize("contact", ["bob", "bob@example.com", "{id}"])
def test_a_contact_is_chosen_by_any_of_its_names(looker: Looker, sender: Sender, contact: str) -> None:
    bob = sender.http.get("/contacts/find_by_external_id/bob").json()
    at, _ = [sender.submit(who, "chosen") for who in ("bob", "ann")]
    page = looker.get(f"live?name=chosen&contact={contact.format(**bob)}")
    assert positions(page.text)[0] == at


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ("contact=nobody-at-all", "No contact is called nobody-at-all"),
        ("outcome=kept", "outcome must be stored or duplicate or erased, got 'kept'"),
        (f"name={'x' * 256}", "event_name must have at most 255 characters, got 256"),
        ("name=never-seen", "Nothing like this has come lately"),
    ],
)
def test_what_finds_nothing_says_so_and_offers_to_show_everything(looker: Looker, query: str, words: str) -> None:
    page = looker.get(f"live?{query}")
    assert page.status == 200
    assert words in page.words
    assert f'href="{INSIDE}/live"' in page.text


def test_a_pause_holds_rows_back_and_says_how_many_wait(tab: Tab, sender: Sender) -> None:
    listening(tab, "live?name=held-back")
    tab.page.keyboard.press("p")
    for _ in range(3):
        sender.submit("ann", "held-back")
    pause = tab.page.locator("[data-live-pause]")
    expect(pause).to_have_text("Go on (3 waiting)")
    expect(tab.page.locator(ROW)).to_have_count(0)
    pause.click()
    expect(tab.page.locator(ROW)).to_have_count(3)
    expect(pause).to_have_text("Pause")
    expect(tab.page.locator("[data-live-state]")).to_have_text("Listening")


def test_of_what_a_pause_held_back_every_copy_counts(tab: Tab, sender: Sender) -> None:
    at = int(time.time())
    listening(tab, "live?name=held-copies")
    tab.page.keyboard.press("p")
    lines = [{"event_name": "held-copies", "created_at": at, "user_id": "ann"}] * (ROWS_MAX + 60)
    assert sender.http.post("/-/api/import/events", content="\n".join(map(json.dumps, lines))).json()["new"] == 1
    pause = tab.page.locator("[data-live-pause]")
    expect(pause).to_have_text(f"Go on ({ROWS_MAX + 60} waiting)")
    pause.click()
    expect(tab.page.locator(".event .pill")).to_have_text([f"received {ROWS_MAX + 60} times"])
    tab.page.reload()
    expect(tab.page.locator(".event .pill")).to_have_text([f"received {ROWS_MAX + 60} times"])


def test_a_page_holds_the_newest_rows_and_those_that_are_open(tab: Tab, sender: Sender) -> None:
    listening(tab, "live?contact=bob&name=opened-door")
    first = sender.submit("bob")
    tab.page.locator(f'tr[data-position="{first}"] summary').click()
    sender.imported("bob", ROWS_MAX + 50)
    last = sender.submit("bob", metadata={"last": True})
    expect(tab.page.locator(f'tr[data-position="{last}"]')).to_have_count(1)
    expect(tab.page.locator(ROW)).to_have_count(ROWS_MAX)
    expect(tab.page.locator(f'tr[data-position="{first}"]')).to_have_count(1)


def test_by_keyboard_alone_a_row_is_found_and_opened(tab: Tab, sender: Sender) -> None:
    sender.submit("ann", "by-keyboard", metadata={"room": "kitchen"})
    listening(tab, "live?name=by-keyboard")
    tab.page.keyboard.press("j")
    tab.page.keyboard.press("Enter")
    expect(tab.page.locator(".receipt")).to_contain_text("Stored")


def test_rows_do_not_move_for_who_wants_no_motion(tab: Tab, sender: Sender) -> None:
    for motion, name in (("no-preference", "arrive"), ("reduce", "none")):
        tab.page.emulate_media(reduced_motion=motion)  # type: ignore[arg-type]
        listening(tab, f"live?name=moved-{motion}")
        sender.submit("ann", f"moved-{motion}")
        tab.page.wait_for_selector("tr.fresh")
        assert tab.page.evaluate("getComputedStyle(document.querySelector('tr.fresh')).animationName") == name


def test_what_strangers_sent_runs_nowhere_when_it_arrives(tab: Tab, sender: Sender) -> None:
    script = "<script>document.title='hacked'</script><img src=x onerror=\"document.title='hacked'\">"
    listening(tab, "live?contact=ann")
    sender.submit("ann", script, metadata={script: script, "link": {"url": "javascript:document.title='hacked'", "value": script}})
    row = tab.page.locator("tr.fresh", has_text="<script>")
    row.locator("summary").first.click()
    expect(row.locator(".receipt")).to_contain_text("Stored")
    assert tab.page.title().startswith("Live")
    assert row.locator("a[href^=javascript]").count() == 0
    assert row.locator("img, script").count() == 0


@pytest.mark.usefixtures("axe")
@pytest.mark.parametrize(("scheme", "size"), LOOKS.items())
def test_the_page_with_rows_is_accessible_and_fits(tab: Tab, sender: Sender, scheme: Any, size: tuple[int, int]) -> None:
    at = int(time.time()) - 10
    sender.submit("ann", "x" * 255, created_at=at, metadata={"k" * 60: "w" * 250, "note": None})
    sender.submit("ann", "x" * 255, created_at=at)
    tab.page.emulate_media(color_scheme=scheme)
    tab.page.set_viewport_size({"width": size[0], "height": size[1]})
    listening(tab)
    tab.page.locator(f"{ROW} > summary").first.click()
    tab.page.wait_for_selector(".receipt")
    assert tab.is_accessible() == []
    assert not tab.too_wide


def test_a_lost_server_is_told_and_when_it_is_back_nothing_was_missed(browser: Browser, tmp_path: Any) -> None:
    data = str(tmp_path / "data")
    with held_port() as port, browser.new_context() as context:
        with TrackrecordServer(data=data, port=port) as server:
            looker = Looker(server.url).begin()
            sender, token = Sender(server), server.token
            sender.contact(external_id="ann")
            cookies = [{"name": each.name, "value": each.value or "", "url": f"{server.url}/-/"} for each in looker.http.cookies.jar]
            context.add_cookies(cookies)  # type: ignore[arg-type]
            tab = listening(Tab(context.new_page(), server.url))
            sent = [sender.submit("ann")]
            expect(tab.page.locator(ROW)).to_have_count(1)
        expect(tab.page.locator("[data-live-state]")).to_contain_text("The connection is lost")
        with TrackrecordServer(data=data, port=port, token=token) as server:
            sender = Sender(server)
            sent.append(sender.submit("ann", "came-meanwhile"))
            expect(tab.page.locator("[data-live-state]")).to_have_text("Listening", timeout=WAIT_S * 1000)
            sent.append(sender.submit("ann", "came-after"))
            expect(tab.page.locator(ROW)).to_have_count(3)
            assert positions(tab.page.content()) == sent[::-1]


def test_the_stream_ends_when_somebody_signs_out(shown: Shown, sender: Sender) -> None:
    somebody = Looker(shown.url)
    somebody.sign_in()
    somebody.get("live")
    with somebody.http.stream("GET", f"{INSIDE}/live/stream", timeout=WAIT_S) as stream:
        pieces = stream.iter_text()
        assert "event: beat" in next(pieces)
        with Looker(shown.url).http as other:
            other.cookies = somebody.http.cookies
            assert other.post("/-/ui/sign-out", data={"csrf": somebody.get("live").csrf}).status_code == 303
        deadline = time.monotonic() + WAIT_S
        sender.submit("ann")
        for _ in pieces:  # each piece is another turn to look
            assert time.monotonic() < deadline
            sender.submit("ann")


def test_the_stream_is_nobodys_who_is_not_signed_in_nor_of_another_workspace(shown: Shown, looker: Looker) -> None:
    assert Looker(shown.url).get("live/stream").status == 303
    assert looker.get("/-/ui/w/another/live/stream").status == 404


def test_an_event_that_is_not_there_has_no_page(looker: Looker) -> None:
    for address in ("live/999999999", "live/0", "live/none"):
        assert looker.get(address).status == 404
