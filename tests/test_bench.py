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

from bench import bodies, dataset, disk, docs, growth, load
from bench.__main__ import MEASURES
from bench.context import QUICK, Bench
from bench.figures import Bar, Figure, Report, Result, cells, from_json, shown, table, to_json
from bench.ingest import plan
from bench.load import Order
from bench.processes import HOST
from trackrecord import engines
from trackrecord.rules.records import Event
from trackrecord.wire.events import parse_event

REPORT = Report(
    at="2025-02-01T12:00:00+00:00",
    took_s=61.4,
    smaller=False,
    machine={"cores": "2", "Python": "3.12.1"},
    results=[
        Result(
            measure="ingest",
            figures=[
                Figure(
                    name="POST /events",
                    unit="requests/s",
                    values=[9000, 11000, 10000],
                    ratios={"null": [0.3, 0.36, 0.33]},
                    bar=Bar(least=0.5, of="null"),
                ),
                Figure(name="p99", unit="ms", values=[8.25], bar=Bar(most=40)),
            ],
            notes=["Nothing was lost."],
        )
    ],
)


@contextmanager
def recording(status: bytes = b"202 Accepted") -> Iterator[tuple[int, list[bytes]]]:
    """A server that answers the same to whatever comes on one connection, and keeps it."""
    heard: list[bytes] = []
    with closing(socket.create_server((HOST, 0))) as listening:

        def answer() -> None:
            try:
                while True:
                    connection, _ = listening.accept()
                    with connection:
                        while sent := connection.recv(65536):
                            heard.append(sent)
                            connection.sendall(b"HTTP/1.1 %s\r\nContent-Length: 0\r\n\r\n" % status)
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
@pytest.mark.parametrize("rate", [None, 200.0])
def test_wrk_sends_the_same_plan(rate):
    with recording() as (port, heard):
        found = load.run(Order(plan(50), port, 1, 1, 7, rate))
    first = heard.index(next(request for request in heard if request.startswith(b"POST")))
    numbers = {plan(50).request(number): number for number in range(7, 60)}
    start = numbers[heard[first]]  # wrk asks its script for one request it does not send
    assert heard[first : first + 20] == [plan(50).request(number) for number in range(start, start + 20)]
    assert found.generator == "wrk"


def test_a_load_whose_requests_fail_is_no_figure():
    with recording(b"503 Service Unavailable") as (port, _), pytest.raises(load.Trouble, match="failed"):
        load.run(Order(plan(50), port, 1, 0.2))


def test_a_directory_grows_to_its_marks_and_keeps_each_event_once(tmp_path):
    sizes = msgspec.structs.replace(QUICK, events=800, marks=(10, 20), many_contacts=20, window=80)
    bench = Bench(sizes, tmp_path, Console(file=StringIO()))
    assert disk.measure(bench).figures[0].median > 0
    points = growth.measure(bench).points
    assert [point.events for point in points] == [400, 800]
    assert all(min(point.append, point.acknowledged, point.through, point.store_bytes) > 0 for point in points)
    for path, events in ((bench.half, 400), (bench.grown.path, 800)):
        with closing(engines.read_store(path)) as store:
            assert sum(total.count for total in store.name_totals(bench.grown.people.workspace)) == events


def test_events_of_the_data_set_are_distinct_and_in_order_of_time_over_two_years():
    people = dataset.People(1, list(range(1, 21)), list(range(1, dataset.NAMES + 1)))
    stream = dataset.Stream(people, 500)
    events = [event for event in stream.records(600) if isinstance(event, Event)]
    rest = stream.fork().records(400)
    assert stream.records(400) == rest
    events += [event for event in rest if isinstance(event, Event)]
    assert [event.created_at for event in events] == sorted({event.created_at for event in events})
    assert events[500].created_at == dataset.SINCE + dataset.YEAR_S
    assert {len(event.metadata) for event in events} == {115}


def test_bodies_hold_the_events_in_order():
    people = dataset.People(1, list(range(1, 21)), list(range(1, dataset.NAMES + 1)))
    made = bodies.bulk(2, dataset.Stream(people, 5).take(5))
    assert [body.events for body in made] == [2, 2, 1]
    items = [item for body in made for item in msgspec.json.decode(body.request.partition(b"\r\n\r\n")[2])["items"]]
    lines = [line for body in bodies.imported(5, dataset.Stream(people, 5).take(5)) for line in body.request.split(b"\r\n\r\n")[1].split()]
    assert [item["data"] for item in items] == [msgspec.json.decode(line) for line in lines]


@pytest.mark.parametrize(
    ("value", "text"), [(12345.6, "12,346"), (123.4, "123"), (12.34, "12.3"), (1.234, "1.23"), (0.0123, "0.012"), (0, "0.000")]
)
def test_a_figure_is_shown_with_the_digits_that_count(value, text):
    assert shown(value) == text


def test_a_row_tells_figure_yardstick_bar_and_verdict():
    assert [cells(figure) for figure in REPORT.results[0].figures] == [
        ("POST /events", "10,000 requests/s (9,000 … 11,000)", "0.33 × null (0.30 … 0.36)", "≥ 0.5 × null", "missed"),
        ("p99", "8.25 ms", "–", "≤ 40 ms", "met"),
    ]


def test_a_report_survives_its_json(tmp_path):
    path = tmp_path / "latest.json"
    path.write_bytes(to_json(REPORT))
    assert from_json(path) == REPORT
    assert b'"median": 10000' in path.read_bytes()
    assert b'"met": false' in path.read_bytes()


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
    assert "| p99 | 8.25 ms | – | ≤ 40 ms | met |" in again


def test_the_docs_name_every_measure_and_have_their_marks():
    text = docs.PAGE.read_text("utf-8")
    assert [name for name in MEASURES if f"| `{name}` |" not in text] == []
    assert docs.rewritten(text, REPORT) != text


def test_docs_without_marks_are_left_alone():
    with pytest.raises(ValueError, match="two lines"):
        docs.rewritten("nothing to replace", REPORT)
