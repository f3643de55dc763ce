"""What `make demo-web` shows: two pages with the script in them, and here in the terminal every event as it arrives.

    python examples/demo_web.py [--port PORT]

The server keeps its record in a directory that goes when this ends. Ctrl-C ends all of it.
"""

import argparse
import json
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import httpx
from rich.console import Console
from rich.markup import escape

WEB = Path(__file__).resolve().parent / "web"
WRITTEN = "http://127.0.0.1:8080"  # the server's address in the pages
TOKEN = "demo-token"
POLL_S = 0.3

console = Console(highlight=False, soft_wrap=True)


def start_server(folder: Path) -> tuple[subprocess.Popen[str], str]:
    """The server over `folder`, in a process group of its own, so that Ctrl-C is for this program alone; and its address."""
    command = [sys.executable, "-m", "trackrecord", "serve", "--data", str(folder), "--port", "0", "--token", TOKEN]
    server = subprocess.Popen(command, text=True, stdout=subprocess.PIPE, process_group=0)
    assert server.stdout is not None
    for line in server.stdout:
        if found := re.search(r"http://127\.0\.0\.1:\d+", line):
            return server, found.group()
    raise SystemExit("the server did not start; try: make serve")


def lay_out(folder: Path, url: str) -> list[str]:
    """Put the pages into `folder`, with the server's address in them; the names of those that can be opened."""
    names = ["index.html"]
    npm = shutil.which("npm")
    if npm and (WEB / "node_modules").is_dir():
        built = [npm, "run", "--silent", "build", "--", f"--outfile={folder / 'react.js'}"]
        subprocess.run(built, cwd=WEB, check=True)
        names.append("react.html")
    for name in [*names, "style.css"]:
        (folder / name).write_text((WEB / name).read_text("utf-8").replace(WRITTEN, url), "utf-8")
    return names


class Pages(SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        """The terminal is for the events."""


def show(event: dict[str, Any]) -> None:
    at = time.strftime("%H:%M:%S", time.localtime(event["created_at"]))
    said = " ".join(f"{key}={value if isinstance(value, str) else json.dumps(value)}" for key, value in event["metadata"].items())
    console.print(
        f"[dim]{at}[/dim]  [bold]{escape(event['event_name']):20}[/bold]  {escape(str(event['user_id']))}  [dim]{escape(said)}[/dim]"
    )


def follow(url: str) -> None:
    """Show every event of the workspace as it comes, for ever."""
    shown = 0
    with httpx.Client(base_url=url, headers={"Authorization": f"Bearer {TOKEN}"}) as client:
        while True:
            page = client.post("/-/api/events/search", json={"pagination": {"per_page": 150}}).raise_for_status().json()
            fresh = sorted((event for event in page["data"] if event["position"] > shown), key=lambda event: int(event["position"]))
            for event in fresh:
                show(event)
                shown = event["position"]
            time.sleep(POLL_S)


def main() -> int:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--port", type=int, default=0, help="port of the pages; without it a free one")
    port = options.parse_args().port
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.default_int_handler)
    server = pages = None
    with tempfile.TemporaryDirectory() as scratch:
        try:
            server, url = start_server(Path(scratch) / "record")
            site = Path(scratch) / "site"
            site.mkdir()
            names = lay_out(site, url)
            pages = ThreadingHTTPServer(("127.0.0.1", port), partial(Pages, directory=str(site)))
            pages.daemon_threads = True
            threading.Thread(target=pages.serve_forever, daemon=True).start()
            for name in names:
                console.print(f"Open  http://127.0.0.1:{pages.server_port}/{name}")
            if "react.html" not in names:
                console.print("(The page with React wants npm: npm ci in examples/web)")
            console.print(f"The record is at {url}, token {TOKEN}. Ctrl-C ends all.\n")
            follow(url)
        except KeyboardInterrupt:
            console.print("\nEnded; nothing is left of the record.")
        finally:
            if pages is not None:
                pages.shutdown()
            if server is not None:
                server.terminate()
                server.communicate()
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
