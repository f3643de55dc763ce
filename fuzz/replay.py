"""python -m fuzz.replay TARGET FILE ...: give saved inputs to a target, without atheris. What fails, fails with its traceback."""

import sys
from pathlib import Path

from .targets import TARGETS

if __name__ == "__main__":
    run = TARGETS[sys.argv[1]].load()
    for name in sys.argv[2:]:
        run(Path(name).read_bytes())
        print(f"{name}: nothing wrong")
