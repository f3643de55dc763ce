"""What a file of lines is read as: NDJSON and CSV, good and bad."""

import gzip
import json
from pathlib import Path

import pytest

from trackrecord.cli import output
from trackrecord.cli.lines import Input, InputUnusable


def read(path: Path, content: bytes, *, longest: int = 1000, name: str = "file.ndjson") -> list[tuple[int, object]]:
    """(line, object or the reason why there is none) of every record."""
    (path / name).write_bytes(content)
    source = Input(str(path / name))
    try:
        return [
            (record.line, json.loads(record.text) if isinstance(record.text, bytes) else record.text.message)
            for record in source.records(longest=longest)
        ]
    finally:
        source.close()


NDJSON = [
    (b'{"a":1}\n{"a":2}\n', [(1, {"a": 1}), (2, {"a": 2})]),
    (b'{"a":1}\r\n\r\n  \n{"a":2}', [(1, {"a": 1}), (4, {"a": 2})]),  # blank lines count, and hold nothing
    (b'\xef\xbb\xbf{"a":1}\n', [(1, {"a": 1})]),
    (b'{"a":"' + b"x" * 1000 + b'"}\n{"a":2}\n', [(1, "the line is longer than 1000 bytes"), (2, {"a": 2})]),
    (b'{"a":2}\n' + b"x" * 3_000_000, [(1, {"a": 2}), (2, "the line is longer than 1000 bytes")]),
    (b"x" * 3_000_000 + b'\n{"a":2}\n', [(1, "the line is longer than 1000 bytes"), (2, {"a": 2})]),
    (b"", []),
]


@pytest.mark.parametrize(("content", "records"), NDJSON)
def test_ndjson(content: bytes, records: list[tuple[int, object]], tmp_path: Path):
    assert read(tmp_path, content) == records
    assert read(tmp_path, gzip.compress(content), name="file.ndjson.gz") == records


CSV = [
    ("user_id,email\n007,\n,ann@example.com\n\n", [(2, {"user_id": "007"}), (3, {"email": "ann@example.com"})]),
    ("\ufeffuser_id;name\r\n1;Ann\r\n", [(2, {"user_id": "1", "name": "Ann"})]),
    ("user_id\tname\n1\tAnn\n", [(2, {"user_id": "1", "name": "Ann"})]),
    (
        "metadata.whole,metadata.part,metadata.yes,metadata.id,metadata.hash,metadata.long,metadata.money\n"
        '-3,0.50,TRUE,007,1e5,12345678901234567890,"{""amount"":100,""currency"":""eur""}"\n',
        [
            (
                2,
                {
                    "metadata": {
                        "whole": -3,
                        "part": 0.5,
                        "yes": True,
                        "id": "007",
                        "hash": "1e5",
                        "long": "12345678901234567890",
                        "money": {"amount": 100, "currency": "eur"},
                    }
                },
            )
        ],
    ),
    (
        'user_id,custom_attributes,custom_attributes.plan,unsubscribed_from_emails\n1,"{""seats"":5}",pro,true\n',
        [(2, {"user_id": "1", "custom_attributes": {"seats": 5, "plan": "pro"}, "unsubscribed_from_emails": True})],
    ),
    ('user_id,name\n1,"two\nlines"\n2,b\n', [(2, {"user_id": "1", "name": "two\nlines"}), (4, {"user_id": "2", "name": "b"})]),
    (
        "user_id,name\n1,b,c\n2\n",
        [(2, "the row has 3 cells and the header 2: is a comma or a quote missing?"), (3, {"user_id": "2"})],
    ),
    ("user_id,metadata\n1,{\n", [(2, "metadata must be a JSON object in one cell, got '{'")]),
    (b"user_id,name\n1,\xff\n2,b\n", [(2, "the row is not valid UTF-8"), (3, {"user_id": "2", "name": "b"})]),
]


@pytest.mark.parametrize(("content", "records"), CSV)
def test_csv(content: str | bytes, records: list[tuple[int, object]], tmp_path: Path):
    assert read(tmp_path, content if isinstance(content, bytes) else content.encode(), name="file.csv") == records


UNUSABLE = [
    ("file.ndjson", b'[{"a":1}]', "holds a JSON list: an import wants one object a line, as jq -c '.[]' makes of it"),
    ("file.ndjson", '{"a":1}'.encode("utf-16"), "is in UTF-16: save it as UTF-8"),
    ("file.csv", b"a,b,a\n", "the header names a twice"),
    ("file.csv", b"\n", "a CSV file begins with a header that names its columns, such as user_id,event_name,created_at"),
]


@pytest.mark.parametrize(("name", "content", "message"), UNUSABLE)
def test_a_file_that_is_no_file_of_lines_is_refused_whole(name: str, content: bytes, message: str, tmp_path: Path):
    with pytest.raises(InputUnusable) as caught:
        read(tmp_path, content, name=name)
    assert caught.value.message.endswith(message)


def test_of_a_gzip_that_ends_too_early_what_came_before_is_read(tmp_path: Path):
    lines = b"".join(b'{"a":%d}\n' % number for number in range(200_000))
    (tmp_path / "file.ndjson.gz").write_bytes(gzip.compress(lines)[:-1000])
    source = Input(str(tmp_path / "file.ndjson.gz"))
    found = []
    with pytest.raises(InputUnusable):
        found.extend(source.records(longest=1000))
    source.close()
    assert len(found) > 100_000


def test_what_customers_sent_steers_no_terminal():
    sent = "a\x1b[31mb\r\u202ec\u2066d\u2028e\u200ff"
    assert output.safe(sent) == "a�[31mb��c�d�e�f"
    assert output.safe("größe 名前 עברית 🎉") == "größe 名前 עברית 🎉"
