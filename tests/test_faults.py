"""Points at which a process can be made to kill itself: only by their exact names, and only where somebody asked for it."""

import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from torture.points import AT
from torture.server import environment
from trackrecord import faults, settings
from trackrecord.errors import SettingInvalid

PACKAGE = Path(faults.__file__).parent


def run(code: str, **environ: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", f"from trackrecord.faults import arm, reach; {code}"]
    return subprocess.run(command, env=environment(environ), capture_output=True, text=True, check=False)


def test_a_process_kills_itself_the_nth_time_it_gets_there() -> None:
    code = "arm(); [(reach('journal.after-commit'), reach('store.mid-fold'), print(n, flush=True)) for n in range(5)]"
    killed = run(code, TRACKRECORD_FAULT="journal.after-commit:3")
    assert (killed.returncode, killed.stdout) == (-signal.SIGKILL, "0\n1\n")
    assert "this process kills itself at journal.after-commit:3" in killed.stderr


def test_nothing_happens_without_the_variable_nor_where_nobody_armed() -> None:
    assert run("arm(); reach('journal.after-commit'); print('on')").stdout == "on\n"
    assert run("reach('journal.after-commit'); print('on')", TRACKRECORD_FAULT="journal.after-commit").stdout == "on\n"


@pytest.mark.parametrize(
    "value",
    ["", "1", "true", "journal", "Journal.after-commit", " journal.after-commit", "journal.after-commit:0", "journal.after-commit:x"],
)
def test_a_value_that_names_no_point_is_refused(value: str) -> None:
    with pytest.raises(
        SettingInvalid, match=r"^TRACKRECORD_FAULT makes this process kill itself, and must be one of journal\.before-commit"
    ):
        faults.arm({"TRACKRECORD_FAULT": value})


def test_what_kubernetes_sets_for_a_service_of_that_name_arms_nothing() -> None:
    faults.arm({"TRACKRECORD_FAULT_SERVICE_HOST": "10.0.0.1", "TRACKRECORD_SERVICE_PORT": "80"})
    assert run("arm(); print('on')", TRACKRECORD_FAULT_PORT="tcp://10.0.0.1:80").stdout == "on\n"


def test_a_server_does_not_start_with_a_fault_that_is_none(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "trackrecord", "serve", "--data", str(tmp_path / "data"), "--port", "0"]
    ended = subprocess.run(command, env=environment({"TRACKRECORD_FAULT": "x"}), capture_output=True, text=True, timeout=30, check=False)
    assert (ended.returncode, ended.stdout) == (2, "")
    assert ended.stderr.startswith("trackrecord: TRACKRECORD_FAULT makes this process kill itself")
    assert not (tmp_path / "data").exists()


def test_the_variable_is_no_setting() -> None:
    assert settings.load({}, {"TRACKRECORD_FAULT": "journal.after-commit"}) == settings.load({}, {})


def test_every_point_is_reached_in_one_place_and_has_its_round() -> None:
    reached = [name for path in sorted(PACKAGE.rglob("*.py")) for name in re.findall(r'\breach\("([^"]+)"\)', path.read_text("utf-8"))]
    assert sorted(reached) == sorted(faults.POINTS) == sorted(AT)
