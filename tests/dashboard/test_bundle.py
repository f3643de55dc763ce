"""What pages load: small enough, and of sound types."""

import shutil
import subprocess
from pathlib import Path

import pytest

DASHBOARD = Path(__file__).resolve().parents[2] / "dashboard"
pytestmark = [
    pytest.mark.skipif(shutil.which("npm") is None, reason="npm is not here"),
    pytest.mark.skipif(
        not (DASHBOARD / "node_modules" / "typescript").exists(), reason="the dashboard's packages are not here: make node-clients"
    ),
]


def run(*command: str) -> None:
    done = subprocess.run(command, cwd=DASHBOARD, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_script_style_and_icons_are_small_enough(tmp_path: Path) -> None:
    run("node", "build.mjs", str(tmp_path))
    assert {path.name for path in tmp_path.iterdir()} == {"app.js", "app.css", "icons.svg", "icon.svg"}


def test_the_script_is_of_sound_types() -> None:
    run("npm", "run", "--silent", "types")
