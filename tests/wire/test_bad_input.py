"""Malformed and hostile requests, each with its exact answer. None is answered 5xx, and none leaves a trace."""

import base64
import gzip
import json
import zlib
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import pytest

from trackrecord.testing import TrackrecordServer

from .client import Answer, Api, request

TOKEN = "the-token-of-these-tests"  # known beforehand, so that the table can hold whole requests
NOW = 1_700_000_000
EVENT = b'{"event_name":"placed-order","created_at":1671028894,"user_id":"u1"}'
GOOD_ZIP = gzip.compress(EVENT)
MIB = 1 << 20

NOT_HTTP = (400, "parameter_invalid", "this is not a valid HTTP request", "request")
BAD_JSON = (400, "parameter_invalid", "Invalid JSON", "body")
NO_TOKEN = (401, "unauthorized", "Access Token Invalid", "Authorization")
NO_USER = (404, "not_found", "User Not Found", "user_id")
NO_PATH = (404, "not_found", "Resource Not Found", "path")
NO_METHOD = (404, "not_found", "Resource Not Found", "method")
NO_RECEIPT = (404, "not_found", "Receipt not found", "position")
NO_ADMIN = (404, "admin_not_found", "Admin not found", "admin_id")
TOO_LARGE = (413, "client_error", "the body must be at most 1048576 bytes", "body")
HEAD_TOO_LARGE = (431, "client_error", "the request line and headers must be at most 65536 bytes", "headers")
NO_PROXY = (400, "parameter_invalid", "this server is no proxy, and has no CONNECT", "method")
NO_VERSION = (400, "intercom_version_invalid", "The requested version could not be found", "Intercom-Version")
NOT_IN_VERSION = (400, "intercom_version_invalid", "Requested resource is not available in current API version", "Intercom-Version")
NO_IDENTIFIER = (400, "parameter_not_found", "an event must say whose it is: id, user_id or email", "user_id")
NO_QUERY = (400, "parameter_not_found", "an event query must include an email, user_id or intercom_user_id parameter", "user_id")
NO_SUMMARY_NAME = (
    400,
    "parameter_not_found",
    "event_summaries.event_name is required: what the contact did, such as invited-friend",
    "event_summaries.event_name",
)
NO_NAME = (400, "parameter_not_found", "event_name is required: what the contact did, such as invited-friend", "event_name")
ZIP_ENDS = (400, "parameter_invalid", "the body is not valid gzip: it ends too early", "body")
ZIP_GOES_ON = (400, "parameter_invalid", "the body is not valid gzip: more follows its end; send one member", "body")
ZIP_BROKEN = (400, "parameter_invalid", "the body is not valid gzip", "body")
NEEDS_IDENTITY = (400, "parameter_not_found", "a contact needs at least one of email, external_id and role", "external_id")


def nobody(field: str) -> tuple[Any, ...]:
    return (404, "not_found", "User Not Found", field)


def not_an_object(got: str) -> tuple[Any, ...]:
    return (400, "parameter_invalid", f"the body must be a JSON object, got {got}", "body")


def mismatch(field: str, wanted: str, got: str) -> tuple[Any, ...]:
    return (400, "type_mismatch", f"{field} must be {wanted}, got {got}", field)


def invalid(field: str, message: str) -> tuple[Any, ...]:
    return (400, "parameter_invalid", f"{field} {message}", field)


def refused(field: str, message: str) -> tuple[Any, ...]:
    return (422, "data_invalid", f"{field} {message}", field)


def absent(field: str, message: str) -> tuple[Any, ...]:
    return (400, "parameter_not_found", f"{field} {message}", field)


class Row(NamedTuple):
    name: str
    sent: bytes
    answer: tuple[Any, ...]  # (status, code, message, field)


def get(target: str, *headers: str) -> bytes:
    return request("GET", target, *headers, token=TOKEN)


def post(target: str, body: bytes | dict[str, Any], *headers: str) -> bytes:
    return request("POST", target, *headers, body=body if isinstance(body, bytes) else json.dumps(body).encode(), token=TOKEN)


def chunked(body: bytes, *headers: str) -> bytes:
    return request("POST", "/events", "Transfer-Encoding: chunked", *headers, token=TOKEN) + body


def lengths(*values: str, body: bytes = EVENT) -> bytes:
    return request("POST", "/events", *(f"Content-Length: {value}" for value in values), token=TOKEN) + body


def event(**fields: Any) -> dict[str, Any]:
    """A good event but for the fields given."""
    return {**json.loads(EVENT), **fields}


def with_number(field: str, number: str) -> bytes:
    """A good event but for a number that Python's JSON would not write."""
    return EVENT.replace(b"{", b'{"%s":%s,' % (field.encode(), number.encode()), 1).replace(b'"created_at":1671028894,', b"")


def summaries(**row: Any) -> dict[str, Any]:
    return {"user_id": "u1", "event_summaries": {"event_name": "placed-order", "count": 1, **row}}


def basic(text: bytes) -> str:
    return f"Authorization: Basic {base64.b64encode(text).decode()}"


def whoami(*headers: str) -> bytes:
    return request("GET", "/me", *headers)


WHOLE_OR_TEXT = "a whole number or a string"
NUMBER_OR_TEXT = "a number or a string"
TOO_LARGE_NUMBER = "has a number too large to be read"
MANY_DIGITS = "1" + "0" * 5000  # more digits than Python reads
JSON_PLEASE = "send the body as application/json, not"
UNIX_SECONDS = "must be whole Unix seconds, such as 1700000000, got"
JSON_ROWS = (
    # What is no JSON object.
    Row("an empty body", post("/events", b""), BAD_JSON),
    Row("no body at all", request("POST", "/events", token=TOKEN), BAD_JSON),
    Row("words", post("/events", b"placed an order"), BAD_JSON),
    Row("a list", post("/events", b"[]"), not_an_object("a list")),
    Row("a string", post("/events", b'"placed-order"'), not_an_object("a string")),
    Row("a number", post("/events", b"17"), not_an_object("a whole number")),
    Row("null", post("/events", b"null"), not_an_object("null")),
    Row("half an object", post("/events", EVENT[:-1]), BAD_JSON),
    Row("two objects", post("/events", EVENT + EVENT), BAD_JSON),
    Row("a comma at the end", post("/events", EVENT[:-1] + b",}"), BAD_JSON),
    Row("single quotes", post("/events", EVENT.replace(b'"', b"'")), BAD_JSON),
    Row("NaN", post("/events", with_number("created_at", "NaN")), BAD_JSON),
    Row("bytes that are no UTF-8", post("/events", EVENT.replace(b"order", b"\xff\xfe")), BAD_JSON),
    Row("UTF-8 that is too long", post("/events", EVENT.replace(b"order", b"\xc0\xaf")), BAD_JSON),
    Row("a surrogate in UTF-8", post("/events", EVENT.replace(b"order", b"\xed\xa0\x80")), BAD_JSON),
    Row("UTF-16", post("/events", EVENT.decode().encode("utf-16")), BAD_JSON),
    Row("a byte order mark", post("/events", b"\xef\xbb\xbf" + EVENT), BAD_JSON),
    Row("half a surrogate pair", post("/events", EVENT.replace(b"order", rb"\ud800")), BAD_JSON),
    Row("a raw NUL in a string", post("/events", EVENT.replace(b"order", b"\0")), BAD_JSON),
    Row("a raw line feed in a string", post("/events", EVENT.replace(b"order", b"\n")), BAD_JSON),
    Row("100,000 brackets", post("/events", b"[" * 100_000), not_an_object("a list")),
    Row("100,000 brackets in metadata", post("/events", b'{"metadata":' + b"[" * 100_000 + b"]" * 100_000 + b"}"), BAD_JSON),
    Row("100,000 braces", post("/events", b'{"metadata":' + b'{"a":' * 100_000), BAD_JSON),
    Row(
        "17 levels in metadata",
        post("/events", event(metadata={"a": json.loads("[" * 17 + "]" * 17)})),
        refused("metadata.a", "nests deeper than 16 levels"),
    ),
    Row(
        "17 levels in a rich link",
        post("/events", event(metadata={"a": {"url": "https://a.b", "value": json.loads("[" * 17 + "]" * 17)}})),
        refused("metadata.a", "nests deeper than 16 levels"),
    ),
    Row(
        "a number past every other",
        post("/events", MANY_DIGITS.encode()),
        (400, "parameter_invalid", "the body must not have a number too large to be read", "body"),
    ),
    Row("of a key sent twice, the last", post("/events", EVENT.replace(b"}", b',"user_id":"nobody"}')), NO_USER),
    Row(
        "of a key sent twice, the last's type",
        post("/events", EVENT.replace(b"}", b',"event_name":1}')),
        mismatch("event_name", "a string", "a whole number"),
    ),
)
EVENT_ROWS = (
    Row("a name that is a number", post("/events", event(event_name=1)), mismatch("event_name", "a string", "a whole number")),
    Row("a name that is a list", post("/events", event(event_name=["a"])), mismatch("event_name", "a string", "a list")),
    Row("a name that is null", post("/events", event(event_name=None)), NO_NAME),
    Row("an empty name", post("/events", event(event_name="")), NO_NAME),
    Row(
        "a name of 256 characters",
        post("/events", event(event_name="ü" * 256)),
        refused("event_name", "must have at most 255 characters, got 256"),
    ),
    Row("a NUL in a name", post("/events", event(event_name="a\0")), invalid("event_name", "must not contain NUL characters")),
    Row("created_at true", post("/events", event(created_at=True)), mismatch("created_at", NUMBER_OR_TEXT, "true or false")),
    Row("created_at an object", post("/events", event(created_at={})), mismatch("created_at", NUMBER_OR_TEXT, "an object")),
    Row("created_at a list", post("/events", event(created_at=[1])), mismatch("created_at", NUMBER_OR_TEXT, "a list")),
    Row(
        "created_at in words",
        post("/events", event(created_at="yesterday")),
        (400, "type_mismatch", f"created_at {UNIX_SECONDS} 'yesterday'", "created_at"),
    ),
    Row(
        "created_at as '-1'",
        post("/events", event(created_at="-1")),
        refused("created_at", "can't be before 1970"),
    ),
    Row(
        "created_at as 5,000 digits in a string",
        post("/events", event(created_at=MANY_DIGITS)),
        (400, "type_mismatch", f"created_at {UNIX_SECONDS} '{MANY_DIGITS[:40]}'", "created_at"),
    ),
    Row(
        "created_at in Arabic digits",
        post("/events", event(created_at="١٦٧")),
        (400, "type_mismatch", f"created_at {UNIX_SECONDS} '١٦٧'", "created_at"),
    ),
    Row("created_at -1", post("/events", event(created_at=-1)), refused("created_at", "can't be before 1970")),
    Row("created_at -0.5", post("/events", event(created_at=-0.5)), refused("created_at", "can't be before 1970")),
    Row("created_at 1e300", post("/events", event(created_at=1e300)), refused("created_at", "can't be in the future")),
    Row("created_at 1e400", post("/events", with_number("created_at", "1e400")), invalid("created_at", TOO_LARGE_NUMBER)),
    Row("created_at -1e400", post("/events", with_number("created_at", "-1e400")), invalid("created_at", TOO_LARGE_NUMBER)),
    Row("created_at 10**40", post("/events", event(created_at=10**40)), refused("created_at", "can't be in the future")),
    Row("created_at -10**40", post("/events", event(created_at=-(10**40))), refused("created_at", "can't be before 1970")),
    Row("created_at 10**5000", post("/events", with_number("created_at", MANY_DIGITS)), invalid("created_at", TOO_LARGE_NUMBER)),
    Row(
        "created_at the day after tomorrow",
        post("/events", event(created_at=NOW + 86_401)),
        refused("created_at", "can't be in the future"),
    ),
    Row("nobody's event", post("/events", {"event_name": "x"}), NO_IDENTIFIER),
    Row("empty identifiers", post("/events", event(user_id="", id="", email="", intercom_user_id="")), NO_IDENTIFIER),
    Row("id true", post("/events", event(id=True)), mismatch("id", WHOLE_OR_TEXT, "true or false")),
    Row("id 1.5", post("/events", event(id=1.5)), mismatch("id", WHOLE_OR_TEXT, "a number")),
    Row("id 10**5000", post("/events", with_number("id", MANY_DIGITS)), invalid("id", TOO_LARGE_NUMBER)),
    Row("id 10**40", post("/events", {"event_name": "x", "id": 10**40}), nobody("id")),
    Row("id of 100,000 characters", post("/events", {"event_name": "x", "id": "a" * 100_000}), nobody("id")),
    Row("user_id a list", post("/events", event(user_id=["u1"])), mismatch("user_id", WHOLE_OR_TEXT, "a list")),
    Row("user_id with a NUL behind it", post("/events", event(user_id="u1\0")), NO_USER),
    Row("user_id of SQL", post("/events", event(user_id="' OR 1=1 --")), NO_USER),
    Row("user_id %", post("/events", event(user_id="%")), NO_USER),
    Row("email a number", post("/events", event(email=1)), mismatch("email", "a string", "a whole number")),
    Row("email with a NUL behind it", post("/events", {"event_name": "x", "email": "u1@example.com\0"}), nobody("email")),
    Row(
        "intercom_user_id an object", post("/events", event(intercom_user_id={})), mismatch("intercom_user_id", WHOLE_OR_TEXT, "an object")
    ),
    Row("metadata in words", post("/events", event(metadata="red")), (400, "type_mismatch", "metadata must be an object", "metadata")),
    Row("metadata 0", post("/events", event(metadata=0)), (400, "type_mismatch", "metadata must be an object", "metadata")),
    Row("metadata false", post("/events", event(metadata=False)), (400, "type_mismatch", "metadata must be an object", "metadata")),
    Row(
        "metadata a list of something",
        post("/events", event(metadata=[{}])),
        (400, "type_mismatch", "metadata must be an object", "metadata"),
    ),
    Row("metadata with 1e400", post("/events", EVENT[:-1] + b',"metadata":{"a":1e400}}'), invalid("metadata", TOO_LARGE_NUMBER)),
    Row(
        "metadata with 10**5000",
        post("/events", EVENT[:-1] + b',"metadata":{"a":%s}}' % MANY_DIGITS.encode()),
        invalid("metadata", TOO_LARGE_NUMBER),
    ),
    Row("half a surrogate pair in a key", post("/events", EVENT[:-1] + rb',"metadata":{"\udc00":1}}'), BAD_JSON),
)
SUMMARY_ROWS = (
    Row("summaries: an empty body", post("/events/summaries", b""), NO_IDENTIFIER),
    Row("summaries: a list", post("/events/summaries", b"[]"), not_an_object("a list")),
    Row("summaries: broken JSON", post("/events/summaries", b"{"), BAD_JSON),
    Row(
        "summaries: none",
        post("/events/summaries", {"user_id": "u1"}),
        absent("event_summaries", "is required: an object, or a list of them"),
    ),
    Row(
        "summaries: a string",
        post("/events/summaries", {"user_id": "u1", "event_summaries": "x"}),
        mismatch("event_summaries", "an object or a list", "a string"),
    ),
    Row(
        "summaries: a list of numbers",
        post("/events/summaries", {"user_id": "u1", "event_summaries": [1]}),
        mismatch("event_summaries[0]", "an object", "a whole number"),
    ),
    Row(
        "summaries: null in the list",
        post("/events/summaries", {"user_id": "u1", "event_summaries": [None]}),
        mismatch("event_summaries[0]", "an object", "null"),
    ),
    Row("summaries: user_id an object", post("/events/summaries", {"user_id": {}}), mismatch("user_id", WHOLE_OR_TEXT, "an object")),
    Row("summaries: nobody's", post("/events/summaries", {**summaries(), "user_id": "nobody"}), NO_USER),
    Row("summaries: no name", post("/events/summaries", summaries(event_name=None)), NO_SUMMARY_NAME),
    Row(
        "summaries: a name of 256",
        post("/events/summaries", summaries(event_name="n" * 256)),
        refused("event_summaries.event_name", "must have at most 255 characters, got 256"),
    ),
    Row(
        "summaries: name a list",
        post("/events/summaries", summaries(event_name=[])),
        mismatch("event_summaries.event_name", "a string", "a list"),
    ),
    Row("summaries: no count", post("/events/summaries", summaries(count=None)), absent("event_summaries.count", "is required")),
    Row(
        "summaries: count '1'",
        post("/events/summaries", summaries(count="1")),
        mismatch("event_summaries.count", "a whole number", "a string"),
    ),
    Row(
        "summaries: count 1.5",
        post("/events/summaries", summaries(count=1.5)),
        mismatch("event_summaries.count", "a whole number", "a number"),
    ),
    Row(
        "summaries: count true",
        post("/events/summaries", summaries(count=True)),
        mismatch("event_summaries.count", "a whole number", "true or false"),
    ),
    Row(
        "summaries: count -1",
        post("/events/summaries", summaries(count=-1)),
        refused("event_summaries.count", "must be a whole number from 0 to 9007199254740992, got -1"),
    ),
    Row(
        "summaries: count 10**40",
        post("/events/summaries", summaries(count=10**40)),
        refused("event_summaries.count", f"must be a whole number from 0 to 9007199254740992, got {str(10**40)[:40]}"),
    ),
    Row(
        "summaries: count 1e400",
        post("/events/summaries", json.dumps(summaries()).replace("1}", "1e400}").encode()),
        invalid("event_summaries.count", TOO_LARGE_NUMBER),
    ),
    Row(
        "summaries: first '1'",
        post("/events/summaries", summaries(first="1")),
        mismatch("event_summaries.first", "a whole number", "a string"),
    ),
    Row(
        "summaries: last true",
        post("/events/summaries", summaries(last=True)),
        mismatch("event_summaries.last", "a whole number", "true or false"),
    ),
    Row(
        "summaries: first in milliseconds",
        post("/events/summaries", summaries(first=1671028894000)),
        refused("event_summaries.first", "must be whole Unix seconds, got 1671028894000 (milliseconds?)"),
    ),
    Row(
        "summaries: last -1",
        post("/events/summaries", summaries(last=-1)),
        refused("event_summaries.last", "must be whole Unix seconds, got -1"),
    ),
    Row(
        "summaries: first after last",
        post("/events/summaries", summaries(first=2, last=1)),
        refused("event_summaries.first", "must not be after last"),
    ),
    Row(
        "summaries: a good one and a bad one",
        post(
            "/events/summaries",
            {"user_id": "u1", "event_summaries": [{"event_name": "new", "count": 1}, {"event_name": "a\0", "count": 1}]},
        ),
        invalid("event_summaries[1].event_name", "must not contain NUL characters"),
    ),
)
QUERY_ROWS = (
    Row("list: nobody", get("/events?type=user"), NO_QUERY),
    Row("list: an empty user_id", get("/events?type=user&user_id="), NO_QUERY),
    Row("list: of companies", get("/events?user_id=u1&type=company"), invalid("type", "must be user or lead, got 'company'")),
    Row("list: an unknown user", get("/events?user_id=nobody&type=user"), NO_USER),
    Row("list: a NUL in user_id", get("/events?user_id=u1%00&type=user"), NO_USER),
    Row("list: bad UTF-8 in user_id", get("/events?user_id=%ff%fe&type=user"), NO_USER),
    Row("list: rubbish behind a percent sign", get("/events?user_id=%zz%&type=user"), NO_USER),
    Row("list: raw UTF-8", get("/events?user_id=\xc3\xbc&type=user"), NOT_HTTP),
    Row(
        "list: 1,000 parameters",
        get("/events?" + "&".join(f"a{i}=1" for i in range(1000))),
        (400, "parameter_invalid", "a query may have at most 100 parameters", "query"),
    ),
    Row("list: per_page in words", get("/events?user_id=u1&per_page=ten"), invalid("per_page", "must be a whole number, got 'ten'")),
    Row("list: per_page 1.5", get("/events?user_id=u1&per_page=1.5"), invalid("per_page", "must be a whole number, got '1.5'")),
    Row("list: per_page 1e3", get("/events?user_id=u1&per_page=1e3"), invalid("per_page", "must be a whole number, got '1e3'")),
    Row(
        "list: per_page in Arabic digits", get("/events?user_id=u1&per_page=%D9%A3"), invalid("per_page", "must be a whole number, got '٣'")
    ),
    Row("list: before in words", get("/events?user_id=u1&before=now"), invalid("before", "must be a whole number, got 'now'")),
    Row("list: before a list", get("/events?user_id=u1&before=1,2"), invalid("before", "must be a whole number, got '1,2'")),
    Row("list: since NaN", get("/events?user_id=u1&since=NaN"), invalid("since", "must be a whole number, got 'NaN'")),
    Row("list: since -", get("/events?user_id=u1&since=-"), invalid("since", "must be a whole number, got '-'")),
    Row(
        "list: a rank in words",
        get("/events?user_id=u1&before=1671028894999&before_rank=x"),
        invalid("before_rank", "must be a whole number, got 'x'"),
    ),
    Row("list: a filter that is no JSON", get("/events?filter={"), invalid("filter", "is not valid JSON")),
    Row("list: a filter that is a list", get("/events?filter=[1]"), NO_QUERY),
    Row("list: a filter of objects", get("/events?filter=%7B%22user_id%22:%7B%7D%7D"), mismatch("filter", WHOLE_OR_TEXT, "an object")),
    Row("list: a filter of 1.5", get("/events?filter=%7B%22user_id%22:1.5%7D"), mismatch("filter", WHOLE_OR_TEXT, "a number")),
    Row("list: a filter of 10**5000", get("/events?filter=%7B%22user_id%22:" + MANY_DIGITS + "%7D"), invalid("filter", TOO_LARGE_NUMBER)),
    Row("list: a deep filter", get("/events?filter=" + "%7B%22a%22:" * 4000), mismatch("filter", WHOLE_OR_TEXT, "an object")),
    Row("list: filter[]", get("/events?filter[]=u1"), NO_QUERY),
    Row("list: half a bracket", get("/events?filter[user_id=u1"), NO_QUERY),
    Row(
        "contacts: per_page in words", get("/contacts?per_page=ten"), invalid("per_page", "must be a whole number from 1 to 150, got 'ten'")
    ),
    Row(
        "contacts: a cursor that is none",
        get("/contacts?starting_after=abc"),
        invalid("starting_after", "must be a cursor from pages.next of an earlier answer"),
    ),
    Row(
        "contacts: an enormous cursor",
        get("/contacts?starting_after=" + "9" * 5000 + "-1-" + "a" * 24),
        invalid("starting_after", "must be a cursor from pages.next of an earlier answer"),
    ),
    Row(
        "contacts: a cursor with a line feed",
        get("/contacts?starting_after=1-1-" + "a" * 24 + "%0a"),
        invalid("starting_after", "must be a cursor from pages.next of an earlier answer"),
    ),
)
CONTACT_ROWS = (
    Row("contact: an empty body", post("/contacts", b""), BAD_JSON),
    Row("contact: a list", post("/contacts", b"[]"), not_an_object("a list")),
    Row("contact: nothing in it", post("/contacts", {}), NEEDS_IDENTITY),
    Row("contact: nothing but null and empty", post("/contacts", {"role": None, "email": "", "external_id": None}), NEEDS_IDENTITY),
    Row("contact: role admin", post("/contacts", {"role": "admin"}), invalid("role", "must be user or lead, got 'admin'")),
    Row("contact: role a list", post("/contacts", {"role": ["user"]}), mismatch("role", "a string", "a list")),
    Row("contact: external_id a list", post("/contacts", {"external_id": []}), mismatch("external_id", WHOLE_OR_TEXT, "a list")),
    Row("contact: external_id true", post("/contacts", {"external_id": True}), mismatch("external_id", WHOLE_OR_TEXT, "true or false")),
    Row(
        "contact: external_id of 256",
        post("/contacts", {"external_id": "x" * 256}),
        invalid("external_id", "must have at most 255 characters, got 256"),
    ),
    Row(
        "contact: external_id with a NUL",
        post("/contacts", {"external_id": "a\0"}),
        invalid("external_id", "must not contain control characters"),
    ),
    Row("contact: external_id half a surrogate pair", post("/contacts", {"external_id": "\udfff"}), BAD_JSON),
    Row(
        "contact: external_id 10**5000",
        post("/contacts", b'{"external_id":%s}' % MANY_DIGITS.encode()),
        invalid("external_id", TOO_LARGE_NUMBER),
    ),
    Row(
        "contact: external_id of another",
        post("/contacts", {"external_id": "u1"}),
        (409, "conflict", "A contact matching those details already exists with id={id}", "external_id"),
    ),
    Row(
        "contact: a lead with external_id",
        post("/contacts", {"role": "lead", "external_id": "9"}),
        (422, "data_invalid", "a lead cannot have an external_id; send role user to make a user of it", "external_id"),
    ),
    Row("contact: email a number", post("/contacts", {"email": 1}), mismatch("email", "a string", "a whole number")),
    Row(
        "contact: email without @",
        post("/contacts", {"email": "joe"}),
        invalid("email", "must be an address such as joe@example.com, got 'joe'"),
    ),
    Row(
        "contact: email of 256",
        post("/contacts", {"email": "x" * 250 + "@ab.cd"}),
        invalid("email", "must have at most 255 characters, got 256"),
    ),
    Row("contact: phone a number", post("/contacts", {"role": "user", "phone": 1}), mismatch("phone", "a string", "a whole number")),
    Row("contact: name a list", post("/contacts", {"role": "user", "name": []}), mismatch("name", "a string", "a list")),
    Row("contact: avatar an object", post("/contacts", {"role": "user", "avatar": {}}), mismatch("avatar", "a string", "an object")),
    Row(
        "contact: avatar of 2,049",
        post("/contacts", {"role": "user", "avatar": "x" * 2049}),
        invalid("avatar", "must have at most 2048 characters, got 2049"),
    ),
    Row(
        "contact: owner_id in words",
        post("/contacts", {"role": "user", "owner_id": "joe"}),
        mismatch("owner_id", "an admin's id, a whole number", "a string"),
    ),
    Row(
        "contact: owner_id 10**40",
        post("/contacts", {"role": "user", "owner_id": 10**40}),
        invalid("owner_id", f"must be an admin's id, a whole number from 0, got {str(10**40)[:40]}"),
    ),
    Row(
        "contact: signed_up_at true",
        post("/contacts", {"role": "user", "signed_up_at": True}),
        mismatch("signed_up_at", NUMBER_OR_TEXT, "true or false"),
    ),
    Row(
        "contact: signed_up_at 1e400", post("/contacts", b'{"role":"user","signed_up_at":1e400}'), invalid("signed_up_at", TOO_LARGE_NUMBER)
    ),
    Row(
        "contact: signed_up_at in milliseconds",
        post("/contacts", {"role": "user", "signed_up_at": 1671028894000}),
        invalid("signed_up_at", "must be whole Unix seconds, such as 1671028894, got 1671028894000 (milliseconds?)"),
    ),
    Row(
        "contact: last_seen_at -1",
        post("/contacts", {"role": "user", "last_seen_at": -1}),
        invalid("last_seen_at", "must be whole Unix seconds, such as 1671028894, got -1"),
    ),
    Row(
        "contact: unsubscribed 'yes'",
        post("/contacts", {"role": "user", "unsubscribed_from_emails": "yes"}),
        mismatch("unsubscribed_from_emails", "true or false", "a string"),
    ),
    Row(
        "contact: language a number",
        post("/contacts", {"role": "user", "language_override": 1}),
        mismatch("language_override", "a string", "a whole number"),
    ),
    Row(
        "contact: attributes a list",
        post("/contacts", {"role": "user", "custom_attributes": [1]}),
        mismatch("custom_attributes", "an object", "a list"),
    ),
    Row(
        "contact: an attribute that is an object",
        post("/contacts", {"role": "user", "custom_attributes": {"a": {}}}),
        mismatch("custom_attributes.a", "a string, a number, true, false or null", "an object"),
    ),
    Row(
        "contact: an attribute 10**40",
        post("/contacts", {"role": "user", "custom_attributes": {"a": 10**40}}),
        invalid("custom_attributes.a", f"must be a number of at most 64 bits, got {str(10**40)[:40]}"),
    ),
    Row(
        "contact: an attribute 1e400",
        post("/contacts", b'{"role":"user","custom_attributes":{"a":1e400}}'),
        invalid("custom_attributes", TOO_LARGE_NUMBER),
    ),
    Row(
        "contact: an attribute with NUL",
        post("/contacts", {"role": "user", "custom_attributes": {"a": "\0"}}),
        invalid("custom_attributes.a", "must not contain NUL characters"),
    ),
    Row(
        "contact: a changed role",
        request("PUT", "/contacts/{id}", body=b'{"role":"lead"}', token=TOKEN),
        (422, "data_invalid", "a user cannot become a lead", "role"),
    ),
    Row("contact: a change that is a list", request("PUT", "/contacts/{id}", body=b"[]", token=TOKEN), not_an_object("a list")),
    Row(
        "contact: a changed name that is an object",
        request("PUT", "/contacts/{id}", body=b'{"name":{}}', token=TOKEN),
        mismatch("name", "a string", "an object"),
    ),
    Row("contact: a change of nobody", request("PUT", "/contacts/nobody", body=b'{"name":"x"}', token=TOKEN), nobody("contact_id")),
    Row("contact: nobody deleted", request("DELETE", "/contacts/nobody", token=TOKEN), nobody("contact_id")),
    Row(
        "contact: nobody deleted, with a broken body",
        request("DELETE", "/contacts/nobody", "Content-Encoding: gzip", body=b"{", token=TOKEN),
        nobody("contact_id"),
    ),
)
BODY_ROWS = (
    Row(
        "a form",
        post("/events", b"event_name=x", "Content-Type: application/x-www-form-urlencoded"),
        (415, "client_error", f"{JSON_PLEASE} application/x-www-form-urlencoded", "Content-Type"),
    ),
    Row(
        "a form with parts",
        post("/events", b"--x--", "Content-Type: Multipart/Form-Data; boundary=x"),
        (415, "client_error", f"{JSON_PLEASE} multipart/form-data", "Content-Type"),
    ),
    Row(
        "deflate",
        post("/events", zlib.compress(EVENT), "Content-Encoding: deflate"),
        (415, "client_error", "Content-Encoding may be gzip, not deflate", "Content-Encoding"),
    ),
    Row(
        "gzip twice",
        post("/events", gzip.compress(GOOD_ZIP), "Content-Encoding: gzip, gzip"),
        (415, "client_error", "Content-Encoding may be gzip, not gzip, gzip", "Content-Encoding"),
    ),
    Row("gzip that is none", post("/events", EVENT, "Content-Encoding: gzip"), ZIP_BROKEN),
    Row("gzip with a wrong checksum", post("/events", GOOD_ZIP[:-8] + bytes(4) + GOOD_ZIP[-4:], "Content-Encoding: gzip"), ZIP_BROKEN),
    Row(
        "gzip with a flipped bit",
        post("/events", GOOD_ZIP[:20] + bytes([GOOD_ZIP[20] ^ 1]) + GOOD_ZIP[21:], "Content-Encoding: gzip"),
        ZIP_BROKEN,
    ),
    Row("gzip without its end", post("/events", GOOD_ZIP[:-4], "Content-Encoding: gzip"), ZIP_ENDS),
    Row("gzip's head alone", post("/events", GOOD_ZIP[:10], "Content-Encoding: gzip"), ZIP_ENDS),
    Row("two gzip members", post("/events", GOOD_ZIP + GOOD_ZIP, "Content-Encoding: gzip"), ZIP_GOES_ON),
    Row("gzip with words behind it", post("/events", GOOD_ZIP + b"words", "Content-Encoding: gzip"), ZIP_GOES_ON),
    Row("1 MiB of gzip that is 1 GiB", post("/events", b"{bomb}", "Content-Encoding: gzip"), TOO_LARGE),
    Row("1 MiB and a byte", post("/events", b" " * (MIB + 1)), TOO_LARGE),
    Row("10 MiB", post("/events", b" " * 10 * MIB), TOO_LARGE),
    Row("10 MiB to a path that reads the body elsewhere", post("/contacts", b" " * 10 * MIB), TOO_LARGE),
    Row("the promise of 100 GB", lengths("99999999999"), TOO_LARGE),
    Row("chunks of more than 1 MiB", chunked(b"100001\r\n" + b" " * (MIB + 1) + b"\r\n0\r\n\r\n"), TOO_LARGE),
    Row("a length that fits no number", lengths("9" * 30), NOT_HTTP),
    Row("a length of -1", lengths("-1"), NOT_HTTP),
    Row("a length of +5", lengths("+5"), NOT_HTTP),
    Row("a length in words", lengths("many"), NOT_HTTP),
    Row("two lengths", lengths(str(len(EVENT)), "5"), NOT_HTTP),
    Row("two equal lengths", lengths(str(len(EVENT)), str(len(EVENT))), NOT_HTTP),
    Row("a list of lengths", lengths(f"{len(EVENT)}, {len(EVENT)}"), NOT_HTTP),
    Row("a length that is too short", lengths(str(len(EVENT) - 1)), BAD_JSON),
    Row("chunked, and a length", chunked(b"2\r\n{}\r\n0\r\n\r\n", "Content-Length: 12"), NOT_HTTP),
    Row(
        "a length, and chunked",
        request("POST", "/events", "Content-Length: 12", "Transfer-Encoding: chunked", token=TOKEN) + b"2\r\n{}\r\n0\r\n\r\n",
        NOT_HTTP,
    ),
    Row(
        "a transfer encoding that is none",
        request("POST", "/events", "Transfer-Encoding: xchunked", token=TOKEN) + b"2\r\n{}\r\n0\r\n\r\n",
        invalid("Transfer-Encoding", "may be chunked and nothing else, in HTTP/1.1"),
    ),
    Row(
        "chunked, but not last",
        request("POST", "/events", "Transfer-Encoding: chunked, identity", token=TOKEN) + b"2\r\n{}\r\n0\r\n\r\n",
        NOT_HTTP,
    ),
    Row("a chunk size in words", chunked(b"ten\r\n{}\r\n0\r\n\r\n"), NOT_HTTP),
    Row("a chunk size of -2", chunked(b"-2\r\n{}\r\n0\r\n\r\n"), NOT_HTTP),
    Row("a chunk size that fits no number", chunked(b"f" * 17 + b"\r\n{}\r\n0\r\n\r\n"), NOT_HTTP),
    Row("a chunk longer than it says", chunked(b"1\r\n{}\r\n0\r\n\r\n"), NOT_HTTP),
    Row("nothing in chunks", chunked(b"0\r\n\r\n"), BAD_JSON),
)
HEAD_ROWS = (
    Row("a line of words", b"good morning\r\n\r\n", NOT_HTTP),
    Row("NUL bytes", bytes(100), NOT_HTTP),
    Row("the beginning of TLS", bytes.fromhex("16030100a5010000a10303") + bytes(200), NOT_HTTP),
    Row("HTTP/2", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", NOT_HTTP),
    Row("HTTP/0.9", b"GET /events\r\n\r\n", (400, "parameter_invalid", "this server speaks HTTP/1.1, not HTTP/0.9", "request")),
    Row("HTTP/1.2", get("/events").replace(b"HTTP/1.1", b"HTTP/1.2"), NOT_HTTP),
    Row("http/1.1", get("/events").replace(b"HTTP/1.1", b"http/1.1"), NOT_HTTP),
    Row("two blanks in the request line", get("/events").replace(b" HTTP", b"  x HTTP"), NOT_HTTP),
    Row("lines that end in line feeds", get("/events").replace(b"\r\n", b"\n"), NOT_HTTP),
    Row("a header without a colon", get("/events", "Colonless"), NOT_HTTP),
    Row("a header without a name", get("/events", ": x"), NOT_HTTP),
    Row("a blank before the colon", get("/events", "X : y"), NOT_HTTP),
    Row("a folded header", get("/events", "X: a\r\n b"), NOT_HTTP),
    Row("a NUL in a header", get("/events", "X: a\0b"), NOT_HTTP),
    Row("an unknown method", request("BREW", "/events", token=TOKEN), NOT_HTTP),
    Row("a method in lower case", request("get", "/events", token=TOKEN), NOT_HTTP),
    Row("a head of 100 KB in one header", get("/events", "X: " + "y" * 100_000), HEAD_TOO_LARGE),
    Row("a head of 100 KB in many headers", get("/events", *(f"X-{i}: {'y' * 90}" for i in range(1000))), HEAD_TOO_LARGE),
    Row("a head of 10 MiB", get("/events", "X: " + "y" * 10 * MIB), HEAD_TOO_LARGE),
    Row("a head without end", b"GET /events HTTP/1.1\r\n" + b"X: y\r\n" * 100_000, HEAD_TOO_LARGE),
    Row("a target of 100 KB", get("/" + "a" * 100_000), HEAD_TOO_LARGE),
    Row("a path of 60 KB", get("/" + "a" * 60_000), NO_PATH),
    Row("TRACE", request("TRACE", "/events", token=TOKEN), NO_METHOD),
    Row("OPTIONS", request("OPTIONS", "/events", token=TOKEN), NO_METHOD),
    Row("OPTIONS *", request("OPTIONS", "*", token=TOKEN), NO_PATH),
    Row("CONNECT", request("CONNECT", "example.com:443", token=TOKEN), NO_PROXY),
    Row("CONNECT to a path", request("CONNECT", "/events", token=TOKEN), NO_PROXY),
    Row("PUT to a GET path", request("PUT", "/me", body=b"{}", token=TOKEN), NO_METHOD),
    Row("PUT to /events", request("PUT", "/events", body=EVENT, token=TOKEN), NO_METHOD),
    Row("PATCH of a contact", request("PATCH", "/contacts/{id}", body=b'{"name":"x"}', token=TOKEN), NO_METHOD),
    Row("DELETE of events", request("DELETE", "/events", token=TOKEN), NO_METHOD),
    Row("POST to a contact", request("POST", "/contacts/{id}", body=b'{"name":"x"}', token=TOKEN), NO_METHOD),
    Row("an unknown path", get("/nothing/here"), NO_PATH),
    Row("two Host headers", get("/me", "Host: other.test"), (400, "parameter_invalid", "a request must have one Host header", "Host")),
    Row("another authority's unknown path", get("http://other.example:99/nothing"), NO_PATH),
    Row("another authority's port that is none", get("http://other.example:99999/nothing"), NO_PATH),
    Row("two slashes", get("//events?user_id=u1"), NO_PATH),
    Row("up and down again", get("/contacts/../events?user_id=u1"), NO_PATH),
    Row("encoded dots", get("/contacts/%2e%2e/%2e%2e/etc/passwd"), NO_PATH),
    Row("encoded slashes and dots", get("/-/docs/..%2f..%2f..%2fetc%2fpasswd"), NO_PATH),
    Row("back slashes", get("/-/docs\\..\\..\\etc\\passwd"), NO_PATH),
    Row("a line feed behind a path", get("/me%0a"), NO_PATH),
    Row("a NUL behind a path", get("/me%00"), NO_PATH),
    Row("rubbish behind a percent sign", get("/contacts/%zz"), nobody("contact_id")),
    Row("bad UTF-8 in a path", get("/contacts/%ff%fe"), nobody("contact_id")),
    Row("raw UTF-8 in a path", get("/contacts/\xc3\xbc"), NOT_HTTP),
    Row("no external_id to find", get("/contacts/find_by_external_id/"), nobody("contact_id")),
    Row("an external_id of 50 KB", get("/contacts/find_by_external_id/" + "x" * 50_000), nobody("external_id")),
    Row("an external_id with a line feed behind it", get("/contacts/find_by_external_id/u1%0a"), NO_PATH),
    Row("an external_id with a slash behind it", get("/contacts/find_by_external_id/u1%2F"), nobody("external_id")),
    Row("a receipt in words", get("/-/api/receipts/last"), NO_RECEIPT),
    Row("receipt 0", get("/-/api/receipts/0"), NO_RECEIPT),
    Row("receipt -1", get("/-/api/receipts/-1"), NO_RECEIPT),
    Row("an enormous receipt", get("/-/api/receipts/" + "9" * 5000), NO_RECEIPT),
    Row("a receipt in Arabic digits", get("/-/api/receipts/%D9%A1"), NO_RECEIPT),
    Row("an admin in words", get("/admins/me"), NO_ADMIN),
    Row("an enormous admin", get("/admins/" + "9" * 5000), NO_ADMIN),
    Row("a version in words", get("/me", "Intercom-Version: latest"), NO_VERSION),
    Row("a version between two", get("/me", "Intercom-Version: 1.9"), NO_VERSION),
    Row("a negative version", get("/me", "Intercom-Version: -2.14"), NO_VERSION),
    Row("a version of 5,000 digits", get("/me", "Intercom-Version: " + "2" * 5000), NO_VERSION),
    Row("a version in latin-1", get("/me", "Intercom-Version: \xb2.\xb9"), NO_VERSION),
    Row("a version with a good event", post("/events", EVENT, "Intercom-Version: 3"), NO_VERSION),
    Row("users after they were gone", get("/users", "Intercom-Version: 2.0"), NOT_IN_VERSION),
    Row("a search before there was one", post("/contacts/search", {"query": {}}, "Intercom-Version: 1.4"), NOT_IN_VERSION),
    Row("find_by_external_id before there was one", get("/contacts/find_by_external_id/u1", "Intercom-Version: 2.12"), NOT_IN_VERSION),
)
TOKEN_ROWS = (
    Row("no credentials", whoami(), NO_TOKEN),
    Row("no credentials with a good event", request("POST", "/events", body=EVENT), NO_TOKEN),
    Row("no credentials with a bad event", request("POST", "/events", body=b"{"), NO_TOKEN),
    Row("no credentials with 10 MiB", request("POST", "/events", body=b" " * 10 * MIB), NO_TOKEN),
    Row("no credentials with a bad version", whoami("Intercom-Version: latest"), NO_TOKEN),
    Row("an empty header", whoami("Authorization:"), NO_TOKEN),
    Row("a scheme alone", whoami("Authorization: Bearer"), NO_TOKEN),
    Row("a scheme and blanks", whoami("Authorization: Bearer    "), NO_TOKEN),
    Row("a token without a scheme", whoami(f"Authorization: {TOKEN}"), NO_TOKEN),
    Row("another scheme", whoami(f"Authorization: Token {TOKEN}"), NO_TOKEN),
    Row("Digest", whoami(f'Authorization: Digest username="{TOKEN}"'), NO_TOKEN),
    Row("a tab for a blank", whoami(f"Authorization: Bearer\t{TOKEN}"), NO_TOKEN),
    Row("an unknown token", whoami("Authorization: Bearer unknown"), NO_TOKEN),
    Row("half a token", whoami(f"Authorization: Bearer {TOKEN[:-1]}"), NO_TOKEN),
    Row("a token and more", whoami(f"Authorization: Bearer {TOKEN}, Bearer {TOKEN}"), NO_TOKEN),
    Row("a token in capitals", whoami(f"Authorization: Bearer {TOKEN.upper()}"), NO_TOKEN),
    Row("a token in latin-1", whoami("Authorization: Bearer \xff\xfe"), NO_TOKEN),
    Row("a NUL in a token", whoami("Authorization: Bearer a\0b"), NOT_HTTP),
    Row("a token of 60 KB", whoami("Authorization: Bearer " + "a" * 60_000), NO_TOKEN),
    Row("a token of 100 KB", whoami("Authorization: Bearer " + "a" * 100_000), HEAD_TOO_LARGE),
    Row(
        "a good header, then another",
        whoami(f"Authorization: Bearer {TOKEN}", "Authorization: Bearer other"),
        (400, "parameter_invalid", "a request must have one Authorization header", "Authorization"),
    ),
    Row("Basic that is no base64", whoami("Authorization: Basic !!!"), NO_TOKEN),
    Row("Basic without its padding", whoami(basic(f"{TOKEN}:".encode()).rstrip("=")), NO_TOKEN),
    Row("Basic of nothing", whoami(basic(b"")), NO_TOKEN),
    Row("Basic of a colon", whoami(basic(b":")), NO_TOKEN),
    Row("Basic with the token as password", whoami(basic(f":{TOKEN}".encode())), NO_TOKEN),
    Row("Basic with a password", whoami(basic(f"{TOKEN}:secret".encode())), NO_TOKEN),
    Row("Basic with a NUL", whoami(basic(f"{TOKEN}\0:".encode())), NO_TOKEN),
    Row("Basic in latin-1", whoami("Authorization: Basic \xff\xfe"), NO_TOKEN),
)
IMPORT_ROWS = (
    Row(
        "import: 2,001 lines",
        post("/-/api/import/events", (EVENT + b"\n") * 2001),
        (400, "parameter_invalid", "send at most 2000 lines at once, got 2001", "body"),
    ),
    Row("import: 1 MiB and a byte", post("/-/api/import/contacts", b" " * (MIB + 1)), TOO_LARGE),
    Row("import: 1 MiB of gzip that is 1 GiB", post("/-/api/import/events", b"{bomb}"), TOO_LARGE),
    Row("import: no credentials", request("POST", "/-/api/import/events", body=EVENT), NO_TOKEN),
)
ROWS = (*JSON_ROWS, *EVENT_ROWS, *SUMMARY_ROWS, *QUERY_ROWS, *CONTACT_ROWS, *BODY_ROWS, *HEAD_ROWS, *TOKEN_ROWS, *IMPORT_ROWS)


class Known(NamedTuple):
    """The server the table is sent to, with one contact that has one event, and how it stood before."""

    server: TrackrecordServer
    contact: Any
    before: Any


def everything(server: TrackrecordServer) -> Any:
    """All that a request could have left behind in the one workspace: its contacts, names, attributes, totals, and the journal."""
    inside = server.server
    contacts, total, _ = inside.directory.contacts.list(1, limit=1000)
    totals = server.call(inside.reads.ask, lambda store: store.name_totals(1))
    return (inside.journal.head, list(contacts), total, inside.directory.names.all(1), totals, inside.directory.tokens.list(1))


@pytest.fixture(scope="module")
def known() -> Iterator[Known]:
    with TrackrecordServer(token=TOKEN) as server:
        server.clock.freeze(NOW)
        api = Api(server)
        contact = api.contact(external_id="u1", email="u1@example.com")
        assert api.submit(**json.loads(EVENT)).status == 202
        yield Known(server, contact, everything(server))


@pytest.fixture(scope="module")
def bomb() -> bytes:
    """Close to 1 MiB of gzip that says it is a GiB of zeros."""
    packer = zlib.compressobj(9, wbits=31)
    zeros = bytes(MIB)
    made = b"".join(packer.compress(zeros) for _ in range(1024)) + packer.flush()
    assert MIB * 0.9 < len(made) < MIB
    return made


def test_the_table_names_each_of_its_requests_once():
    names = [row.name for row in ROWS]
    assert len(set(names)) == len(names) >= 80


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
def test_a_bad_request_has_its_exact_answer_and_leaves_no_trace(known: Known, raw: Callable[..., Answer], bomb: bytes, row: Row):
    sent = row.sent.replace(b"{id}", known.contact["id"].encode())
    if b"{bomb}" in sent:
        sent = post(row.sent.split(b" ")[1].decode(), bomb, "Content-Encoding: gzip")
    status, code, message, field = row.answer
    answer = raw(known.server, sent)
    assert answer.error == (status, code, message.replace("{id}", known.contact["id"]), field)
    assert everything(known.server) == known.before


BAD_LINES = [
    (b"\0", "parameter_invalid", "line"),
    (b"\xff\xfe", "parameter_invalid", "line"),
    (EVENT[:-1], "parameter_invalid", "line"),
    (b"[" * 100_000, "parameter_invalid", "line"),
    (b'{"metadata":' * 50_000, "parameter_invalid", "line"),
    (b"[]", "parameter_invalid", "line"),
    (b"null", "parameter_invalid", "line"),
    (b"{}", "parameter_not_found", "user_id"),
    (b'{"event_name":1}', "type_mismatch", "event_name"),
    (json.dumps(event(event_name="a\0")).encode(), "parameter_invalid", "event_name"),
    (json.dumps(event(event_name="n" * 256)).encode(), "data_invalid", "event_name"),
    (json.dumps(event(user_id="nobody")).encode(), "not_found", "user_id"),
    (json.dumps(event(created_at=-1)).encode(), "data_invalid", "created_at"),
    (with_number("created_at", "1e400"), "parameter_invalid", "created_at"),
    (with_number("created_at", MANY_DIGITS), "parameter_invalid", "created_at"),
    (json.dumps(event(metadata=1)).encode(), "type_mismatch", "metadata"),
]


def test_bad_lines_of_an_import_are_refused_one_by_one_and_leave_no_trace(known: Known):
    body = Api(known.server).post("/-/api/import/events", b"\n".join(line for line, _, _ in BAD_LINES)).json
    refused = [(each["line"], each["code"], each.get("field")) for each in body["refused"]]
    assert (body["new"], body["duplicate"]) == (0, 0)
    assert refused == [(number, code, field) for number, (_, code, field) in enumerate(BAD_LINES, 1)]
    assert everything(known.server) == known.before
