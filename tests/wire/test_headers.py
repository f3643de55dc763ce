"""Headers of answers, compression, and the addresses we give. The contract, 1.1, 1.2 and 1.4."""

import gzip
import json
import zlib
from collections.abc import Callable
from typing import Any

import pytest

from trackrecord.testing import TrackrecordServer

from .client import Answer, Api, Connection, fresh, request

WHEN = 1_671_028_894
RATE = {"x-ratelimit-limit", "x-ratelimit-remaining", "x-ratelimit-reset"}
ALWAYS = {"x-request-id", "intercom-version", "content-length"}
WITH_BODY = {*ALWAYS, "content-type"}


@pytest.mark.parametrize(
    ("sent", "status", "names"),
    [
        (lambda token: request("GET", "/me", token=token), 200, {*WITH_BODY, *RATE}),
        (lambda token: request("GET", "/nothing", token=token), 404, {*WITH_BODY, *RATE}),
        (lambda token: request("PATCH", "/me", token=token), 404, {*WITH_BODY, *RATE, "allow"}),
        (lambda token: request("GET", "/nothing"), 404, WITH_BODY),
        (lambda token: request("GET", "/nothing", token="unknown"), 404, WITH_BODY),
        (lambda token: request("GET", "/me"), 401, WITH_BODY),
        (lambda token: request("POST", "/events", body=b"{}"), 401, WITH_BODY),
        (lambda token: request("POST", "/events", body=b"{}", token=token), 400, {*WITH_BODY, *RATE}),
        (lambda token: request("GET", "/events?user_id=nobody", token=token), 404, {*WITH_BODY, *RATE}),
        (lambda token: request("GET", "/me", "Intercom-Version: 0", token=token), 400, {*WITH_BODY, *RATE}),
        (lambda token: request("POST", "/events", "Content-Length: 9999999", token=token), 413, {*WITH_BODY, *RATE, "connection"}),
        (lambda token: request("GET", "/-/health?check=live"), 200, WITH_BODY),
        (lambda token: request("GET", "/"), 302, {*ALWAYS, "location"}),
        (lambda token: b"garbage\r\n\r\n", 400, {*WITH_BODY, "connection"}),
    ],
)
def test_an_answer_has_these_headers(
    server: TrackrecordServer, raw: Callable[..., Answer], sent: Callable[[str], bytes], status: int, names: set[str]
):
    answer = raw(server, sent(server.token))
    assert (answer.status, answer.names) == (status, names)


def test_what_cannot_be_read_at_all_is_answered_under_the_default_version(raw: Callable[..., Answer]):
    with TrackrecordServer(default_version="2.11", header_max_bytes=9000) as server:
        long = request("GET", "/me", "Intercom-Version: 2.14", f"X-Long: {'x' * 10_000}")
        answers = [raw(server, b"garbage\r\n\r\n"), raw(server, long)]
    assert [(answer.status, answer.header("intercom-version")) for answer in answers] == [(400, "2.11"), (431, "2.11")]


@pytest.mark.parametrize("accept", ["", "application/vnd.intercom.3+json", "text/html;q=0.9", "image/*, nonsense"])
def test_accept_is_passed_over_in_both_profiles(api: Api, strict: Api, accept: str):
    for chosen in (api, strict):
        event = {"event_name": "clicked", "created_at": WHEN, "id": chosen.contact()["id"]}
        answers = [chosen.get("/me", f"Accept: {accept}"), chosen.post("/events", event, f"Accept: {accept}")]
        assert [answer.status for answer in answers] == [200, 202]
        assert answers[0].header("content-type") == "application/json; charset=utf-8"


def test_every_request_has_an_id_of_its_own_and_an_error_carries_it(api: Api):
    ids = []
    with Connection(api.url) as connection:
        for _ in range(300):
            connection.send(request("GET", "/nothing", token=api.token))
            answer = connection.answer()
            assert answer.error == (404, "not_found", "Resource Not Found", "path")  # compares the body's request_id with the header
            ids.append(answer.header("x-request-id") or "")
    assert len(set(ids)) == 300
    assert {(len(id), id[14], id[19] in "89ab") for id in ids} == {(36, "4", True)}


# --- compression ---------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def long_list(server: TrackrecordServer) -> str:
    """The target of an answer that is long enough to be compressed."""
    api = Api(server)
    contact = api.contact()
    for number in range(10):
        assert api.submit(event_name=f"clicked {number}", created_at=WHEN, id=contact["id"]).status == 202
    return f"/events?intercom_user_id={contact['id']}&type=user"


@pytest.mark.parametrize(
    ("asked", "compressed"),
    [
        (None, False),
        ("", False),
        ("identity", False),
        ("deflate, br, zstd", False),
        ("gzip;q=0", False),
        ("gzip; q=0.0, deflate", False),
        ("gzip, deflate", True),
        ("deflate, GZIP;q=0.5", True),
    ],
)
def test_a_long_answer_is_compressed_for_those_who_ask(api: Api, long_list: str, asked: str | None, compressed: bool):
    plain = api.get(long_list)
    answer = api.get(long_list, *([] if asked is None else [f"Accept-Encoding: {asked}"]))
    assert (answer.header("content-encoding"), answer.header("vary")) == ("gzip" if compressed else None, "accept-encoding")
    assert (gzip.decompress(answer.body) if compressed else answer.body) == plain.body
    assert (len(answer.body) < len(plain.body)) is compressed


def test_an_empty_or_short_answer_is_never_compressed(api: Api):
    contact = api.contact()
    sent = {"event_name": "clicked", "created_at": WHEN, "id": contact["id"]}
    baseline = {"id": contact["id"], "event_summaries": {"event_name": "clicked", "count": 1}}
    answers = [
        api.post("/events", sent, "Accept-Encoding: gzip"),
        api.post("/events/summaries", baseline, "Accept-Encoding: gzip"),
        api.get("/", "Accept-Encoding: gzip"),
        api.get("/nothing", "Accept-Encoding: gzip"),
    ]
    assert [(answer.status, answer.header("content-encoding"), answer.header("vary")) for answer in answers] == [
        (202, None, None),
        (200, None, None),
        (302, None, None),
        (404, None, None),
    ]


@pytest.mark.parametrize(
    ("encoding", "pack"),
    [
        ("gzip", gzip.compress),
        ("x-gzip", gzip.compress),
        (" GZIP ", gzip.compress),
        ("identity", bytes),
        ("", bytes),
        ("gzip", lambda body: gzip.compress(body, compresslevel=0)),
    ],
)
def test_a_body_may_come_compressed_with_gzip(api: Api, encoding: str, pack: Callable[[bytes], bytes]):
    contact, name = api.contact(), fresh("contact ")
    event = json.dumps({"event_name": "clicked", "created_at": WHEN, "id": contact["id"]}).encode()
    assert api.post("/events", pack(event), f"Content-Encoding: {encoding}").status == 202
    assert (
        api.put(f"/contacts/{contact['id']}", pack(json.dumps({"name": name}).encode()), f"Content-Encoding: {encoding}").json["name"]
        == name
    )
    assert len(api.events(contact)) == 1


def test_a_body_may_have_as_many_bytes_as_the_limit_before_and_after_decompression(api: Api):
    contact = api.contact()
    event = json.dumps({"event_name": "clicked", "created_at": WHEN, "id": contact["id"]}).encode()
    full = event + b" " * ((1 << 20) - len(event))
    answers = [api.post("/events", full), api.post("/events", zlib_packed(full), "Content-Encoding: gzip")]
    answers += [api.post("/events", full + b" "), api.post("/events", zlib_packed(full + b" "), "Content-Encoding: gzip")]
    assert [answer.status for answer in answers] == [202, 202, 413, 413]


def zlib_packed(body: bytes) -> bytes:
    packer = zlib.compressobj(wbits=31)
    return packer.compress(body) + packer.flush()


# --- targets and addresses -----------------------------------------------------------------------------------------------


def since_of(answer: Answer) -> str:
    """The scheme and authority of the links in a list."""
    link: str = answer.json["pages"]["since"]
    return link.partition("/events?")[0]


@pytest.fixture
def listed(api: Api) -> Any:
    contact = api.contact()
    assert api.submit(event_name="clicked", created_at=WHEN, id=contact["id"]).status == 202
    return contact


def test_a_trailing_slash_changes_nothing(api: Api, listed: Any):
    contact = listed
    assert api.post("/events/", {"event_name": "other", "created_at": WHEN, "id": contact["id"]}).status == 202
    assert api.post("/events/summaries/", {"id": contact["id"], "event_summaries": []}).status == 200
    assert len(api.get(f"/events/?intercom_user_id={contact['id']}").json["events"]) == 2
    assert api.get(f"/contacts/{contact['id']}/").json == api.get(f"/contacts/{contact['id']}").json
    assert [api.get(target).status for target in ("/me/", "/contacts/", "/admins/", "/-/docs/")] == [200] * 4


def test_a_whole_address_as_target_is_served_whatever_its_authority(api: Api, listed: Any):
    query = f"intercom_user_id={listed['id']}&type=user"
    plain = api.get(f"/events?{query}")
    for base in ("http://wire.test", "https://api.intercom.io", f"{api.url}", "http://other.example:99"):
        assert api.get(f"{base}/events?{query}").body == plain.body
    body = {"event_name": "other", "created_at": WHEN, "id": listed["id"]}
    assert api.post("http://api.intercom.io/events", body).status == 202


def test_links_lead_back_to_the_host_the_client_named(api: Api, listed: Any, raw: Callable[..., Answer]):
    target = f"/events?intercom_user_id={listed['id']}&type=user"

    def base(*lines: str) -> str:
        head = "\r\n".join([f"GET {target} HTTP/1.1", f"Authorization: Bearer {api.token}", *lines, "", ""])
        return since_of(raw(api.server, head.encode("latin-1")))

    named = {
        "wire.test": "http://wire.test",
        "Wire.Test:8080": "http://Wire.Test:8080",
        "[::1]:8080": "http://[::1]:8080",
        "10.0.0.1": "http://10.0.0.1",
        # What is no host is not repeated: the address listened on stands in its place.
        "a b": api.url,
        'evil"><script>': api.url,
        "user@wire.test": api.url,
        "wire.test/path?x": api.url,
        "wire.test:port": api.url,
        "": api.url,
    }
    assert {host: base(f"Host: {host}") for host in named} == named
    assert base() == api.url
    assert base("Host: wire.test", "X-Forwarded-Proto: https", "X-Forwarded-Host: evil.example") == "http://wire.test"


@pytest.mark.parametrize(
    ("proxies", "headers", "base"),
    [
        ("127.0.0.1", ["X-Forwarded-Proto: https", "X-Forwarded-Host: api.example"], "https://api.example"),
        ("*", ["X-Forwarded-Proto: HTTPS, http", "X-Forwarded-Host: api.example:444, inner"], "https://api.example:444"),
        ("10.0.0.1, 127.0.0.1", ["X-Forwarded-Proto: https"], "https://wire.test"),
        ("127.0.0.1", ["X-Forwarded-Host: a b"], None),
        ("127.0.0.1", ["X-Forwarded-Proto: javascript"], "http://wire.test"),
        ("10.0.0.1", ["X-Forwarded-Proto: https", "X-Forwarded-Host: api.example"], "http://wire.test"),
    ],
)
def test_a_proxy_is_believed_where_it_is_trusted(proxies: str, headers: list[str], base: str | None):
    with TrackrecordServer(trusted_proxies=proxies) as server:
        api = Api(server)
        contact = api.contact()
        assert api.submit(event_name="clicked", created_at=WHEN, id=contact["id"]).status == 202
        assert since_of(api.get(f"/events?intercom_user_id={contact['id']}", *headers)) == (base or server.url)


def test_a_public_address_wins_over_all():
    with TrackrecordServer(public_url="https://events.example/", trusted_proxies="*") as server:
        api = Api(server)
        contact = api.contact()
        assert api.submit(event_name="clicked", created_at=WHEN, id=contact["id"]).status == 202
        assert since_of(api.get(f"/events?intercom_user_id={contact['id']}", "X-Forwarded-Host: a.b")) == "https://events.example"
