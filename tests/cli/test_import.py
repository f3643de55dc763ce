"""`trackrecord import`: into a data directory and into a running server, good lines and bad, once and again, whole and interrupted."""

import json
import signal
import subprocess
from collections.abc import Iterator

import httpx
import pytest
from ports import held_port

from trackrecord.cli import run
from trackrecord.imports import LINES_MAX
from trackrecord.testing import TrackrecordServer

from .shell import Ran, Shell, contact, environment, event, until

COUNTS = ("lines", "new", "duplicate", "refused")


def counts(ran: Ran) -> tuple[int, ...]:
    return tuple(ran.json[name] for name in COUNTS)


def exported(shell: Shell, noun: str, data: str = "there") -> list[str]:
    out = shell.cwd / "exported.ndjson"
    assert run(["export", noun, "--data", str(shell.cwd / data), "--out", str(out)]) == 0
    return out.read_text().splitlines()


CONTACTS = [
    contact(1, email="ann@example.com", name="Ann", custom_attributes={"plan": "pro", "seats": 5}),
    {"user_id": "user-2", "role": "user"},
    {"user_id": "anonymous-3", "role": "lead", "first_seen": 5},
    {"role": "lead", "name": "nothing names this one"},
]
BAD_EVENTS = [
    (b"{", "parameter_invalid", "the line is not valid JSON: it ends too early, after '{'", "line"),
    (b"hello, world", "parameter_invalid", "the line is not valid JSON: invalid character near 'hello, world'", "line"),
    (b'{"a":1,}', "parameter_invalid", "the line is not valid JSON: trailing comma in object near '{\"a\":1,}'", "line"),
    (b'{"user_id":"\xff"}', "parameter_invalid", "the line is not valid UTF-8", "line"),
    (b"[1]", "parameter_invalid", "the line must be a JSON object, got a list", "line"),
    (b'{"user_id":"' + b"x" * (1 << 20) + b'"}', "parameter_invalid", None, None),
    (event(1, whose=9), "not_found", "User Not Found", "user_id"),
    ({"user_id": "user-1"}, "parameter_not_found", "event_name is required: what the contact did, such as invited-friend", "event_name"),
    ({**event(1, whose=1), "metadata": 5}, "type_mismatch", "metadata must be an object", "metadata"),
    ({**event(1, whose=1), "event_name": 5}, "type_mismatch", "event_name must be a string, got a whole number", "event_name"),
]


def test_lines_that_cannot_be_taken_are_told_and_keep_no_other_out(shell: Shell):
    shell.write("contacts.ndjson", CONTACTS)
    shell.write("events.ndjson", [event(1, whose=1), *(row[0] for row in BAD_EVENTS), b"", {**event(2, whose=2), "colour": "blue"}])
    made = shell.run("import", "contacts", "contacts.ndjson", "--data", "there")
    assert (made.code, made.err) == (0, "Made the data directory there; the first trackrecord serve prints an access token for it\n")
    assert "\nPassed over, as fields that are not known here: first_seen\n" in made.out
    ran = shell.run("import", "events", "events.ndjson", "--data", "there", "--json")
    assert (ran.code, counts(ran)) == (1, (12, 2, 0, 10))
    assert (ran.json["refused_in"], ran.json["ignored_fields"]) == ("events.ndjson.refused.ndjson", ["colour"])
    too_long = "the line is longer than 1048576 bytes"
    assert shell.lines("events.ndjson.refused.ndjson") == [
        {"line": line, "code": code, "message": message or too_long, **({"field": field} if field else {})}
        for line, (_, code, message, field) in enumerate(BAD_EVENTS, 2)
    ]
    assert not (shell.cwd / "events.ndjson.progress.json").exists()


def test_lines_refused_for_one_reason_are_counted_together(shell: Shell):
    shell.write("contacts.ndjson", [b"hello", b"world", {"email": "no address"}, {"email": "none either"}, {"email": "nor here"}])
    ran = shell.run("import", "contacts", "contacts.ndjson", "--data", "there")
    assert ran.out.endswith(
        "  5  refused: line number and reason of each in contacts.ndjson.refused.ndjson\n"
        "       3 × email must be an address such as joe@example.com\n"
        "       2 × the line is not valid JSON: invalid character\n"
    )


def test_events_are_not_taken_for_contacts(shell: Shell):
    shell.write("events.ndjson", [event(1, whose=1), event(2, whose=1)])
    ran = shell.run("import", "contacts", "events.ndjson", "--data", "there", "--json")
    assert (ran.code, counts(ran)) == (1, (2, 0, 0, 2))
    told = {line["message"] for line in shell.lines("events.ndjson.refused.ndjson")}
    assert told == {"this line is an event: trackrecord import events takes it"}


def test_bringing_it_all_in_again_changes_nothing(shell: Shell):
    shell.write("contacts.ndjson", CONTACTS)
    shell.write("events.ndjson", [event(number % 7, whose=1 + number % 2) for number in range(20)])
    first = [counts(shell.run("import", noun, f"{noun}.ndjson", "--data", "there", "--json")) for noun in ("contacts", "events")]
    before = [exported(shell, noun) for noun in ("contacts", "events")]
    again = [counts(shell.run("import", noun, f"{noun}.ndjson", "--data", "there", "--json")) for noun in ("contacts", "events")]
    assert (first, again) == ([(4, 4, 0, 0), (20, 14, 6, 0)], [(4, 0, 4, 0), (20, 0, 20, 0)])
    assert [exported(shell, noun) for noun in ("contacts", "events")] == before


def test_csv_and_standard_input_bring_in_the_same_as_ndjson(shell: Shell):
    shell.write("contacts.ndjson", [contact(1, name="Ann", custom_attributes={"seats": 5})])
    shell.write("events.ndjson", [event(1, whose=1, metadata={"price": {"amount": 100, "currency": "eur"}, "paid": True, "share": 0.5})])
    (shell.cwd / "contacts.csv").write_text(
        "id,user_id,name,created_at,updated_at,custom_attributes.seats\n"
        "000000000000000000000001,user-1,Ann,1700000001,2023-11-14T22:13:21Z,5\n"
    )
    events_csv = (
        "user_id,event_name,created_at,metadata.price,metadata.paid,metadata.share\n"
        'user-1,placed-order,1600000001,"{""amount"":100,""currency"":""eur""}",true,0.5\n'
    )
    for noun in ("contacts", "events"):
        assert shell.run("import", noun, f"{noun}.ndjson", "--data", "there").code == 0
    assert shell.run("import", "contacts", "contacts.csv", "--data", "other").code == 0
    assert shell.run("import", "events", "-", "--data", "other", stdin=events_csv.encode()).code == 0
    assert [exported(shell, noun, "other") for noun in ("contacts", "events")] == [exported(shell, noun) for noun in ("contacts", "events")]


def test_a_running_server_takes_the_same_and_says_the_same(shell: Shell):
    shell.write("contacts.ndjson", [*CONTACTS, {"email": "no address"}])
    shell.write("events.ndjson", [*(event(number, whose=1) for number in range(3000)), event(1, whose=1), event(1, whose=9)])
    with TrackrecordServer() as server:
        env = environment(TRACKRECORD_URL=server.url, TRACKRECORD_TOKEN=server.token)
        contacts = shell.run("import", "contacts", "contacts.ndjson", "--json", env=env)
        events = shell.run("import", "events", "events.ndjson", "--json", env=env)
        shown = httpx.get(
            f"{server.url}/events", params={"user_id": "user-1", "summary": "true"}, headers={"Authorization": f"Bearer {server.token}"}
        )
    assert (counts(contacts), counts(events)) == ((5, 4, 0, 1), (3002, 3000, 1, 1))
    assert shell.lines("contacts.ndjson.refused.ndjson") == [
        {
            "line": 5,
            "code": "parameter_invalid",
            "message": "email must be an address such as joe@example.com, got 'no address'",
            "field": "email",
        }
    ]
    assert shell.lines("events.ndjson.refused.ndjson") == [
        {"line": 3002, "code": "not_found", "message": "User Not Found", "field": "user_id"}
    ]
    assert [(row["name"], row["count"]) for row in shown.json()["events"]] == [("placed-order", 3000)]


def test_a_server_that_takes_smaller_bodies_gets_smaller_ones(shell: Shell):
    shell.write("contacts.ndjson", [contact(number) for number in range(200)] + [contact(200, name="x" * 3000)])
    with TrackrecordServer(body_max_bytes=2048) as server:
        ran = shell.run("import", "contacts", "contacts.ndjson", "--url", server.url, "--token", server.token, "--json")
    assert counts(ran) == (201, 200, 0, 1)
    assert shell.lines("contacts.ndjson.refused.ndjson") == [
        {"line": 201, "code": "parameter_invalid", "message": "the line is longer than the server takes (its setting body_max_bytes)"}
    ]


def test_the_import_of_a_server_has_limits_and_scopes():
    with TrackrecordServer() as server:
        workspace = server.server.default_workspace.number
        _, reader = server.server.directory.tokens.create(workspace, "reader", ["read_events", "read_contacts"], now=1)

        def post(noun: str, body: bytes, token: str = server.token) -> tuple[int, str]:
            answer = httpx.post(f"{server.url}/-/api/import/{noun}", content=body, headers={"Authorization": f"Bearer {token}"})
            return answer.status_code, answer.json().get("errors", [{}])[0].get("message", answer.text)

        nothing = '{"type":"import","new":0,"duplicate":0,"refused":[],"ignored":[]}'
        assert [post("contacts", b""), post("events", b"\n" * LINES_MAX)] == [(200, nothing), (200, nothing)]
        assert post("events", b"\n" * (LINES_MAX + 1)) == (400, f"send at most {LINES_MAX} lines at once, got {LINES_MAX + 1}")
        assert post("contacts", b"", reader) == (403, "this access token lacks the scope write_contacts")
        assert post("events", b"", reader) == (403, "this access token lacks the scope write_events")


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"token": "unknown"}, "does not know this access token: give a valid one with --token or TRACKRECORD_TOKEN"),
        ({"path": "/elsewhere"}, "/elsewhere has no import: is it the address of a Trackrecord server?"),
    ],
)
def test_a_server_that_will_never_take_it_is_not_asked_again(change: dict[str, str], sentence: str, shell: Shell):
    shell.write("contacts.ndjson", [contact(1)])
    with TrackrecordServer() as server:
        url, token = server.url + change.get("path", ""), change.get("token", server.token)
        ran = shell.run("import", "contacts", "contacts.ndjson", "--url", url, "--token", token)
    assert (ran.code, ran.out, ran.err.endswith(f"{sentence}\n")) == (1, "", True)
    assert [each.name for each in shell.cwd.iterdir()] == ["contacts.ndjson"]  # nothing was taken: there is nothing to go on from


def test_a_directory_that_a_server_owns_is_imported_into_by_its_address(shell: Shell):
    shell.write("contacts.ndjson", [contact(1)])
    with TrackrecordServer(data=str(shell.cwd / "there")):
        ran = shell.run("import", "contacts", "contacts.ndjson", "--data", "there")
    assert (ran.code, ran.out) == (1, "")
    assert ran.err.endswith("If that is a running server, import into it: give its address with --url and an access token with --token\n")


def progress(shell: Shell, name: str) -> dict[str, int]:
    try:
        return json.loads((shell.cwd / f"{name}.progress.json").read_bytes())
    except FileNotFoundError:
        return {"records": 0}


MANY = 120_000


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGINT])
def test_an_interrupted_import_goes_on_where_it_was(shell: Shell, number: int):
    shell.write("contacts.ndjson", [contact(1)])
    shell.write("events.ndjson", [event(0, whose=9), *(event(number, whose=1) for number in range(MANY))])
    shell.run("import", "contacts", "contacts.ndjson", "--data", "there")
    importing = shell.start("import", "events", "events.ndjson", "--data", "there")
    until(lambda: progress(shell, "events.ndjson")["records"])
    importing.send_signal(number)
    _, err = importing.communicate()
    left = progress(shell, "events.ndjson")
    assert 0 < left["records"] <= MANY + 1
    if number == signal.SIGINT:
        assert importing.returncode == 130
        assert err.decode().splitlines()[-1] == (
            f"trackrecord: interrupted. {left['records']:,} lines of events.ndjson are dealt with; "
            "run the same command again to go on from there"
        )
    ran = shell.run("import", "events", "events.ndjson", "--data", "there", "--json")
    going_on = f"Going on after line {left['line']:,}, where an earlier run ended; --restart begins anew."
    assert ran.err.splitlines()[0] == going_on  # a slow run says meanwhile how far it is
    told = ran.json
    assert (ran.code, told["lines"], told["refused"], told["new"] + told["duplicate"]) == (1, MANY + 1, 1, MANY)
    assert told["duplicate"] <= told["sent_again"] <= MANY  # only lines whose fate was not known are sent again
    assert len(shell.lines("events.ndjson.refused.ndjson")) == 1
    assert shell.run("events", "summary", "user-1", "--data", "there", "--json").json == [
        {"event_name": "placed-order", "count": MANY, "first": 1_600_000_000, "last": 1_600_000_000 + MANY - 1}
    ]
    assert not (shell.cwd / "events.ndjson.progress.json").exists()


@pytest.fixture
def port() -> Iterator[str]:
    with held_port() as port:
        yield str(port)


def test_an_import_outlives_its_server(shell: Shell, port: str):
    many = 20_000
    shell.write("contacts.ndjson", [contact(1)])
    shell.write("events.ndjson", [event(number, whose=1) for number in range(many)])
    serve = ("--data", "there", "--port", port, "--token", "a-token-for-tests")
    place = ("--url", f"http://127.0.0.1:{port}", "--token", "a-token-for-tests", "--json")
    with shell.serving(*serve) as server:
        shell.run("import", "contacts", "contacts.ndjson", *place)
        importing: subprocess.Popen[bytes] = shell.start("import", "events", "events.ndjson", *place)
        until(lambda: progress(shell, "events.ndjson")["records"])
        server.process.kill()
    with shell.serving(*serve):
        out, err = importing.communicate()
    told = json.loads(out)
    assert (importing.returncode, told["lines"], told["new"] + told["duplicate"], told["refused"]) == (0, many, many, 0), err
    assert len(exported(shell, "events")) == many


def test_an_import_that_gives_up_says_how_to_go_on(shell: Shell, port: str):
    shell.write("contacts.ndjson", [contact(1)])
    url = f"http://127.0.0.1:{port}"
    ran = shell.run("import", "contacts", "contacts.ndjson", "--url", url, "--token", "t", "--retry-for", "0")
    assert (ran.code, ran.out) == (1, "")
    assert ran.err == (
        f"trackrecord: {url} cannot be reached (connection refused); tried for 0 s. 0 lines of contacts.ndjson are dealt with; "
        "run the same command again to go on from there\n"
    )
