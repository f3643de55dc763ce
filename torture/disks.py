"""Rounds with a disk that has no room: a small file system of its own, kept in memory, filled and emptied under load."""

import contextlib
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

from .kills import under_load
from .server import Client, NotStarted, until
from .world import Skipped, World

DISK_MB = 24
REFUSED = 40  # requests that must be refused before there is room again
FULL_S = 20.0
IMAGE_MB = 64


@contextlib.contextmanager
def small_disk(world: World, options: str = "") -> Iterator[Path]:
    """Mounted for the data directory of a world. Raises Skipped where that is not allowed."""
    mount, umount = shutil.which("mount"), shutil.which("umount")
    if not sys.platform.startswith("linux") or os.geteuid() != 0 or mount is None or umount is None:
        raise Skipped("only root of a Linux can mount the small disk that this fills")
    disk = world.folder / "disk"
    disk.mkdir()
    command = [mount, "-t", "tmpfs", "-o", f"size={DISK_MB}m", "trackrecord-torture", str(disk)]
    mounted = subprocess.run(command, capture_output=True, text=True, check=False)
    if mounted.returncode:
        raise Skipped(f"a small disk cannot be mounted here: {mounted.stderr.strip()}")
    world.data = disk / "data"
    try:
        yield disk
    finally:
        world.gone()
        if world.oracle.findings:
            shutil.copytree(disk, world.folder / "evidence")
        unmounted = [umount, str(disk)]
        until(lambda: subprocess.run(unmounted, check=False).returncode == 0)  # the kernel may still let go of what was killed


def fill(disk: Path) -> None:
    """Take the last free byte, also what was freed since the last call."""
    with (disk / "filler").open("ab", buffering=0) as filler:
        for size in (1 << 16, 1 << 12, 1):
            with contextlib.suppress(OSError):
                while filler.write(b"\0" * size):
                    pass


def disk_full(world: World) -> None:
    """Filled and emptied twice while the server runs; the second time it may be killed, and started on the full disk."""
    with small_disk(world) as disk:
        for killed in (False, world.rng.random() < 0.5):
            under_load(world, most=300)
            world.oracle.disk_fails = True
            before = world.oracle.refusals
            deadline = time.monotonic() + FULL_S
            while world.oracle.refusals < before + REFUSED and world.load.running and time.monotonic() < deadline:
                fill(disk)
                time.sleep(0.005)
            if world.oracle.refusals < before + REFUSED:
                world.oracle.found("answers", f"a full disk refused {world.oracle.refusals - before} requests within {FULL_S:.0f} s")
            world.fault()
            with Client(world.server.url) as client:
                health, _, told = client.ask("GET", "/-/health")
                if health == 503 and not told["reasons"]:
                    world.oracle.found("answers", f"health is 503 on a full disk without a reason: {told}")
                if client.ask("GET", "/-/health?check=live")[0] != 200:
                    world.oracle.found("answers", "a server on a full disk does not say that it lives")
            if killed:
                world.kill()
                with contextlib.suppress(NotStarted):
                    world.start()
                world.gone()
            (disk / "filler").unlink()
            if killed:
                world.start()
            else:
                _takes_again(world)
            world.judge()
        world.stop()
        world.check()


def _takes_again(world: World) -> None:
    """Room again is found without a restart."""
    before = world.oracle.acknowledged
    world.load.for_events(60)
    if world.oracle.acknowledged < before + 60:
        world.oracle.found("answers", "the server does not take events again although there is room")


class Image:
    """A file system of its own in a file, mounted for the data directory of a world. Raises Skipped where that cannot be had."""

    def __init__(self, world: World) -> None:
        self._file = world.folder / "image"
        self.disk = world.folder / "mounted"
        if not sys.platform.startswith("linux") or os.geteuid() != 0:
            raise Skipped("only root of a Linux can mount a file system that becomes read-only")
        if missing := [name for name in ("mkfs.ext4", "e2fsck", "losetup", "mount", "umount") if shutil.which(name) is None]:
            raise Skipped(f"a file system that becomes read-only needs {', '.join(missing)}")
        self.disk.mkdir()
        with self._file.open("wb") as file:
            file.truncate(IMAGE_MB << 20)
        _did("mkfs.ext4", "-q", "-F", str(self._file))
        self.mount()
        world.data = self.disk  # whose log lies beside it

    def mount(self) -> None:
        _did("mount", "-o", "loop,errors=remount-ro", str(self._file), str(self.disk))

    def remount(self, how: str) -> None:
        _did("mount", "-o", f"remount,{how}", str(self.disk))

    def umount(self) -> None:
        _did("umount", str(self.disk))

    def break_off(self) -> None:
        """The system takes the file system for damaged, and lets nobody write to it from now on."""
        device = Path(_did("losetup", "--noheadings", "--output", "NAME", "--associated", str(self._file)).strip()).name
        try:
            Path(f"/sys/fs/ext4/{device}/trigger_fs_error").write_text("1")
        except OSError as error:
            raise Skipped(f"the system cannot be made to take a file system for damaged here: {error}") from None

    def mend(self) -> None:
        self.umount()
        subprocess.run(["e2fsck", "-f", "-y", str(self._file)], capture_output=True, check=False)  # it ends with 1 when it has mended
        self.mount()


def _did(*command: str) -> str:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise Skipped(f"{command[0]} is refused here: {done.stderr.strip()}")
    return done.stdout


def remounted(world: World) -> None:
    """Started on a file system that is mounted read-only, and then served on one that the system makes so under load."""
    image = Image(world)
    try:
        under_load(world, most=200)
        world.judge()
        world.stop()
        image.remount("ro")
        world.fault()
        try:
            world.start()
            world.oracle.found("answers", "a server starts on a read-only file system")
        except NotStarted as refused:
            if "read-only" not in str(refused).lower() and "readonly" not in str(refused).lower():
                world.oracle.found("answers", f"a start on a read-only file system is refused without saying so: {refused}")
        world.gone()
        image.remount("rw")
        under_load(world, most=200)
        world.oracle.disk_fails = True
        world.load.stop()  # a sync that is under way at that moment may say that it has succeeded, and has not
        before = world.oracle.refusals
        image.break_off()
        world.fault()
        world.load.start(world.server.url)
        world.load.while_(lambda: world.oracle.refusals < before + REFUSED, within_s=FULL_S)
        if world.oracle.refusals < before + REFUSED:
            world.oracle.found("answers", f"a file system that became read-only refused {world.oracle.refusals - before} requests")
        with Client(world.server.url) as client:
            if client.ask("GET", "/-/health")[0] != 503:
                world.oracle.found("answers", "health does not tell of a file system that became read-only")
        world.server.kill()
        world.load.join()
        world.gone()
        image.mend()
        world.start()
        world.judge()
        world.stop()
        world.check()
    finally:
        world.load.stop()
        world.gone()
        image.umount()
