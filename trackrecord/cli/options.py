"""Options that several commands have, and how their values are read."""

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from ..directory import Directory
    from ..rules.directory import Workspace

DEFAULT_DATA = "trackrecord-data"

Data = Annotated[
    str | None,
    typer.Option(help=f"The data directory; without it TRACKRECORD_DATA, else ./{DEFAULT_DATA}.", metavar="DIR", show_default=False),
]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON in place of a table.")]
InWorkspace = Annotated[
    str | None,
    typer.Option("--workspace", help="The workspace's id; not needed where there is just one.", metavar="ID", show_default=False),
]


def data_path(given: str | None) -> Path:
    return Path(given or os.environ.get("TRACKRECORD_DATA") or DEFAULT_DATA)


def existing_data(given: str | None) -> Path:
    """The data directory. Raises DataDirectoryUnusable where there is none, so that a slip of the pen makes no new one."""
    from ..engines import DIRECTORY_FILE
    from ..errors import DataDirectoryUnusable

    path = data_path(given)
    if path.exists() and not path.is_dir():
        raise DataDirectoryUnusable(f"{path} is no directory: name one with --data")
    if not (path / DIRECTORY_FILE).is_file():
        raise DataDirectoryUnusable(
            f"there is no Trackrecord data in {path}: name its directory with --data, or make one with trackrecord serve --data {path}"
        )
    return path


def chosen(directory: "Directory", name: str | None) -> "Workspace":
    """The workspace named, or the only one. Raises UsageWrong that lists them otherwise."""
    from . import UsageWrong

    there = directory.workspaces.list()
    ids = ", ".join(workspace.id for workspace in there)
    if name is None:
        if len(there) == 1:
            return there[0]
        if there:
            raise UsageWrong(f"there are several workspaces: choose one with --workspace ({ids})")
        raise UsageWrong("there is no workspace yet: make one with trackrecord workspace create ID")
    for workspace in there:
        if workspace.id == name:
            return workspace
    raise UsageWrong(f"there is no workspace {name}: there is {ids or 'none yet'}")
