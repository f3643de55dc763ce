"""What `make demo` shows: a stream of events with true duplicates goes in, the server is killed on the way, and the record comes out exact.

    python examples/demo.py [--keep DIR] [--data FOLDER]

Without --data it takes the real stream beside the checkout (../shared/data) if there is one, else it makes a stream of its own; it
says which.
"""

import argparse
import gzip
import json
import os
import random
import re
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from datetime import datetime
from pathlib import Path
from typing import Any

import httpx
from rich.console import Console
from rich.table import Table

REAL = Path(__file__).resolve().parent.parent.parent / "shared" / "data"
TOKEN = "demo-token"
SINGLY = 500
ENDING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)

console = Console(highlight=False)


def made_stream(folder: Path) -> None:
    """A stream with the form of the real one, and its answers: 400 contacts, 20,000 events, some of them sent twice."""
    chance = random.Random(7)
    names = ["signed-up", "invited-friend", "placed-order", "read-article", "cancelled-order"]
    people = [{"user_id": f"person-{number:03}", "role": "user" if number % 4 else "lead"} for number in range(400)]
    events = []
    for number in range(18_500):
        person = people[min(int(chance.expovariate(1 / 60)), 399)]
        price = {"amount": chance.randrange(100, 90_000), "currency": "eur"}
        events.append(
            {
                "event_name": chance.choice(names),
                "created_at": 1_700_000_000 + number * 600 + chance.randrange(300),
                "user_id": person["user_id"],
                "metadata": {"price": price, "page": f"https://example.org/{number}"},
            }
        )
    events += [{**chance.choice(events), "metadata": {"again": True}} for _ in range(1_500)]
    chance.shuffle(events)
    kept = {(event["user_id"], event["event_name"], event["created_at"]) for event in events}
    totals = Counter(user for user, _, _ in kept)
    top = []
    for user, total in totals.most_common(3):
        rows: dict[str, dict[str, int]] = {}
        for whose, name, second in kept:
            if whose == user:
                row = rows.setdefault(name, {"count": 0, "first": second, "last": second})
                row.update(count=row["count"] + 1, first=min(row["first"], second), last=max(row["last"], second))
        top.append({"user_id": user, "total": total, "events": rows})
    for noun, rows_out in (("contacts", people), ("events", events)):
        with gzip.open(folder / f"{noun}.ndjson.gz", "wt") as file:
            file.writelines(json.dumps(row) + "\n" for row in rows_out)
    expected = {
        "lines": len(events),
        "distinct_user_name_second": len(kept),
        "duplicates": len(events) - len(kept),
        "per_event_name": Counter(name for _, name, _ in kept),
        "top_users": top,
    }
    (folder / "expected.json").write_text(json.dumps(expected))


started: list[subprocess.Popen[str]] = []


def start(*arguments: str, **how: Any) -> subprocess.Popen[str]:
    """Start a command of ours in a process group of its own, so that Ctrl-C is for the demo alone, which ends what it started."""
    waiting: list[int] = []  # signals that came meanwhile: a child that is half started would be forgotten
    before = {number: signal.signal(number, lambda number, _: waiting.append(number)) for number in ENDING}
    try:
        started.append(subprocess.Popen([sys.executable, "-m", "trackrecord", *arguments], text=True, process_group=0, **how))
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
    if waiting:
        raise KeyboardInterrupt
    return started[-1]


def trackrecord(*arguments: str) -> None:
    """Run a command of ours in this terminal."""
    console.print(f"[dim]$ trackrecord {' '.join(arguments)}[/dim]", soft_wrap=True)
    if code := start(*arguments).wait():
        raise SystemExit(code)  # it has said why


class Server:
    """Over one directory; may be started again once it was stopped."""

    def __init__(self, record: Path) -> None:
        self.url = ""
        self._arguments = ["serve", "--data", str(record), "--port", "0", "--token", TOKEN]
        self._process: subprocess.Popen[str] | None = None

    def start(self) -> None:
        began = time.perf_counter()
        self._process = start(*self._arguments, stdout=subprocess.PIPE)
        assert self._process.stdout is not None
        for line in self._process.stdout:
            if found := re.search(r"http://127\.0\.0\.1:\d+", line):
                self.url = found.group()
                console.print(f"Serving on {self.url} after {time.perf_counter() - began:.2f} s")
                return
        raise SystemExit("the server did not start; try: make serve")

    def stop(self, with_signal: int) -> None:
        if self._process is not None and self._process.poll() is None:
            self._process.send_signal(with_signal)
            self._process.communicate()


def end_all() -> None:
    for process in started:
        if process.poll() is None:
            process.terminate()
            process.communicate()


def step(text: str) -> None:
    console.print()
    console.rule(f"[bold]{text}", align="left")


def demo(folder: Path, record: Path) -> bool:
    expected = json.loads((folder / "expected.json").read_text())
    began = time.perf_counter()
    step("1  A server over one empty directory")
    server = Server(record)
    with tempfile.TemporaryDirectory() as scratch:
        os.chdir(scratch)
        try:
            server.start()
            whole = run_through(server, folder, record, expected)
        finally:
            end_all()
            os.chdir(folder)
    console.print(
        f"\n{time.perf_counter() - began:.0f} s in all. "
        + ("[green]Every figure agrees.[/green]" if whole else "[red]Figures differ.[/red]")
    )
    return whole


def run_through(server: Server, folder: Path, record: Path, expected: dict[str, Any]) -> bool:
    step("2  Contacts in")
    trackrecord("import", "contacts", str(folder / "contacts.ndjson.gz"), "--url", server.url, "--token", TOKEN)

    step(f"3  {SINGLY} events one by one: each 202 says that the event is on stable storage")
    with gzip.open(folder / "events.ndjson.gz", "rt") as file:
        singly = [json.loads(next(file)) for _ in range(SINGLY)]
    acknowledged = []
    with httpx.Client(base_url=server.url, headers={"Authorization": f"Bearer {TOKEN}"}) as client:
        at = time.perf_counter()
        for event in singly:
            answer = client.post("/events", json=event)
            assert answer.status_code == 202, answer.text
            acknowledged.append(answer.headers["Trackrecord-Receipt"])
        took = time.perf_counter() - at
    console.print(f"{SINGLY} answers of 202 in {took:.2f} s over one connection; the last receipt is {acknowledged[-1]}")

    step("4  kill -9, and a new start on the same directory")
    server.stop(signal.SIGKILL)
    server.start()
    with httpx.Client(base_url=server.url, headers={"Authorization": f"Bearer {TOKEN}"}) as client:
        outcomes = Counter(client.get(f"/-/api/receipts/{receipt}").json()["outcome"] for receipt in acknowledged)
    console.print("What became of the acknowledged events: " + ", ".join(f"{count} {outcome}" for outcome, count in outcomes.most_common()))

    step("5  All events in, and then all of them once more")
    for _ in range(2):
        trackrecord("import", "events", str(folder / "events.ndjson.gz"), "--url", server.url, "--token", TOKEN)

    step("6  The record, beside the known answers")
    trackrecord("export", "events", "--data", str(record), "--out", "events.ndjson")
    with open("events.ndjson") as file:
        kept = [json.loads(line) for line in file]
    counts = Counter(event["event_name"] for event in kept)
    table = Table("what", "expected", "in the record", "", box=None, pad_edge=False)
    for column in table.columns[1:3]:
        column.justify = "right"
    rows = [("events after de-duplication", expected["distinct_user_name_second"], len(kept))]
    rows += [(f"  {name}", wanted, counts[name]) for name, wanted in sorted(expected["per_event_name"].items(), key=lambda row: -row[1])]
    asked = {"type": "user", "summary": "true"}
    with httpx.Client(base_url=server.url, headers={"Authorization": f"Bearer {TOKEN}"}) as client:
        for user in expected["top_users"]:
            answer = client.get("/events", params={**asked, "user_id": user["user_id"]}).json()
            told = {
                row["name"]: {"count": row["count"]} | {end: int(datetime.fromisoformat(row[end]).timestamp()) for end in ("first", "last")}
                for row in answer["events"]
            }
            same = told == user["events"]
            rows.append(
                (f"  {user['user_id']}: count, first, last", user["total"], sum(row["count"] for row in told.values()) if same else -1)
            )
    for what, wanted, found in rows:
        table.add_row(what, f"{wanted:,}", f"{found:,}", "[green]same[/green]" if wanted == found else "[red]differs[/red]")
    console.print(table)

    step("7  What one of them did")
    busiest = expected["top_users"][0]["user_id"]
    trackrecord("events", "summary", "--user-id", busiest, "--data", str(record))
    trackrecord("events", "list", "--user-id", busiest, "--limit", "5", "--data", str(record))
    return all(wanted == found for _, wanted, found in rows)


def main() -> int:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--keep", type=Path, metavar="DIR", help="keep the record in this new directory")
    options.add_argument("--data", type=Path, metavar="FOLDER", help="a folder with events.ndjson.gz, contacts.ndjson.gz and expected.json")
    given = options.parse_args()
    for number in ENDING:
        signal.signal(number, signal.default_int_handler)
    try:
        with tempfile.TemporaryDirectory() as scratch:
            folder, told = given.data, f"the stream in {given.data}"
            if folder is None and (REAL / "expected.json").exists():
                folder, told = REAL, f"the real stream in {REAL}"
            if folder is None:
                folder, told = Path(scratch), "a stream made here, always the same; --data FOLDER takes another"
                made_stream(folder)
            console.print(f"Data: {told}", soft_wrap=True)
            return 0 if demo(folder.resolve(), (given.keep or Path(scratch) / "record").resolve()) else 1
    except KeyboardInterrupt:
        console.print(
            "\nInterrupted; " + ("nothing is left of the record." if given.keep is None else f"the record so far is in {given.keep}.")
        )
        return 130


if __name__ == "__main__":
    raise SystemExit(main())
