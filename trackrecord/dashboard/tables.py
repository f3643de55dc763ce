"""Tables as files: what a page shows a part of, whole, as it comes out of the API's exports."""

import csv
import io
from collections.abc import AsyncIterator, Callable, Sequence
from datetime import UTC, datetime
from typing import Any

import msgspec

from ..http.call import Answer
from ..wire.json import encode
from . import rendering
from .api import ApiCall, target
from .visit import CSV, FILE_NAME_MAX, Visit, lines

Record = dict[str, Any]  # one line of an export
EVENT_COLUMNS = ("event_name", "created_at", "intercom_user_id", "user_id", "email", "metadata")


async def exported(
    visit: Visit, noun: str, query: dict[str, Any], columns: Sequence[str], cells: Callable[[Record], Sequence[Any]], *, name: str
) -> Answer:
    """`name`.csv: one row of `cells` for each record of GET /-/api/export/{noun}. Raises what the export raises."""
    export = await visit.api.raw(ApiCall("GET", target(f"/-/api/export/{noun}", query)))
    return rendering.download(f"{name[:FILE_NAME_MAX]}.csv", _pieces(export.body, columns, cells), CSV)


def listed(visit: Visit, path: str, columns: Sequence[str], cells: Callable[[Record], Sequence[Any]], *, name: str) -> Answer:
    """`name`.csv: one row of `cells` for each record of a list of the API, a page at a time."""

    async def pieces() -> AsyncIterator[bytes]:
        yield lines([columns], begin="\ufeff")
        async for page in visit.api.pages(path, {}):
            yield lines([cells(record) for record in page])

    return rendering.download(f"{name[:FILE_NAME_MAX]}.csv", pieces(), CSV)


async def report(visit: Visit, kind: str, query: dict[str, Any], *, name: str) -> Answer:
    """`name`.csv: the API's own table of a report, safe for a spreadsheet."""
    content = (await visit.api.get(f"/-/api/reports/{kind}", {**query, "format": "csv"})).data
    header, *rows = csv.reader(io.StringIO(content.decode()))
    return visit.csv(name, header, rows)


async def events(visit: Visit, query: dict[str, Any], *, name: str) -> Answer:
    """The events that an export is asked for, in the order they were kept."""
    return await exported(visit, "events", query, EVENT_COLUMNS, event_cells, name=name)


def event_cells(event: Record) -> list[Any]:
    """What EVENT_COLUMNS names, of an event as the API shows it."""
    fields = [event[column] for column in EVENT_COLUMNS[2:-1]]
    return [event["event_name"], moment(event["created_at"]), *fields, encode(event["metadata"]).decode()]


def moment(seconds: int | None) -> str | None:
    """A time as spreadsheets read it; what no calendar has stands as the number it is."""
    try:
        return None if seconds is None else datetime.fromtimestamp(seconds, UTC).isoformat().replace("+00:00", "Z")
    except (ValueError, OverflowError, OSError):
        return str(seconds)


async def _pieces(export: AsyncIterator[bytes], columns: Sequence[str], cells: Callable[[Record], Sequence[Any]]) -> AsyncIterator[bytes]:
    yield lines([columns], begin="\ufeff")
    async for piece in export:
        yield lines([cells(msgspec.json.decode(line)) for line in piece.splitlines()])
