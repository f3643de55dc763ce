"""`trackrecord export`: contacts and events into a file, for another server's import or anything else."""

import contextlib
import gzip
import os
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import IO, TYPE_CHECKING, Annotated

import typer

from . import options, output, whose

if TYPE_CHECKING:
    from ..directory import Directory
    from ..exports import Row
    from ..rules.directory import Workspace

app = typer.Typer(
    add_completion=False, no_args_is_help=True, help="Write contacts or events out, as an import takes them in. A server may run meanwhile."
)

Out = Annotated[str, typer.Option(help="The file to write, compressed if it ends in .gz; - for standard output.", metavar="FILE")]
Format = Annotated[
    str | None,
    typer.Option("--format", help="ndjson or csv; without it by the file's name, else ndjson.", metavar="ndjson|csv", show_default=False),
]
Whose = Annotated[
    str | None,
    typer.Option("--contact", help="Only this contact's: an id, external id, anonymous id or email.", metavar="WHO", show_default=False),
]
Since = Annotated[
    str | None,
    typer.Option(
        help="Only with created_at from then on: Unix seconds or ISO 8601, UTC without a zone.", metavar="TIME", show_default=False
    ),
]
Until = Annotated[str | None, typer.Option(help="Only with created_at before then.", metavar="TIME", show_default=False)]

TOLD_EVERY_S = 0.2  # how often a terminal hears how far we are
BUFFER_BYTES = 1 << 20


@app.command()
def events(
    out: Out = "-",
    format: Format = None,
    name: Annotated[
        list[str] | None, typer.Option("--name", help="Only events of this name; may be repeated.", metavar="NAME", show_default=False)
    ] = None,
    contact: Whose = None,
    since: Since = None,
    until: Until = None,
    data: options.Data = None,
    workspace: options.InWorkspace = None,
) -> None:
    """Export events, in the order they were kept. Export the contacts too: an import needs them first."""
    from .. import exports
    from ..stores.base import Selection
    from .opening import opened

    form = _form(format, out)
    bounds = _bounds(since, until)
    with opened(options.existing_data(data)) as there:
        chosen = options.chosen(there.directory, workspace)
        selection = Selection(
            chosen.number,
            names=_numbers(there.directory, chosen, name or []),
            contacts=[whose.contact(there.directory, chosen, who=contact).number] if contact is not None else [],
            since=bounds[0],
            until=bounds[1],
        )
        rows = exports.events(there.directory, there.events, selection)
        _write(rows, lambda rows: exports.FORMATS[form](rows, exports.ExportedEvent), out, "event")


@app.command()
def contacts(
    out: Out = "-",
    format: Format = None,
    contact: Whose = None,
    since: Since = None,
    until: Until = None,
    data: options.Data = None,
    workspace: options.InWorkspace = None,
) -> None:
    """Export contacts, with the ids that their events carry."""
    from .. import exports
    from .opening import opened

    form = _form(format, out)
    bounds = _bounds(since, until)
    with opened(options.existing_data(data)) as there:
        chosen = options.chosen(there.directory, workspace)
        if contact is not None:
            found = iter([whose.contact(there.directory, chosen, who=contact)])
        else:
            found = exports.contacts(there.directory, chosen.number, since=bounds[0], until=bounds[1])
        rows = map(exports.exported_contact, found)
        _write(rows, lambda rows: exports.FORMATS[form](rows, exports.ExportedContact), out, "contact")


def _form(given: str | None, out: str) -> str:
    from ..exports import FORMATS
    from . import UsageWrong

    form = given or ("csv" if out.lower().removesuffix(".gz").endswith(".csv") else "ndjson")
    if form not in FORMATS:
        raise UsageWrong(f"--format must be {' or '.join(FORMATS)}, got {form!r}")
    return form


def _bounds(since: str | None, until: str | None) -> tuple[int | None, int | None]:
    from ..errors import ParameterInvalid, TypeMismatch
    from ..rules.values import moment
    from . import UsageWrong

    try:
        return moment(since, "--since"), moment(until, "--until")
    except (TypeMismatch, ParameterInvalid) as error:
        raise UsageWrong(f"{error.message}, and ISO 8601 such as 2026-01-31T12:00:00Z is taken too") from None


def _numbers(directory: "Directory", workspace: "Workspace", names: list[str]) -> list[int]:
    """The numbers of event names, which are the same in whatever case they are written; what one was called before will do."""
    from ..rules.events import clean_name
    from . import UsageWrong

    there = directory.names.find(workspace.number, {clean_name(name)[1] for name in names})
    found = []
    for name in names:
        entry = there.get(clean_name(name)[1])
        if entry is None:
            known = ", ".join(each.name for each in directory.names.all(workspace.number)) or "none yet"
            raise UsageWrong(f"no event is called {name!r} in workspace {workspace.id}: there is {known}")
        found.append(entry.number)
    return found


def _write(rows: "Iterable[Row]", formatted: "Callable[[Iterable[Row]], Iterator[bytes]]", out: str, noun: str) -> None:
    started, told, count = time.monotonic(), 0.0, 0
    watched = sys.stderr.isatty() and not (out == "-" and sys.stdout.isatty())

    def counted() -> "Iterator[Row]":
        nonlocal count, told
        for row in rows:
            yield row
            count += 1
            if watched and not count % 1000 and time.monotonic() - told > TOLD_EVERY_S:
                told = time.monotonic()
                print(f"\r\033[K{count:,} {noun}s, {count / (told - started):,.0f} a second", end="", file=sys.stderr, flush=True)

    size = 0
    with _target(out) as file:
        for line in formatted(counted()):
            file.write(line)
            size += len(line)
    taken = time.monotonic() - started
    clear = "\r\033[K" if watched else ""
    if out != "-":
        written = os.path.getsize(out)
        packed = f"{output.size(written)}, {output.size(size)} unpacked" if out.endswith(".gz") else output.size(written)
        print(f"{clear}{output.counted(count, noun)} in {out} ({packed}), {taken:.1f} s", file=sys.stderr)
    elif watched:
        print(f"{clear}{output.counted(count, noun)} ({output.size(size)}), {taken:.1f} s", file=sys.stderr)


@contextlib.contextmanager
def _target(out: str) -> Iterator[IO[bytes]]:
    """Where the bytes go. A file takes its name only once it is whole and on stable storage."""
    if out == "-":
        yield sys.stdout.buffer
        sys.stdout.buffer.flush()
        return
    path = Path(out)
    handle, beside = tempfile.mkstemp(prefix=f".{path.name}.", suffix=".partial", dir=path.parent)
    try:
        with open(handle, "wb", buffering=BUFFER_BYTES) as file:
            if path.name.endswith(".gz"):
                with gzip.GzipFile(filename="", mode="wb", compresslevel=6, fileobj=file, mtime=0) as packed:
                    yield packed  # type: ignore[misc]
            else:
                yield file
            file.flush()
            os.fsync(file.fileno())
        mask = os.umask(0)
        os.umask(mask)
        os.chmod(beside, 0o666 & ~mask)
        os.replace(beside, path)
    except BaseException:
        with contextlib.suppress(FileNotFoundError):
            os.unlink(beside)
        raise
