"""The file of refused requests: bounded in age, number and memory, and never in anybody's way."""

import sqlite3
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from real_server import until

from trackrecord import requestlog
from trackrecord.errors import Unavailable
from trackrecord.requestlog import DAY_MS, PRUNE_AFTER, QUEUE_MAX, RequestLog, dropped, search, without_secrets
from trackrecord.rules.contacts import Contact
from trackrecord.rules.requests import Entry, Wanted, traces

NOW = 1_700_000_000


def entry(number: int, **fields: Any) -> Entry:
    plain = Entry(NOW * 1000 + number, f"request-{number}", "GET", f"/contacts/{number}", 404, "not_found", "User Not Found", "id", "why")
    return plain._replace(workspace=1)._replace(**fields)


def opened(path: Path, *, days: float = 7, rows: int = 100_000, now: Callable[[], float] = lambda: NOW) -> RequestLog:
    return RequestLog(path / "requests.db", keep_days=days, keep_rows=rows, now=now)


def numbers(path: Path, **wanted: Any) -> list[int]:
    """Which entries are there, newest first."""
    found = search(path / "requests.db", Wanted(**wanted), limit=100_000)
    assert len(found.entries) == found.total
    return [int(each.request_id.removeprefix("request-")) for _, each in found.entries]


def test_what_is_noted_is_found_at_once_and_after_it_was_closed(tmp_path: Path):
    log = opened(tmp_path)
    log.note(entry(1))
    assert log.search(Wanted(), limit=10).entries == [(1, entry(1))]
    log.note(entry(2))
    log.close()
    assert numbers(tmp_path) == [2, 1]
    again = opened(tmp_path)
    again.note(entry(3))
    again.close()
    assert numbers(tmp_path) == [3, 2, 1]


def test_what_is_too_old_goes(tmp_path: Path):
    log = opened(tmp_path, days=1)
    for number, age_ms in enumerate((3 * DAY_MS, DAY_MS + 1, DAY_MS, 0)):
        log.note(entry(number, at_ms=NOW * 1000 - age_ms))
    log.close()
    opened(tmp_path, days=1).close()
    assert numbers(tmp_path) == [3, 2]


def test_what_is_dropped_is_overwritten_in_the_file_and_in_its_log(tmp_path: Path):
    now = [NOW]
    log = opened(tmp_path, days=1, now=lambda: now[0])
    for number in range(50):
        log.note(entry(number, cause="the-address-of-ann"))
    assert log.search(Wanted(), limit=1).total == 50
    assert held(tmp_path, b"the-address-of-ann") > 0
    now[0] += 2 * DAY_MS // 1000
    for number in range(PRUNE_AFTER + 1):
        log.note(entry(number, at_ms=now[0] * 1000))
        if not number % 1000:
            log.search(Wanted(), limit=1)
    until(lambda: log.search(Wanted(), limit=1).total == PRUNE_AFTER + 1)
    until(lambda: held(tmp_path, b"the-address-of-ann") == 0)
    log.close()


def held(path: Path, text: bytes) -> int:
    """How often a text stands anywhere in the file or in its log."""
    return sum(each.read_bytes().count(text) for each in path.glob("requests.db*"))


def test_of_too_many_the_oldest_go(tmp_path: Path):
    log = opened(tmp_path, rows=1000)
    for start in range(0, 3 * PRUNE_AFTER, 2000):
        for number in range(start, start + 2000):
            log.note(entry(number))
        log.search(Wanted(), limit=1)  # waits until they are written
    log.close()
    again = opened(tmp_path, rows=1000)
    until(lambda: again.search(Wanted(), limit=1).total == 1000)
    again.close()
    assert numbers(tmp_path) == list(range(3 * PRUNE_AFTER - 1, 3 * PRUNE_AFTER - 1001, -1))


def test_the_file_does_not_grow_past_its_bound_while_entries_pour_in(tmp_path: Path):
    log = opened(tmp_path, rows=1000)
    highest = 0
    for start in range(0, 4 * PRUNE_AFTER, 2000):
        for number in range(start, start + 2000):
            log.note(entry(number))
        highest = max(highest, log.search(Wanted(), limit=1).total)
    log.close()
    assert highest <= 1000 + PRUNE_AFTER + 2 * requestlog.BATCH_MAX


def test_what_comes_faster_than_it_can_be_written_is_dropped_counted_and_told(tmp_path: Path, caplog: pytest.LogCaptureFixture):
    opened(tmp_path).close()
    with sqlite3.connect(tmp_path / "requests.db", isolation_level=None) as other:
        other.execute("BEGIN IMMEDIATE")  # nobody else can write
        log = opened(tmp_path)
        for number in range(QUEUE_MAX + 500):
            log.note(entry(number))
        other.execute("ROLLBACK")
    assert log.search(Wanted(), limit=1).total == QUEUE_MAX
    log.close()
    assert (len(numbers(tmp_path)), dropped(tmp_path / "requests.db")) == (QUEUE_MAX, 500)
    assert "500 entries of the request log were dropped" in caplog.text


def test_noting_never_waits_and_never_fails_whatever_the_file_is(tmp_path: Path, caplog: pytest.LogCaptureFixture):
    (tmp_path / "requests.db").mkdir()
    log = opened(tmp_path)
    noting = threading.Thread(target=lambda: [log.note(entry(number)) for number in range(100)])
    noting.start()
    noting.join(5)
    assert not noting.is_alive()
    with pytest.raises(Unavailable, match="the request log cannot be read now"):
        search(tmp_path / "requests.db", Wanted(), limit=1)
    log.close()  # gives up what it cannot write
    assert caplog.text.count("the request log cannot be written") == 1


def test_a_log_that_nobody_made_is_empty(tmp_path: Path):
    assert (numbers(tmp_path), dropped(tmp_path / "requests.db")) == ([], 0)


def test_long_texts_are_cut_and_of_a_cause_the_end_is_kept(tmp_path: Path):
    log = opened(tmp_path)
    log.note(entry(1, path="/" + "p" * 9000, user_agent="u" * 9000, cause="c" * 9000 + "the end"))
    ((_, kept),) = log.search(Wanted(), limit=1).entries
    log.close()
    assert (len(kept.path), len(kept.user_agent or ""), len(kept.cause or "")) == (500, 500, 8000)
    assert (kept.cause or "").endswith("the end")


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("got tr_abcdefghij in the path", "got tr_… in the path"),
        ("Bearer dG9rZW4tdG9rZW4=", "Bearer …"),
        ("basic dG9rZW4tdG9rZW4=", "basic …"),
        ("the bearer of a torch", "the bearer of a torch"),
        ("no contact has user_id '314'", "no contact has user_id '314'"),
    ],
)
def test_what_looks_like_a_secret_is_taken_out(text: str, kept: str):
    assert without_secrets(text) == kept


def test_what_names_somebody_is_forgotten_in_one_workspace_alone_and_a_number_is_no_part_of_another(tmp_path: Path):
    log = opened(tmp_path)
    somebody = Contact(
        number=1, id="6" * 24, workspace=1, role="user", external_id="25", email="Zoe@example.com", created_at=1, updated_at=1
    )
    for number, fields in enumerate(
        (
            {"cause": "no contact of this workspace has user_id '25'"},
            {"cause": "ZOE@example.com is no list"},
            {"path": "/contacts/find_by_external_id/25"},
            {"message": f"exists with id={somebody.id}"},
            {"path": f"/contacts/{somebody.id}", "workspace": None},
            {"cause": "no contact of this workspace has user_id '251'"},
            {"path": "/contacts/find_by_external_id/251", "cause": None, "message": None},
            {"cause": "no contact of this workspace has user_id '25'", "workspace": 2},
        )
    ):
        log.note(entry(number, **fields))
    log.forget(1, traces(somebody))
    until(lambda: log.search(Wanted(), limit=1).total == 3)
    log.close()
    assert numbers(tmp_path) == [7, 6, 5]


def test_of_many_entries_noted_just_before_none_that_names_somebody_is_left(tmp_path: Path):
    log = opened(tmp_path)
    for number in range(QUEUE_MAX):
        log.note(entry(number, cause="no contact of this workspace has email 'ann@example.com'" if number % 2 else "why"))
    log.forget(1, ["ann@example.com"])
    log.close()
    assert numbers(tmp_path) == list(range(QUEUE_MAX - 2, -1, -2))


def test_a_text_is_forgotten_though_the_file_could_not_be_written_when_it_was_asked_for(tmp_path: Path):
    opened(tmp_path).close()
    with sqlite3.connect(tmp_path / "requests.db", isolation_level=None) as other:
        other.execute("BEGIN IMMEDIATE")  # nobody else can write
        log = opened(tmp_path)
        for number in range(QUEUE_MAX + 500):
            log.note(entry(number, cause="ann@example.com"))
        log.forget(1, ["ann@example.com"])
        other.execute("ROLLBACK")
    log.close()
    assert (numbers(tmp_path), dropped(tmp_path / "requests.db")) == ([], 500)
