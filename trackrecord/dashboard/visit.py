"""One request for a page by somebody who is signed in: what a view is given."""

import csv
import io
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from typing import Any, NamedTuple
from urllib.parse import parse_qsl, quote, urlencode
from zoneinfo import ZoneInfo

from ..errors import ParameterInvalid
from ..http.auth import Access
from ..http.call import Answer, Asked
from ..rules.accounts import Membership
from . import rendering
from .api import Api
from .sessions import SignedIn

FORM_FIELDS_MAX = 500
SAID_COOKIE = "trackrecord_said"
FILE_NAME_MAX = 100
CSV = "text/csv; charset=utf-8"
_FORMULA = ("=", "+", "-", "@", "\t", "\r")  # what a spreadsheet would run


class Visit:
    """`path` has the parameters of the page's address, `query` and `form` what was sent, as pairs in their order."""

    def __init__(self, asked: Asked, signed_in: SignedIn, membership: Membership, at: str) -> None:
        self.asked = asked
        self.services = asked.services
        self.signed_in = signed_in
        self.workspace = membership.workspace
        self.role = membership.role
        self.at = at  # where in the map: live, events, contacts …
        self.path: dict[str, str] = {}
        self.form = form_of(asked)
        self.api = Api(asked, Access(signed_in.token(membership), membership.workspace))

    @property
    def may_change(self) -> bool:
        return self.role == "admin"

    @property
    def timezone(self) -> ZoneInfo:
        """The workspace's, which decides days."""
        return ZoneInfo(self.workspace.timezone)

    @property
    def partial(self) -> bool:
        """Whether htmx asks, for a piece of a page."""
        return b"hx-request" in self.asked.headers and b"hx-boosted" not in self.asked.headers

    def now(self) -> int:
        return self.asked.now()

    def param(self, name: str, default: str = "") -> str:
        """The last value of a query parameter, without blanks around it."""
        return (self.asked.param(name) or default).strip()

    def params(self, name: str) -> list[str]:
        return [value for key, value in self.asked.query if key == name]

    def field(self, name: str, default: str = "") -> str:
        """The last value of a form's field, without blanks around it."""
        return next((value for key, value in reversed(self.form) if key == name), default).strip()

    def fields(self, name: str) -> list[str]:
        return [value for key, value in self.form if key == name]

    def url(self, path: str = "", /, **query: Any) -> str:
        """The address of a page of this workspace; values of None and empty ones are left out, a list is repeated."""
        pairs = {name: value for name, value in query.items() if value not in (None, "", [])}
        address = f"/-/ui/w/{quote(self.workspace.id, safe='')}/{path}".rstrip("/")
        return f"{address}?{urlencode(pairs, doseq=True)}" if pairs else address

    def here(self, **changes: Any) -> str:
        """This page's address with some of its query changed; None takes a parameter out."""
        kept = [(name, value) for name, value in self.asked.query if name not in changes]
        for name, value in changes.items():
            if value not in (None, ""):
                kept += [(name, each) for each in (value if isinstance(value, list) else [value])]
        path = "/-/ui/" + quote(self.asked.path.get("path", ""))
        return f"{path}?{urlencode(kept)}" if kept else path

    def html(self, template: str, /, status: int = 200, **context: Any) -> Answer:
        """A page, or a piece of one."""
        return rendering.page(self.asked, template, status=status, visit=self, said=_said(self.asked), **context)

    def go(self, address: str, said: str | None = None) -> Answer:
        """Lead on to another page after something was done, which then tells `said`."""
        return rendering.redirect(self.asked, address, said)

    def csv(self, name: str, header: Sequence[str], rows: Iterable[Sequence[Any]]) -> Answer:
        """A table as a file."""
        return rendering.download(f"{name[:FILE_NAME_MAX]}.csv", lines([header, *rows], begin="\ufeff"), CSV)


View = Callable[[Visit], Awaitable[Answer]]


class Page(NamedTuple):
    """One row of the table of pages. `path` lies below the workspace's address."""

    method: str
    path: str
    view: View
    role: str = "viewer"  # the least that may
    piece: bool = False  # of a page, for htmx alone


def form_of(asked: Asked) -> list[tuple[str, str]]:
    """The pairs of a form that was sent; none for anything else. Raises ParameterInvalid for one with very many."""
    if not asked.headers.get(b"content-type", b"").startswith(b"application/x-www-form-urlencoded"):
        return []
    try:
        return parse_qsl(asked.body.decode("utf-8", "replace"), keep_blank_values=True, max_num_fields=FORM_FIELDS_MAX)
    except ValueError:
        raise ParameterInvalid(f"a form may have at most {FORM_FIELDS_MAX} fields", field="body") from None


def cookies(headers: Mapping[bytes, bytes]) -> dict[str, str]:
    """The cookies of a request; of one sent twice the first counts, which is the one with the longer path."""
    found: dict[str, str] = {}
    for part in headers.get(b"cookie", b"").decode("latin-1").split(";"):
        name, equals, value = part.strip().partition("=")
        if equals:
            found.setdefault(name, value)
    return found


def _said(asked: Asked) -> str | None:
    from urllib.parse import unquote

    text = cookies(asked.headers).get(SAID_COOKIE)
    return unquote(text)[:500] if text else None


def lines(rows: Iterable[Sequence[Any]], *, begin: str = "") -> bytes:
    """Rows of a table as they stand in a file. What a spreadsheet would take for a formula stands as text."""
    text = io.StringIO()
    text.write(begin)
    csv.writer(text, lineterminator="\r\n").writerows([_cell(value) for value in row] for row in rows)
    return text.getvalue().encode("utf-8", "replace")


def _cell(value: Any) -> Any:
    return f"'{value}" if isinstance(value, str) and value.startswith(_FORMULA) else value
