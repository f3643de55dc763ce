"""Who is in a segment: exactly those of a plain model, whatever was done to contacts and events; and why, so that it is true."""

import random
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from trackrecord.testing import TrackrecordServer

from .client import Api, fresh

NOW = 1_700_000_000
DAY = 86_400
NAMES = ("ordered", "Invited", "left")
PLANS = ("pro", "free", None)
QUERIES = 10  # of each world
SCOPES = frozenset({"write_contacts", "write_events", "read_events"})


@pytest.fixture(scope="module")
def server() -> Iterator[TrackrecordServer]:
    with TrackrecordServer() as server:
        server.clock.freeze(NOW)
        yield server


class World:
    """A workspace, and what plain Python knows of it: by contact who it is, and its events as a set of (folded name, second)."""

    def __init__(self, server: TrackrecordServer, rng: random.Random) -> None:
        directory = server.server.directory
        workspace = directory.workspaces.create(fresh("world-"), "World", now=NOW).number
        self.api = Api(server, directory.tokens.create(workspace, "t", SCOPES, now=NOW)[1])
        self.people: dict[str, dict[str, Any]] = {}
        self.events: dict[str, set[tuple[str, int]]] = {}
        self.gone: set[str] = set()
        for _ in range(rng.randint(1, 7)):
            self.add(rng)
        for _ in range(rng.randint(0, 25)):
            self.happen(rng)
        for _ in range(rng.randint(0, 3)):
            self.change(rng)
            self.happen(rng)

    def add(self, rng: random.Random) -> None:
        role, plan, seats = rng.choice(("user", "user", "lead")), rng.choice(PLANS), rng.choice((None, 0, 3))
        given = {key: value for key, value in (("plan", plan), ("seats", seats)) if value is not None}
        who = {"external_id": fresh("u")} if role == "user" else {"role": "lead"}
        contact = self.api.contact(**who, custom_attributes=given)
        self.people[contact["id"]] = {"role": role, "plan": plan, "seats": seats}
        self.events[contact["id"]] = set()

    def happen(self, rng: random.Random) -> None:
        if not self.people:
            return
        id, name, at = (
            rng.choice(list(self.people)),
            rng.choice(NAMES),
            NOW - rng.choice((-5, 0, 1, DAY - 1, DAY, DAY + 1, 30 * DAY, 99 * DAY)),
        )
        assert self.api.submit(id=id, event_name=name, created_at=at).status == 202
        self.events[id].add((name.casefold(), at))

    def change(self, rng: random.Random) -> None:
        leads = [id for id, each in self.people.items() if each["role"] == "lead"]
        users = [id for id, each in self.people.items() if each["role"] == "user"]
        how = rng.choice(("merge", "archive", "delete"))
        if how == "merge" and leads and users:
            lead, user = rng.choice(leads), rng.choice(users)
            assert self.api.post("/contacts/merge", {"from": lead, "into": user}).status == 200
            self.events[user] |= self.events.pop(lead)
            merged = self.people.pop(lead)
            for key in ("plan", "seats"):
                if self.people[user][key] is None:
                    self.people[user][key] = merged[key]
        elif how == "archive" and self.people:
            id = rng.choice(list(self.people))
            assert self.api.post(f"/contacts/{id}/archive", None).status == 200
            self.drop(id)
        elif how == "delete" and self.people:
            id = rng.choice(list(self.people))
            assert self.api.delete(f"/contacts/{id}").status == 200
            self.drop(id)

    def drop(self, id: str) -> None:
        del self.people[id], self.events[id]
        self.gone.add(id)


# --- What plain Python finds ---------------------------------------------------------------------------------------------

COMPARE = {
    "=": lambda value, wanted: value == wanted,
    "!=": lambda value, wanted: value != wanted,
    "<": lambda value, wanted: value is not None and value < wanted,
    ">": lambda value, wanted: value is not None and value > wanted,
    "<=": lambda value, wanted: value is not None and value <= wanted,
    ">=": lambda value, wanted: value is not None and value >= wanted,
}


def truths(world: World, id: str, query: Any) -> list[bool]:
    """Whether each condition of a query holds, in the order in which they stand."""
    if "field" not in query:
        return [truth for each in query["value"] for truth in truths(world, id, each)]
    field, operator = query["field"], query["operator"]
    if not field.startswith("event."):
        return [COMPARE[operator](world.people[id][field.rpartition(".")[2]], query["value"])]
    since, until = query.get("since"), query.get("until")
    if "within_days" in query:
        since = NOW - query["within_days"] * DAY
    name = query["event_name"].casefold()
    times = [at for done, at in world.events[id] if done == name and (since is None or at >= since) and (until is None or at < until)]
    value = {"event.count": len(times), "event.first": min(times, default=None), "event.last": max(times, default=None)}[field]
    wanted = NOW - query["days_ago"] * DAY if "days_ago" in query else query["value"]
    return [value is not None and COMPARE[operator](value, wanted)]


def judged(query: Any, of: Iterator[bool]) -> bool:
    """What a query comes to, given whether each of its conditions holds."""
    if "field" in query:
        return next(of)
    return (all if query["operator"] == "AND" else any)([judged(each, of) for each in query["value"]])


# --- What is asked -------------------------------------------------------------------------------------------------------

MOMENTS = (NOW, NOW - 1, NOW - DAY, NOW - DAY + 1, NOW - DAY - 1, NOW - 30 * DAY, NOW - 98 * DAY)
WINDOWS: tuple[dict[str, int], ...] = (
    *({},) * 6,
    *({"within_days": days} for days in (1, 30, 100)),
    *({key: at} for key in ("since", "until") for at in MOMENTS),
    {"since": NOW - 30 * DAY, "until": NOW},
)


def condition(rng: random.Random) -> dict[str, Any]:
    kind = rng.choice(("plan", "seats", "role", *["event.count"] * 3, *["event.first", "event.last"] * 2))
    if not kind.startswith("event."):
        operators, values = {
            "plan": (("=", "!="), PLANS),
            "seats": (tuple(COMPARE), (0, 2, 3)),
            "role": (("=", "!="), ("user", "lead")),
        }[kind]
        field = kind if kind == "role" else f"custom_attributes.{kind}"
        return {"field": field, "operator": rng.choice(operators), "value": rng.choice(values)}
    asked: dict[str, Any] = {"field": kind, "event_name": rng.choice([*NAMES, "INVITED", "never sent"]), **rng.choice(WINDOWS)}
    if kind == "event.count":
        return {**asked, "operator": rng.choice(tuple(COMPARE)), "value": rng.choice((0, 1, 2, 5))}
    when = rng.choice(({"value": rng.choice(MOMENTS)}, {"days_ago": rng.choice((0, 1, 30))}))
    return {**asked, **when, "operator": rng.choice([each for each in COMPARE if each != "!="])}


def query_of(rng: random.Random, depth: int = 0) -> dict[str, Any]:
    if depth == 2 or rng.random() < 0.5:
        return condition(rng)
    return {"operator": rng.choice(("AND", "OR")), "value": [query_of(rng, depth + 1) for _ in range(rng.randint(1, 3))]}


@settings(max_examples=8, deadline=None, derandomize=True)
@given(seed=st.integers(0, 1 << 30))
def test_those_are_in_a_segment_whom_plain_python_finds_and_an_explanation_is_true(server: TrackrecordServer, seed: int):
    rng = random.Random(seed)
    world = World(server, rng)
    api = world.api
    for name, data_type in (("plan", "string"), ("seats", "integer")):  # where no contact has it yet
        api.post("/data_attributes", {"name": name, "model": "contact", "data_type": data_type})
    expected: dict[str, set[str]] = {}
    for _ in range(QUERIES):
        query, person_type = query_of(rng), rng.choice(("user", "user", "contact"))
        answer = api.post("/-/api/segments", {"name": "x", "query": query, "person_type": person_type})
        assert answer.status == 200, answer
        role = {"user": "user", "contact": "lead"}[person_type]
        members = {id for id, each in world.people.items() if each["role"] == role and judged(query, iter(truths(world, id, query)))}
        expected[answer.json["id"]] = members
        of_segment = {"field": "segment_id", "operator": "=", "value": answer.json["id"]}
        found = api.post("/contacts/search", {"query": of_segment}).json
        assert ({each["id"] for each in found["data"]}, found["total_count"]) == (members, len(members)), query
        others = api.post("/contacts/search", {"query": {**of_segment, "operator": "!="}}).json
        assert {each["id"] for each in others["data"]} == world.people.keys() - members
        for id, each in world.people.items():
            told = api.get(f"/-/api/segments/{answer.json['id']}/explain?contact_id={id}").json
            conditions = told["conditions"]
            holds = [each["role"] == role, *truths(world, id, query)]
            assert (told["inside"], [condition["holds"] for condition in conditions]) == (id in members, holds)
            flipped = [condition["holds"] != condition["decides"] for condition in conditions]
            assert (flipped[0] and judged(query, iter(flipped[1:]))) != told["inside"]
    listed = api.get("/segments?include_count=true").json["segments"]
    assert {each["id"]: each["count"] for each in listed} == {id: len(members) for id, members in expected.items()}
    for id in world.people:
        of_contact = {each["id"] for each in api.get(f"/contacts/{id}/segments").json["data"]}
        assert of_contact == {segment for segment, members in expected.items() if id in members}
    for id in world.gone:
        assert api.get(f"/contacts/{id}/segments").error[:2] == (404, "not_found")
