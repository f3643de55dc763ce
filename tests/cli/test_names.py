"""`trackrecord events names`, and exports by a name that was changed: beside a running server and without one."""

import json
import os
from pathlib import Path
from typing import Any

import pytest
from wire.client import Api

from trackrecord.cli import run
from trackrecord.testing import TrackrecordServer

WHEN = 1_671_028_894


@pytest.fixture
def shop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """A data directory with two names, one renamed and one archived."""
    for name in [name for name in os.environ if name.startswith("TRACKRECORD_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("COLUMNS", "200")
    data = str(tmp_path / "data")
    with TrackrecordServer(data=data) as server:
        api = Api(server)
        contact = api.contact(external_id="70")
        for n in range(2):
            assert api.submit(event_name="ordered", created_at=WHEN + n, id=contact["id"], metadata={"price": n}).status == 202
        api.submit(event_name="old", created_at=WHEN, id=contact["id"])
        api.put("/-/api/event-names/ordered", {"name": "bought"})
        api.put("/-/api/event-names/old", {"archived": True})
    return data


def ran(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    assert run(list(arguments)) == 0
    return capsys.readouterr().out


def test_names_are_listed_with_their_counts_and_keys(shop: str, capsys: pytest.CaptureFixture[str]):
    lines = [line.split() for line in ran(capsys, "events", "names", "--data", shop).splitlines()]
    assert lines == [
        ["event", "count", "first", "(UTC)", "last", "(UTC)", "metadata"],
        ["bought", "2", "2022-12-14", "14:41:34", "2022-12-14", "14:41:35", "price"],
    ]
    assert "old (archived)" in ran(capsys, "events", "names", "--archived", "--data", shop)


def test_names_as_json_are_what_the_api_shows(shop: str, capsys: pytest.CaptureFixture[str]):
    with TrackrecordServer(data=shop) as server:
        shown: Any = Api(server).get("/-/api/event-names?include_archived=true").json["data"]
        assert json.loads(ran(capsys, "events", "names", "--archived", "--json", "--data", shop)) == shown


@pytest.mark.parametrize("name", ["ordered", "Bought"])
def test_an_export_takes_the_old_name_and_the_new(shop: str, name: str, capsys: pytest.CaptureFixture[str]):
    lines = ran(capsys, "export", "events", "--name", name, "--data", shop).splitlines()
    assert [json.loads(line)["event_name"] for line in lines] == ["bought", "bought"]
