"""Every path of Intercom's own description is here, and every answer of ours is as it says."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from described import Described
from intercoms import CASES, EXCEPTIONS, Case
from wire.client import Api
from wire.world import World

from trackrecord.http.openapi import document
from trackrecord.http.routes import ROUTES
from trackrecord.testing import TrackrecordServer

FILE = Path(__file__).parents[3] / "shared" / "contract" / "intercom-2.14-events.openapi.json"
if not FILE.is_file():
    pytest.skip(f"Intercom's description is not here: {FILE.name}", allow_module_level=True)

THEIRS = Described(json.loads(FILE.read_text("utf-8")))
OURS = Described(document(ROUTES))


@pytest.fixture(scope="module")
def described_server() -> Iterator[TrackrecordServer]:
    with TrackrecordServer() as server:
        yield server


@pytest.fixture
def world(described_server: TrackrecordServer) -> World:
    return World(Api(described_server))


@pytest.mark.parametrize("call", THEIRS.calls)
def test_every_call_that_intercom_describes_is_here(call: str):
    assert OURS.operation(call) is not None


def parameters(described: Described, call: str) -> set[str]:
    """The names of the query's parameters; an object that is spread out by the names of its properties."""
    found = set()
    for each in described.operation(call).get("parameters", []):
        each = described.document["components"].get("parameters", {}).get(each.get("$ref", "").rpartition("/")[2], each)
        if each.get("in") == "query":
            kinds = each.get("schema", {}).get("oneOf", ())
            found |= {name for kind in kinds for name in kind["properties"]} or {each["name"]}
    return found


@pytest.mark.parametrize("call", THEIRS.calls)
def test_every_parameter_of_a_query_is_described_here_too(call: str):
    assert parameters(THEIRS, call) - parameters(OURS, call) <= {"display_avatar"}  # no admin has a picture here


def test_every_answer_that_intercom_describes_is_brought_about_below():
    described = set()
    for call in THEIRS.calls:
        for status, answer in THEIRS.statuses(call).items():
            examples = [name for content in answer.get("content", {}).values() for name in content.get("examples", {})]
            described |= {(call, status, name) for name in examples or [""] if status != 401}
    assert described - {(case.call, case.status, case.example) for case in CASES} == set()


def example_of(case: Case) -> Any:
    """The body that Intercom shows for a case, or None."""
    content = THEIRS.statuses(case.call)[case.status].get("content", {})
    return content.get("application/json", {}).get("examples", {}).get(case.example, {}).get("value")


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.call} {case.status} {case.example}")
def test_an_answer_is_as_intercom_describes_it(world: World, case: Case):
    for method, target, body in case.first:
        world.made(method, target, body=body)
    answer = world.send(case.call.partition(" ")[0], case.target, body=case.body)
    body = answer.json if answer.body else None
    assert answer.status == case.status, answer
    content_type = answer.header("content-type")
    assert OURS.faults(case.call, answer.status, content_type, body) == []
    faults = THEIRS.faults(case.call, answer.status, content_type, body)
    assert {fault.place for fault in faults} == set(EXCEPTIONS.get((case.call, case.example), {})), faults
    if case.status >= 400:
        shown, (error,) = example_of(case), body["errors"]
        assert (error["code"], error["message"]) == (shown["errors"][0]["code"], filled_in(case, world, shown["errors"][0]["message"]))


def filled_in(case: Case, world: World, text: str) -> str:
    """A message of an example with the names of ours in place of those that Intercom made up."""
    if "The One Ring" in text:
        return text.replace("The One Ring", case.body["name"])
    return text.replace("Seg 1", world["segment_name"]) if "Seg 1" in text else text


@pytest.mark.parametrize("call", THEIRS.calls)
def test_a_bad_token_is_refused_as_intercom_describes_it(described_server: TrackrecordServer, call: str):
    method, _, path = call.partition(" ")
    answer = Api(described_server, "nobody-gave-this-out").send(method, re.sub(r"\{\w+\}", "1", path), body={})
    assert answer.error == (401, "unauthorized", "Access Token Invalid", "Authorization")
    assert OURS.faults(call, 401, answer.header("content-type"), answer.json) == []
    if 401 in THEIRS.statuses(call):
        assert THEIRS.faults(call, 401, answer.header("content-type"), answer.json) == []


def test_no_exception_is_of_a_case_that_is_not_there():
    assert EXCEPTIONS.keys() <= {(case.call, case.example) for case in CASES}
