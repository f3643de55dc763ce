"""python -m fuzz.one TARGET [libFuzzer's options and folders]: run one target under atheris, until it is told to end or finds something."""

import sys

import atheris

from .targets import TARGETS


def main() -> None:
    with atheris.instrument_imports(include=["trackrecord"]):
        run = TARGETS[sys.argv[1]].load()
    atheris.Setup([sys.argv[0], *sys.argv[2:]], run)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
