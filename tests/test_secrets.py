"""Access tokens stand nowhere but with those who were given them: in no log, in no file, in no answer."""

import base64
import logging
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
