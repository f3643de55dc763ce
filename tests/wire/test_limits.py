"""Rate limits by token and by workspace, and the limits of pages and bodies. The contract, 1.4 and 1.5."""

import json
import re
from collections.abc import Iterator

import pytest

from trackrecord.http.limits import Limiter, share
from trackrecord.http.routes import ROUTES, Route
from trackrecord.rules.directory import SCOPES
from trackrecord.rules.profiles import PROFILES
from trackrecord.testing import Clock, TrackrecordServer

from .client import Answer, Api, Connection, fresh, request

WHEN = 1_671_028_894
START = 1_700_000_040  # begins a window, and a minute
RATE = ("limit", "remaining", "reset")


def rates(answer: Answer) -> tuple[int, ...]:
    """(limit, remaining, reset)"""
    return tuple(int(answer.header(f"x-ratelimit-{name}") or "") for name in RATE)


def holder(server: TrackrecordServer, *, workspace: int = 1) -> Api:
    """A client with a token of its own."""
    return Api(server, server.server.directory.tokens.create(workspace, fresh("token "), SCOPES, now=0)[1])


@pytest.fixture
def tight() -> Iterator[TrackrecordServer]:
    """24 calls a minute and token, 36 a minute and workspace: 4 and 6 in ten seconds. Its clock stands at START."""
    with TrackrecordServer(rate_limit_per_minute=24, rate_limit_workspace_per_minute=36) as server:
        server.clock.freeze(START)
        yield server


# --- what is counted -----------------------------------------------------------------------------------------------------


def test_calls_are_counted_by_token_in_windows_of_ten_seconds():
    with TrackrecordServer(profile="strict") as server:
        api, other = Api(server), holder(server)
        server.clock.freeze(1_700_000_043.9)
        # 10,000 a minute are 1,666 in each of the first two windows of a minute and 1,667 in the others.
        assert [rates(api.get("/me")) for _ in range(3)] == [(1666, 1666 - used, 1_700_000_050) for used in (1, 2, 3)]
        assert rates(other.get("/me")) == (1666, 1665, 1_700_000_050)
        assert rates(api.post("/events", b"no JSON")) == (1666, 1662, 1_700_000_050)
        assert rates(other.post("/events", {})) == (1666, 1664, 1_700_000_050)
        server.clock.freeze(1_700_000_050)
        assert rates(api.get("/me")) == (1666, 1665, 1_700_000_060)
        limits = []
        for window in range(12):
            server.clock.freeze(START + window * 10)
            limits.append(rates(api.get("/me"))[0])
        assert (START % 60, sum(limits[:6]), limits[:6]) == (0, 10_000, limits[6:])


@pytest.mark.parametrize(
    ("per_minute", "shares"),
    [
        (1000, [166, 166, 167, 167, 167, 167]),  # as the original is known to do
        (10_000, [1666, 1666, 1667, 1667, 1667, 1667]),
        (60, [10] * 6),
        (61, [10, 10, 10, 10, 10, 11]),
        (3, [1] * 6),  # never none: some clients divide by it
        (0, [10_000_000] * 6),
    ],
)
def test_a_minutes_calls_are_spread_over_its_windows(per_minute: int, shares: list[int]):
    assert [share(per_minute, START // 10 + window) for window in range(6)] == shares


def test_strict_limits_as_the_original_does_and_lenient_not_at_all():
    assert [(each.rate_limit_per_minute, each.rate_limit_workspace_per_minute) for each in PROFILES.values()] == [(0, 0), (10_000, 25_000)]


def test_without_a_limit_there_is_always_plenty_left(api: Api, clock: Clock):
    clock.freeze(1_700_000_000)
    limit, remaining, reset = rates(api.get("/me"))
    assert (limit, remaining > limit * 0.99, reset) == (10_000_000, True, 1_700_000_010)


def test_a_duplicate_counts_as_a_call(api: Api, clock: Clock):
    clock.freeze(1_700_000_000)
    contact = api.contact()
    left = [rates(api.submit(event_name="clicked", created_at=WHEN, id=contact["id"]))[1] for _ in range(3)]
    assert left == [left[0], left[0] - 1, left[0] - 2]


def test_what_is_refused_counts_too(tight: TrackrecordServer):
    api = Api(tight)
    reader = Api(tight, tight.server.directory.tokens.create(1, "reader", ["read_contacts"], now=0)[1])
    answers = [
        api.get("/nothing"),
        api.send("PATCH", "/me"),
        api.get("/contacts/nobody"),
        api.get("/me", "Intercom-Version: 0"),
        reader.post("/events", {"event_name": "clicked", "user_id": "nobody"}),
        reader.get("/me", "Intercom-Version: 1.0"),
    ]
    assert [answer.status for answer in answers] == [404, 404, 404, 400, 403, 200]
    # The token's four are the smaller number, until the workspace's six are nearer their end.
    assert [rates(answer)[:2] for answer in answers] == [(4, 3), (4, 2), (4, 1), (4, 0), (6, 1), (6, 0)]
    assert [each.get("/me").status for each in (api, reader)] == [429, 429]


def test_calls_without_a_good_token_are_not_counted_and_get_no_such_headers(tight: TrackrecordServer):
    nobody, stranger, api = Api(tight, None), Api(tight, "unknown"), Api(tight)
    targets = ("/me", "/nothing", "/-/health?check=live", "/-/docs")
    answers = [each.get(target) for each in (nobody, stranger) for target in targets]
    answers += [api.get(target) for target in targets[2:] * 3]  # open paths look at no token
    assert [answer.names & {f"x-ratelimit-{name}" for name in RATE} for answer in answers] == [set()] * len(answers)
    assert rates(api.get("/me"))[1] == 3


# --- what is refused -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("at", [START, START + 0.25, START + 9, START + 9.999])
def test_past_the_limit_a_call_is_answered_429_with_all_headers(tight: TrackrecordServer, at: float):
    tight.clock.freeze(at)
    api = Api(tight)
    contact = api.contact()
    event = {"event_name": "clicked", "created_at": WHEN, "id": contact["id"]}
    assert [api.post("/events", event).status for _ in range(3)] == [202] * 3
    for answer in (api.post("/events", event), api.get("/me"), api.get("/nothing"), api.send("PATCH", "/me")):
        assert answer.error == (429, "rate_limit_exceeded", "Exceeded rate limit of 4 in 10_seconds", "Authorization")
        assert rates(answer) == (4, 0, START + 10)
        wait = int(answer.header("retry-after") or "")
        assert (wait >= 1, at + wait >= START + 10, at < START + 10) == (True, True, True)


def test_a_refused_call_keeps_nothing_and_is_not_counted(tight: TrackrecordServer):
    api, other = Api(tight), holder(tight)
    contact = api.contact()
    statuses = [api.submit(event_name=f"clicked {number}", created_at=WHEN, id=contact["id"]).status for number in range(8)]
    assert statuses == [202] * 3 + [429] * 5
    assert rates(other.get("/me"))[:2] == (6, 1)  # of the workspace's six: five refused calls took none of them
    tight.clock.advance(10)
    assert len(api.events(contact)) == 3


def test_a_new_window_begins_with_a_full_share(tight: TrackrecordServer):
    api = Api(tight)
    assert [api.get("/me").status for _ in range(5)] == [200] * 4 + [429]
    tight.clock.freeze(START + 10)
    assert [rates(api.get("/me")) for _ in range(4)] == [(4, left, START + 20) for left in (3, 2, 1, 0)]
    assert api.get("/me").status == 429


def test_the_tokens_of_a_workspace_share_its_limit_and_other_workspaces_have_their_own(tight: TrackrecordServer):
    second = tight.server.directory.workspaces.create("second", "Second", now=0)
    one, two, theirs = Api(tight), holder(tight), holder(tight, workspace=second.number)
    assert [one.get("/me").status for _ in range(3)] == [200] * 3
    assert [rates(two.get("/me"))[:2] for _ in range(3)] == [(6, 2), (6, 1), (6, 0)]  # less is left to the workspace than to the token
    refusal = (429, "rate_limit_exceeded", "Exceeded rate limit of 6 in 10_seconds", "Authorization")
    assert [api.get("/me").error for api in (one, two)] == [refusal] * 2
    assert rates(theirs.get("/me")) == (4, 3, START + 10)


def test_a_client_that_waits_as_it_is_told_gets_through():
    with TrackrecordServer(rate_limit_per_minute=12) as server:
        server.clock.freeze(START + 7.5)
        api = Api(server)
        answers = []
        for _ in range(3):
            answers.append(api.get("/me"))
            if answers[-1].status == 429:
                server.clock.advance(int(answers[-1].header("retry-after") or ""))
                answers.append(api.get("/me"))
        assert [answer.status for answer in answers] == [200, 200, 429, 200]


def test_health_and_docs_answer_however_many_calls_were_made(tight: TrackrecordServer):
    api = Api(tight)
    assert [api.get("/me").status for _ in range(5)][-1] == 429
    assert [api.get(target).status for target in ("/-/health?check=live", "/-/openapi.json")] == [200] * 2


def test_calls_of_one_connection_sent_at_once_are_counted_each(tight: TrackrecordServer):
    api = Api(tight)
    with Connection(api.url) as connection:
        connection.send(request("GET", "/me", token=api.token) * 6)
        assert [connection.answer().status for _ in range(6)] == [200] * 4 + [429] * 2


def test_what_is_kept_of_a_window_goes_with_it():
    limiter = Limiter(per_token=600, per_workspace=0)
    for token in range(10_000):
        limiter.count(token, 1, START, [])
    assert len(limiter._tokens.left) == 10_000
    limiter.count(1, 1, START + 10, [])
    assert (len(limiter._tokens.left), len(limiter._workspaces.left)) == (1, 1)


# --- pages and bodies ----------------------------------------------------------------------------------------------------

LISTS = [route for route in ROUTES if any(param.name == "per_page" for param in route.params)]


def named(route: Route) -> str:
    return f"{route.method} {route.path}"


def largest_page(route: Route) -> int:
    """As its description has it."""
    (param,) = (param for param in route.params if param.name == "per_page")
    found = re.search(r"1 to (\d+); \d+ without it", param.meaning)
    assert found, f"{named(route)} does not say how large its pages are: {param.meaning}"
    return int(found[1])


def of_version(route: Route) -> list[str]:
    return [f"Intercom-Version: {route.last[0]}.{route.last[1]}"] if route.last else []


@pytest.mark.parametrize("route", LISTS, ids=named)
def test_every_list_says_how_large_its_pages_are(route: Route):
    assert largest_page(route) in (150, 1000)  # what the wire allows; the items of a job are shorter


# The pages of GET /events name no size, and are measured in test_lists.py; what a contact or a job has needs one.
@pytest.mark.parametrize("route", [route for route in LISTS if "{" not in route.path and route.path != "/events"], ids=named)
def test_a_page_is_as_large_as_asked_within_its_bounds(api: Api, route: Route):
    most = largest_page(route)
    found = {}
    for asked in ("1", str(most), str(most + 1), "9" * 400, "0", "-3"):
        answer = api.send(route.method, f"{route.path}?per_page={asked}", *of_version(route))
        assert answer.status == 200, answer
        found[asked] = answer.json["pages"]["per_page"]
    assert found == {"1": 1, str(most): most, str(most + 1): most, "9" * 400: most, "0": 1, "-3": 1}
    wrong = api.send(route.method, f"{route.path}?per_page=many", *of_version(route))
    assert (wrong.error[0], wrong.error[1], wrong.error[3]) == (400, "parameter_invalid", "per_page")


@pytest.fixture(scope="module")
def small() -> Iterator[Api]:
    """Of a server that takes bodies of 4 KiB."""
    with TrackrecordServer(body_max_bytes=4096) as server:
        yield Api(server)


@pytest.mark.parametrize("route", [route for route in ROUTES if route.method in ("POST", "PUT")], ids=named)
def test_every_body_has_a_limit(small: Api, route: Route):
    limit = max(4096, route.body_max)
    body = json.dumps({"name": "x" * limit}).encode()
    answer = small.send(route.method, re.sub(r":\w+}|[{}]", "", route.path), *of_version(route), body=body)
    assert answer.error == (413, "client_error", f"the body must be at most {limit} bytes", "body")
