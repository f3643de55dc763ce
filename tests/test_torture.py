"""A short share of `make torture`, and that its oracle would notice: each kind of loss is made, and must be found."""

import errno
import random
import sqlite3
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from torture.load import EVENTS_ONLY
from torture.oracle import Key, Oracle, Person
from torture.rounds import ROUNDS
from torture.run import Run
from torture.server import Client, RealServer
from torture.shim import Shim
from torture.tally import Tally
from torture.world import Skipped, World

DOCS = Path(__file__).parent.parent / "docs" / "reliability.md"
KEY = Key("signed-up", 100)
needs_proc = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="finds the server's processes in /proc")


# Rounds that are run here, those of a row after each other on one server. The others of their kinds are left to `make torture`.
SHARE = (
    ("kill", "kill-store", "stop"),
    ("store-lost",),
    ("at-journal.after-commit", "at-store.mid-fold"),
    ("at-directory.mid-migration",),
    ("clock",),
    ("read-only",),
    ("power-loss",),
)


@needs_proc
@pytest.mark.parametrize("names", SHARE, ids=" ".join)
def test_the_record_stands_what_is_done_to_the_server(names: tuple[str, ...], tmp_path: Path) -> None:
    run = Run(tmp_path, seed=7, names=list(names))
    try:
        for name in names:
            run.one(name)
        run.close()
    finally:
        run.abandon()
    if reasons := [row.skipped for row in run.tally.rows.values() if row.skipped is not None]:
        pytest.skip(reasons[0])
    assert [(each.name, each.finding.kind, each.finding.text) for each in run.tally.found] == []
    assert run.tally.total().compared > 0


def person() -> Person:
    return Person("user-1", id="a")


def seen(*copies: int) -> dict[Key, list[int]]:
    return {KEY: list(copies)} if copies else {}


CASES = {
    "acknowledged and there": (lambda one: one.acknowledged(KEY, 1), seen(1), []),
    "acknowledged and missing": (lambda one: one.acknowledged(KEY, 1), seen(), ["missing"]),
    "kept twice": (lambda one: one.acknowledged(KEY, 1), seen(1, 1), ["twice"]),
    "the second copy stands": (lambda one: (one.acknowledged(KEY, 1), one.acknowledged(KEY, 2)), seen(2), ["changed"]),
    "unanswered and there": (lambda one: one.unanswered(KEY, 1), seen(1), []),
    "unanswered and not there": (lambda one: one.unanswered(KEY, 1), seen(), []),
    "either of two whose first had no answer": (lambda one: (one.unanswered(KEY, 1), one.acknowledged(KEY, 2)), seen(2), []),
    "none of two whose first had no answer": (lambda one: (one.unanswered(KEY, 1), one.acknowledged(KEY, 2)), seen(), ["missing"]),
    "refused and there": (lambda one: None, seen(9), ["refused"]),
    "deleted and there": (lambda one: (one.acknowledged(KEY, 1), one.removed(KEY, surely=True)), seen(1), ["undone"]),
    "sent by nobody": (lambda one: None, seen(5), ["undone"]),
}


@pytest.mark.parametrize(("happened", "found", "kinds"), CASES.values(), ids=CASES.keys())
def test_the_oracle_knows_what_may_stand(happened: Callable[[Person], object], found: dict[Key, list[int]], kinds: list[str]) -> None:
    oracle, one = Oracle(), person()
    oracle.refused.add(9)
    happened(one)
    oracle.compare(one, found)
    assert [each.kind for each in oracle.findings] == kinds


def test_what_was_seen_once_must_be_seen_again() -> None:
    oracle, one = Oracle(), person()
    one.unanswered(KEY, 1)
    oracle.compare(one, seen(1))
    oracle.compare(one, seen())
    assert [each.kind for each in oracle.findings] == ["missing"]


def test_of_two_copies_merged_the_users_stands() -> None:
    user, lead = person(), Person(None, id="b")
    lead.acknowledged(KEY, 1)
    user.unanswered(KEY, 2)
    user.take(lead)
    assert (user.events, lead.events, user.also) == ({KEY: {1, 2}}, {}, ["b"])


def test_a_position_that_is_given_twice_is_found() -> None:
    oracle = Oracle()
    oracle.told(1, 10)
    oracle.told(2, 10)
    assert [each.kind for each in oracle.findings] == ["answers"]


# What is done to events.db behind the server's back, and what must be found. Names are of tables: a change of those changes this.
DAMAGE = {
    "an event is gone": (
        ["DELETE FROM event_keys_1 WHERE position = :last", "DELETE FROM events WHERE position = :last"],
        {"missing", "sums"},
    ),
    "an event stands twice": (
        [
            """INSERT INTO events
            SELECT d.position, e.workspace, contact, name, created_at, e.received_at_ms, metadata, kinds, dropped, 'twice', shape
            FROM duplicates d JOIN events e ON e.position = d.of_position ORDER BY d.position DESC LIMIT 1""",
            """INSERT INTO event_keys_1 SELECT contact, created_at, name, 'twice', position FROM events WHERE distinct_part = 'twice'""",
        ],
        {"twice", "sums"},
    ),
    "a total is wrong": (["UPDATE name_totals SET count = count + 1"], {"sums"}),
}


@needs_proc
@pytest.mark.parametrize(("statements", "kinds"), DAMAGE.values(), ids=DAMAGE.keys())
def test_a_record_that_lost_or_doubled_an_event_is_found(statements: list[str], kinds: set[str], tmp_path: Path) -> None:
    world = World(tmp_path / "world", random.Random(1), does=EVENTS_ONLY)
    try:
        world.load.start(world.server.url)
        world.load.for_events(100)
        world.judge()
        world.stop()
        assert world.oracle.findings == []
        db = sqlite3.connect(world.data / "events.db", isolation_level=None)
        (last,) = db.execute("SELECT max(position) FROM event_keys").fetchone()
        for statement in statements:
            db.execute(statement, {"last": last} if ":last" in statement else {})
        db.close()
        world.judge()
        assert {each.kind for each in world.oracle.findings} >= kinds
    finally:
        world.close()


@needs_proc
def test_events_refused_because_a_flush_failed_are_not_kept_over_a_crash(tmp_path: Path) -> None:
    data = tmp_path / "data"
    try:
        shim = Shim(tmp_path, data)
    except Skipped as skipped:
        pytest.skip(str(skipped))
    with RealServer(data, environ=shim.environ) as server, Client(server.url) as client:
        client.ask("POST", "/contacts", {"external_id": "a"})

        def submit(n: int) -> int:
            body = {"user_id": "a", "event_name": "signed-up", "created_at": n, "metadata": {"n": n}}
            return client.ask("POST", "/events", body)[0]

        assert submit(1) == 202
        if not shim.sees:
            pytest.skip("SQLite makes its calls where they cannot be caught here")
        shim.fail(errno.EIO, writes_permille=0, syncs_permille=1000, only="journal.db")
        assert [submit(n) for n in (2, 3, 4)] == [503, 503, 503]
        server.kill()
    with RealServer(data) as server, Client(server.url) as client:
        assert client.everything("a") == [("signed-up", 1, 1)]


def test_the_page_has_every_round() -> None:
    text = DOCS.read_text("utf-8")
    assert [name for name, each in ROUNDS.items() if f"| `{name}` | {each.what} | {each.judged} |" not in text] == []


def test_the_page_has_the_figures_of_a_run_in_the_form_of_the_tally() -> None:
    tally = Tally(1, ["kill"])
    assert tally.markdown().splitlines()[0] in DOCS.read_text("utf-8")
