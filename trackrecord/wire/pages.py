"""Link pages: lists whose `next` is an address, or null on the last page. Source: the contract, 1.9, the third style."""

from typing import NamedTuple
from urllib.parse import urlencode

import msgspec

from .params import Query, whole

PER_PAGE_MAX = 150  # ours: the wire states no limit
PAGE_MAX = 10_000_000  # pages; beyond it there are none


class LinkPages(msgspec.Struct, frozen=True, kw_only=True):
    """`next` is always there: one client stops with an error without it."""

    type: str = "pages"
    next: str | None
    page: int
    per_page: int
    total_pages: int


class Page(NamedTuple):
    """Which piece of a list is asked for; the first has number 1."""

    number: int
    per_page: int

    @property
    def offset(self) -> int:
        return (self.number - 1) * self.per_page


def parse(query: Query, *, per_page: int) -> Page:
    """Read `page` and `per_page`; `per_page` items where nothing else is asked for. Raises ParameterInvalid."""
    return Page(whole(query, "page", default=1, most=PAGE_MAX), whole(query, "per_page", default=per_page, most=PER_PAGE_MAX))


def links(page: Page, total: int, *, address: str, query: Query = ()) -> LinkPages:
    """The pages of a list of `total` items at `address`, which is without a query; the other parameters of `query` are kept."""
    pages = max(1, -(-total // page.per_page))
    kept = [(name, value) for name, value in query if name not in ("page", "per_page")]
    following = urlencode([*kept, ("page", page.number + 1), ("per_page", page.per_page)])
    return LinkPages(
        next=f"{address}?{following}" if page.number < pages else None, page=page.number, per_page=page.per_page, total_pages=pages
    )
