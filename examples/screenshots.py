"""What `make screenshots` does: fill a server with a made-up product's record, and take pictures of the dashboard's main pages.

    python examples/screenshots.py [--to FOLDER] [--only NAME ...]

The server is in memory and goes when this ends. Chromium is the system's; nothing is asked of the network.
"""

import argparse
import json
import random
import shutil
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import httpx
from playwright.sync_api import BrowserContext, Page, sync_playwright

from trackrecord.testing import TrackrecordServer

FOLDER = Path(__file__).resolve().parents[1] / "docs" / "screenshots"
EMAIL, PASSWORD = "ann@example.com", "a few words in a row"
INSIDE = "/-/ui/w/trackrecord"
DAYS, PEOPLE, DAY_S = 60, 900, 86_400
WIDE, PHONE = {"width": 1440, "height": 900}, {"width": 390, "height": 844}
FIRST = (
    "Ada",
    "Ben",
    "Cleo",
    "Dara",
    "Eli",
    "Fay",
    "Gus",
    "Hana",
    "Ivo",
    "Jun",
    "Kai",
    "Lea",
    "Mio",
    "Nia",
    "Oto",
    "Pia",
    "Rui",
    "Sol",
    "Zoe",
)
LAST = ("Ash", "Brook", "Cliff", "Dale", "East", "Field", "Glen", "Hill", "Isle", "Lake", "Marsh", "Oak", "Pine", "Quay", "Stone", "Vale")
PLANS = ("free", "team", "business")
AREAS = ("board", "calendar", "inbox", "reports")


class Shot(NamedTuple):
    name: str
    path: str
    size: dict[str, int] = WIDE
    scheme: str = "light"


SHOTS = (
    Shot("live", "live"),
    Shot("events", "events"),
    Shot("event", "events/name?name=shared-board"),
    Shot("contacts", "contacts"),
    Shot("contact", "contacts/{contact}"),
    Shot("segments", "segments"),
    Shot("trend", "reports/trend?event_name=signed-up&event_name=shared-board&period=day"),
    Shot("funnel", "reports/funnel?step=signed-up&step=made-board&step=shared-board&step=paid-invoice"),
    Shot("retention", "reports/retention?first_event=signed-up&return_event=opened-board&period=week"),
    Shot("settings", "settings/tokens"),
    Shot("contact-phone", "contacts/{contact}", PHONE),
    Shot("event-dark", "events/name?name=shared-board", WIDE, "dark"),
    Shot("live-phone-dark", "live", PHONE, "dark"),
)


def contacts(chance: random.Random, now: int) -> Iterator[dict[str, Any]]:
    """People of a product that there is not, who signed up in the last DAYS days, more of them lately."""
    for number in range(PEOPLE):
        name = f"{chance.choice(FIRST)} {chance.choice(LAST)}"
        since = int(now - DAYS * DAY_S * chance.random() ** 1.4)
        yield {
            "external_id": f"u-{1000 + number}",
            "email": f"{name.replace(' ', '.').lower()}.{number}@example.com",
            "name": name,
            "signed_up_at": since,
            "created_at": since,
            "custom_attributes": {"plan": chance.choices(PLANS, (6, 3, 1))[0], "seats": chance.randint(1, 40)},
        }


def events(chance: random.Random, people: list[dict[str, Any]], now: int) -> Iterator[dict[str, Any]]:
    """What they did: fewer come back each day, fewer on weekends, and some pay."""
    for person in people:
        who, since = person["external_id"], int(person["signed_up_at"])
        yield {
            "user_id": who,
            "event_name": "signed-up",
            "created_at": since,
            "metadata": {"source": chance.choice(("search", "friend", "ad"))},
        }
        if chance.random() < 0.8:
            yield {
                "user_id": who,
                "event_name": "made-board",
                "created_at": since + chance.randint(60, 3_000),
                "metadata": {"template": chance.choice(AREAS)},
            }
        stays, moment = chance.uniform(0.75, 0.97), since
        while (moment := moment + int(chance.expovariate(1 / 70_000))) < now and chance.random() < stays:
            if time.gmtime(moment).tm_wday >= 5 and chance.random() < 0.6:
                continue
            area = chance.choice(AREAS)
            yield {
                "user_id": who,
                "event_name": "opened-board",
                "created_at": moment,
                "metadata": {"area": area, "cards": chance.randint(1, 60)},
            }
            if chance.random() < 0.3:
                shared = {"area": area, "people": chance.randint(1, 6), "board": f"https://boards.example.com/b/{chance.randint(1, 900)}"}
                yield {"user_id": who, "event_name": "shared-board", "created_at": moment + 40, "metadata": shared}
            if chance.random() < 0.06:
                paid = {
                    "price": {"amount": chance.choice((900, 1900, 4900)), "currency": "eur"},
                    "invoice": {"url": f"https://billing.example.com/i/{chance.randint(1, 9999)}", "value": "Invoice"},
                    "due_date": moment + 14 * DAY_S,
                }
                yield {"user_id": who, "event_name": "paid-invoice", "created_at": moment + 90, "metadata": paid}
            if chance.random() < 0.04:
                yield {
                    "user_id": who,
                    "event_name": "exported-report",
                    "created_at": moment + 200,
                    "metadata": {"format": chance.choice(("pdf", "csv"))},
                }


def fill(server: TrackrecordServer) -> str:
    """The id of a contact who did much."""
    chance, now = random.Random(6), int(time.time())
    people = list(contacts(chance, now))
    with httpx.Client(base_url=server.url, headers={"Authorization": f"Bearer {server.token}"}, timeout=60) as http:
        for noun, lines in (("contacts", people), ("events", [each for each in events(chance, people, now) if each["created_at"] <= now])):
            lines = sorted(lines, key=lambda line: int(line["created_at"]))
            for start in range(0, len(lines), 2_000):
                sent = "\n".join(json.dumps(line) for line in lines[start : start + 2_000])
                http.post(f"/-/api/import/{noun}", content=sent).raise_for_status()
        for name, query in SEGMENTS:
            http.post("/-/api/segments", json={"name": name, "query": query}).raise_for_status()
        found = http.get("/-/api/reports/top-contacts", params={"event_name": "shared-board", "limit": 1}).json()
        return str(found["data"][0]["id"])


SEGMENTS = (
    (
        "Share a lot",
        {"field": "event.count", "event_name": "shared-board", "operator": ">=", "value": 3, "within_days": 30},
    ),
    (
        "On a paid plan",
        {"field": "custom_attributes.plan", "operator": "IN", "value": ["team", "business"]},
    ),
)


def sign_up(page: Page, url: str) -> None:
    page.goto(f"{url}/-/ui/welcome")
    page.fill("#email", EMAIL)
    page.fill("#name", "Ann")
    page.fill("#password", PASSWORD)
    page.click("button.accent")
    page.wait_for_url("**/start")


def shoot(context: BrowserContext, shot: Shot, url: str, folder: Path) -> None:
    page = context.new_page()
    page.emulate_media(color_scheme=shot.scheme)  # type: ignore[arg-type]
    page.set_viewport_size(shot.size)  # type: ignore[arg-type]
    page.goto(f"{url}{INSIDE}/{shot.path}")
    page.wait_for_selector(".htmx-request, .loading", state="detached")
    page.screenshot(path=folder / f"{shot.name}.png")
    page.close()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--to", type=Path, default=FOLDER)
    parser.add_argument("--only", nargs="*", help="names of pictures")
    given = parser.parse_args()
    chromium = shutil.which("chromium-headless-shell") or shutil.which("chromium")
    if chromium is None:
        raise SystemExit("there is no chromium here; on Debian: apt-get install chromium-headless-shell")
    given.to.mkdir(parents=True, exist_ok=True)
    with TrackrecordServer() as server, sync_playwright() as playwright:
        contact = fill(server)
        browser = playwright.chromium.launch(executable_path=chromium, args=["--disable-gpu"])
        context = browser.new_context()
        sign_up(context.new_page(), server.url)
        for shot in SHOTS:
            if not given.only or shot.name in given.only:
                shoot(context, shot._replace(path=shot.path.format(contact=contact)), server.url, given.to)
                print(given.to / f"{shot.name}.png")
        browser.close()


if __name__ == "__main__":
    main()
