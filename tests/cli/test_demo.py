"""`make demo`: what it says of its data, and how it ends when it is interrupted."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from .shell import DEADLINE_S

DEMO = Path(__file__).parents[2] / "examples" / "demo.py"


@pytest.mark.parametrize("after", ["Data: ", "Serving on ", "$ trackrecord import contacts "])
def test_an_interrupted_demo_says_which_data_it_took_and_ends_in_one_line(after: str):
    demo = subprocess.Popen(
        [sys.executable, "-u", DEMO], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, start_new_session=True
    )
    assert demo.stdout is not None
    said = ""
    while after not in said:
        line = demo.stdout.readline()
        assert line, said
        said += line
    os.killpg(demo.pid, signal.SIGINT)  # as a terminal does
    said += demo.communicate(timeout=DEADLINE_S)[0]
    assert (demo.returncode, "Traceback" in said) == (130, False)
    assert said.startswith("Data: ")
    assert said.endswith("\n\nInterrupted; nothing is left of the record.\n")
