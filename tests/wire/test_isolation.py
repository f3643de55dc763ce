"""Workspaces never see or touch each other: one test that walks the whole table of routes."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
import sqlalchemy as sa

from trackrecord.directory import tables
from trackrecord.http.routes import ROUTES
from trackrecord.rules.directory import SCOPES
from trackrecord.stores.base import Selection
from trackrecord.testing import TrackrecordServer

from .client import Answer, Api, fresh
from .naming import CALLS, NOTHING_IN_IT, NOWHERE, Ask, name_of
from .world import MAKERS, World

LEAST_TELLING = 6  # characters: shorter values, such as the numbers of tags, stand in answers by accident

OUR_ACCOUNTS = sa.select(tables.memberships.c.account).where(tables.memberships.c.workspace == 1)

# Rows that are a workspace's by another table: the column that says which row of that table they belong to.
OF_ANOTHER = {
    "contact_tags": tables.contact_tags.c.contact.in_(sa.select(tables.contacts.c.number).where(tables.contacts.c.workspace == 1)),
    "company_contacts": tables.company_contacts.c.company.in_(
        sa.select(tables.companies.c.number).where(tables.companies.c.workspace == 1)
    ),
    "company_tags": tables.company_tags.c.company.in_(sa.select(tables.companies.c.number).where(tables.companies.c.workspace == 1)),
    "job_tasks": tables.job_tasks.c.job.in_(sa.select(tables.jobs.c.id).where(tables.jobs.c.workspace == 1)),
    "job_failures": tables.job_failures.c.task.in_(
        sa.select(tables.job_tasks.c.id).join(tables.jobs, tables.jobs.c.id == tables.job_tasks.c.job).where(tables.jobs.c.workspace == 1)
    ),
    "segment_sizes": tables.segment_sizes.c.segment.in_(sa.select(tables.segments.c.number).where(tables.segments.c.workspace == 1)),
    "accounts": tables.accounts.c.number.in_(OUR_ACCOUNTS),
    "sessions": tables.sessions.c.account.in_(OUR_ACCOUNTS),
    "sign_in_links": tables.sign_in_links.c.account.in_(OUR_ACCOUNTS),
    "workspaces": tables.workspaces.c.number == 1,
    "facts": sa.true(),
}


@pytest.fixture(scope="module")
def ours() -> Iterator[World]:
    """Workspace 1 of a server, with one of everything."""
    with TrackrecordServer() as server:
        world = World(Api(server))
        for name in MAKERS:
            world[name]
        yield world


def stranger(ours: World) -> World:
    """A new workspace of the same server, with nothing in it, and a token with every scope."""
    directory = ours.api.server.server.directory
    workspace = directory.workspaces.create(fresh("stranger-"), "Strangers", now=0, admin_name="Ann", admin_email="ann@example.com").number
    return World(Api(ours.api.server, directory.tokens.create(workspace, "every scope", frozenset(SCOPES), now=0)[1]), workspace)


def everything(world: World) -> dict[str, list[Any]]:
    """Every row and event of workspace 1."""
    server = world.api.server
    found: dict[str, list[Any]] = {}
    with server.server.directory._db.reading() as connection:
        for table in tables.metadata.sorted_tables:
            own = table.c.workspace == 1 if "workspace" in table.c else OF_ANOTHER[table.name]
            found[table.name] = [tuple(row) for row in connection.execute(sa.select(table).where(own).order_by(*table.primary_key))]
    contacts = [row[0] for row in found["contacts"]]

    def ask(store: Any) -> None:
        found["events"] = list(store.scan(Selection(workspace=1)))
        found["summaries"] = [store.summary(contact) for contact in contacts]
        found["totals"] = store.name_totals(1)

    server.call(server.server.reads.ask, ask)
    return found


def told(answer: Answer, names: dict[str, str]) -> Any:
    """What an answer says, with the values that were named and all that is made up anew for each answer left out."""
    if not answer.body or not answer.header("content-type").startswith("application/json"):
        return answer.status
    text = json.dumps(answer.json if answer.status < 400 else answer.json["errors"])
    for name, value in sorted(names.items(), key=lambda each: -len(each[1])):
        text = text.replace(json.dumps(value)[1:-1], f"{{{name}}}")
    return answer.status, text if answer.status >= 400 else None


@pytest.mark.parametrize("route", [route for route in ROUTES if not route.open], ids=name_of)
def test_a_stranger_finds_nothing_of_ours_and_changes_nothing(ours: World, route: Any):
    """What names something of ours is answered as what names nothing; and no answer has anything of ours in it."""
    before = everything(ours)
    for ask in CALLS[name_of(route)]:
        things = {name: ours[name] for name in ask.names}
        nothing = {name: NOWHERE[name] for name in ask.names}
        answers = [send(stranger(ours), ask, values) for values in (things, nothing)]
        assert told(answers[0], things) == told(answers[1], nothing), ask
        secrets = {ours[name] for name in MAKERS} - set(things.values())
        for answer in answers:
            leaked = {value for value in secrets if len(value) >= LEAST_TELLING and value in answer.body.decode()}
            assert leaked == set(), (ask, answer)
    assert everything(ours) == before


def send(world: World, ask: Ask, values: dict[str, str]) -> Answer:
    """The stranger's call, naming these things."""
    text = json.dumps([ask.target, ask.body])
    for name, value in values.items():
        text = text.replace(f"{{{name}}}", value)
    target, body = json.loads(text)
    return world.api.send(ask.method, target, *ask.headers, body=body.encode() if isinstance(body, str) else body)


def test_every_route_says_how_it_could_name_something():
    assert CALLS.keys() == {name_of(route) for route in ROUTES if not route.open}
    silent = {call for call, asks in CALLS.items() if not any(ask.names for ask in asks)}
    assert silent == NOTHING_IN_IT


@pytest.mark.parametrize("table", tables.metadata.sorted_tables, ids=lambda table: table.name)
def test_every_table_says_whose_its_rows_are(table: sa.Table):
    assert ("workspace" in table.c) != (table.name in OF_ANOTHER)
