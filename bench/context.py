"""What the measures of one run share: how large things are, a folder for files, and data that several of them look at."""

import shutil
from functools import cached_property
from pathlib import Path

import msgspec
from rich.console import Console

from . import dataset
from .grown import HALF, WHOLE, Grown


class Sizes(msgspec.Struct, frozen=True, kw_only=True):
    """How much is measured and for how long."""

    events: int  # that a directory grows to; on half of them is read, and disk, memory and starts are looked at
    many_contacts: int  # in that directory
    marks: tuple[int, ...]  # twentieths of it at which rates are measured
    window: int  # events that a rate is measured over while it grows
    contacts: int  # that single events are of
    minutes: float  # of the long load
    rounds: int
    round_s: float
    read_s: float  # each load of reads
    starts: int
    settle_s: float  # after a start, in which memory is looked at
    crash_s: float  # of load before a server is killed
    cold_s: float  # at most, for the first event of every contact


FULL = Sizes(
    events=20_000_000,
    many_contacts=1_000_000,
    marks=(1, 2, 3, 5, 8, 10, 15, 20),
    window=240_000,
    contacts=100_000,
    minutes=10.0,
    rounds=3,
    round_s=10.0,
    read_s=5.0,
    starts=5,
    settle_s=2.0,
    crash_s=3.0,
    cold_s=30.0,
)
QUICK = Sizes(
    events=40_000,
    many_contacts=2_000,
    marks=(1, 10, 20),
    window=800,
    contacts=1_000,
    minutes=0.05,
    rounds=1,
    round_s=1.0,
    read_s=0.5,
    starts=1,
    settle_s=0.6,
    crash_s=0.5,
    cold_s=1.0,
)


class Bench:
    """One run. What measures share is made when the first of them asks for it."""

    def __init__(self, sizes: Sizes, folder: Path, console: Console, *, growing: bool = True) -> None:
        """`growing`: measure also while the directory of many events grows; otherwise it is only filled."""
        self.sizes = sizes
        self.folder = folder
        self._console = console
        self._growing = growing

    def say(self, text: str) -> None:
        """Tell whoever waits what goes on."""
        self._console.print(f"  {text}", style="dim", highlight=False)

    @cached_property
    def _template(self) -> Path:
        path = self.folder / "template"
        self.say(f"making {self.sizes.contacts:,} contacts")
        dataset.make_directory(path, self.sizes.contacts)
        return path

    def fresh(self, name: str) -> Path:
        """A data directory of its own with `contacts` contacts and no events."""
        return dataset.copy_directory(self._template, self.folder / name)

    @cached_property
    def grown(self) -> Grown:
        """The directory that grows; whoever else writes to it takes a copy."""
        path = self.folder / "grown"
        self.say(f"making {self.sizes.many_contacts:,} contacts")
        people = dataset.make_directory(path, self.sizes.many_contacts)
        return Grown(
            path, people, events=self.sizes.events, marks=self.sizes.marks if self._growing else (), window=self.sizes.window, say=self.say
        )

    @cached_property
    def half(self) -> Path:
        """A copy of the directory when it has half of its events."""
        self.grown.to(self.sizes.events * HALF // WHOLE)
        return self.grown.copy("half")[0]

    def drop(self, path: Path) -> None:
        """Remove a directory that is not needed any more."""
        shutil.rmtree(path, ignore_errors=True)
