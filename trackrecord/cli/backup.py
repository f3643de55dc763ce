"""`trackrecord backup`."""

from pathlib import Path
from typing import Annotated

import typer

from . import options, output

app = typer.Typer(add_completion=False)


@app.command()
def backup(
    into: Annotated[Path, typer.Argument(metavar="DIR", help="A new or empty directory for the copy.")],
    data: options.Data = None,
    as_json: options.AsJson = False,
) -> None:
    """Make a consistent copy of the data directory. A server may run meanwhile. The copy appears whole or not at all."""
    from ..backup import copy

    path = options.existing_data(data)
    copied = copy(path, into)
    if as_json:
        output.json({"directory": str(into), "files": [each._asdict() for each in copied]})
        return
    output.table(("file", "size"), [(each.name, output.size(each.size_bytes)) for each in copied], right=frozenset({"size"}))
    print(
        f"\nCopied {path} to {into}: {output.size(sum(each.size_bytes for each in copied))}, on stable storage.\n"
        f"To restore, stop the server and copy the directory back, or serve it as it is: trackrecord serve --data {into}"
    )
