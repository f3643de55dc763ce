"""Whatever strangers put into the record, pages show it as text: nothing of it runs, leads anywhere but over http, or breaks a page."""

import re
from urllib.parse import quote

import httpx
import pytest
from looking import LOOKS, Looker, Shown, Tab

from trackrecord.dashboard.pages import PAGES

SCRIPT = "<script>document.title='hacked'</script>"
IMAGE = '"><img src=x onerror="document.title=\'hacked\'">'
LINK = "javascript:document.title='hacked'"
TEMPLATE = "{{ 7 * 7 }}{% raise %}${7*7}"
LONG = "w" * 255
RIGHT_TO_LEFT = "\u202eمرحبا بالعالم"
EMOJI = "👩‍👩‍👧‍👦🏳️‍🌈"
STRINGS = (SCRIPT, IMAGE, LINK, TEMPLATE, LONG, RIGHT_TO_LEFT, EMOJI)


@pytest.fixture(scope="module")
def addresses(shown: Shown) -> list[str]:
    """Every page that has something of STRINGS to show."""
    ids = []
    with httpx.Client(base_url=shown.url, headers={"Authorization": f"Bearer {shown.server.token}"}, timeout=30) as http:
        for number, text in enumerate(STRINGS):
            made = http.post("/contacts", json={"external_id": f"{number}{text}"[:255], "name": text, "custom_attributes": {"said": text}})
            assert made.status_code == 200, made.text
            ids.append(made.json()["id"])
            metadata = {
                text[:100]: text,
                "link": text,
                "rich": {"url": text, "value": text},
                "money": {"amount": 5, "currency": text[:20]},
                "deep": {"in": [text]},
                "far_date": 1 << 50,
            }
            event = {"event_name": text, "created_at": 1_700_000_000 + number, "id": ids[-1], "metadata": metadata}
            assert http.post("/events", json=event).status_code == 202
            assert http.post("/events", json=event).status_code == 202  # a duplicate
            assert http.post("/tags", json={"name": text, "users": [{"id": ids[-1]}]}).status_code == 200
            http.post("/-/api/segments", json={"name": text, "query": {"field": "name", "operator": "=", "value": text}})
    names = [f"events/name?name={quote(text, safe='')}" for text in STRINGS]
    plain = {page.path for page in PAGES if page.method == "GET" and "{" not in page.path and not page.piece}
    found = [*sorted(plain - {"events/name", "events/edit"}), *(f"find?q={quote(text, safe='')}" for text in STRINGS[:3])]
    return [*found, *(f"contacts/{id}" for id in ids), *names]


def test_nothing_of_it_runs_or_breaks_a_page(addresses: list[str], tab: Tab) -> None:
    tab.page.on("dialog", lambda dialog: tab.errors.append(dialog.message))
    for address in addresses:
        tab.open(address)
        assert tab.page.locator("h1").count() == 1, address
        assert tab.page.title() != "hacked", address
        assert tab.page.evaluate("[...document.querySelectorAll('a')].every((each) => /^(https?:|$)/.test(each.protocol))"), address
        for width, height in LOOKS.values():
            tab.page.set_viewport_size({"width": width, "height": height})
            assert not tab.too_wide, (address, width)


def test_it_stands_in_no_page_unescaped(addresses: list[str], looker: Looker) -> None:
    for address in addresses:
        page = looker.get(address)
        assert page.status in (200, 303), (address, page.words[:300])
        assert SCRIPT not in page.text, address
        assert "<img" not in page.text, address
        assert not re.search(r'(?:href|src|action)="\s*javascript:', page.text, re.I), address
