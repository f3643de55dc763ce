import sqlite3

import pytest

from trackrecord.directory import Directory


@pytest.fixture
def path(tmp_path):
    return tmp_path / "directory.db"


@pytest.fixture
def directory(path):
    opened = Directory.open(path)
    yield opened
    opened.close()


@pytest.fixture
def workspace(directory):
    """The number of a workspace."""
    return directory.workspaces.create("first", "First", now=10).number


@pytest.fixture
def other(directory, workspace):
    """The number of another."""
    return directory.workspaces.create("other", "Other", now=11).number


@pytest.fixture
def elsewhere(path, directory):
    """Run a statement as another process would: beside the open directory, through a connection of its own."""

    def run(statement, *values):
        db = sqlite3.connect(path)
        with db:
            rows = db.execute(statement, values).fetchall()
        db.close()
        return rows

    return run
