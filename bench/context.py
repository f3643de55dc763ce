"""What the measures of one run share: how large things are, a folder for files, and data that several of them look at."""

import shutil
from functools import cached_property
from pathlib import Path

import msgspec
from rich.console import Console

from . import dataset
from .dataset import Filled, People


class Sizes(msgspec.Struct, frozen=True, kw_only=True):
    """How much is measured and for how long."""

    contacts: int
    events: int  # in the directory that reads, start-up and size are measured on
    step: int  # events between two points of the growth curve
    imported: int  # lines of the import file
    rounds: int
    round_s: float
    read_s: float  # each load of reads
    starts: int
    cold_s: float  # at most, for the first event of every contact


FULL = Sizes(contacts=100_000, events=1_000_000, step=250_000, imported=300_000, rounds=3, round_s=5.0, read_s=3.0, starts=5, cold_s=30.0)
QUICK = Sizes(contacts=5_000, events=50_000, step=12_500, imported=20_000, rounds=2, round_s=1.0, read_s=1.0, starts=2, cold_s=4.0)


class Bench:
    """One run. What measures share is made when the first of them asks for it."""

    def __init__(self, sizes: Sizes, folder: Path, console: Console) -> None:
        self.sizes = sizes
        self.folder = folder
        self._console = console
        self._made = 0

    def say(self, text: str) -> None:
        """Tell whoever waits what goes on."""
        self._console.print(f"  {text}", style="dim", highlight=False)

    @cached_property
    def _template(self) -> tuple[Path, People]:
        self.say(f"making {self.sizes.contacts:,} contacts")
        path = self.folder / "template"
        return path, dataset.make_directory(path, self.sizes.contacts)

    def fresh(self, name: str) -> Path:
        """A data directory of its own with all contacts and no events."""
        return dataset.copy_directory(self._template[0], self.folder / name)

    @cached_property
    def filled(self) -> Filled:
        """The data directory with many events; whoever adds to it says so in its notes, and comes late in MEASURES."""
        people = self._template[1]
        self.say(f"filling a directory with {self.sizes.events:,} events")
        return dataset.fill(self.fresh("filled"), people, self.sizes.events, self.sizes.step)

    def drop(self, path: Path) -> None:
        """Remove a directory that is not needed any more."""
        shutil.rmtree(path, ignore_errors=True)
