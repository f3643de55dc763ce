"""What every test of the command may ask for."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from .loaded import Loaded
from .shell import Shell


@pytest.fixture(scope="session")
def loaded() -> Iterator[Loaded]:
    loaded = Loaded()
    yield loaded
    loaded.close()


@pytest.fixture
def shell(tmp_path: Path, loaded: Loaded) -> Shell:
    return Shell(tmp_path, loaded)
