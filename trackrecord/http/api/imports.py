"""Contacts and events by the thousand, one JSON object a line: what `trackrecord import` sends to a running server."""

from collections.abc import Awaitable, Callable, Sequence
from typing import Any

from ... import imports
from ...errors import ParameterInvalid
from ...imports import LINES_MAX, Taken
from ...rules.directory import Workspace
from ..call import Answer, Call

Take = Callable[[Any, Workspace, Sequence[bytes]], Awaitable[Taken]]


async def import_contacts(call: Call) -> Answer:
    """POST /-/api/import/contacts. 200 with how many were new, duplicate and refused; a contact that exists is not changed."""
    return await _import(call, imports.take_contacts)


async def import_events(call: Call) -> Answer:
    """POST /-/api/import/events. As POST /events for each line, with one write to the journal for all of them."""
    return await _import(call, imports.take_events)


async def _import(call: Call, take: Take) -> Answer:
    lines = call.body.removesuffix(b"\n").split(b"\n")
    if len(lines) > LINES_MAX:
        raise ParameterInvalid(f"send at most {LINES_MAX} lines at once, got {len(lines)}", field="body")
    return Answer(await take(call.services, call.workspace, lines))
