"""`trackrecord import`: contacts and events from a file, into a running server or straight into a data directory."""

import asyncio
import os
import sys
import time
from collections import deque
from collections.abc import Coroutine, Iterator, Sequence
from contextlib import AbstractAsyncContextManager, suppress
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NamedTuple, Protocol

import typer

from ..errors import TrackrecordError, Unavailable
from . import UsageWrong, options, output

if TYPE_CHECKING:
    from ..imports import Refused, Taken
    from .lines import Input, Record
    from .progress import Watched
    from .resuming import Resumable

app = typer.Typer(
    add_completion=False,
    no_args_is_help=True,
    help="Bring contacts or events in from a file. It may be interrupted and run again; running it twice changes nothing.",
)

EXIT_REFUSED = 1  # the file was read to its end, and some of its lines were refused
FORMATS = ("ndjson", "csv")
REASONS_SHOWN = 3  # the most frequent ones; the file of refused lines has them all
HINTS = {("events", "User Not Found"): ": import the contacts first"}
GRACE_S = 2.0  # what Ctrl-C leaves to chunks that are on their way

File = Annotated[str, typer.Argument(metavar="FILE", help="NDJSON or CSV, plain or gzip; - for standard input.")]
Url = Annotated[
    str | None,
    typer.Option(help="A running server's address; without it TRACKRECORD_URL, else --data counts.", metavar="URL", show_default=False),
]
Token = Annotated[
    str | None, typer.Option(help="An access token of that server; without it TRACKRECORD_TOKEN.", metavar="TOKEN", show_default=False)
]
IntoData = Annotated[
    str | None,
    typer.Option("--data", help="The data directory of a stopped server; made if it is missing.", metavar="DIR", show_default=False),
]
Form = Annotated[
    str | None,
    typer.Option("--format", help="Without it by the file's name, or how it begins.", metavar="ndjson|csv", show_default=False),
]
RefusedTo = Annotated[
    Path | None,
    typer.Option(
        "--refused",
        help="Where refused lines are told, with line number, code and reason; FILE.refused.ndjson here without it.",
        metavar="PATH",
        show_default=False,
    ),
]
Restart = Annotated[bool, typer.Option("--restart", help="Begin at the first line, whatever an interrupted run has done.")]
RetryFor = Annotated[float, typer.Option(help="Seconds to try again for while the server is away.", metavar="SECONDS", min=0)]


class Sink(Protocol):
    """Where lines go: `lines_max` and `bytes_max` at once, `together` of these at a time, no line of more than `longest` bytes."""

    lines_max: int
    bytes_max: int
    longest: int
    together: int
    sent_again: int

    async def take(self, lines: Sequence[bytes]) -> "Taken": ...


class Chunk(NamedTuple):
    lines: list[bytes]
    numbers: list[int]  # of each line in the file
    unreadable: "list[Refused]"
    read_bytes: int

    @property
    def records(self) -> int:
        return len(self.lines) + len(self.unreadable)


Waiting = deque[tuple[Chunk, "asyncio.Task[Taken]"]]  # chunks on their way, in the order of the file


@app.command()
def contacts(
    file: File,
    url: Url = None,
    token: Token = None,
    data: IntoData = None,
    workspace: options.InWorkspace = None,
    format: Form = None,
    refused: RefusedTo = None,
    restart: Restart = False,
    retry_for: RetryFor = 60.0,
    as_json: options.AsJson = False,
) -> None:
    """Bring contacts in. One that exists is a duplicate and stays as it is.

    Fields are those of POST /contacts, and id, anonymous_id, created_at and updated_at. user_id means external_id, and for a
    lead its anonymous id.
    """
    _import("contacts", file, _place(url, token, data, workspace, retry_for), format, refused, restart, as_json)


@app.command()
def events(
    file: File,
    url: Url = None,
    token: Token = None,
    data: IntoData = None,
    workspace: options.InWorkspace = None,
    format: Form = None,
    refused: RefusedTo = None,
    restart: Restart = False,
    retry_for: RetryFor = 60.0,
    as_json: options.AsJson = False,
) -> None:
    """Bring events in, each once; their contacts must be there. Fields are those of POST /events."""
    _import("events", file, _place(url, token, data, workspace, retry_for), format, refused, restart, as_json)


class Place(NamedTuple):
    """Where an import goes: a running server, when `url` is set, or else a data directory."""

    url: str | None
    token: str
    data: str
    workspace: str | None
    retry_for_s: float

    @property
    def shown(self) -> str:
        return self.url or self.data

    @property
    def key(self) -> str:
        from .resuming import target_key

        if self.url is not None:
            return target_key(self.url.rstrip("/"), self.token)
        return target_key(f"{Path(self.data).resolve()}\n{self.workspace or ''}")

    def opened(self, noun: str, watched: "Watched") -> AbstractAsyncContextManager[Sink]:
        if self.url is not None:
            from .remote import Remote

            return Remote(self.url, self.token, noun, retry_for_s=self.retry_for_s, tell=watched.tell)
        from .direct import direct

        return direct(self.data, self.workspace, noun, watched.tell)


def _place(url: str | None, token: str | None, data: str | None, workspace: str | None, retry_for_s: float) -> Place:
    """Raises UsageWrong where options do not go together."""
    if url is not None and data is not None:
        raise UsageWrong("give --url for a running server, or --data for a stopped one's directory, not both")
    if url is None and data is None:
        url = os.environ.get("TRACKRECORD_URL") or None
    token = token or os.environ.get("TRACKRECORD_TOKEN") or ""
    if url is not None:
        if not url.startswith(("http://", "https://")):
            raise UsageWrong(f"--url must begin with http:// or https://, got {url!r}")
        if not token:
            raise UsageWrong("a running server wants an access token: give it with --token or TRACKRECORD_TOKEN")
        if workspace is not None:
            raise UsageWrong("on a running server the access token decides the workspace: leave --workspace out")
    return Place(url, token, str(options.data_path(data)), workspace, retry_for_s)


def _import(noun: str, file: str, place: Place, form: str | None, refused: Path | None, restart: bool, as_json: bool) -> None:
    from .lines import Input
    from .progress import Watched
    from .resuming import Resumable, beside

    if form is not None and form not in FORMATS:
        raise UsageWrong(f"--format must be {' or '.join(FORMATS)}, got {form!r}")
    source = Input(file, form=form)
    try:
        progress = Resumable(source, noun, place.key, refused or beside(file, ".refused.ndjson"), restart=restart)
        with Watched("standard input" if file == "-" else Path(file).name, source.size) as watched:
            if progress.before:
                watched.tell(f"Going on after line {progress.done.line:,}, where an earlier run ended; --restart begins anew.")
            try:
                taken_s = _run(_bring(source, noun, place, progress, watched))
            except KeyboardInterrupt:
                interrupted = True
            except Unavailable as error:
                raise TrackrecordError(f"{error.message}. {_go_on(source, progress)}") from None
            except TrackrecordError:
                progress.leave()
                raise
            else:
                interrupted = False
    finally:
        source.close()
    if interrupted:
        print(f"trackrecord: interrupted. {_go_on(source, progress)}", file=sys.stderr)
        raise typer.Exit(130)
    _report(file, place, noun, progress, taken_s, as_json)
    if progress.done.refused:
        raise typer.Exit(EXIT_REFUSED)


def _run(main: Coroutine[Any, Any, float]) -> float:
    import uvloop

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return runner.run(main)


def _go_on(source: "Input", progress: "Resumable") -> str:
    done = progress.done.records
    again = "go on from there" if source.size is not None else "bring in the rest"
    return (
        f"{output.counted(done, 'line')} of {source.name} {'is' if done == 1 else 'are'} dealt with; run the same command again to {again}"
    )


async def _bring(source: "Input", noun: str, place: Place, progress: "Resumable", watched: "Watched") -> float:
    """Hand all lines over, in their order, and save how far we are before and after each chunk. Returns the seconds it took."""
    from .lines import InputUnusable

    damaged: InputUnusable | None = None
    waiting: Waiting = deque()
    async with place.opened(noun, watched) as sink:
        watched.begin(progress.before)
        started = time.monotonic()
        try:
            records = islice(source.records(longest=sink.longest), progress.before, None)
            try:
                for chunk in _chunks(records, source, sink):
                    while len(waiting) >= sink.together:
                        await _settle(waiting, progress, watched)
                    progress.done.sent += chunk.records
                    progress.save()
                    waiting.append((chunk, asyncio.create_task(_take(sink, chunk))))
                    await asyncio.sleep(0)  # it begins before more is read
            except InputUnusable as error:
                damaged = error
            while waiting:
                await _settle(waiting, progress, watched)
        except asyncio.CancelledError:
            # Ctrl-C. What is on its way arrives in a moment, as a rule, and then nothing has to be sent again.
            with suppress(TimeoutError, TrackrecordError):
                async with asyncio.timeout(GRACE_S):
                    while waiting:
                        await _settle(waiting, progress, watched)
            raise
        finally:
            progress.done.sent_again += sink.sent_again
            for _, task in waiting:
                task.cancel()
            await asyncio.gather(*(task for _, task in waiting), return_exceptions=True)
        taken_s = time.monotonic() - started
    if damaged is not None:
        raise damaged
    progress.finish()
    return taken_s


def _chunks(records: "Iterator[Record]", source: "Input", sink: Sink) -> Iterator[Chunk]:
    """Records by as many as the sink takes at once. Where the file turns out to be damaged, what came before is handed out first."""
    from ..imports import refusal
    from .lines import InputUnusable

    damaged: InputUnusable | None = None
    chunk, count, size = Chunk([], [], [], 0), 0, 0
    while damaged is None:
        try:
            record = next(records, None)
        except InputUnusable as error:
            damaged, record = error, None
        if record is None:
            break
        line, text = record
        length = len(text) if isinstance(text, bytes) else 0
        if count >= sink.lines_max or (size and size + length >= sink.bytes_max):
            yield chunk._replace(read_bytes=source.read_bytes())
            chunk, count, size = Chunk([], [], [], 0), 0, 0
        count += 1
        if isinstance(text, bytes):
            chunk.lines.append(text)
            chunk.numbers.append(line)
            size += length + 1
        else:
            chunk.unreadable.append(refusal(line, text))
    if count:
        yield chunk._replace(read_bytes=source.read_bytes())
    if damaged is not None:
        raise damaged


async def _take(sink: Sink, chunk: Chunk) -> "Taken":
    from ..imports import Taken

    return await sink.take(chunk.lines) if chunk.lines else Taken(0, 0, [])


async def _settle(waiting: "Waiting", progress: "Resumable", watched: "Watched") -> None:
    """Count what became of the first chunk that waits. An error of its task is raised here, with the progress as it was before."""
    import msgspec

    chunk, task = waiting[0]
    taken = await asyncio.shield(task)
    waiting.popleft()
    refused = [msgspec.structs.replace(row, line=chunk.numbers[row.line - 1]) for row in taken.refused] + chunk.unreadable
    refused.sort(key=lambda row: row.line)
    progress.refuse(refused)
    done = progress.done
    done.records += chunk.records
    done.line = max(chunk.numbers[-1:] + [row.line for row in chunk.unreadable[-1:]])
    done.new += taken.new
    done.duplicate += taken.duplicate
    done.refused += len(refused)
    done.ignored = list(dict.fromkeys([*done.ignored, *taken.ignored]))
    progress.save()
    watched.reached(done.records, chunk.read_bytes)


def _report(file: str, place: Place, noun: str, progress: "Resumable", taken_s: float, as_json: bool) -> None:
    done = progress.done
    refused_in = str(progress.refused_path) if done.refused else None
    if as_json:
        output.json(
            {
                "file": file,
                "into": place.shown,
                "lines": done.records,
                "new": done.new,
                "duplicate": done.duplicate,
                "refused": done.refused,
                "refused_in": refused_in,
                "ignored_fields": done.ignored,
                "sent_again": done.sent_again,
                "seconds": round(taken_s, 3),
            }
        )
        return
    brought = done.records - progress.before
    earlier = f", {progress.before:,} of them in an earlier run" if progress.before else ""
    rate = f", {brought / taken_s:,.0f} a second" if brought >= 1000 and taken_s > 0 else ""
    print(f"{'standard input' if file == '-' else file} is in {place.shown}")
    print(f"{output.counted(done.records, 'line')}{earlier}; {taken_s:.1f} s{rate}\n")
    width = len(f"{done.records:,}")
    print(f"  {done.new:>{width},}  new {noun}")
    print(f"  {done.duplicate:>{width},}  duplicate: there already, and left as they are")
    print(f"  {done.refused:>{width},}  refused" + (f": line number and reason of each in {refused_in}" if refused_in else ""))
    for reason, count in sorted(done.reasons.items(), key=lambda row: -row[1])[:REASONS_SHOWN]:
        print(f"  {'':>{width}}    {count:,} × {output.safe(reason)}{HINTS.get((noun, reason), '')}")
    if done.ignored:
        print(f"\nPassed over, as fields that are not known here: {', '.join(output.safe(name) for name in done.ignored)}")
    if done.sent_again:
        lines = output.counted(done.sent_again, "line was", "lines were")
        print(f"\n{lines} sent again after an interruption: what had been kept the first time is among the duplicates")
