"""Every page over a real stream of events: its figures are the known answers, and those of the API."""

import gzip
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from looking import INSIDE, Looker, Shown, Tab

from trackrecord.testing import TrackrecordServer

DATA = Path(__file__).resolve().parents[3] / "shared" / "data"
LINES_MAX = 2_000


pytestmark = pytest.mark.skipif(not (DATA / "expected.json").exists(), reason="the real event stream is not beside this checkout")


@pytest.fixture(scope="module")
def expected() -> dict[str, Any]:
    found: dict[str, Any] = json.loads((DATA / "expected.json").read_text("utf-8"))
    return found


@pytest.fixture(scope="module")
def shown() -> Iterator[Shown]:
    with TrackrecordServer() as server, httpx.Client(base_url=server.url, headers={"Authorization": f"Bearer {server.token}"}) as http:
        for noun in ("contacts", "events"):
            lines = gzip.decompress((DATA / f"{noun}.ndjson.gz").read_bytes()).splitlines()
            for start in range(0, len(lines), LINES_MAX):
                http.post(f"/-/api/import/{noun}", content=b"\n".join(lines[start : start + LINES_MAX]), timeout=60).raise_for_status()
        yield Shown(server, Looker(server.url).begin())


@pytest.fixture(scope="module")
def busiest(shown: Shown, expected: dict[str, Any]) -> dict[str, Any]:
    """The contact with most events, and what is known of it."""
    known: dict[str, Any] = expected["top_users"][0]
    with httpx.Client(base_url=shown.url, headers={"Authorization": f"Bearer {shown.server.token}"}) as http:
        known["id"] = http.get(f"/contacts/find_by_external_id/{known['user_id']}").json()["id"]
    return known


def test_the_catalogue_has_the_known_totals(looker: Looker, expected: dict[str, Any]) -> None:
    page = looker.get("events").text
    for name, count in expected["per_event_name"].items():
        assert f"{count:,}" in page.partition(f">{name}<")[2][:4_000], name


def test_one_names_page_has_its_total(looker: Looker, expected: dict[str, Any]) -> None:
    for name, count in expected["per_event_name"].items():
        page = looker.get(f"events/name?name={name}")
        assert page.status == 200
        assert f"{count:,}" in page.text, name


def test_the_busiest_contact_has_its_known_summary_and_all_of_its_timeline(tab: Tab, busiest: dict[str, Any]) -> None:
    tab.open(f"contacts/{busiest['id']}")
    for name, known in busiest["events"].items():
        assert name in tab.words
        assert f"{known['count']:,}" in tab.words, name


def test_the_list_has_every_contact(tab: Tab, expected: dict[str, Any]) -> None:
    tab.open("contacts")
    assert f"{expected['contacts']['total']:,} contacts" in tab.words


def test_no_page_is_wider_than_a_phone(tab: Tab, busiest: dict[str, Any]) -> None:
    tab.page.set_viewport_size({"width": 390, "height": 844})
    for path in ("live", "events", "events/name?name=authored-commit", "contacts", f"contacts/{busiest['id']}", "segments", "settings"):
        tab.open(path)
        assert not tab.too_wide, path


@pytest.mark.usefixtures("axe")
def test_pages_full_of_data_can_be_used_by_everybody(tab: Tab, busiest: dict[str, Any]) -> None:
    for path in (
        "live",
        "events",
        "events/name?name=authored-commit",
        "contacts",
        f"contacts/{busiest['id']}",
        "reports/trend?event_name=authored-commit&range=dates&from=2005-01-01&to=2026-12-31&period=month",
    ):
        assert tab.troubles(path) == [], path


def test_the_search_finds_a_contact_an_event_name_and_nothing(looker: Looker, busiest: dict[str, Any]) -> None:
    assert f'href="{INSIDE}/contacts/{busiest["id"]}"' in looker.get(f"find?q={busiest['user_id']}").text
    assert "authored-commit" in looker.get("find?q=authored").words
    assert "Nothing is called so" in looker.get("find?q=nobody-at-all").words
