"""Every target: a function of bytes, and words of its language. To add one, write the function and its row in TARGETS.

A target passes over the errors that its part of the program names, and lets every other exception through: that is a finding, and
so is an assertion that fails. The same functions replay corpus and findings in `make test`, without atheris.
"""

from collections.abc import Callable, Iterator
from importlib import import_module
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parent
CORPUS = ROOT / "corpus"  # inputs to begin with, and such as reached what others did not; a folder a target
FINDINGS = ROOT / "findings"  # inputs that failed once and must not again; the same
SIZE_MAX = 4096  # bytes of one input
CORPUS_MAX = 60  # inputs kept of one target

JSON = ("{", "}", "[", "]", ":", ",", '"', "null", "true", "false", "-1", "1e309", "1e-7", "\\u0000", "\\ud800", "9" * 40, "0.5", "\n", "é")
EVENT = ("event_name", "created_at", "user_id", "email", "intercom_user_id", "metadata", "1671028894", "2023-01-02T03:04:05Z", "_date")
METADATA = ("amount", "currency", "url", "value", "https://", ".png?", "stripe_invoice", "$", ".", "ſ", "İ", "\\u0000")
HTTP = (
    *(
        "GET ",
        "POST ",
        "HEAD ",
        "CONNECT ",
        "PUT ",
        "/events",
        "/contacts",
        "/me",
        " HTTP/1.1",
        " HTTP/1.0",
        "\r\n",
        "\r\n\r\n",
        "\n",
        ": ",
    ),
    *("Host: ", "Authorization: Bearer ", "fuzz-token", "Basic ", "Content-Length: ", "Transfer-Encoding: chunked", "Connection: close"),
    *("Connection: Upgrade", "Upgrade: h2c", "Expect: 100-continue", "Content-Type: application/json", "Content-Encoding: gzip"),
    *("Intercom-Version: ", "0\r\n\r\n", "keep-alive", "http://a", "%2f", "?", "#", '{"event_name":"known","user_id":"u1"}', "26\r\n"),
)
FILTERS = (
    "query",
    "operator",
    "field",
    "AND",
    "OR",
    "IN",
    "NIN",
    "!=",
    "~",
    "custom_attributes.",
    "sort",
    "order",
    "pagination",
    "ascending",
)
PEOPLE = ("role", "user", "lead", "external_id", "email", "custom_attributes", "signed_up_at", "owner_id", "companies", "from", "into", "@")
QUERY = (
    "=",
    "&",
    "%",
    "+",
    "per_page",
    "starting_after",
    "before",
    "since",
    "filter",
    "[user_id]",
    "summary",
    "type",
    "lead",
    "status",
    "-",
)


class Target(NamedTuple):
    function: str  # where it stands in this package; looked up when it is needed, as instrumenting what it imports takes a while
    what: str
    words: tuple[str, ...]
    timed: bool = False  # it judges by time, and so belongs to no test

    def load(self) -> Callable[[bytes], None]:
        module, _, name = self.function.partition(".")
        found: Callable[[bytes], None] = getattr(import_module(f"{__package__}.{module}"), name)
        return found


BULK = ("items", "method", "post", "delete", "data", "data_type", "job")
ROWS = ("\x97\xa1e", "\xa1b", "\xa1x", "\xc4", "\xa1m", "\xa1r", "\xa1g")
MARKS = ("@", "-", " ", "{", "[")
CURSORS = ("-", "0123456789abcdef", "1-", "9" * 20)
ZIPPED = ("\x1f\x8b\x08", "\x00\x00\x00\x00")

TARGETS = {
    "event": Target("bodies.event", "the body of POST /events, and what is kept of it in either profile", (*JSON, *EVENT, *METADATA)),
    "metadata": Target("bodies.metadata", "the rules of metadata; what they keep is kept again as it is", (*JSON, *METADATA)),
    "bulk": Target("bodies.bulk", "the bodies of POST /bulk/events and /bulk/users, and their refusals", (*JSON, *EVENT, *BULK)),
    "people": Target("bodies.people", "bodies of contacts, users, leads, visitors, companies, tags, attributes", (*JSON, *PEOPLE)),
    "search": Target("bodies.search", "searches of contacts and of events, and their cursors", (*JSON, *FILTERS)),
    "query": Target("heads.query", "query strings of every list", QUERY),
    "cursor": Target("heads.cursor", "cursors of pages: what is taken comes out as it went in", CURSORS),
    "headers": Target("heads.headers", "Authorization, Intercom-Version, Host, X-Forwarded, Content-Type, targets", HTTP),
    "gzip": Target("heads.gzip_body", "compressed bodies, in pieces", ZIPPED),
    "journal": Target("rows.journal", "rows of the journal, whole and damaged", ROWS),
    "growth": Target(
        "rows.growth", "long input of one piece again and again: four times the input, not more time than that", MARKS, timed=True
    ),
    "lane": Target(
        "lanes.lane", "POST /events with the fast lane and without: the same bytes, the same record", (*JSON, *EVENT, *METADATA)
    ),
    "wire": Target("lanes.wire", "any bytes to the HTTP protocol, cut anywhere, with the fast lane and without", HTTP),
}


def saved(name: str) -> Iterator[Path]:
    """The inputs kept for a target: its corpus and what was found."""
    for folder in (CORPUS / name, FINDINGS / name):
        if folder.is_dir():
            yield from sorted(folder.iterdir())
