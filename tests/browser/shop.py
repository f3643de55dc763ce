"""A web site with our script in its pages, its visitors' tabs, and the record that they lead to."""

import json
import threading
from collections.abc import Iterator, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import parse_qs, quote, urlencode, urlsplit

from door import Door
from playwright.sync_api import BrowserContext, ConsoleMessage, Page
from real_server import Client, RealServer, until

HERE = Path(__file__).parent
PAGES = HERE / "pages"
APP = "trackrecord"
KINDS = {".html": "text/html; charset=utf-8", ".js": "text/javascript; charset=utf-8"}
INSECURE = "shop.test"  # led to the loopback by the browser: no secure context, unlike 127.0.0.1


class PageServer:
    """Serves the files of pages/, and what is built into `built`.

    In the former SCRIPT stands for the script's address, SERVER for its origin, and SETTINGS for what the address of the page says under
    `settings`; what it says under `policy` is sent as Content-Security-Policy.
    """

    def __init__(self, script_origin: str, built: Path) -> None:
        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def log_message(self, *_: object) -> None: ...

            def do_GET(self) -> None:
                address = urlsplit(self.path)
                query = parse_qs(address.query)
                name = Path(address.path).name
                path = next((folder / name for folder in (PAGES, built) if (folder / name).is_file()), None)
                text = path.read_text("utf-8") if path else "there is no such page"
                known = {"SCRIPT": f"{script_origin}/widget/{APP}", "SERVER": script_origin, "SETTINGS": query.get("settings", ["{}"])[0]}
                if path and path.parent == PAGES:
                    for word, stands_for in known.items():
                        text = text.replace(word, stands_for)
                content = text.encode()
                self.send_response(200 if path else 404)
                self.send_header("Content-Type", KINDS[path.suffix] if path else "text/plain")
                self.send_header("Content-Length", str(len(content)))
                if "policy" in query:
                    self.send_header("Content-Security-Policy", query["policy"][0])
                self.end_headers()
                self.wfile.write(content)

        self._http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._http.daemon_threads = True
        self._thread = threading.Thread(target=self._http.serve_forever, kwargs={"poll_interval": 0.02})
        self.port = self._http.server_port
        self.built = built

    def __enter__(self) -> "PageServer":
        self._thread.start()
        return self

    def __exit__(self, *exc: object) -> None:
        self._http.shutdown()
        self._thread.join()
        self._http.server_close()


class Kept(NamedTuple):
    """An event of the record. `user_id` is a visitor's or a lead's anonymous id where nobody named one."""

    user_id: str
    name: str
    metadata: dict[str, Any]


class Record:
    """What the server keeps, as its API tells: all of the workspace since this was made."""

    def __init__(self, server: RealServer) -> None:
        self._server = server
        self._mark = max((event["position"] for event in self._all()), default=0)

    def ask(self, method: str, target: str, body: Any = None) -> tuple[int, Any]:
        with Client(self._server.url) as client:
            status, _, answer = client.ask(method, target, body)
        return status, answer

    def events(self) -> list[dict[str, Any]]:
        """In the order they were kept in."""
        return sorted((event for event in self._all() if event["position"] > self._mark), key=lambda event: int(event["position"]))

    def kept(self) -> list[Kept]:
        return [Kept(event["user_id"], event["event_name"], event["metadata"]) for event in self.events()]

    def names(self, user_id: str) -> list[str]:
        """What somebody did, as GET /events lists it, the earliest first; nothing where nobody is called so."""
        status, page = self.ask("GET", f"/events?{urlencode({'type': 'user', 'user_id': user_id, 'per_page': 150})}")
        assert status in (200, 404), page
        return [event["event_name"] for event in reversed(page["events"])] if status == 200 else []

    def visitor(self, user_id: str) -> tuple[int, Any]:
        return self.ask("GET", f"/visitors?{urlencode({'user_id': user_id})}")

    def user(self, external_id: str) -> dict[str, Any] | None:
        status, contact = self.ask("GET", f"/contacts/find_by_external_id/{quote(external_id, safe='')}")
        return contact if status == 200 else None

    def _all(self) -> Iterator[dict[str, Any]]:
        after: dict[str, Any] = {}
        while True:
            status, page = self.ask("POST", "/-/api/events/search", {"pagination": {"per_page": 150, **after}})
            assert status == 200, page
            yield from page["data"]
            if "next" not in page["pages"]:
                return
            after = {"starting_after": page["pages"]["next"]["starting_after"]}


class Tab:
    """One page that is open, and what it said on its console."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.said: list[tuple[str, str]] = []  # (log, warning or error; text)
        self.errors: list[str] = []  # thrown, and caught by nobody
        page.on("console", self._heard)
        page.on("pageerror", lambda error: self.errors.append(str(error)))

    def _heard(self, message: ConsoleMessage) -> None:
        if message.type in ("warning", "error") and not message.text.startswith("Failed to load resource"):  # the browser's own words
            self.said.append((message.type, message.text))

    def call(self, *arguments: Any) -> Any:
        """`Intercom(...arguments)` and what it returned."""
        return self.page.evaluate("given => window.Intercom(...given)", list(arguments))

    def track(self, name: str, metadata: Mapping[str, Any] | None = None) -> None:
        self.call("trackEvent", name, *([] if metadata is None else [dict(metadata)]))

    def booted(self) -> "Tab":
        self.page.wait_for_function("window.Intercom && window.Intercom.booted === true")
        return self

    @property
    def visitor_id(self) -> str:
        found = self.call("getVisitorId")
        assert isinstance(found, str)
        assert found
        return found

    def cookies(self) -> dict[str, str]:
        """By name without the app's id, of our script alone."""
        ours = (cookie for cookie in self.page.context.cookies(self.page.url) if cookie["name"].startswith("intercom-"))
        return {cookie["name"].removesuffix(f"-{APP}"): cookie["value"] for cookie in ours}


class Shop:
    """All of it together, for one test. A context is a browser profile of its own: cookies, storage, cache."""

    def __init__(self, context: BrowserContext, pages: PageServer, door: Door, record: Record) -> None:
        self.context, self.pages, self.door, self.record = context, pages, door, record
        self.tabs: list[Tab] = []
        self._last_words = 0

    def address(self, page: str, settings: Mapping[str, Any], *, host: str = "127.0.0.1", policy: str | None = None) -> str:
        query = {"settings": json.dumps({"app_id": APP, **settings})} | ({"policy": policy} if policy else {})
        return f"http://{host}:{self.pages.port}/{page}?{urlencode(query)}"

    def tab(self, script: str | None = None) -> Tab:
        """An empty one; `script` runs before anything else in each of its pages."""
        tab = Tab(self.context.new_page())
        if script:
            tab.page.add_init_script(script)
        self.tabs.append(tab)
        return tab

    def visit(
        self, page: str = "plain.html", *, tab: Tab | None = None, host: str = "127.0.0.1", policy: str | None = None, **settings: Any
    ) -> Tab:
        """Open a page with these settings in a new tab, or in that one."""
        tab = tab or self.tab()
        tab.page.goto(self.address(page, settings, host=host, policy=policy))
        return tab

    def settled(self, tab: Tab) -> list[Kept]:
        """The record of this test once all that the tab had to say is in it: a queue goes in order, so its last word comes last."""
        tab.track("last word")
        self._last_words += 1
        self.wait_for("last word", self._last_words)
        return [kept for kept in self.record.kept() if kept.name != "last word"]

    def wait_for(self, name: str, count: int = 1) -> None:
        """Until so many events of this name are kept."""
        until(lambda: sum(kept.name == name for kept in self.record.kept()) >= count)
