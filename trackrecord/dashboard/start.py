"""The first steps: how to send an event from the reader's own language, and the wait for the first one."""

import re
import time
from functools import partial
from typing import Any, NamedTuple
from urllib.parse import urlsplit
from weakref import WeakKeyDictionary

from ..http.call import Answer, Services
from ..rules.directory import SCOPES, Token
from . import rendering
from .visit import Page, Visit

SHOWN_FOR_S = 3_600.0  # how long the token that was made for the first steps can be shown again
SHOWN_MAX = 1_000  # tokens remembered for that
TOKEN_NAME = "first steps"  # noqa: S105 - what the token is called


class Language(NamedTuple):
    key: str  # of its template, templates/start/<key>.txt
    name: str
    install: str | None  # the command that fetches the client
    file: str | None = None  # what the snippet is saved as
    run: str | None = None  # the command that runs it then


LANGUAGES = (
    Language("curl", "curl", None),
    Language("python", "Python", "pip install python-intercom", "send.py", "python send.py"),
    Language("node", "Node", "npm install intercom-client", "send.mjs", "node send.mjs"),
    Language("ruby", "Ruby", "gem install intercom", "send.rb", "ruby send.rb"),
    Language("go", "Go", "go mod init send && go get gopkg.in/intercom/intercom-go.v2", "send.go", "go run send.go"),
    Language("php", "PHP", "composer require intercom/intercom-php guzzlehttp/guzzle", "send.php", "php send.php"),
    Language("web", "JavaScript in a page", None),
)
_KEYS = tuple(language.key for language in LANGUAGES)


class Shown(NamedTuple):
    """A token that was made for the first steps, with its secret: in memory alone, and for an hour."""

    token: Token
    secret: str
    until: float  # by the monotonic clock


# Of each server, by account and workspace.
_shown: WeakKeyDictionary[Services, dict[tuple[int, int], Shown]] = WeakKeyDictionary()


async def make_token(services: Services, account: int, workspace: int) -> None:
    """Make a token with every scope, which the snippets show to this account."""
    create = partial(services.directory.tokens.create, workspace, TOKEN_NAME, frozenset(SCOPES), now=int(services.now()))
    token, secret = await services.in_thread(create)
    shown = _shown.setdefault(services, {})
    for key in [key for key, each in shown.items() if each.until < time.monotonic()]:
        del shown[key]
    while len(shown) >= SHOWN_MAX:
        del shown[next(iter(shown))]
    shown[account, workspace] = Shown(token, secret, time.monotonic() + SHOWN_FOR_S)


async def _token(visit: Visit) -> str | None:
    """The secret to show, as long as its token stands and the account may make another."""
    shown = _shown.get(visit.services, {}).get((visit.signed_in.account.number, visit.workspace.number))
    if shown is None or not visit.may_change or shown.until < time.monotonic():
        return None
    found = await visit.services.in_thread(visit.services.directory.tokens.find, shown.token.digest)
    return shown.secret if found is not None and found.revoked_at is None else None


async def start(visit: Visit) -> Answer:
    """GET start?language=."""
    language = visit.param("language", "curl")
    chosen = LANGUAGES[_KEYS.index(language)] if language in _KEYS else LANGUAGES[0]
    token = await _token(visit)
    before = await _latest(visit)
    return visit.html(
        "start/start.html",
        languages=LANGUAGES,
        chosen=chosen,
        token=token,
        snippet=_snippet(visit, chosen, token),
        event=None,
        before=before,
        after=before["position"] if before else 0,
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
            who=f"ann-{language.key}",  # as each client refuses to make a contact that another one made
            app_id=visit.workspace.id,
            created_at=visit.now(),
        )
    )


async def post_token(visit: Visit) -> Answer:
    """POST start/token: when the one that was made with the account cannot be shown any more."""
    await make_token(visit.services, visit.signed_in.account.number, visit.workspace.number)
    return visit.go(visit.url("start", language=visit.field("language") or None), "A token was made for these snippets")


async def waiting(visit: Visit) -> Answer:
    """GET start/first?after=: the piece that waits for the first event behind a position, and shows it."""
    sent = visit.param("after")
    after = int(sent) if re.fullmatch("[0-9]{1,18}", sent) else 0
    event = await _latest(visit)
    return visit.html("start/first.html", event=event if event and event["position"] > after else None, before=None, after=after)


async def _latest(visit: Visit) -> dict[str, Any] | None:
    reply = await visit.api.post("/-/api/events/search", {"pagination": {"per_page": 1}})
    return next(iter(reply.data["data"]), None)


PAGES = (
    Page("GET", "start", start),
    Page("POST", "start/token", post_token, role="admin"),
    Page("GET", "start/first", waiting, piece=True),
)
