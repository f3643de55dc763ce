"""The script for pages: its own tests run by Node over the script as it is built, and its types over those that pages install."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

SNIPPET = Path(__file__).resolve().parents[2] / "snippet"
needs_npm = pytest.mark.skipif(shutil.which("npm") is None, reason="npm is not here")
needs_packages = pytest.mark.skipif(
    not (SNIPPET / "node_modules" / "typescript").exists(), reason="the script's packages are not here: make node-clients"
)
pytestmark = [needs_npm, needs_packages]


def run(*command: str, **environment: str) -> None:
    done = subprocess.run(command, cwd=SNIPPET, env={**os.environ, **environment}, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_script_is_small_enough_and_does_what_its_tests_say(tmp_path):
    widget = str(tmp_path / "widget.js")
    run("node", "build.mjs", widget)
    run("node", "--test", *sorted(str(path) for path in (SNIPPET / "test").glob("*.test.mjs")), WIDGET=widget)


def test_the_script_satisfies_the_types_that_pages_install():
    run("npm", "run", "--silent", "types")
