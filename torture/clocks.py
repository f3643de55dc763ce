"""A round in which the server's clock jumps, to and fro."""

from .launcher import FILE, set_offset
from .world import World

HOUR_S, DAY_S = 3_600, 86_400
JUMPS_S = (60, -60, HOUR_S, -HOUR_S, 2 * DAY_S, -2 * DAY_S, 400 * DAY_S, -400 * DAY_S)  # from where the real clock is
COMMAND = ("-m", "torture.launcher")


def clock(world: World) -> None:
    """Several jumps under load, a kill, and a start at yet another time."""
    path = world.folder / "clock"
    set_offset(path, 0)
    world.oracle.clock_jumps = True
    environ = {FILE: str(path)}
    world.load.start(world.start(command=COMMAND, environ=environ).url)
    for seconds in world.rng.sample(JUMPS_S, 4):
        world.load.for_events(world.rng.randint(20, 200))
        set_offset(path, seconds)
        world.fault()
    world.load.for_events(world.rng.randint(20, 200))
    world.judge()
    world.load.start(world.server.url)
    world.load.for_events(world.rng.randint(20, 200))
    world.kill()
    set_offset(path, world.rng.choice(JUMPS_S))
    world.start(command=COMMAND, environ=environ)
    world.fault()
    world.judge()
