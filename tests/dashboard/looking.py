"""The dashboard as it is looked at: by its HTML over HTTP, and in a browser's tab."""

import json
import re
from collections.abc import Mapping
from html import unescape
from pathlib import Path
from typing import Any, Literal, NamedTuple
from urllib.parse import urlsplit

import httpx
from playwright.sync_api import ConsoleMessage, Page, Request

from trackrecord.testing import TrackrecordServer

AXE = Path(__file__).parents[2] / "dashboard" / "node_modules" / "axe-core" / "axe.min.js"
EMAIL, PASSWORD = "ann@example.com", "a few words in a row"
WORKSPACE = "trackrecord"
INSIDE = f"/-/ui/w/{WORKSPACE}"
LOOKS: dict[Literal["light", "dark"], tuple[int, int]] = {"light": (1440, 900), "dark": (390, 844)}
LOOKED_AT = ("color-contrast", "link-in-text-block", "scrollable-region-focusable", "target-size")  # rules that go by how a page looks
_CSRF = re.compile(r'name="csrf" value="([^"]+)"')
_TAG = re.compile(r"<[^>]*>")


class Html(NamedTuple):
    status: int
    text: str
    headers: httpx.Headers

    @property
    def words(self) -> str:
        """What a reader sees, in one line; whole only where no tag is left open."""
        return " ".join(unescape(_TAG.sub(" ", self.text)).split())

    @property
    def location(self) -> str:
        return self.headers.get("location", "")

    @property
    def csrf(self) -> str:
        found = _CSRF.search(self.text)
        assert found, "the page has no form"
        return found[1]


def cells(page: Html, name: str) -> list[list[str]]:
    """The rows of a table's body, as they are read."""
    body = re.search(rf'<table class="[^"]*\b{name}".*?<tbody>(.*?)</tbody>', page.text, re.S)
    assert body, page.words
    rows = re.findall(r"<tr.*?>(.*?)</tr>", body[1], re.S)
    return [
        [" ".join(unescape(re.sub(r"<[^>]*>", " ", cell)).split()) for cell in re.findall(r"<t[hd].*?>(.*?)</t[hd]>", row, re.S)]
        for row in rows
    ]


class Looker:
    """Somebody with a browser's cookies and no browser. Paths that begin without a slash lie below the workspace's address."""

    def __init__(self, url: str, **headers: str) -> None:
        self.http = httpx.Client(base_url=url, headers=headers, follow_redirects=False)
        self._csrf = ""

    def get(self, path: str, **headers: str) -> Html:
        return self._seen(self.http.get(_address(path), headers=headers))

    def post(self, path: str, fields: Mapping[str, Any] | None = None, *, csrf: str | None = None, **headers: str) -> Html:
        """Submit a form, with the token of the page that was looked at last."""
        sent = {"csrf": self._csrf if csrf is None else csrf, **(fields or {})}
        return self._seen(self.http.post(_address(path), data=sent, headers=headers))

    def follow(self, answer: Html) -> Html:
        assert answer.status == 303, (answer.status, answer.words[:500])
        return self.get(answer.location)

    def begin(self) -> "Looker":
        """Make the first account of a new server, and be signed in as it."""
        self.get("/-/ui/welcome")
        answer = self.post("/-/ui/welcome", {"email": EMAIL, "name": "Ann", "password": PASSWORD})
        assert answer.status == 303, answer.words
        self.get("start")
        return self

    def sign_in(self, email: str = EMAIL, password: str = PASSWORD) -> Html:
        self.get("/-/ui/sign-in")
        return self.post("/-/ui/sign-in", {"email": email, "password": password})

    def _seen(self, response: httpx.Response) -> Html:
        html = Html(response.status_code, response.text, response.headers)
        if _CSRF.search(html.text):
            self._csrf = html.csrf
        return html


def _address(path: str) -> str:
    return path if path.startswith("/") else f"{INSIDE}/{path}"


class Tab:
    """A page in a browser, and all that must not happen in one: errors, and requests to anybody else."""

    def __init__(self, page: Page, url: str) -> None:
        self.page = page
        self.url = url
        self.errors: list[str] = []
        self.strangers: list[str] = []  # addresses of requests that left the server
        page.on("pageerror", lambda error: self.errors.append(str(error)))
        page.on("console", self._heard)
        page.on("request", self._asked)

    def _heard(self, message: ConsoleMessage) -> None:
        if message.type in ("error", "warning"):
            self.errors.append(message.text)

    def _asked(self, request: Request) -> None:
        parts = urlsplit(request.url)
        if parts.scheme not in ("data", "blob", "about") and f"{parts.scheme}://{parts.netloc}" != self.url:
            self.strangers.append(request.url)

    def open(self, path: str) -> "Tab":
        self.page.goto(self.url + _address(path))
        return self

    @property
    def words(self) -> str:
        return " ".join(self.page.inner_text("main").split())

    def troubles(self, path: str) -> list[str]:
        """What keeps somebody from using a page, by the rules of axe or its width: on a desk in the light, then on a phone in the dark."""
        found = []
        for rules, (scheme, (width, height)) in zip(((), LOOKED_AT), LOOKS.items(), strict=True):
            self.page.set_viewport_size({"width": width, "height": height})
            self.page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
            if not rules:
                self.open(path)
            found += self.is_accessible(*rules)
            found += [f"{path} is wider than {width} pixels"] if self.too_wide else []
        return found

    def is_accessible(self, *rules: str) -> list[str]:
        """What axe finds wrong with the page as it stands, by all of its rules or these alone; nothing, if all is well."""
        if not self.page.evaluate("'axe' in window"):
            self.page.evaluate(AXE.read_text("utf-8"))
        options = {"resultTypes": ["violations"], **({"runOnly": list(rules)} if rules else {})}
        found = self.page.evaluate("async (options) => JSON.stringify((await axe.run(document, options)).violations)", options)
        return [
            f"{each['id']}: {node['html'][:200]} ({node['failureSummary'][:300]})" for each in json.loads(found) for node in each["nodes"]
        ]

    @property
    def too_wide(self) -> bool:
        """Whether the page scrolls sideways."""
        return bool(self.page.evaluate("document.documentElement.scrollWidth > innerWidth"))


class Shown(NamedTuple):
    """A server with a signed-in admin."""

    server: TrackrecordServer
    looker: Looker

    @property
    def url(self) -> str:
        return self.server.url
