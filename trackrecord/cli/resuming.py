"""How far an import is, on disk: so that a run that was interrupted, or killed, is taken up where it ended."""

import hashlib
import os
import re
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from .lines import Input

if TYPE_CHECKING:
    from ..imports import Refused


REASONS_MAX = 100
_VALUE = re.compile(r"(?:,? (?:near|after|got)) ['\"].*", re.DOTALL)  # what one line held, and others may not


class Done(msgspec.Struct):
    """What stands in the progress file: enough to go on, and to tell whether it is about the same file and place."""

    file: str = ""
    noun: str = ""
    target: str = ""
    line: int = 0  # the last one dealt with, as the file counts
    records: int = 0  # that many lines, blank ones left out, are dealt with from the first on
    sent: int = 0  # that many were handed over; the fate of those past `records` is not known
    new: int = 0
    duplicate: int = 0
    refused: int = 0
    refused_bytes: int = 0  # length of the file of refused lines
    sent_again: int = 0  # lines handed over twice: those kept the first time are among the duplicates
    ignored: list[str] = []
    reasons: dict[str, int] = {}  # how many lines were refused for which reason; REASONS_MAX reasons at most


class Resumable:
    """Saved before and after every chunk, and removed at the end. Standard input cannot be taken up: nothing is saved for it."""

    def __init__(self, source: Input, noun: str, target: str, refused_path: Path, *, restart: bool) -> None:
        self.refused_path = refused_path
        self._path = None if source.size is None else beside(source.name, ".progress.json")
        self.done = Done(source.identity() if self._path else "", noun, target)
        if self._path is not None and not restart:
            self.done = _saved(self._path, self.done)
        self.before = self.done.records  # dealt with by earlier runs
        self.done.sent_again += self.done.sent - self.done.records
        self.done.sent = self.done.records
        if self.done.refused_bytes and refused_path.is_file() and refused_path.stat().st_size >= self.done.refused_bytes:
            os.truncate(refused_path, self.done.refused_bytes)  # a killed run may have written lines that it did not count
        else:
            refused_path.unlink(missing_ok=True)
            self.done.refused_bytes = 0

    def refuse(self, rows: "Sequence[Refused]") -> None:
        for row in rows:
            reason = _VALUE.sub("", row.message)
            if reason in self.done.reasons or len(self.done.reasons) < REASONS_MAX:
                self.done.reasons[reason] = self.done.reasons.get(reason, 0) + 1
        text = b"".join(msgspec.json.encode(row) + b"\n" for row in rows)
        if text:
            with open(self.refused_path, "ab") as file:
                file.write(text)
            self.done.refused_bytes += len(text)

    def save(self) -> None:
        if self._path is not None:
            partial = self._path.with_name(f".{self._path.name}.partial")
            partial.write_bytes(msgspec.json.encode(self.done))
            os.replace(partial, self._path)

    def leave(self) -> None:
        """No later try will do better: where nothing was taken, there is nothing to go on from."""
        if not (self.before or self.done.records or self.done.sent_again):
            self.finish()

    def finish(self) -> None:
        if self._path is not None:
            self._path.unlink(missing_ok=True)


def _saved(path: Path, fresh: Done) -> Done:
    """What an earlier run saved about the same file and place; else a fresh beginning."""
    try:
        saved = msgspec.json.decode(path.read_bytes(), type=Done)
    except (FileNotFoundError, msgspec.DecodeError):
        return fresh
    return saved if (saved.file, saved.noun, saved.target) == (fresh.file, fresh.noun, fresh.target) else fresh


def beside(name: str, ending: str) -> Path:
    """A file of ours about an input: in the current directory, as the input's own may belong to somebody else."""
    return Path(("stdin" if name == "-" else Path(name).name) + ending)


def target_key(place: str, secret: str = "") -> str:
    """What tells one place to import to from another. Nothing of the secret can be learnt from it."""
    return hashlib.blake2b(place.encode(), key=hashlib.sha256(secret.encode()).digest(), digest_size=16).hexdigest()
