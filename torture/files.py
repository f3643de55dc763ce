"""Rounds about the files themselves: the store lost or damaged, a backup put back."""

import os
import shutil
from pathlib import Path

from trackrecord import engines
from trackrecord.check import check

from .kills import under_load
from .load import EVENTS_ONLY, Load, resend
from .oracle import NOTHING, Key, Person
from .points import run_backup
from .server import Client, NotStarted
from .world import CONNECTIONS, World

FLIPPED = 16  # bytes
WORDS_OF_A_LOSS = "the records between are in neither"


def store_lost(world: World) -> None:
    """Without events.db the store is made again from the journal; where that was trimmed the start is refused, with the reason."""
    under_load(world)
    world.kill()
    aside = world.folder / "aside"
    aside.mkdir()
    for path in _store_files(world):
        path.rename(aside / path.name)
    world.fault()
    _rebuild(world, aside)
    shutil.rmtree(aside)


def _store_files(world: World) -> list[Path]:
    return sorted(world.data.glob(f"{engines.STORE_FILE}*"))


def _rebuild(world: World, aside: Path) -> None:
    try:
        world.start()
    except NotStarted as refused:
        if WORDS_OF_A_LOSS not in str(refused):
            world.oracle.found("answers", f"without its store the server does not start: {refused}")
        world.gone()
        for path in _store_files(world):
            path.unlink()
        for path in aside.iterdir():
            shutil.copyfile(path, world.data / path.name)
    for person in world.oracle.here():
        person.touched = True
    world.judge()


def store_damaged(world: World) -> None:
    """Random bytes of events.db change. The server may tell, or not notice; without the file everything is right again."""
    under_load(world)
    world.judge()
    world.stop()
    path = world.data / engines.STORE_FILE
    aside = world.folder / "aside"
    aside.mkdir()
    shutil.copyfile(path, aside / path.name)
    with path.open("r+b") as file:
        for _ in range(FLIPPED):
            at = world.rng.randrange(os.path.getsize(path))
            file.seek(at)
            (byte,) = file.read(1)
            file.seek(at)
            file.write(bytes([byte ^ (1 << world.rng.randrange(8))]))
    world.fault()
    told = bool(check(world.data).problems)
    try:
        with Client(world.start().url) as client:
            people = list(world.oracle.here())[:20]
            for person in people:
                try:
                    status, _, answer = client.ask("GET", f"/events?type=user&{person.who}")
                except ValueError:  # metadata is handed out as it stands, so a client may meet what is no JSON any more
                    continue
                if status == 503:
                    told = True
                elif status not in (200, 404):
                    world.oracle.found("answers", f"a list from a damaged store was answered {status} {answer}")
            told = told or client.ask("GET", "/-/health")[0] != 200
    except NotStarted as refused:
        told = True
        if "events.db" not in str(refused):
            world.oracle.found("answers", f"a start over a damaged store was refused without naming it: {refused}")
    if not told:
        world.unnoticed += 1
    world.gone()
    for file_of_store in _store_files(world):
        file_of_store.unlink()
    _rebuild(world, aside)
    shutil.rmtree(aside)


def backup(world: World) -> None:
    """A backup is a moment of the past; what came after it, clients send again."""
    world.load = Load(world.oracle, world.rng, connections=CONNECTIONS, does=EVENTS_ONLY)
    under_load(world)
    into = world.folder / "backup"
    done = run_backup(world.data, into)
    if done.returncode != 0:
        world.oracle.found("answers", f"a backup under load was refused: {done.stderr}")
        return
    world.load.for_events(world.rng.randint(50, 500))
    world.judge()
    world.kill()
    shutil.rmtree(world.data)
    into.rename(world.data)
    world.fault()
    sent = _standing(world)
    world.oracle.back_to_some_past()
    world.start()
    world.judge()
    gone = {(id(person), key) for person, key, _ in sent} - {(id(person), key) for person, key, _ in _standing(world)}
    if not gone:
        world.oracle.found("answers", "the backup holds what came after it, so the round shows nothing")
    resend(world.server.url, world.oracle, sent)
    world.judge()
    if _standing(world) != sent:
        world.oracle.found("missing", "the record after the backup and the events sent again is not the one before")


def _standing(world: World) -> list[tuple[Person, Key, int]]:
    """All that stands, after a judgement."""
    return [
        (person, key, copy)
        for person in world.oracle.here()
        for key, copies in sorted(person.events.items())
        for copy in copies
        if copy != NOTHING
    ]
