"""From a template to an answer, with the headers that keep a page to itself."""

import hashlib
from functools import cache
from importlib.resources import files
from typing import Any
from urllib.parse import quote

from jinja2 import Environment, PackageLoader, StrictUndefined, pass_context, select_autoescape
from jinja2.runtime import Context
from markupsafe import Markup

from .. import __version__
from ..errors import NotFound, TrackrecordError
from ..http.call import Answer, Asked
from ..rules.directory import Workspace
from . import formats, metadata
from .api import ApiCall

# Scripts, styles and data come from this server and from nobody else; nothing is written into a page that runs.
POLICY = (
    b"default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; manifest-src 'self'; "
    b"form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
PAGE_HEADERS = (
    (b"content-type", b"text/html; charset=utf-8"),
    (b"content-security-policy", POLICY),
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"same-origin"),
    (b"cross-origin-opener-policy", b"same-origin"),
    (b"cross-origin-resource-policy", b"same-origin"),
    (b"cache-control", b"no-store"),
    (b"vary", b"hx-request"),
)
STATIC = {
    "app.js": b"text/javascript; charset=utf-8",
    "app.css": b"text/css; charset=utf-8",
    "icons.svg": b"image/svg+xml",
    "icon.svg": b"image/svg+xml",
}
SAID_S = 30  # how long what was done waits to be told on the next page
THEMES = ("light", "dark")


@cache
def static_files() -> dict[str, tuple[bytes, bytes]]:
    """By the name it is served under, which has its hash: content type and content."""
    folder = files("trackrecord.dashboard") / "static"
    found = {}
    for name, kind in STATIC.items():
        content = (folder / name).read_bytes()
        stem, _, end = name.partition(".")
        found[f"{stem}.{hashlib.sha256(content).hexdigest()[:12]}.{end}"] = kind, content
    return found


def static_file(name: str) -> Answer:
    """Raises NotFound."""
    kind, content = static_files().get(name, (b"", None))
    if content is None:
        raise NotFound(field="path", cause="no file of the dashboard is called so")
    headers = (
        (b"content-type", kind),
        (b"cache-control", b"public, max-age=31536000, immutable"),
        (b"x-content-type-options", b"nosniff"),
    )
    return Answer(content, headers=headers)


@cache
def static_url(name: str) -> str:
    stem, _, end = name.partition(".")
    return next(f"/-/ui/static/{served}" for served in static_files() if served.startswith(f"{stem}.") and served.endswith(f".{end}"))


def _icon(name: str) -> Markup:
    return Markup('<svg class="icon" aria-hidden="true"><use href="{}#{}"/></svg>').format(static_url("icons.svg"), name)


@pass_context
def _when(context: Context, seconds: float | None) -> Markup:
    visit = context["visit"]
    return formats.when(seconds, visit.timezone, visit.now())


@pass_context
def _date(context: Context, seconds: float) -> Markup:
    return formats.date(seconds, context["visit"].timezone)


@pass_context
def _by_kind(context: Context, kept: dict[str, Any]) -> list[metadata.Shown]:
    return metadata.by_kind(kept, context["visit"].timezone)


@pass_context
def _brief(context: Context, kept: dict[str, Any]) -> Markup:
    return metadata.brief(kept, context["visit"].timezone)


@pass_context
def _curl(context: Context, call: ApiCall) -> str:
    return call.curl(context["base_url"])


@cache
def environment() -> Environment:
    made = Environment(
        loader=PackageLoader("trackrecord.dashboard"),
        autoescape=select_autoescape(disabled_extensions=("txt",), default=True),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.globals.update(icon=_icon, static=static_url, version=__version__, link=formats.link, sparkline=formats.sparkline)
    made.filters.update(
        when=_when,
        date=_date,
        by_kind=_by_kind,
        brief=_brief,
        curl=_curl,
        number=formats.number,
        short=formats.short,
        share=formats.share,
        duration=formats.duration,
        hue=formats.hue,
        size=formats.size,
        utc_day=formats.utc_day,
        first_line=formats.first_line,
    )
    return made


def piece(template: str, **context: Any) -> str:
    """A piece of a page alone, for what is no answer by itself."""
    return environment().get_template(template).render(**context)


def page(asked: Asked, template: str, *, status: int = 200, said: str | None = None, headers: Any = (), **context: Any) -> Answer:
    from .visit import SAID_COOKIE, cookies

    theme = cookies(asked.headers).get("trackrecord_theme")
    text = (
        environment()
        .get_template(template)
        .render(
            base_url=asked.base_url,
            request_id=asked.request_id,
            theme=theme if theme in THEMES else "",
            said=said,
            status=status,
            **context,
        )
    )
    forget = ((b"set-cookie", f"{SAID_COOKIE}=; Path=/-/ui; Max-Age=0; SameSite=Lax".encode()),) if said else ()
    return Answer(text.encode(), status, (*PAGE_HEADERS, *forget, *headers))


def refusing(answer: Answer, error: TrackrecordError | None, whose: Workspace | None = None) -> Answer:
    """The page with what the request log is told of it, and when to come back where waiting helps."""
    wait = error.retry_after_s if error is not None else None
    retry = () if wait is None else ((b"retry-after", b"%d" % wait),)
    return answer._replace(headers=(*answer.headers, *retry), failure=error, whose=whose)


def redirect(asked: Asked, address: str, said: str | None = None, headers: Any = ()) -> Answer:
    """To a page of ours; htmx is told in its own way, as a browser follows a redirect behind its back."""
    from .visit import SAID_COOKIE

    tell: tuple[tuple[bytes, bytes], ...] = ()
    if said:
        secure = "; Secure" if asked.base_url.startswith("https:") else ""
        cookie = f"{SAID_COOKIE}={quote(said)}; Path=/-/ui; Max-Age={SAID_S}; HttpOnly; SameSite=Lax{secure}"
        tell = ((b"set-cookie", cookie.encode()),)
    private = (b"cache-control", b"no-store")
    if b"hx-request" in asked.headers:
        return Answer(status=204, headers=((b"hx-redirect", address.encode()), private, *tell, *headers))
    return Answer(status=303, headers=((b"location", address.encode()), private, *tell, *headers))


def download(name: str, content: Any, kind: str) -> Answer:
    """`content` is bytes, or comes in pieces."""
    headers = (
        (b"content-type", kind.encode()),
        (b"content-disposition", f"attachment; filename*=UTF-8''{quote(name, safe='')}".encode()),
        (b"x-content-type-options", b"nosniff"),
        (b"cache-control", b"no-store"),
    )
    return Answer(content, headers=headers)
