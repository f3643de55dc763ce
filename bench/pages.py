"""How long the server takes for a page of the dashboard when there is much to show, with nothing else at work.

Whoever looks something up goes through several pages, so none may be waited for. Each is asked as a browser asks it, by somebody who
is signed in, one after the other; the time is the client's. Pages that count over all events ask the process of the analysis, which
reads the store with the first question: how long that takes stands beside. The yardstick is GET /-/health?check=live.
"""

import contextlib
import time
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

import httpx

from trackrecord import engines
from trackrecord.directory import Directory

from . import processes
from .context import Bench
from .dataset import SINCE, YEAR_S, event_name, external_id
from .figures import Bar, Figure, Result, over

TIMES = 20  # each page, after once; fewer where little is measured
MOST_MS = 100.0
COLD_S = 180.0  # for the columns to be made
EMAIL = "bench@example.com"
LIVE = "/-/health?check=live"


class Page(NamedTuple):
    name: str
    path: str  # below the workspace's address


def measure(bench: Bench) -> Result:
    with processes.serving(bench.half) as server, httpx.Client(base_url=f"http://127.0.0.1:{server.port}", timeout=60) as http:
        began = time.perf_counter()
        workspace, contact = _sign_in(bench, http)
        pages = asked(contact)
        times = min(TIMES, 7 * bench.sizes.rounds)
        bench.say("columns")
        while (answer := http.get(f"/-/ui/w/{workspace}/events")).status_code == 503:
            if time.perf_counter() - began > COLD_S:
                raise processes.Trouble("the columns of the events were not made in time")
            time.sleep(float(answer.headers.get("retry-after", 1)))
        cold_s = time.perf_counter() - began
        live: list[float] = []
        taken: dict[str, list[float]] = {page.name: [] for page in pages}
        for page in pages:
            bench.say(page.name)
            for number in range(times + 1):
                ms = _ms(http, f"/-/ui/w/{workspace}/{page.path}")
                if number:  # the first is for caches
                    taken[page.name].append(ms)
        for _ in range(times):
            live.append(_ms(http, LIVE))
    figures = [
        Figure(name=name, unit="ms", values=values, ratios={"live": over(values, live)}, bar=Bar(most=MOST_MS))
        for name, values in taken.items()
    ]
    figures += [Figure(name="live", unit="ms", values=live), Figure(name="columns made anew", unit="s", values=[cold_s])]
    return Result(measure="pages", figures=figures)


def asked(contact: str) -> list[Page]:
    """The last month of the events, as ranges go by days."""
    until = datetime.fromtimestamp(SINCE + YEAR_S, UTC)
    span = f"range=dates&from={until - timedelta(days=30):%Y-%m-%d}&to={until:%Y-%m-%d}"
    one, two, three = (event_name(each) for each in range(3))
    return [
        Page("live", "live"),
        Page("events", "events"),
        Page("one event name, a month", f"events/name?name={one}&{span}"),
        Page("contacts", "contacts"),
        Page("contacts found by e-mail or name", "contacts?q=nobody-at-all"),
        Page("a busy contact", f"contacts/{contact}"),
        Page("search", f"find?q={external_id(5)}"),
        Page("segments", "segments"),
        Page("trend of three names, a month", f"reports/trend?event_name={one}&event_name={two}&event_name={three}&{span}&compare=true"),
        Page("trend of all events, all time", "reports/trend?range=all&period=month"),
        Page("funnel of three steps, a month", f"reports/funnel?step={one}&step={two}&step={three}&{span}"),
        Page("retention by week, a month", f"reports/retention?first_event={one}&return_event={two}&{span}&period=week"),
        Page("data and health", "settings/data"),
        Page("request log", "settings/requests"),
    ]


def _sign_in(bench: Bench, http: httpx.Client) -> tuple[str, str]:
    """The workspace's id, and that of a contact who did much."""
    with contextlib.closing(Directory.open(bench.half / engines.DIRECTORY_FILE)) as directory:
        now = int(time.time())
        workspace = directory.workspaces.list()[0]
        account = directory.accounts.create(EMAIL, "Bench", now=now, role="admin", workspaces=[workspace.number])
        secret = directory.sessions.create(account.number, now=now)
        (contact,) = directory.contacts.by_numbers(workspace.number, [bench.grown.people.contacts[0]]).values()
    http.cookies.set("trackrecord_session", secret or "")
    return workspace.id, contact.id


def _ms(http: httpx.Client, path: str) -> float:
    began = time.perf_counter()
    answer = http.get(path)
    if answer.status_code != 200:
        raise processes.Trouble(f"{path} was answered {answer.status_code}")
    return (time.perf_counter() - began) * 1_000
