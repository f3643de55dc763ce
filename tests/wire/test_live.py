"""GET /-/api/live: every event with what became of it, as it arrives."""

import json
import socket
from typing import Any

import pytest
from real_server import TOKEN, RealServer

from trackrecord import live
from trackrecord.rules.directory import SCOPES
from trackrecord.testing import TrackrecordServer

from .client import Answer, Api, Connection, fresh, request, until
from .streaming import Message, Stream

WHEN = 1_671_028_894


def position(answer: Answer) -> int:
    assert answer.status == 202, answer
    return int(answer.header("trackrecord-receipt") or "")


def submitted(api: Api, contact: Any, **event: Any) -> int:
    return position(api.submit(**{"event_name": "clicked", "created_at": WHEN, "id": contact["id"], **event}))


def receipt(api: Api, at: int) -> Any:
    return api.get(f"/-/api/receipts/{at}").json


def stranger(api: Api) -> Api:
    """A token of another workspace on the same server."""
    directory = api.server.server.directory
    number = directory.workspaces.create(fresh("stranger-"), "Strangers", now=0).number
    return Api(api.server, directory.tokens.create(number, "every scope", frozenset(SCOPES), now=0)[1])


def imported(api: Api, contact: Any, count: int, name: str = "clicked") -> None:
    """Events of seconds of their own, in few requests."""
    for start in range(0, count, 2_000):
        seconds = range(start, min(start + 2_000, count))
        lines = [json.dumps({"event_name": name, "created_at": WHEN + second, "id": contact["id"]}).encode() for second in seconds]
        assert api.post("/-/api/import/events", b"\n".join(lines)).json["new"] == len(lines)


# What is told.


def test_an_event_is_told_as_its_receipt_when_it_arrives(api: Api):
    contact = api.contact()
    with Stream(api, f"?contact_id={contact['id']}") as stream:
        at = submitted(api, contact, metadata={"a": None, "b": 1})
        told = stream.told()
    assert told == receipt(api, at)
    assert (told["outcome"], told["event"]["user_id"], told["keys_dropped"][0]["key"]) == ("stored", contact["external_id"], "a")


def test_a_duplicate_is_told_with_the_event_that_stands(api: Api):
    contact = api.contact()
    first = submitted(api, contact)
    with Stream(api, f"?contact_id={contact['id']}") as stream:
        again = submitted(api, contact)
        told = stream.told()
    assert told == receipt(api, again)
    assert (told["outcome"], told["duplicate_of"]["position"]) == ("duplicate", first)


def test_events_are_told_in_the_order_of_their_positions(api: Api):
    contact = api.contact()
    with Stream(api, f"?contact_id={contact['id']}") as stream:
        sent = [submitted(api, contact, created_at=WHEN - number) for number in range(20)]
        assert [told["position"] for told in stream.some(20)] == sent


def test_what_was_acknowledged_before_the_stream_began_is_not_told(api: Api):
    contact = api.contact()
    before = submitted(api, contact)
    with Stream(api, f"?contact_id={contact['id']}") as stream:
        after = submitted(api, contact, created_at=WHEN + 1)
        assert stream.told()["position"] == after
        assert before <= stream.beats[0] < after


def test_the_first_message_is_a_beat_so_that_a_client_can_go_on_from_it(api: Api):
    head = submitted(api, api.contact())
    with Stream(api) as stream:
        assert stream.next() == Message("beat", head, {"type": "beat", "position": head})


def test_a_stream_is_never_compressed_and_kept_nowhere_on_its_way(api: Api):
    with Stream(api, "", "Accept-Encoding: gzip") as stream:
        assert {"content-type: text/event-stream; charset=utf-8", "cache-control: no-store", "x-accel-buffering: no"} <= set(stream.lines)
        assert not any(line.startswith("content-encoding") for line in stream.lines)


def test_a_new_line_in_metadata_breaks_no_message(api: Api):
    contact, text = api.contact(), "one\ntwo\r\n\r\nid: 5\u2028\n\ndata: x"
    with Stream(api, f"?contact_id={contact['id']}") as stream:
        submitted(api, contact, metadata={"text": text})
        assert stream.told()["event"]["metadata"] == {"text": text}


def test_an_event_of_a_contact_deleted_since_is_told_as_erased(api: Api):
    contact = api.contact()
    at = submitted(api, contact, metadata={"secret": "x"})
    before = receipt(api, at)
    assert api.delete(f"/contacts/{contact['id']}").status == 200
    with Stream(api, f"?after={at - 1}&follow=false") as stream:
        assert stream.told() == {"type": "receipt", "position": at, "outcome": "erased", "received_at_ms": before["received_at_ms"]}


# Which events.


@pytest.mark.parametrize(
    ("query", "wanted"),
    [
        ("event_name=CLICKED", ["clicked 1", "clicked 1", "clicked 2"]),
        ("event_name=clicked&event_name=left", ["clicked 1", "clicked 1", "clicked 2", "left 1"]),
        ("contact_id={id}", ["clicked 1", "clicked 1", "left 1"]),
        ("user_id={external_id}&event_name=left", ["left 1"]),
        ("outcome=duplicate", ["clicked 1"]),
        ("outcome=stored&event_name=clicked", ["clicked 1", "clicked 2"]),
    ],
)
def test_filters_choose_what_is_told(query: str, wanted: list[str]):
    with TrackrecordServer() as server:
        api = Api(server)
        one, two = api.contact(), api.contact()
        number = {one["external_id"]: 1, two["external_id"]: 2}

        def sent() -> list[int]:
            again = submitted(api, one), submitted(api, one), submitted(api, two), submitted(api, one, event_name="left")
            return [*again, submitted(api, two, event_name="end")]

        with Stream(api, f"?{query.format(**one)}") as stream:
            end = sent()[-1]
            at_once = stream.some(len(wanted))
        with Stream(api, f"?{query.format(**one)}&after=0&follow=false") as stream:
            later = stream.rest()
        said = [told.get("event") or told["duplicate_of"]["event"] for told in at_once if told["position"] < end]
        assert [f"{each['event_name']} {number[each['user_id']]}" for each in said] == wanted
        assert [told for told in later if told["position"] < end] == at_once


def test_a_name_that_nobody_has_used_yet_can_be_waited_for(api: Api):
    contact, name = api.contact(), fresh("never-")
    with Stream(api, f"?event_name={name}") as stream:
        submitted(api, contact)
        at = submitted(api, contact, event_name=name.upper())
        assert stream.told()["position"] == at


def test_a_workspace_is_told_its_own_events_alone(api: Api):
    theirs = stranger(api)
    with Stream(theirs) as stream, Stream(theirs, "?after=0") as whole:
        submitted(api, api.contact())
        at = submitted(theirs, theirs.contact())
        assert [stream.told()["position"], whole.told()["position"]] == [at, at]


@pytest.mark.parametrize(
    ("query", "error"),
    [
        ("?after=soon", (400, "parameter_invalid", "after must be a whole number from 0 to 4611686018427387904, got 'soon'", "after")),
        ("?after=1&last=5", (400, "parameter_invalid", "last cannot stand beside after: each says where to begin", "last")),
        ("?last=many", (400, "parameter_invalid", "last must be a whole number from 0 to 1000, got 'many'", "last")),
        ("?event_name=", (400, "parameter_invalid", "event_name must not be empty", "event_name")),
        ("?event_name=" + "x" * 256, (422, "data_invalid", "event_name must have at most 255 characters, got 256", "event_name")),
        ("?outcome=kept", (400, "parameter_invalid", "outcome must be stored or duplicate or erased, got 'kept'", "outcome")),
        ("?user_id=nobody", (404, "not_found", "User Not Found", "user_id")),
        ("?follow=maybe", (400, "parameter_invalid", "follow must be true or false, got 'maybe'", "follow")),
    ],
)
def test_a_wrong_query_is_told_by_its_field(api: Api, query: str, error: tuple[Any, ...]):
    assert api.get(f"/-/api/live{query}").error == error


def test_a_last_event_id_that_is_no_position_is_told(api: Api):
    answer = api.get("/-/api/live", "Last-Event-ID: soon")
    assert answer.error[:2] + answer.error[3:] == (400, "parameter_invalid", "Last-Event-ID")


# Going on after a break.


def test_a_lost_connection_is_gone_on_from_without_a_gap_or_a_repetition(api: Api):
    contact = api.contact()
    query = f"?contact_id={contact['id']}"
    with Stream(api, query) as stream:
        sent = [submitted(api, contact, created_at=WHEN + number) for number in range(3)]
        told = [each["position"] for each in stream.some(2)]
    sent += [submitted(api, contact, created_at=WHEN + number) for number in range(3, 6)]
    with Stream(api, f"{query}&last=1", f"Last-Event-ID: {told[-1]}") as stream:  # as a browser sends it, with the address of before
        sent += [submitted(api, contact, created_at=WHEN + number) for number in range(6, 9)]
        told += [each["position"] for each in stream.some(7)]
    assert told == sent


def test_a_stream_can_begin_with_the_last_events_before_it(api: Api):
    contact = api.contact()
    sent = [submitted(api, contact, created_at=WHEN + number) for number in range(5)]
    with Stream(api, f"?contact_id={contact['id']}&last=2") as stream:
        sent.append(submitted(api, contact, created_at=WHEN + 9))
        assert [told["position"] for told in stream.some(3)] == sent[-3:]


def test_a_stream_that_does_not_follow_ends_with_what_is_there(api: Api):
    contact = api.contact()
    sent = [submitted(api, contact, created_at=WHEN + number) for number in range(3)]
    with Stream(api, f"?contact_id={contact['id']}&last=2&follow=false") as stream:
        assert [told["position"] for told in stream.rest()] == sent[1:]


def test_a_position_that_is_not_there_yet_begins_with_now(api: Api):
    contact = api.contact()
    with Stream(api, f"?contact_id={contact['id']}&after=999999999") as stream:
        at = submitted(api, contact)
        assert stream.told()["position"] == at


def test_what_is_too_much_to_make_up_is_counted():
    with TrackrecordServer() as server:
        api = Api(server)
        imported(api, api.contact(), live.MADE_UP_MAX + 100)
        with Stream(api, "?after=0&follow=false") as stream:
            missed, *told = stream.rest()
    assert missed == {"type": "missed", "position": 100, "count": 100}
    assert [each["position"] for each in told] == list(range(101, live.MADE_UP_MAX + 101))


def test_a_stream_goes_on_after_the_server_was_killed(tmp_path):
    with RealServer(tmp_path / "data") as server:
        api = Api(server, TOKEN)  # type: ignore[arg-type]
        contact = api.contact()
        with Stream(api) as stream:
            sent = [submitted(api, contact, created_at=WHEN + number) for number in range(3)]
            told = [each["position"] for each in stream.some(2)]
            server.close()
            with pytest.raises((ConnectionError, ValueError)):
                stream.rest()
    with RealServer(tmp_path / "data") as server:
        api = Api(server, TOKEN)  # type: ignore[arg-type]
        sent += [submitted(api, contact, created_at=WHEN + number) for number in range(3, 5)]
        with Stream(api, "", f"Last-Event-ID: {told[-1]}") as stream:
            sent.append(submitted(api, contact, created_at=WHEN + 5))
            assert [each["position"] for each in stream.some(4)] == sent[2:]


# Bounds.


def test_a_watcher_that_reads_nothing_slows_nobody_and_is_told_what_it_missed():
    long = {f"key-{number}": "x" * 250 for number in range(10)}
    count = 4_000
    with TrackrecordServer() as server:
        api = Api(server)
        contact = api.contact()
        with Stream(api) as slow, Stream(api) as quick:
            slow.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 64 << 10)
            for start in range(0, count, 250):
                lines = [
                    json.dumps({"event_name": "clicked", "created_at": WHEN + second, "id": contact["id"], "metadata": long}).encode()
                    for second in range(start, start + 250)
                ]
                assert api.post("/-/api/import/events", b"\n".join(lines)).status == 200
                assert [each["outcome"] for each in quick.some(250)] == ["stored"] * 250
            end = submitted(api, contact, created_at=WHEN - 1)
            told = [slow.told()]
            while told[-1]["position"] < end:
                told.append(slow.told())
    missed = [each["count"] for each in told if each["type"] == "missed"]
    assert missed
    assert sum(missed) + len(told) - len(missed) == count + 1


def test_more_watchers_than_may_be_are_told_to_come_back_and_who_hangs_up_makes_room(api: Api):
    theirs = stranger(api)
    streams = [Stream(theirs) for _ in range(live.WATCHERS_OF_WORKSPACE_MAX)]
    try:
        assert theirs.get("/-/api/live?follow=false").status == 200  # a look takes no place
        refused = theirs.get("/-/api/live")
        assert (refused.status, refused.header("retry-after")) == (503, "10")
        assert refused.json["errors"][0]["message"] == "20 of this workspace are watching already; connect again when one of them has ended"
        streams.pop().socket.close()
        until(lambda: theirs.get("/-/api/live?follow=false").status == 200)
    finally:
        for stream in streams:
            stream.socket.close()


def test_the_stream_of_a_revoked_token_ends(api: Api):
    tokens = api.server.server.directory.tokens
    token, secret = tokens.create(1, "to be revoked", frozenset(["read_events"]), now=0)
    with Stream(Api(api.server, secret)) as stream:
        tokens.revoke(1, token.id, now=1)
        while stream.told() is not None:
            pass  # events of other tests


def test_a_stream_of_a_contact_ends_when_that_is_deleted(api: Api):
    contact = api.contact()
    with Stream(api, f"?contact_id={contact['id']}") as stream:
        assert api.delete(f"/contacts/{contact['id']}").status == 200
        assert stream.told() is None


def test_a_stream_ends_whole_when_the_server_stops():
    with TrackrecordServer() as server:
        stream = Stream(Api(server))
    with stream:
        assert stream.rest() == []


def test_head_of_the_stream_ends_at_once(api: Api):
    with Connection(api.url) as connection:
        connection.send(request("HEAD", "/-/api/live", token=api.token))
        assert connection.answer(head=True).header("content-type") == "text/event-stream; charset=utf-8"
