"""`trackrecord check`."""

import sys

import typer

from . import options, output

app = typer.Typer(add_completion=False)


@app.command()
def check(data: options.Data = None, as_json: options.AsJson = False) -> None:
    """Verify the files, recount every total, and say what is wrong. It only reads, so a server may run meanwhile.

    Exits with 1 when something is wrong.
    """
    from .. import check as checks

    path = options.existing_data(data)

    def step(what: str) -> None:
        if sys.stderr.isatty():
            print(f"\r\033[KLooking at {what} …", end="", file=sys.stderr, flush=True)

    found = checks.check(path, step=step)
    if sys.stderr.isatty():
        print("\r\033[K", end="", file=sys.stderr, flush=True)
    if as_json:
        problems = [each._asdict() for each in found.problems]
        output.json({"directory": str(path), "ok": not problems, "problems": problems, "counts": found.counts})
    else:
        for problem in found.problems:
            print(f"{problem.file}: {problem.message}")
        looked = ", ".join(
            output.counted(count, what.removesuffix("s"), what) for what, count in found.counts.items() if what != NOT_FOLDED
        )
        waiting = found.counts.get(NOT_FOLDED, 0)
        tail = f"; {output.counted(waiting, 'record')} in the journal not folded yet, which is no harm" if waiting else ""
        if found.problems:
            print(f"{path}: {output.counted(len(found.problems), 'problem')} found{f' in {looked}' if looked else ''}{tail}")
        else:
            print(f"{path} is in order: {looked}{tail}")
    if found.problems:
        raise typer.Exit(1)


NOT_FOLDED = "records not folded yet"
