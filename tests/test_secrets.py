"""Access tokens stand nowhere but with those who were given them: in no log, in no file, in no answer. Nor does the log name people."""

import base64
import json
import logging
import sqlite3
from pathlib import Path

import pytest
from real_server import until
from wire.client import Api, Connection, request

from trackrecord.testing import TrackrecordServer

GOOD, BAD = "the-good-secret-of-somebody", "a-secret-that-nobody-gave-out"


def test_a_secret_is_in_no_log_in_no_file_and_in_no_answer(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
):
    caplog.set_level(logging.DEBUG)
    answers = b""
    with TrackrecordServer(data=str(tmp_path), token=GOOD, request_log="all") as server:
        for secret in (GOOD, BAD):
            api = Api(server, secret)
            basic = base64.b64encode(f"{secret}:".encode()).decode()
            for answer in (
                api.get("/me"),
                api.get("/nothing"),
                api.post("/contacts", {"external_id": "ann"}),
                api.post("/events", b"{"),
                api.get("/contacts", "Intercom-Version: latest"),
                Api(server, None).get("/me", f"Authorization: Basic {basic}"),
                Api(server, None).get("/me", f"Authorization: Bearer {secret} "),
                Api(server, None).get("/me", f"Authorization: Token {secret}"),
                Api(server, None).get("/me", f"Authorization: {secret}"),
                api.get(f"/me?access_token={secret}"),
                api.get(f"/nothing?token={secret}"),
                api.get(f"/events?user_id=nobody&authorization={secret}"),
                api.get(f"http://{secret}:{secret}@api.example/nothing"),
                api.get("/me", f"Proxy-Authorization: Bearer {secret}", f"Cookie: token={secret}", f"X-Api-Key: {secret}"),
                api.get("/me", f"Intercom-Version: {secret}", f"Authorization: Bearer {secret}"),
                api.get(f"/me?access_token={secret}", "Transfer-Encoding: gzip"),
                api.post("/bulk/events", {"items": [{}]}),
                api.post("/events", {"event_name": "a", "user_id": "ann", "created_at": "x"}),
            ):
                answers += answer.body + repr(answer.headers).encode()
            with Connection(server.url) as connection:  # refused below the application
                connection.send(request("GET", "/me", f"Authorization: Bearer {secret}", "x" * 70_000))
                answers += connection.closed()
        until(lambda: Api(server).get("/-/api/requests").json["total_count"] >= 10)
    told = capfd.readouterr()
    said = (answers + "\n".join(caplog.messages).encode() + told.out.encode() + told.err.encode()).lower()
    files = b"".join(path.read_bytes() for path in tmp_path.iterdir()).lower()
    for secret in (GOOD, BAD):
        for form in (secret.encode(), base64.b64encode(f"{secret}:".encode())):
            assert (form in said, form in files) == (False, False)


PERSON = "somebody.in.particular"


def test_the_log_names_nobody_and_no_metadata_at_any_level_not_even_in_a_traceback(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
):
    """Refusals go to the log of requests, which forgets whoever is deleted; the other log forgets nothing."""
    caplog.set_level(logging.DEBUG)
    email, text = f"{PERSON}@example.com", f"what-{PERSON}-did"
    person = {"external_id": PERSON, "email": email, "name": PERSON, "custom_attributes": {"text": text}}
    event = {"event_name": text, "created_at": 1_600_000_000, "user_id": PERSON, "metadata": {text: text}}
    with TrackrecordServer(data=str(tmp_path), request_log="all") as server:
        api = Api(server)
        contact = api.contact(**person)
        answers = [
            api.post("/contacts", person),
            api.post("/events", event),
            api.post("/events", event),
            api.post("/events", {**event, "user_id": f"{PERSON}2"}),
            api.post("/events", {**event, "created_at": PERSON}),
            api.post("/events", {**event, "metadata": text}),
            api.post("/events", b'{"user_id":"' + PERSON.encode()),
            api.post("/bulk/events", {"items": [{"method": "post", "data": event}, {"method": PERSON}]}),
            api.post("/-/api/import/events", json.dumps({**event, "created_at": text}).encode()),
            api.post("/contacts/search", {"query": {"field": "email", "operator": "~", "value": PERSON}}),
            api.get(f"/events?type=user&email={email}&per_page={PERSON}"),
            api.get(f"/contacts/{PERSON}", f"Intercom-Version: {PERSON}"),
            api.get(f"/contacts/{PERSON}", f"User-Agent: {PERSON}"),
            api.delete(f"/contacts/{contact['id']}"),
        ]
        assert {answer.status for answer in answers} == {200, 202, 400, 404, 409}
        with Connection(server.url) as connection:
            connection.send(request("GET", f"/contacts/{PERSON}#{PERSON}", f"From: {email}"))
            assert b"HTTP/1.1 400" in connection.closed()
        with sqlite3.connect(tmp_path / "directory.db") as damaged:  # what nobody foresaw: its error quotes the statement
            damaged.execute("ALTER TABLE contacts RENAME TO lost")
        assert api.post("/contacts", {**person, "external_id": f"{PERSON}3"}).status == 500
        until(lambda: "no such table" in caplog.text)
    told = capfd.readouterr()
    assert PERSON not in caplog.text + told.out + told.err
