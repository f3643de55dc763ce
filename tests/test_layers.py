"""Imports point one way. The table is the house; change it here, with a reason, when the house changes."""

import ast
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parent.parent / "trackrecord"

# From the ground up. A part may import what stands in rows above its own, and itself; parts of one row leave each other alone.
LEVELS = (
    {"errors", "outcomes"},
    {"disk", "faults"},  # faults is reached from everything that writes
    {"sqlite"},
    {"rules", "datadir"},
    {"settings", "wire"},  # settings knows the profiles; the wire knows the rules
    {"journal", "stores", "directory", "requestlog", "background"},
    {"ingest", "consumers", "exports", "analysis"},
    {"many", "receipts"},  # takes many events the way ingest takes one; shows contacts the way exports does
    {"imports", "messenger", "live", "segments"},  # what browsers deliver is judged like what imports bring; the door is http's
    {"http"},
    {"dashboard"},  # its pages ask what http answers, in the process
    {"engines"},  # apart from server, because a consumer's process starts there and should not load a web server
    {"backup", "check"},
    {"server"},
    {"cli", "testing"},
    {"__main__"},
)
LEVEL_OF = {part: number for number, parts in enumerate(LEVELS) for part in parts}
PURE = {"rules", "wire"}
# All that a pure part may import: of ours what is pure too, of others what does no I/O and reads no clock.
PURE_MAY = {"trackrecord.errors", "trackrecord.outcomes", "trackrecord.rules", "trackrecord.wire"} | {
    "collections.abc", "csv", "dataclasses", "datetime", "functools", "hashlib", "io.StringIO", "math", "msgspec", "re", "typing",
    "urllib.parse",
}  # fmt: skip

FILES = sorted(PACKAGE.rglob("*.py"))


def part_of(path: Path) -> str:
    top = path.relative_to(PACKAGE).parts[0]
    return top.removesuffix(".py")


def imported(path: Path) -> set[str]:
    """Dotted names of everything a file imports, down to the name taken from a module; ours as trackrecord.…"""
    package = ["trackrecord", *path.relative_to(PACKAGE).parts[:-1]]
    found = set()
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            base = package[: len(package) - node.level + 1] if node.level else []
            module = ".".join([*base, *([node.module] if node.module else [])])
            found |= {f"{module}.{alias.name}" for alias in node.names}
    return found


def test_every_part_has_its_place():
    assert {part_of(path) for path in FILES} - {"__init__"} == set(LEVEL_OF)


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_imports_point_down(path):
    part = part_of(path)
    if part == "__init__":
        assert not {name for name in imported(path) if name.startswith("trackrecord")}
        return
    wrong = []
    for name in imported(path):
        if not name.startswith("trackrecord."):
            continue
        other = name.split(".")[1]
        if other in ("__version__", part):
            continue
        if LEVEL_OF[other] >= LEVEL_OF[part]:
            wrong.append(name)
    assert wrong == []


@pytest.mark.parametrize("path", [path for path in FILES if part_of(path) in PURE], ids=lambda path: str(path.relative_to(PACKAGE)))
def test_rules_and_wire_do_no_io_and_read_no_clock(path):
    assert [name for name in imported(path) if not any(f"{name}.".startswith(f"{may}.") for may in PURE_MAY)] == []


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_only_engines_name_an_engine(path):
    engines = {"trackrecord.stores.sqlite", "trackrecord.stores.memory"}
    if path.name != "engines.py" and part_of(path) != "stores":
        assert [name for name in imported(path) if any(f"{name}.".startswith(f"{engine}.") for engine in engines)] == []
