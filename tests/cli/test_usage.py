"""Wrong command lines: one sentence that says what to do, on stderr, and no traceback."""

import os
import re
import subprocess
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path

import pytest

from trackrecord import __version__
from trackrecord.cli import run
from trackrecord.cli.app import COMMANDS

from .shell import COMMAND, Shell, environment

USAGE = [
    (["bogus"], "no such command 'bogus'. See trackrecord --help"),
    (["import", "contact"], "no such command 'contact'. Did you mean 'contacts'? See trackrecord import --help"),
    (["import", "contacts"], "missing argument 'FILE'. See trackrecord import contacts --help"),
    (["serve", "--set", "dedup"], "--set wants name=value, got 'dedup'; trackrecord settings lists the names"),
    (["serve", "--set", "colour=blue"], "--set colour: there is no such setting; trackrecord settings lists them all"),
    (["serve", "--token", "a b"], "--token must be 1 to 255 visible ASCII characters without blanks"),
    (["serve", "--profile", "odd"], "--profile must be lenient or strict, got 'odd'"),
    (
        ["import", "events", "x", "--url", "http://h", "--data", "d"],
        "give --url for a running server, or --data for a stopped one's directory, not both",
    ),
    (["import", "events", "x", "--url", "h:80"], "--url must begin with http:// or https://, got 'h:80'"),
    (["import", "events", "x", "--url", "http://h"], "a running server wants an access token: give it with --token or TRACKRECORD_TOKEN"),
    (["import", "events", "x", "--format", "xml"], "--format must be ndjson or csv, got 'xml'"),
    (["export", "events", "--format", "xml"], "--format must be ndjson or csv, got 'xml'"),
    (
        ["export", "events", "--since", "tomorrow"],
        "--since must be whole Unix seconds, such as 1671028894, got 'tomorrow', and ISO 8601 such as 2026-01-31T12:00:00Z is taken too",
    ),
]
NO_DATA = "there is no Trackrecord data in nowhere: name its directory with --data, or make one with trackrecord serve --data nowhere"
TROUBLE = [
    (["import", "events", "missing.ndjson"], "missing.ndjson: No such file or directory"),
    (["token", "create", "--data", "nowhere"], NO_DATA),
    (["export", "contacts", "--data", "nowhere"], NO_DATA),
    (["backup", "there", "--data", "nowhere"], NO_DATA),
    (["check", "--data", "nowhere"], NO_DATA),
    (["check", "--data", __file__], f"{__file__} is no directory: name one with --data"),
]


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty current directory, and nothing of ours in the environment."""
    monkeypatch.chdir(tmp_path)
    for name in [name for name in os.environ if name.startswith("TRACKRECORD_")]:
        monkeypatch.delenv(name)
    return tmp_path


@pytest.mark.parametrize(("arguments", "sentence"), USAGE, ids=lambda value: " ".join(value)[:40] if isinstance(value, list) else "")
def test_a_wrong_command_line_exits_with_2(arguments: list[str], sentence: str, here: Path, capsys: pytest.CaptureFixture[str]):
    assert (run(arguments), *capsys.readouterr()) == (2, "", f"trackrecord: {sentence}\n")
    assert list(here.iterdir()) == []


@pytest.mark.parametrize(("arguments", "sentence"), TROUBLE, ids=lambda value: " ".join(value)[:40] if isinstance(value, list) else "")
def test_what_cannot_be_done_exits_with_1(arguments: list[str], sentence: str, here: Path, capsys: pytest.CaptureFixture[str]):
    assert (run(arguments), *capsys.readouterr()) == (1, "", f"trackrecord: {sentence}\n")
    assert list(here.iterdir()) == []


def commands() -> Iterator[list[str]]:
    """Every command line that has a help of its own."""
    for noun in COMMANDS:
        yield [noun]
        told = import_module(f"trackrecord.cli.{COMMANDS[noun]}").app
        if len(told.registered_commands) > 1 or told.registered_callback:
            yield from ([noun, each.name or each.callback.__name__] for each in told.registered_commands)


@pytest.mark.parametrize("command", list(commands()), ids=" ".join)
def test_help_names_what_to_type_and_no_types_of_the_program(command: list[str], capsys: pytest.CaptureFixture[str]):
    assert run([*command, "--help"]) == 0
    told = capsys.readouterr().out
    assert told.startswith(f"Usage: trackrecord {' '.join(command)}")
    assert re.findall(r"<\w[\w ]*>", told) == []


@pytest.mark.parametrize("command", [[], ["events"]], ids=" ".join)
def test_a_command_that_wants_more_shows_its_help(command: list[str], capsys: pytest.CaptureFixture[str]):
    assert run(command) == 2
    said, help = capsys.readouterr().err, run([*command, "--help"])
    assert (said, help) == (capsys.readouterr().out, 0)


def test_version_loads_nothing_that_it_does_not_need():
    done = subprocess.run(
        [COMMAND[0], "-X", "importtime", *COMMAND[1:], "version"], env=environment(), capture_output=True, text=True, check=True
    )
    assert done.stdout.startswith(f"trackrecord {__version__} (Python ")
    loaded = {line.rpartition("|")[2].strip() for line in done.stderr.splitlines()}
    assert loaded & {"sqlalchemy", "rich", "httpx", "uvicorn", "starlette", "msgspec", "alembic", "jinja2", "asyncio"} == set()


def test_settings_tells_where_a_value_comes_from_and_never_a_secret(shell: Shell):
    (shell.cwd / "settings.toml").write_text("port = 9001\n")
    done = shell.run("settings", "--data", ".", "--json", env=environment(TRACKRECORD_PROFILE="strict", TRACKRECORD_TOKEN="a-secret"))
    told = {row["name"]: (row["value"], row["source"]) for row in done.json}
    assert {name: told[name] for name in ("data", "port", "profile", "token", "host")} == {
        "data": (".", "--data"),
        "port": (9001, "settings.toml"),
        "profile": ("strict", "TRACKRECORD_PROFILE"),
        "token": ("(set)", "TRACKRECORD_TOKEN"),
        "host": ("127.0.0.1", "default"),
    }
    assert "a-secret" not in done.out
