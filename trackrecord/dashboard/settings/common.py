"""What the settings pages share."""

import shlex
from collections.abc import Callable
from typing import Any

from ...directory import Directory
from ...errors import NotFound
from ...http.call import Answer
from ...settings import Settings
from .. import rendering
from ..visit import Visit

# Path below settings/, and what it is called; in this order.
SECTIONS = (
    ("workspace", "Workspace"),
    ("people", "People"),
    ("tokens", "Access tokens"),
    ("identity", "Identity and origins"),
    ("profile", "Profile and limits"),
    ("data", "Data and health"),
    ("requests", "Request log"),
    ("you", "Your account"),
)


def page(visit: Visit, section: str, template: str = "", /, status: int = 200, **context: Any) -> Answer:
    """A page of a section; `error` in the context is what a form of it was refused with."""
    error = context.setdefault("error", None)
    made = visit.html(
        f"settings/{template or section}.html",
        status=status if error is None else error.status,
        sections=SECTIONS,
        section=section,
        command=lambda *words, workspace=True: command(visit, *words, workspace=workspace),
        **context,
    )
    return rendering.refusing(made, error, visit.workspace)


async def ask(visit: Visit, function: Callable[[Directory], Any]) -> Any:
    """What a function answers that is given the directory; in a thread, as the directory blocks."""
    return await visit.services.in_thread(function, visit.services.directory)


def command(visit: Visit, *words: str, workspace: bool = True) -> str | None:
    """What does the same on the command line; None for a server whose data no other process can reach."""
    settings = visit.services.settings
    if settings.ephemeral:
        return None
    where = [] if settings.data == Settings().data else ["--data", settings.data]
    whose = ["--workspace", visit.workspace.id] if workspace else []
    return shlex.join(["trackrecord", *words, *where, *whose])


def number(visit: Visit, name: str) -> int:
    """A number in the page's address. Raises NotFound for what is none."""
    text = visit.path[name]
    if not (text.isascii() and text.isdigit() and len(text) < 19):
        raise NotFound(f"there is no {text[:40]!r} here", field=name)
    return int(text)
