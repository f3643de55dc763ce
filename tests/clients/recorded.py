"""Requests of clients that cannot be run here, as the bytes they send; read in their sources."""

import base64
import gzip
import json
import socket
from http.client import HTTPResponse
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from trackrecord.testing import TrackrecordServer

TIMEOUT_S = 10


class Answer(NamedTuple):
    status: int
    headers: dict[str, str]  # names in lower case
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


def send(server: TrackrecordServer, request: bytes) -> Answer:
    """Send bytes on a connection of their own; undo gzip, which is all that ruby undoes."""
    address = urlsplit(server.url)
    with socket.create_connection((address.hostname, address.port), timeout=TIMEOUT_S) as connection:
        connection.sendall(request)
        with HTTPResponse(connection, method=request.split(b" ", 1)[0].decode()) as response:
            response.begin()
            headers = {name.lower(): value for name, value in response.getheaders()}
            body = response.read()
    if headers.get("content-encoding") == "gzip":
        body = gzip.decompress(body)
    else:
        assert "content-encoding" not in headers
    return Answer(response.status, headers, body)


def host(server: TrackrecordServer) -> str:
    return urlsplit(server.url).netloc


def basic(server: TrackrecordServer) -> str:
    """The access token as user name with an empty password."""
    return "Basic " + base64.b64encode(f"{server.token}:".encode()).decode()


def request(server: TrackrecordServer, line: str, headers: str, body: str = "") -> bytes:
    """A request of a recorded head, with HOST, TOKEN and BASIC filled in, and its body with its length."""
    for word, value in (("HOST", host(server)), ("TOKEN", server.token), ("BASIC", basic(server))):
        line, headers = line.replace(word, value), headers.replace(word, value)
    lines = [f"{line} HTTP/1.1", *(each.strip() for each in headers.strip().splitlines())]
    content = body.encode()
    if content:
        if "content-type" not in headers.lower():
            lines.append("Content-Type: application/json")
        lines.append(f"Content-Length: {len(content)}")
    return "\r\n".join([*lines, "", ""]).encode() + content


RUBY = """
    Accept-Encoding: gzip, deflate
    Accept: application/vnd.intercom.3+json
    User-Agent: Intercom-Ruby/4.2.2
    Authorization: Bearer TOKEN
    AcceptEncoding: gzip, deflate
    Connection: close
    Host: HOST
"""
PHP = """
    Host: HOST
    User-Agent: GuzzleHttp/7
    Authorization: Bearer TOKEN
    Accept: application/json
    Content-Type: application/json
    Intercom-Version: 2.14
"""
JAVA_2 = """
    User-Agent: intercom-java/2.8.2
    X-Client-Platform-Details: {"os.arch":"amd64","user.timezone":"","java.version":"1.8.0_292"}
    Accept-Charset: UTF-8
    Accept: application/json
    Authorization: BASIC
    Host: HOST
    Connection: keep-alive
"""
JAVA_4 = """
    Authorization: Bearer TOKEN
    X-Fern-Language: JAVA
    X-Fern-SDK-Name: com.intercom.fern:api-sdk
    X-Fern-SDK-Version: 4.0.8
    Intercom-Version: 2.14
    Accept: application/json
    Content-Type: application/json; charset=utf-8
    Host: HOST
    Connection: Keep-Alive
    Accept-Encoding: gzip
    User-Agent: okhttp/4.12.0
"""
GO = """
    Host: HOST
    User-Agent: intercom-go/2.0.0
    Accept: application/json
    Authorization: BASIC
    Accept-Encoding: gzip
"""
DOTNET = """
    Accept: application/json
    User-Agent: intercom-dotnet/2.1.1
    Authorization: BASIC
    Accept-Charset: UTF-8
    Host: HOST
    Accept-Encoding: gzip, deflate
    Content-Type: application/json
"""
NODE_2 = """
    Accept: application/json
    User-Agent: intercom-node-client/2.0.0
    host: HOST
    authorization: BASIC
    Connection: close
"""
SEGMENT = """
    host: HOST
    authorization: Bearer TOKEN
    user-agent: Segment (Actions)
    content-type: application/json
    accept: */*
    accept-encoding: gzip, deflate, br
    connection: close
"""
RUDDERSTACK = """
    Host: HOST
    Authorization: Bearer TOKEN
    Accept: application/json
    Intercom-Version: 2.10
    User-Agent: RudderLabs
    Content-Type: application/json
"""
POSTHOG = """
    Host: HOST
    Authorization: Bearer TOKEN
    Accept: application/json
    Content-Type: application/json
"""
AIRBYTE = """
    Host: HOST
    User-Agent: python-requests/2.32.3
    Accept-Encoding: gzip, deflate
    Accept: application/json
    Connection: keep-alive
    Intercom-Version: 2.11
    Authorization: Bearer TOKEN
"""
SINGER = """
    Host: HOST
    User-Agent: tap-intercom
    Accept-Encoding: gzip, deflate
    Accept: application/json
    Connection: keep-alive
    Authorization: Bearer TOKEN
    Intercom-Version: 2.12
    Content-Type: application/json
"""


def names(answer: Answer) -> list[str]:
    """The names of the events of a list."""
    assert answer.status == 200
    return [event["event_name"] for event in answer.json["events"]]
