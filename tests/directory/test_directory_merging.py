"""Merging, archiving and visitors where HTTP cannot show it: rows, look-ups, and who is told of what."""

import pytest

from trackrecord import exports
from trackrecord.directory.identity import IdentityCache
from trackrecord.errors import ContactNotFound, InvalidMerge
from trackrecord.rules.contacts import Draft
from trackrecord.rules.identity import Identifier
from trackrecord.rules.profiles import PROFILES
from trackrecord.rules.records import Event
from trackrecord.rules.visitors import Called, Conversion
from trackrecord.stores.base import Selection
from trackrecord.stores.memory import MemoryStore

LENIENT = PROFILES["lenient"]


@pytest.fixture
def make(directory, workspace):
    return lambda **fields: directory.contacts.create(workspace, Draft(**fields), now=20, profile=LENIENT)


@pytest.fixture
def merge(directory, workspace):
    return lambda source, target: directory.merging.merge(workspace, source.id, target.id, now=30, duplicates_only=False).target


def test_who_was_merged_into_the_source_is_merged_into_the_target(directory, workspace, make, merge):
    visitor, lead, user = make(role="visitor"), make(role="lead"), make(external_id="70")
    conversion = Conversion(Called(id=visitor.id), "lead", Called(id=lead.id))
    assert directory.visitors.convert(workspace, conversion, now=25, profile=LENIENT).merged == visitor
    assert directory.contacts.merges() == [(visitor.number, lead.number, workspace)]
    merge(lead, user)
    assert directory.contacts.merges() == [(visitor.number, user.number, workspace), (lead.number, user.number, workspace)]
    rows = directory.contacts.by_numbers(workspace, [visitor.number, lead.number])
    assert {row.merged_into for row in rows.values()} == {user.number}
    for kind in ("id", "anonymous_id"):
        assert [directory.contacts.find(workspace, kind, getattr(each, kind)) for each in (visitor, lead)] == [[user.number]] * 2


def test_a_deletion_gives_the_numbers_of_all_that_went(directory, workspace, other, make, merge):
    leads, user, bystander = [make(role="lead") for _ in range(3)], make(external_id="70"), make(role="lead")
    for lead in leads:
        merge(lead, user)
    with pytest.raises(ContactNotFound):
        directory.contacts.delete(other, user.id, now=40)
    numbers = [each.number for each in directory.contacts.delete(workspace, user.id, now=40)]
    assert numbers == [user.number, *(lead.number for lead in leads)]
    assert sorted(directory.contacts.erasures()) == sorted((number, workspace) for number in numbers)
    assert directory.contacts.merges() == []
    assert directory.contacts.by_numbers(workspace, [*numbers, bystander.number]) == {bystander.number: bystander}


def test_a_refused_merge_writes_nothing_and_tells_nobody(directory, workspace, make, merge, elsewhere):
    first, second = make(role="lead"), make(role="lead")
    before = elsewhere("SELECT * FROM contacts")
    told = []
    directory.contacts.on_change.append(lambda *change: told.append(change))
    with pytest.raises(InvalidMerge):
        merge(first, second)
    assert (elsewhere("SELECT * FROM contacts"), elsewhere("SELECT * FROM merges"), told) == (before, [], [])


def test_a_cache_leads_from_every_name_of_the_source_to_the_target_at_once(directory, workspace, make, merge):
    cache = IdentityCache(directory.contacts, entries=100, anonymous=True)
    lead, user = make(role="lead", anonymous_id="anonymous"), make(external_id="70")
    named = [(workspace, [Identifier("id", lead.id)]), (workspace, [Identifier("user_id", "anonymous")])]
    assert cache.resolve_many(named) == [lead.number] * 2
    merge(lead, user)
    assert cache.resolve_many(named) == [user.number] * 2
    assert cache.contact(*named[0]).id == user.id
    directory.archiving.archive(workspace, user.id, now=40)
    assert [type(found) for found in cache.resolve_many(named)] == [ContactNotFound] * 2
    directory.archiving.unarchive(workspace, user.id)
    assert cache.resolve_many(named) == [user.number] * 2


def test_who_is_merged_away_between_two_looks_is_shown_as_the_target(directory, workspace, make, merge):
    lead, user = make(role="lead"), make(external_id="70")

    class Between:
        """The directory's contacts, with a merge just after the lead was found."""

        on_change = directory.contacts.on_change
        find_many = directory.contacts.find_many

        def by_numbers(self, workspace, numbers):
            if directory.contacts.merges() == []:
                merge(lead, user)
            return directory.contacts.by_numbers(workspace, numbers)

    cache = IdentityCache(Between(), entries=100, anonymous=True)
    assert cache.contact(workspace, [Identifier("id", lead.id)]).id == user.id


def test_events_on_their_way_are_exported_as_the_targets(directory, workspace, make, merge):
    lead, user = make(role="lead"), make(external_id="70")
    name = directory.names.resolve(workspace, "done", "done", now=20, limit=0).number
    store = MemoryStore()
    store.append(1, [Event(workspace, lead.number, name, 15, 20_000)])
    merge(lead, user)  # and the journal is yet to hear of it
    (event,) = exports.events(directory, store, Selection(workspace))
    assert (event.intercom_user_id, event.user_id) == (user.id, "70")


@pytest.mark.parametrize("hidden", [False, True])
def test_events_of_who_is_hidden_are_exported_by_no_address_that_others_may_have(directory, workspace, make, hidden):
    user = make(external_id="70", email="shared@example.com")
    name = directory.names.resolve(workspace, "done", "done", now=20, limit=0).number
    store = MemoryStore()
    store.append(1, [Event(workspace, user.number, name, 15, 20_000)])
    if hidden:
        directory.archiving.archive(workspace, user.id, now=30)
    (event,) = exports.events(directory, store, Selection(workspace))
    assert (event.user_id, event.email) == ("70", None if hidden else "shared@example.com")
    assert list(exports.contacts(directory, workspace)) == ([] if hidden else [user])


def test_visitors_are_exported_after_the_others_and_of_their_workspace_alone(directory, workspace, other, make):
    visitor, lead = make(role="visitor"), make(role="lead")
    directory.contacts.create(other, Draft(role="visitor"), now=20, profile=LENIENT)
    assert list(exports.contacts(directory, workspace)) == [lead, visitor]
    assert list(exports.contacts(directory, workspace, since=21)) == []


def test_doing_it_again_changes_no_row(directory, workspace, make, elsewhere):
    contact = make(external_id="70")
    for act in (
        lambda now: directory.archiving.archive(workspace, contact.id, now=now),
        lambda now: directory.archiving.unarchive(workspace, contact.id),
        lambda now: directory.archiving.block(workspace, contact.id, now=now),
    ):
        act(30)
        once = elsewhere("SELECT * FROM contacts")
        act(40)
        assert elsewhere("SELECT * FROM contacts") == once
