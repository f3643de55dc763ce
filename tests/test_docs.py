"""The documentation is held to the program: tables, routes, dependencies, links, names of tests, and commands with their answers.

`python tests/test_docs.py` writes the tables anew. In the pages under RUN a fenced block after the comment `<!-- run -->` is
run, and a block after `<!-- prints -->` is what the block before it must have printed; there `…` stands for anything, and
blanks and line breaks count for nothing. The blocks of a page are run in one shell, as by somebody who pastes them into one
terminal: each page against a fresh server, and all of them, one after the other, against one.
"""

import contextlib
import io
import json
import os
import re
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from types import SimpleNamespace
from typing import Any, NamedTuple

import pytest
from ports import held_port

from trackrecord.cli.serve import announce
from trackrecord.http.routes import ROUTES, Route
from trackrecord.rules.codes import CODES
from trackrecord.rules.directory import SCOPES
from trackrecord.rules.profiles import PROFILES_TABLE
from trackrecord.rules.versions import DELTAS, SAME_IN_ALL, served, span
from trackrecord.settings import ENV_PREFIX, OVERRIDES, SETTINGS
from trackrecord.testing import TrackrecordServer

ROOT = Path(__file__).parent.parent
DOCS = ROOT / "docs"
SNIPPET = ROOT / "snippet"
NPM = (SNIPPET, ROOT / "dashboard")  # built with packages of npm
PAGES = sorted(
    path for path in [*ROOT.glob("*.md"), *DOCS.rglob("*.md"), *(ROOT / "trackrecord").rglob("*.md")] if "node_modules" not in path.parts
)
RUN = (
    "README.md",
    "docs/quickstart.md",
    "docs/api/events.md",
    "docs/api/receipts.md",
    "docs/api/live.md",
    "docs/api/bulk.md",
    "docs/api/users.md",
    "docs/api/tags.md",
    "docs/api/data-attributes.md",
    "docs/api/segments.md",
    "docs/api/companies.md",
    "docs/api/admins.md",
    "docs/api/contacts.md",
    "docs/api/search.md",
    "docs/api/catalogue.md",
    "docs/api/queries.md",
    "docs/api/deleting-events.md",
    "docs/api/reports.md",
    "docs/api/exports.md",
    "docs/api/imports.md",
    "docs/api/visitors.md",
    "docs/api/requests.md",
    "docs/versions.md",
    "docs/limits.md",
)
URL = "http://127.0.0.1:8080"  # the server's address in the pages
OTHER_PORT = "8090"  # stands for any free one, where a page starts a server itself
ALONE = RUN[:3]  # of those the ones that people come to first, each with a server of its own too
RUN_TIMEOUT_S = 240  # for a page, on a busy machine


def _name(path: Path) -> str:
    return str(path.relative_to(ROOT))


# --- Tables --------------------------------------------------------------------------------------------------------------


def _cell(value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return "" if value in (None, "") else f"`{value}`"


def _meaning(text: str) -> str:
    return text.replace("|", "\\|")


def settings_table() -> str:
    lines = ["| setting | variable | default | meaning |", "| --- | --- | --- | --- |"]
    for row in SETTINGS:
        default = "as the profile" if row.name in OVERRIDES else _cell(row.default) or "empty"
        lines.append(f"| `{row.name}` | `{ENV_PREFIX}{row.name.upper()}` | {default} | {_meaning(row.meaning)} |")
    return "\n".join(lines)


def profiles_table() -> str:
    lines = ["| difference | lenient | strict | meaning |", "| --- | --- | --- | --- |"]
    lines += [f"| `{name}` | {_cell(lenient)} | {_cell(strict)} | {_meaning(text)} |" for name, lenient, strict, text in PROFILES_TABLE]
    return "\n".join(lines)


def codes_table(*, answered: bool) -> str:
    lines = ["| status | code | meaning | here |" if answered else "| status | code | meaning | why not |", "| --- | --- | --- | --- |"]
    rows = [row for row in CODES if (row.kind is not None) == answered]
    lines += [f"| {row.status} | `{row.code}` | {_meaning(row.meaning)} | {_meaning(row.here)} |" for row in rows]
    return "\n".join(lines)


def deltas_table() -> str:
    lines = ["| versions | difference |", "| --- | --- |"]
    return "\n".join([*lines, *(f"| {span(each.first, each.last)} | {_meaning(each.meaning)} |" for each in DELTAS)])


def same_table() -> str:
    lines = ["| change | there in | here |", "| --- | --- | --- |"]
    return "\n".join([*lines, *(f"| {_meaning(change)} | {since} | {_meaning(why)} |" for change, since, why in SAME_IN_ALL)])


def ranges_table() -> str:
    lines = ["| call | versions |", "| --- | --- |"]
    for route in ROUTES:
        if route.first is not None or route.last is not None:
            more = ", and for those who name none" if route.unversioned else ""
            lines.append(f"| `{route.method} {_plain(route)}` | {span(route.first, route.last)}{more} |")
    return "\n".join(lines)


def scopes_table() -> str:
    lines = ["| scope | may | calls |", "| --- | --- | --- |"]
    for name, may in SCOPES.items():
        calls = dict.fromkeys(f"`{route.method} {_plain(route)}`" for route in ROUTES if route.need == name)
        lines.append(f"| `{name}` | {may} | {', '.join(calls)} |")
    return "\n".join(lines)


def pages_table() -> str:
    lines = ["| list | `per_page` |", "| --- | --- |"]
    for route in ROUTES:
        for param in route.params:
            if param.name == "per_page":
                lines.append(f"| `{route.method} {_plain(route)}` | {param.meaning} |")
    return "\n".join(lines)


def bodies_table() -> str:
    lines = ["| call | bytes |", "| --- | --- |"]
    return "\n".join([*lines, *(f"| `{route.method} {_plain(route)}` | {route.body_max:,} |" for route in ROUTES if route.body_max)])


def _plain(route: Route) -> str:
    return re.sub(r":\w+}", "}", route.path)


# The page each table stands in, its name there, and what makes it.
TABLES: tuple[tuple[str, str, Callable[[], str]], ...] = (
    ("settings.md", "settings", settings_table),
    ("settings.md", "profiles", profiles_table),
    ("errors.md", "answered", lambda: codes_table(answered=True)),
    ("errors.md", "never", lambda: codes_table(answered=False)),
    ("versions.md", "differences", deltas_table),
    ("versions.md", "same", same_table),
    ("versions.md", "paths", ranges_table),
    ("limits.md", "scopes", scopes_table),
    ("limits.md", "pages", pages_table),
    ("limits.md", "bodies", bodies_table),
)
PAGES_WITH_TABLES = sorted({page for page, _, _ in TABLES})


def with_tables(page: str, text: str) -> str:
    """The page with its tables made anew: each stands between `<!-- table: NAME -->` and `<!-- end -->`."""
    for of_page, name, make in TABLES:
        if of_page != page:
            continue
        before, begins, rest = text.partition(f"<!-- table: {name} -->\n")
        _, ends, after = rest.partition("<!-- end -->")
        assert begins, f"docs/{page} has no place for the table {name}"
        assert ends, f"docs/{page} does not say where the table {name} ends"
        text = f"{before}{begins}\n{make()}\n\n{ends}{after}"
    return text


@pytest.mark.parametrize("page", PAGES_WITH_TABLES)
def test_a_page_has_the_tables_of_the_program(page: str) -> None:
    text = (DOCS / page).read_text("utf-8")
    assert text == with_tables(page, text), "write the tables anew: python tests/test_docs.py"


# --- What must be mentioned ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("route", ROUTES, ids=lambda route: f"{route.method} {route.path}")
def test_every_route_stands_in_the_compatibility_page(route: Route) -> None:
    path = re.sub(r":\w+}", "}", route.path)
    assert f"`{route.method} {path}`" in (DOCS / "compatibility.md").read_text("utf-8")


def test_every_row_of_the_compatibility_page_names_a_test() -> None:
    tables = re.findall(r"^\|.*\| test \|\n\| --- .*\n((?:\|.*\n)+)", (DOCS / "compatibility.md").read_text("utf-8"), re.M)
    rows = [row for table in tables for row in table.splitlines()]
    assert len(rows) > 100
    assert [row for row in rows if not re.search(r"\| (\[`test_\w+`\]\([^)]+\.py\)(, )?)+ \|$", row)] == []


def test_every_call_of_the_compatibility_page_is_a_route() -> None:
    called = set(re.findall(r"`((?:GET|POST|PUT|DELETE) /[^`?]*)(?:\?[^`]*)?`", (DOCS / "compatibility.md").read_text("utf-8")))
    routes = {f"{route.method} {_plain(route)}" for route in ROUTES}
    assert {re.sub(r"\{\w+\}", "{}", call) for call in called} - {re.sub(r"\{\w+\}", "{}", route) for route in routes} == set()


def test_every_dependency_has_a_line_in_the_page_of_reasons() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    needed = [*project["dependencies"], *(each for extra in project["optional-dependencies"].values() for each in extra)]
    names = {re.split(r"[^A-Za-z0-9._-]", each, maxsplit=1)[0] for each in [*needed, (SNIPPET / "requirements.lock").read_text("utf-8")]}
    for folder in NPM:
        packages = json.loads((folder / "package.json").read_text("utf-8"))
        names |= packages["dependencies"].keys() | packages["devDependencies"].keys()
    told = set(re.findall(r"^\| `([^`]+)` \|", (DOCS / "why.md").read_text("utf-8"), re.M))
    assert names - told == set()
    assert told - names == set(), "these are no dependencies any more"


# --- Links and names -----------------------------------------------------------------------------------------------------


def _prose(text: str) -> str:
    """Without fenced blocks and code spans: nothing in them is a link or a heading."""
    return re.sub(r"`[^`\n]*`", "", re.sub(r"^```.*?^```", "", text, flags=re.M | re.S))


@cache
def _anchors(path: Path) -> frozenset[str]:
    """The anchors of a page's headings, as code hosts make them."""
    text = re.sub(r"^```.*?^```", "", path.read_text("utf-8"), flags=re.M | re.S)
    headings = re.findall(r"^#+ +(.+?) *$", text, re.M)
    return frozenset(re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings)


def broken_links(path: Path) -> Iterator[str]:
    for target in re.findall(r"\]\(([^)\s]+)\)", _prose(path.read_text("utf-8"))):
        if re.match(r"[a-z]+:", target):
            continue
        file, _, anchor = target.partition("#")
        there = (path.parent / file).resolve() if file else path
        if not there.exists():
            yield f"{target}: there is no such file"
        elif anchor and anchor not in _anchors(there):
            yield f"{target}: there is no such heading"


@pytest.mark.parametrize("path", PAGES, ids=_name)
def test_every_link_leads_somewhere(path: Path) -> None:
    assert list(broken_links(path)) == []


@pytest.mark.parametrize("path", PAGES, ids=_name)
def test_every_test_that_is_named_is_there(path: Path) -> None:
    """As `tests/file.py::test_name`, or as a link to the file with the test's name as its text."""
    text = path.read_text("utf-8")
    named = set(re.findall(r"`(tests/[\w/]+\.py)::(\w+)`", text))
    linked = re.findall(r"\[`(test_\w+)`\]\(([^)]+\.py)\)", text)
    named |= {(_name((path.parent / file).resolve()), name) for name, file in linked}
    missing = [(file, name) for file, name in sorted(named) if not re.search(rf"^(async )?def {name}\(", _source(file), re.M)]
    assert missing == []


@cache
def _source(file: str) -> str:
    path = ROOT / file
    return path.read_text("utf-8") if path.is_file() else ""


# --- Commands ------------------------------------------------------------------------------------------------------------


class Block(NamedTuple):
    line: int
    language: str
    text: str
    prints: str | None


def blocks(text: str) -> list[Block]:
    """The blocks of a page that are to be run, with what each must print."""
    found: list[Block] = []
    for at in re.finditer(r"^<!-- (run|prints) -->\n+```(\w*)\n(.*?)^```$", text, re.M | re.S):
        if at[1] == "run":
            found.append(Block(text.count("\n", 0, at.start()) + 1, at[2], at[3], None))
        else:
            assert found, "a block that prints has none before it"
            assert found[-1].prints is None, f"the block at line {found[-1].line} prints two things"
            found[-1] = found[-1]._replace(prints=at[3])
    return found


def _pattern(shown: str) -> str:
    return ".*?".join(re.escape(piece) for piece in re.sub(r"\s", "", shown).split("…"))


END_OF_BLOCK = "--- end of block ---"


def _script(to_run: list[Block]) -> str:
    """The blocks of a page as one script, which prints END_OF_BLOCK after each."""
    lines = ["set -euo pipefail"]
    for block in to_run:
        lines.append(block.text if block.language == "sh" else f"python - <<'END_OF_PYTHON'\n{block.text}END_OF_PYTHON")
        lines.append(f"printf '\\n%s\\n' '{END_OF_BLOCK}'")
    return "\n".join(lines)


def wrong_prints(page: str, server: TrackrecordServer, folder: Path, *, tools_in: Path | None = None) -> list[str]:
    """Run a page in a folder, and say what ended badly or printed something else than it shows."""
    to_run = blocks((ROOT / page).read_text("utf-8"))
    assert to_run, f"{page} has no block to run"
    environment = {
        **{name: value for name, value in os.environ.items() if not name.startswith(ENV_PREFIX)},
        "PATH": os.pathsep.join([*([str(tools_in)] if tools_in else []), str(Path(sys.executable).parent), os.environ["PATH"]]),
        "TOKEN": server.token,
    }
    with held_port() as other_port:
        ran = subprocess.run(
            ["bash", "-c", _script(to_run).replace(URL, server.url).replace(OTHER_PORT, str(other_port))],
            cwd=folder,
            env=environment,
            capture_output=True,
            text=True,
            timeout=RUN_TIMEOUT_S,
            check=False,
        )
    printed = ran.stdout.replace(server.url, URL).replace(str(other_port), OTHER_PORT).split(END_OF_BLOCK)
    if ran.returncode != 0:
        at = to_run[min(len(printed), len(to_run)) - 1]
        return [f"{page}, line {at.line}: {printed[-1]}{ran.stderr}"]
    return [
        f"{page}, line {block.line} printed\n{text}\n{ran.stderr}and shows\n{block.prints}"
        for block, text in zip(to_run, printed, strict=False)
        if block.prints is not None and not re.fullmatch(_pattern(block.prints), re.sub(r"\s", "", text), re.S)
    ]


@pytest.fixture(scope="module")
def tools() -> None:
    for tool in ("bash", "curl"):
        if shutil.which(tool) is None:
            pytest.skip(f"{tool} is not installed: on Debian and Ubuntu, apt-get install {tool}")


@pytest.mark.usefixtures("tools")
@pytest.mark.parametrize("page", ALONE)
def test_the_commands_of_a_page_print_what_it_shows(page: str, tmp_path: Path) -> None:
    # A data directory where the commands look for it, so that a page can show them.
    with TrackrecordServer(data=str(tmp_path / "trackrecord-data")) as server:
        wrong = wrong_prints(page, server, tmp_path)
    assert not wrong, "\n\n".join(wrong)


class AllPages(NamedTuple):
    """What came of all pages run on one server."""

    wrong: list[str]
    answered: list[tuple[str, str, str]]  # method, path and version of every call of curl that was not refused


@pytest.fixture(scope="module")
def all_pages(tools: None, tmp_path_factory: pytest.TempPathFactory) -> AllPages:
    folder = tmp_path_factory.mktemp("all-pages")
    calls = folder / "calls"
    calls.mkdir()
    curl = folder / "curl"  # the real one, with a note of what was sent and answered
    curl.write_text(f'#!/bin/sh\nexec {shutil.which("curl")} --verbose --stderr "$(mktemp {calls}/XXXXXXXX)" "$@"\n')
    curl.chmod(0o755)
    with TrackrecordServer(data=str(folder / "trackrecord-data")) as server:
        subprocess.run(["bash", "-c", _said_at_first_start(server)], capture_output=True, timeout=RUN_TIMEOUT_S, check=True)
        wrong = [text for page in RUN for text in wrong_prints(page, server, folder, tools_in=folder)]
    return AllPages(wrong, [call for noted in calls.iterdir() for call in _answered(noted.read_text("utf-8"))])


def _said_at_first_start(server: TrackrecordServer) -> str:
    """The commands that a first start prints, which a reader of the README has pasted before."""
    first: Any = SimpleNamespace(settings=server.server.settings, first_token=server.token, first_link="a-key", now=server.clock)
    with contextlib.redirect_stdout(io.StringIO()) as said:
        announce(first, server.url)
    commands = re.findall(r"^  curl .*?[^\\]$", said.getvalue(), re.M | re.S)
    assert len(commands) == 3
    return "\n".join(commands)


def _answered(noted: str) -> Iterator[tuple[str, str, str]]:
    sent = re.search(r"^> (\w+) ([^ ?]+)\S* HTTP/1\.1\r?$", noted, re.M)
    status = re.search(r"^< HTTP/1\.1 (\d+)", noted, re.M)
    version = re.search(r"^< intercom-version: (\S+)", noted, re.M)
    if sent and status and version and int(status[1]) < 400:
        yield sent[1], sent[2], version[1]


def test_the_commands_of_all_pages_can_be_run_one_after_the_other_on_one_server(all_pages: AllPages) -> None:
    assert not all_pages.wrong, "\n\n".join(all_pages.wrong)


WITHOUT_EXAMPLE = {
    "GET /": "sends a browser to the dashboard",
    "GET /-/docs": "for a browser",
    "GET /-/openapi.json": "for a program",
    "GET /messenger/static/{name}": "for a browser",
    "GET /widget/{app_id}": "for a browser",
    "OPTIONS /messenger/{app_id}/deliveries": "for a browser",
    "POST /messenger/{app_id}/deliveries": "for a browser",
}


def test_every_route_has_an_example_that_is_run_and_answered(all_pages: AllPages) -> None:
    shown = [_route(*call) for call in all_pages.answered]
    without = {f"{route.method} {_plain(route)}" for route in ROUTES if route not in shown}
    assert without == WITHOUT_EXAMPLE.keys()


def _route(method: str, path: str, version: str) -> Route | None:
    """The route that answered. Paths without parameters come first, as in the router."""
    number = served(version, default=version, newer=True).number
    for route in sorted(ROUTES, key=lambda route: "{" in route.path):
        pattern = re.sub(r"\{\w+:path\}", ".+", re.sub(r"\{\w+\}", "[^/]+", route.path))
        there = route.unversioned or (number >= (route.first or number) and number <= (route.last or number))
        if route.method == method and there and re.fullmatch(pattern, path):
            return route
    return None


if __name__ == "__main__":
    for page in PAGES_WITH_TABLES:
        (DOCS / page).write_text(with_tables(page, (DOCS / page).read_text("utf-8")), "utf-8")
        print(f"wrote the tables of docs/{page}")
