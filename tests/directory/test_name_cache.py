"""The cache of event names: what leads to a name leads to it for ever, and how it is shown is never an old answer."""

from collections.abc import Sequence

from trackrecord.directory import Directory
from trackrecord.directory.identity import NameCache
from trackrecord.rules.catalogue import Change
from trackrecord.rules.directory import EventName


def test_a_renamed_name_is_shown_anew_and_found_by_both_writings(directory: Directory, workspace: int):
    cache = NameCache(directory.names)
    made = cache.resolve(workspace, "old", "Old", now=10, limit=0)
    assert cache.by_numbers([made.number])[made.number].name == "Old"
    entry = directory.names.change(workspace, "old", Change(name=("New", "new")), now=20, limit=0)
    cache.changed(entry.name)
    assert cache.by_numbers([made.number])[made.number].name == "New"
    assert cache.cached(workspace, "old") == made.number
    assert [cache.resolve(workspace, folded, folded, now=30, limit=0).number for folded in ("old", "new")] == [made.number] * 2
    assert cache.cached(workspace, "new") == made.number


def test_a_name_that_changes_while_it_is_looked_up_is_not_kept_as_it_was(directory: Directory, workspace: int):
    made = directory.names.resolve(workspace, "old", "Old", now=10, limit=0)

    class ChangedMeanwhile:
        """The directory's names, of which one is renamed just after the first look at it."""

        def __init__(self) -> None:
            self.looks = 0

        def resolve(self, workspace: int, folded: str, name: str, *, now: int, limit: int) -> EventName:
            return directory.names.resolve(workspace, folded, name, now=now, limit=limit)

        def by_numbers(self, numbers: Sequence[int]) -> dict[int, EventName]:
            found = directory.names.by_numbers(numbers)
            self.looks += 1
            if self.looks == 1:
                cache.changed(directory.names.change(workspace, "old", Change(name=("New", "new")), now=20, limit=0).name)
            return found

    names = ChangedMeanwhile()
    cache = NameCache(names)
    assert cache.by_numbers([made.number])[made.number].name == "Old"
    assert cache.by_numbers([made.number])[made.number].name == "New"
    assert cache.by_numbers([made.number])[made.number].name == "New"
    assert names.looks == 2


def test_names_of_two_workspaces_are_two_names(directory: Directory, workspace: int, other: int):
    cache = NameCache(directory.names)
    ours, theirs = (cache.resolve(each, "same", "Same", now=1, limit=0) for each in (workspace, other))
    directory.names.change(other, "same", Change(name=("Theirs", "theirs")), now=2, limit=0)
    assert (cache.cached(workspace, "same"), cache.cached(other, "same")) == (ours.number, theirs.number)
    assert directory.names.find(workspace, ["same", "theirs"]).keys() == {"same"}
    assert directory.names.find(other, ["same", "theirs"]).keys() == {"same", "theirs"}
