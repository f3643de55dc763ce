"""Targets that read what stands in heads: query strings, credentials, versions, addresses; and compressed bodies."""

import asyncio
import gzip
from contextlib import suppress
from typing import Any

from trackrecord.errors import RequestError, Unavailable
from trackrecord.http import bodies
from trackrecord.http.addresses import Addresses
from trackrecord.http.app import QUERY_PARAMS_MAX, _query
from trackrecord.http.auth import credentials
from trackrecord.http.heads import origin_form, unclear
from trackrecord.rules.profiles import PROFILES
from trackrecord.rules.versions import KNOWN, NAMED, served
from trackrecord.wire import (
    attributes,
    audits,
    catalogue,
    contacts,
    cursors,
    events,
    exports,
    jobs,
    merging,
    params,
    requests,
    users,
    visitors,
)

PARSERS = (
    *(lambda query, profile=each: events.parse_query(query, profile=profile) for each in PROFILES.values()),
    *(lambda query, profile=each: visitors.parse_query(query, profile=profile) for each in PROFILES.values()),
    contacts.parse_page,
    *(lambda query, role=each: users.parse_listed(query, role=role) for each in ("user", "lead")),
    lambda query: exports.parse(query, formats=("ndjson", "csv")),
    requests.parse,
    lambda query: attributes.parse_models(query, version=served("2.14", default="2.14", newer=True)),
    catalogue.parse_page,
    audits.parse_page,
    jobs.parse_page,
    merging.parse_history,
    lambda query: params.flag(query, "summary"),
    lambda query: params.word(query, "type", ("user", "lead")),
)


def query(data: bytes) -> None:
    with suppress(RequestError):
        read = _query(data)
        assert len(read) <= QUERY_PARAMS_MAX
        for parse in PARSERS:
            with suppress(RequestError):
                parse(read)
        with suppress(RequestError):
            _pages(events.parse_query(read, profile=PROFILES["lenient"]))


def _pages(asked: events.EventQuery) -> None:
    """What a page of events is answered with leads to the place it names."""
    assert 1 <= asked.per_page <= events.PER_PAGE_MAX
    for moment in filter(None, (asked.before, asked.since)):
        made = events.pages(base_url="", contact_id="c", per_page=1, oldest=moment, newest=None, since=moment)
        assert made.next is not None
        again = events.parse_query(_query(made.next.partition("?")[2].encode()), profile=PROFILES["strict"])
        assert (again.before, again.since) == (moment, moment)


def cursor(data: bytes) -> None:
    text = data.decode("latin-1")
    with suppress(RequestError):
        asked = cursors.of_query([("starting_after", text), ("per_page", text[:3])])
        assert 1 <= asked.per_page <= cursors.PER_PAGE_MAX
        if asked.after is not None:
            following = cursors.next_page(asked, asked.after)
            again = cursors.of_body(cursors.SentPagination(per_page=asked.per_page, starting_after=following.starting_after))
            assert again == (asked.number + 1, asked.per_page, asked.after) or asked.number + 1 == 10**9
        for count in (1, 2, 3):
            with suppress(RequestError):
                found = cursors.numbers(asked, count, "starting_after")
                assert found is None or all(0 <= each < 10**18 for each in found)


ADDRESSES = [Addresses(public_url="", trusted_proxies=proxies) for proxies in ("", "*")]
SCOPE: dict[str, Any] = {"scheme": "http", "client": ("192.0.2.1", 1), "server": ("192.0.2.2", 80)}


def headers(data: bytes) -> None:
    """The first line is the value of every header, the second a target."""
    value, _, rest = data.partition(b"\n")
    with suppress(RequestError):
        sent = credentials(value)
        assert sent.secret
    for profile in PROFILES.values():
        with suppress(RequestError):
            version = served(value.decode("latin-1"), default="2.14", newer=profile.newer_versions, padded=profile.padded_versions)
            assert version.text in NAMED or tuple(map(int, version.text.split("."))) in KNOWN
    for addresses in ADDRESSES:
        base = addresses.base_url(SCOPE, {b"host": value, b"x-forwarded-host": value, b"x-forwarded-proto": rest})
        assert base.startswith(("http://", "https://"))
        assert base.isascii()
        assert not set(base.partition("://")[2]) & set(" \r\n\t\0\"'<>/\\?#@,")
        addresses.client(SCOPE, {b"x-forwarded-for": value})
    bodies.takes_gzip(value)
    bodies.is_form({b"content-type": value}, rest)
    path = origin_form(rest)
    assert origin_form(path) == path or path.startswith(b"/") is False
    if unclear(b"GET", rest, "1.1", [(b"host", value), (b"transfer-encoding", value)]) is None:
        assert value.strip().lower() == b"chunked"
        assert b"#" not in path


def gzip_body(data: bytes) -> None:
    """What is taken is no longer than the limit, and is what Python's own reader finds."""
    loop = _loop()
    for limit in (100, 100_000):
        try:
            plain = loop.run_until_complete(_read(data, limit))
        except (RequestError, Unavailable):
            continue
        assert len(plain) <= limit
        if data:
            assert plain == gzip.decompress(data)


async def _read(data: bytes, limit: int) -> bytes:
    pieces = [data[: len(data) // 2], data[len(data) // 2 :]]

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": pieces.pop(0), "more_body": bool(pieces)}

    held = bodies.Held(bodies.Room(1 << 20))
    try:
        return await bodies.read(receive, {b"content-encoding": b"gzip"}, limit=limit, held=held)
    finally:
        held.release()


_LOOPS: list[asyncio.AbstractEventLoop] = []


def _loop() -> asyncio.AbstractEventLoop:
    if not _LOOPS:
        _LOOPS.append(asyncio.new_event_loop())
    return _LOOPS[0]
