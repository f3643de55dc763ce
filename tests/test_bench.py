"""The bench measures what it says it does. Its figures are nobody's test: a busy machine must not fail a build."""

import shutil
import socket
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from io import StringIO

import msgspec
import pytest
from rich.console import Console

from bench import dataset, docs, load, size
from bench.__main__ import DOCS, MEASURES
from bench.context import QUICK, Bench
from bench.figures import Figure, Report, Result, from_json, ratios_shown, shown, table, to_json
from bench.ingest import plan
from bench.load import Order, Plan
from bench.processes import HOST, null_serving
from trackrecord import engines
from trackrecord.rules.records import Event
from trackrecord.wire.events import parse_event

REPORT = Report(
    at="2025-02-01T12:00:00+00:00",
    took_s=61.4,
    quick=False,
    machine={"cores": "2", "Python": "3.12.1"},
    results=[
        Result(
            measure="ingest",
            figures=[
                Figure(name="POST /events", unit="requests/s", values=[9000, 11000, 10000], ratios={"null": [0.3, 0.36, 0.33]}),
                Figure(name="p99", unit="ms", values=[8.25]),
            ],
            notes=["Nothing was lost."],
        )
    ],
)


@contextmanager
def recording() -> Iterator[tuple[int, list[bytes]]]:
    """A server that answers 202 to whatever comes on one connection, and keeps it."""
    heard: list[bytes] = []
    with closing(socket.create_server((HOST, 0))) as listening:

        def answer() -> None:
            try:
                while True:
                    connection, _ = listening.accept()
                    with connection:
                        while sent := connection.recv(65536):
                            heard.append(sent)
                            connection.sendall(b"HTTP/1.1 202 Accepted\r\nContent-Length: 0\r\n\r\n")
            except OSError:
                pass  # closed

        threading.Thread(target=answer, daemon=True).start()
        yield listening.getsockname()[1], heard


def test_every_request_of_a_load_is_a_distinct_event_of_one_length():
    made = plan(50)
    sent = [made.request(number) for number in range(200)]
    bodies = [request.partition(b"\r\n\r\n")[2] for request in sent]
    events = [parse_event(body) for body in bodies]
    assert all(b"Content-Length: %d\r\n" % len(body) in request for request, body in zip(sent, bodies, strict=True))
    assert len({(event.user_id, event.created_at) for event in events}) == 200
    assert len({event.user_id for event in events[:50]}) == 50


@pytest.mark.parametrize("rate", [None, 200.0])
def test_the_generator_in_python_sends_the_plan_in_order(monkeypatch, rate):
    monkeypatch.setattr(shutil, "which", lambda name: None)
    with recording() as (port, heard):
        found = load.run(Order(plan(50), port, 1, 0.3, 7, rate))
    assert heard[:20] == [plan(50).request(number) for number in range(7, 27)]
    assert found.requests <= len(heard)
    assert 0 < found.p50_ms <= found.p99_ms <= found.longest_ms


@pytest.mark.skipif(load.wrk() is None, reason="wrk is not installed")
def test_wrk_sends_the_same_plan():
    with recording() as (port, heard):
        found = load.run(Order(plan(50), port, 1, 1, 7))
    first = heard.index(next(request for request in heard if request.startswith(b"POST")))
    numbers = {plan(50).request(number): number for number in range(7, 60)}
    start = numbers[heard[first]]  # wrk asks its script for one request it does not send
    assert heard[first : first + 20] == [plan(50).request(number) for number in range(start, start + 20)]
    assert found.generator == "wrk"


def test_a_load_whose_requests_fail_is_no_figure(tmp_path):
    with null_serving(tmp_path) as null, pytest.raises(load.Trouble, match="failed"):
        load.run(Order(Plan("NONSENSE\r\n\r\n"), null.port, 1, 0.2, rate=50.0))


def test_size_is_that_of_a_directory_whose_events_are_all_there(tmp_path):
    sizes = msgspec.structs.replace(QUICK, contacts=20, events=400, step=400)
    bench = Bench(sizes, tmp_path, Console(file=StringIO()))
    result = size.measure(bench)
    store = engines.read_store(bench.filled.path)
    try:
        assert sum(total.count for total in store.name_totals(bench.filled.people.workspace)) == 400
        assert sum(row.count for row in store.summary(bench.filled.people.contacts[0])) == 40
    finally:
        store.close()
    assert all(figure.median > 0 for figure in result.figures)


def test_events_of_the_data_set_are_in_order_of_time():
    people = dataset.People(1, list(range(1, 21)), list(range(1, dataset.NAMES + 1)))
    events = [event for batch in dataset.events(people, 500) for event in batch if isinstance(event, Event)]
    assert [event.created_at for event in events] == sorted(event.created_at for event in events)
    assert len({event.key for event in events}) == 500


@pytest.mark.parametrize(
    ("value", "text"), [(12345.6, "12,346"), (123.4, "123"), (12.34, "12.3"), (1.234, "1.23"), (0.0123, "0.012"), (0, "0.000")]
)
def test_a_figure_is_shown_with_the_digits_that_count(value, text):
    assert shown(value) == text


def test_ratios_are_shown_with_their_spread():
    assert ratios_shown(REPORT.results[0].figures[0]) == "0.33 × null (0.30 … 0.36)"


def test_a_report_survives_its_json(tmp_path):
    path = tmp_path / "latest.json"
    path.write_bytes(to_json(REPORT))
    assert from_json(path) == REPORT
    assert b'"median": 10000' in path.read_bytes()


def test_the_table_has_every_figure():
    out = StringIO()
    Console(file=out, width=130).print(table(REPORT))
    assert all(figure.name in out.getvalue() for figure in REPORT.results[0].figures)


def test_the_docs_change_only_between_their_marks():
    text = f"before\n{docs.BEGIN}\nold\n{docs.END}\nafter\n"
    again = docs.rewritten(docs.rewritten(text, REPORT), REPORT)
    assert again == docs.rewritten(text, REPORT)
    assert again.startswith(f"before\n{docs.BEGIN}\n")
    assert again.endswith(f"{docs.END}\nafter\n")
    assert "old" not in again
    assert "| POST /events | 10,000 requests/s | 9,000 … 11,000 | 0.33 × null (0.30 … 0.36) |" in again


def test_the_docs_name_every_measure_and_have_their_marks():
    text = DOCS.read_text("utf-8")
    assert [name for name in MEASURES if f"| `{name}` |" not in text] == []
    assert docs.rewritten(text, REPORT) != text


def test_docs_without_marks_are_left_alone():
    with pytest.raises(ValueError, match="two lines"):
        docs.rewritten("nothing to replace", REPORT)
