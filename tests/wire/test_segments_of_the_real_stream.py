"""Segments over a project's real history: how many did what how often equals what is counted in the file."""

import gzip
import json
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from trackrecord.testing import TrackrecordServer

from .client import Api

DATA = Path(__file__).parents[3] / "shared" / "data"
NAME = "authored-commit"
YEAR = (1_577_836_800, 1_609_459_200)  # 2020
LINES = 2_000  # in one import

pytestmark = pytest.mark.skipif(not (DATA / "events.ndjson.gz").exists(), reason="the real event stream is not beside this checkout")


@pytest.fixture(scope="module")
def events() -> list[dict[str, Any]]:
    with gzip.open(DATA / "events.ndjson.gz", "rt") as file:
        return [json.loads(line) for line in file]


@pytest.fixture(scope="module")
def real(events: list[dict[str, Any]]) -> Iterator[Api]:
    with TrackrecordServer() as server:
        api = Api(server)
        for noun in ("contacts", "events"):
            with gzip.open(DATA / f"{noun}.ndjson.gz") as file:
                lines = file.read().splitlines()
            for start in range(0, len(lines), LINES):
                answer = api.post(f"/-/api/import/{noun}", b"\n".join(lines[start : start + LINES]))
                assert (answer.status, answer.json["refused"]) == (200, [])
        yield api


@pytest.fixture(scope="module")
def roles() -> dict[str, str]:
    with gzip.open(DATA / "contacts.ndjson.gz", "rt") as file:
        return {each["user_id"]: each["role"] for each in map(json.loads, file)}


@pytest.mark.parametrize(("person_type", "role"), [("user", "user"), ("contact", "lead")])
@pytest.mark.parametrize("window", [{}, {"since": YEAR[0], "until": YEAR[1]}], ids=["ever", "2020"])
def test_as_many_are_found_as_did_it_so_often_in_the_file(
    real: Api, events: list[dict[str, Any]], roles: dict[str, str], window: dict[str, int], person_type: str, role: str
):
    distinct = {(each["user_id"], each["created_at"]) for each in events if each["event_name"] == NAME}
    low, high = (window["since"], window["until"]) if window else (0, 1 << 40)
    did = Counter(user for user, at in distinct if low <= at < high)
    often = [did[user] for user, its in roles.items() if its == role]
    assert len(often) > 400

    def counted(operator: str, value: int) -> int:
        query = {"field": "event.count", "event_name": NAME, "operator": operator, "value": value, **window}
        answer = real.post("/-/api/segments/preview", {"query": query, "person_type": person_type})
        assert answer.status == 200, answer
        found: int = answer.json["count"]
        return found

    for least in (1, 2, 10, 100, 1_000):
        assert counted(">=", least) == sum(1 for times in often if times >= least)
        assert counted("<", least) == sum(1 for times in often if times < least)
    assert counted("=", 1) == often.count(1)
    assert counted("=", 0) == often.count(0)
