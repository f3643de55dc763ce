"""The first steps: how to send an event from the reader's own language, and the wait for the first one."""

import time
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from ..directory import Directory
from ..http.call import Answer
from ..rules.directory import SCOPES
from . import rendering
from .visit import Page, Visit

SHOWN_FOR_S = 3_600.0  # how long the token that was made for the first steps can be shown again
SHOWN_MAX = 1_000  # tokens remembered for that
TOKEN_NAME = "first steps"  # noqa: S105 - what the token is called


class Language(NamedTuple):
    key: str  # of its template, templates/start/<key>.txt
    name: str
    install: str | None  # the command that fetches the client


LANGUAGES = (
    Language("curl", "curl", None),
    Language("python", "Python", "pip install python-intercom"),
    Language("node", "Node", "npm install intercom-client"),
    Language("ruby", "Ruby", "gem install intercom"),
    Language("go", "Go", "go get gopkg.in/intercom/intercom-go.v2"),
    Language("php", "PHP", "composer require intercom/intercom-php guzzlehttp/guzzle"),
    Language("web", "JavaScript in a page", None),
)
_KEYS = tuple(language.key for language in LANGUAGES)

# Secrets of tokens made for the first steps, by account and workspace: kept in memory alone, and for an hour.
_shown: dict[tuple[int, int], tuple[str, float]] = {}


def make_token(directory: Directory, workspace: int, now: int) -> str:
    """The secret of a new token with every scope, for the snippets."""
    return str(directory.tokens.create(workspace, TOKEN_NAME, frozenset(SCOPES), now=now)[1])


def remember(account: int, workspace: int, secret: str) -> None:
    for key in [key for key, (_, until) in _shown.items() if until < time.monotonic()]:
        del _shown[key]
    if len(_shown) >= SHOWN_MAX:
        _shown.clear()
    _shown[account, workspace] = secret, time.monotonic() + SHOWN_FOR_S


def _token(visit: Visit) -> str | None:
    secret, until = _shown.get((visit.signed_in.account.number, visit.workspace.number), (None, 0.0))
    return secret if until >= time.monotonic() else None


async def start(visit: Visit) -> Answer:
    """GET start?language=."""
    language = visit.param("language", "curl")
    chosen = LANGUAGES[_KEYS.index(language)] if language in _KEYS else LANGUAGES[0]
    return visit.html(
        "start/start.html",
        languages=LANGUAGES,
        chosen=chosen,
        token=_token(visit),
        snippet=_snippet(visit, chosen, _token(visit)),
        event=await _latest(visit),
    )


def _snippet(visit: Visit, language: Language, token: str | None) -> str:
    """Text, and no markup."""
    address = visit.asked.base_url
    parts = urlsplit(address)
    return (
        rendering.environment()
        .get_template(f"start/{language.key}.txt")
        .render(
            base_url=address,
            scheme=parts.scheme,
            host=parts.hostname,
            port=parts.port or {"https": 443}.get(parts.scheme, 80),
            token=token or "TOKEN",
            app_id=visit.workspace.id,
            created_at=visit.now(),
        )
    )


async def post_token(visit: Visit) -> Answer:
    """POST start/token: when the one that was made with the account cannot be shown any more."""
    services, workspace = visit.services, visit.workspace.number
    remember(visit.signed_in.account.number, workspace, await services.in_thread(make_token, services.directory, workspace, visit.now()))
    return visit.go(visit.url("start", language=visit.field("language") or None), "A token was made for these snippets")


async def waiting(visit: Visit) -> Answer:
    """GET start/first: the piece that waits for the first event, and shows it."""
    return visit.html("start/first.html", event=await _latest(visit))


async def _latest(visit: Visit) -> dict[str, Any] | None:
    reply = await visit.api.post("/-/api/events/search", {"pagination": {"per_page": 1}})
    return next(iter(reply.data["data"]), None)


PAGES = (
    Page("GET", "start", start),
    Page("POST", "start/token", post_token, role="admin"),
    Page("GET", "start/first", waiting, piece=True),
)
