"""What the server keeps: the files, how far the journal and the store are, backups, and exports."""

from ...directory import Directory
from ...errors import NotFound
from ...exports import FORMATS
from ...http.call import Answer
from ...ingest import State
from .. import rendering
from ..api import ApiCall
from ..errors import NotYours
from ..visit import Page, Visit
from . import archive, common

NOUNS = ("events", "contacts")
LOG, INDEX = "-wal", "-shm"  # beside a database: what it has not taken in yet, and where that stands
# What each file is, by its name.
FILES = {
    "journal.db": "every event as it came, until all have it",
    "events.db": "the events, and what is counted of them",
    "directory.db": "contacts, names, workspaces, accounts, tokens",
    "requests.db": "the request log: no backup has it",
    "columns/": "columns of all events, which reports are counted from; made anew where they are missing, so no backup has them",
    "settings.toml": "settings",
    "lock": "says which process owns the directory",
}


async def data(visit: Visit) -> Answer:
    """GET settings/data."""
    state: State = await visit.services.in_thread(visit.services.state)
    health = await visit.api.get("/-/health", {"check": "live"})
    files = [
        {
            "name": name,
            "size": size + state.files.get(name + LOG, 0),
            "log": state.files.get(name + LOG),
            "meaning": FILES.get(name, "not ours"),
        }
        for name, size in state.files.items()
        if not name.endswith((LOG, INDEX))
    ]
    consumers = [{"name": name, "cursor": cursor, "behind": max(0, state.last - cursor)} for name, cursor in state.cursors.items()]
    return common.page(
        visit,
        "data",
        state=state,
        files=files,
        total=sum(state.files.values()),
        consumers=consumers,
        health=health,
        all_of_it=await common.ask(visit, lambda directory: _may_have_all(visit, directory)),
        exports=[(noun, format) for noun in NOUNS for format in FORMATS],
    )


async def export(visit: Visit) -> Answer:
    """GET settings/data/export/{noun}?format=: the API's own export, as it comes."""
    noun, format = visit.path["noun"], visit.param("format")
    if noun not in NOUNS:
        raise NotFound(f"{' and '.join(NOUNS)} are exported, and no {noun[:40]!r}", field="noun")
    return await visit.api.raw(ApiCall("GET", f"/-/api/export/{noun}?format={format}" if format in FORMATS else f"/-/api/export/{noun}"))


async def backup(visit: Visit) -> Answer:
    """POST settings/data/backup: a consistent copy of everything, in one file. For an admin of every workspace alone."""
    if not await common.ask(visit, lambda directory: _may_have_all(visit, directory)):
        raise NotYours
    if visit.services.settings.ephemeral:
        raise NotFound("an ephemeral server keeps nothing that a backup could bring back", field="path")
    state: State = await visit.services.in_thread(visit.services.state)
    await visit.services.in_thread(archive.check_room, sum(state.files.values()))
    name = f"trackrecord-{visit.now()}"
    return rendering.download(f"{name}.tar", archive.pieces(visit, name), "application/x-tar")


def _may_have_all(visit: Visit, directory: Directory) -> bool:
    """Whether the visitor is an admin of every workspace: a backup has them all."""
    mine = {each.workspace.number for each in visit.signed_in.memberships if each.changes}
    return all(each.number in mine for each in directory.workspaces.list())


PAGES = (
    Page("GET", "settings/data", data),
    Page("GET", "settings/data/export/{noun}", export),
    Page("POST", "settings/data/backup", backup, role="admin"),
)
