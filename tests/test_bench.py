"""The bench measures what it says it does. Its figures are nobody's test: a busy machine must not fail a build."""

import shutil
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from io import StringIO
from xml.etree import ElementTree

import msgspec
import pytest
from rich.console import Console

from bench import analysis, bodies, dataset, docs, load, pages, plans, plot, reads
from bench.__main__ import MEASURES
from bench.context import Bench, Sizes
from bench.figures import Bar, Figure, Point, Report, Result, bar_shown, cells, from_json, shown, table, to_json
from bench.load import Order
from bench.plans import events as plan
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
def recording(status: bytes = b"202 Accepted", *, stall_s: float = 0) -> Iterator[tuple[int, list[bytes]]]:
    """A server that answers the same to whatever comes on one connection, and keeps it; the tenth answer takes `stall_s` longer."""
    heard: list[bytes] = []
    with closing(socket.create_server((HOST, 0))) as listening:

        def answer() -> None:
            try:
                while True:
                    connection, _ = listening.accept()
                    with connection:
                        while sent := connection.recv(65536):
                            heard.append(sent)
                            if len(heard) == 10:
                                time.sleep(stall_s)
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


@pytest.mark.parametrize("program", [None, pytest.param(load.wrk(), marks=pytest.mark.skipif(load.wrk() is None, reason="no wrk"))])
def test_a_stall_shows_in_full_where_requests_are_due_meanwhile(monkeypatch, program):
    monkeypatch.setattr(shutil, "which", lambda name: program)
    with recording(stall_s=0.4) as (port, _):
        found = load.run(Order(plan(50), port, 1, 1, rate=200.0))
    assert found.p99_ms > 200  # one answer of a hundred or more was late, and so were those that waited behind it


def test_a_load_whose_requests_fail_is_no_figure():
    with recording(b"503 Service Unavailable") as (port, _), pytest.raises(load.Trouble, match="failed"):
        load.run(Order(plan(50), port, 1, 0.2))


TINY = Sizes(
    events=800,
    marks=(10, 20),
    many_contacts=20,
    window=80,
    contacts=20,
    minutes=0.01,
    rounds=1,
    round_s=0.2,
    read_s=0.1,
    starts=1,
    settle_s=0.6,
    crash_s=0.2,
    cold_s=0.2,
)


def test_every_measure_gives_figures_and_loses_no_event(tmp_path, monkeypatch):
    monkeypatch.setattr(shutil, "which", lambda name: None)  # the generator in Python, whose loads may be shorter than a second
    bench = Bench(TINY, tmp_path, Console(file=StringIO()))
    kinds = {"page": plans.page(20)}
    results = [reads.measure(bench, kinds) if name == "reads" else measure(bench) for name, (measure, _) in MEASURES.items()]
    held_to = {result.measure: [bar_shown(each) for each in result.figures if each.bar and each.unit != "MB"] for result in results}
    assert held_to == {
        "ingest": ["≥ 0.5 × null", "≤ 40 ms", "≤ 1 s", "≤ 10 ms"],
        "steady": ["≥ 0.9 × the first", "≤ 1 s"],
        "bulk": ["≥ 100,000 events/s", "≥ 40,000 events/s"] * 2,
        "disk": ["≤ 160 B"],
        "reads": ["≥ 3,000 requests/s", "≤ 5 ms", "≤ 100 ms"],
        "startup": ["≤ 0.7 s", "≤ 1.5 s"],
        "growth": ["≥ 0.5 × the first mark", "≥ 0.45 × the first mark"] * 2,
        "analysis": ["≤ 100 ms"] * len(analysis.questions(list(range(1, dataset.NAMES + 1)))),
        "pages": ["≤ 100 ms"] * len(pages.asked("")),
    }
    assert [point.events for point in results[-1].points] == [400, 800]
    with closing(engines.read_store(bench.grown.path)) as store:
        assert sum(total.count for total in store.name_totals(bench.grown.people.workspace)) == 800


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


def test_the_plot_has_a_dot_for_each_value_of_each_mark():
    marks = [1_000_000, 2_000_000, 5_000_000]
    points = [
        Point(
            events=events,
            append=100_000,
            append_cpu_us=8,
            acknowledged=90_000,
            through=50_000,
            server_cpu_us=None,
            writer_cpu_us=None,
            store_bytes=150,
            page_p99_ms=0.5,
        )
        for events in marks
    ]
    drawn = ElementTree.fromstring(plot.svg(points))
    names = "{http://www.w3.org/2000/svg}"
    assert len(list(drawn.iter(f"{names}circle"))) == len(marks) * 5
    assert {"0", "2 M", "4 M", "100 k", "150"} <= {text.text for text in drawn.iter(f"{names}text")}
    heights = [{circle.get("cy") for circle in line.iter(f"{names}circle")} for line in drawn.iter(f"{names}g")]
    assert [len(height) for height in heights] == [1] * 5  # what does not change is drawn flat


def test_docs_without_marks_are_left_alone():
    with pytest.raises(ValueError, match="two lines"):
        docs.rewritten("nothing to replace", REPORT)
