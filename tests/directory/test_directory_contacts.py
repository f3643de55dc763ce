import threading

import pytest
from msgspec.structs import replace

from trackrecord.errors import (
    Conflict,
    ContactMerged,
    ContactNotFound,
    DataInvalid,
    NotRestorable,
    ParameterInvalid,
    TrackrecordError,
    TypeMismatch,
)
from trackrecord.rules.attributes import Attribute
from trackrecord.rules.contacts import Changes, Contact, Draft
from trackrecord.rules.profiles import PROFILES

LENIENT, STRICT = PROFILES["lenient"], PROFILES["strict"]
ID = "6762f0cd1bb69f9f2193bb7c"


@pytest.fixture
def contacts(directory):
    return directory.contacts


def _exists(contact, archived=False):
    return f"A{'n archived' if archived else ''} contact matching those details already exists with id={contact.id}"


# --- Making ---


def test_a_new_contact_is_found_as_it_was_made(contacts, workspace):
    drafted = Draft(
        external_id="70",
        email="Joe@Bloggs.com",
        phone="+353871234567",
        name="Joe Bloggs",
        avatar="https://example.com/joe.png",
        owner_id=(1 << 63) - 1,
        signed_up_at=5,
        last_seen_at=(1 << 40) - 1,
        unsubscribed_from_emails=True,
        language_override="en",
        custom_attributes={"plan": "pro ✓", "seats": -(1 << 63), "spend": 155.5, "paid": True, "gone": None},
    )
    made = contacts.create(workspace, drafted, now=1671028894, profile=LENIENT)
    assert made == Contact(
        number=1,
        id=made.id,
        workspace=workspace,
        role="user",
        external_id="70",
        email="Joe@Bloggs.com",
        phone="+353871234567",
        name="Joe Bloggs",
        avatar="https://example.com/joe.png",
        owner_id=(1 << 63) - 1,
        signed_up_at=5,
        last_seen_at=(1 << 40) - 1,
        unsubscribed_from_emails=True,
        language_override="en",
        custom_attributes={"plan": "pro ✓", "seats": -(1 << 63), "spend": 155.5, "paid": True},
        created_at=1671028894,
        updated_at=1671028894,
    )
    assert [contacts.get(workspace, made.id), contacts.by_external_id(workspace, "70")] == [made, made]
    assert contacts.by_numbers(workspace, [1, 1, 2]) == {1: made}


def test_an_id_has_24_hex_digits_and_begins_with_the_time(contacts, workspace):
    made = [contacts.create(workspace, Draft(), now=1671028894, profile=LENIENT) for _ in range(3)]
    assert {(contact.id[:8], len(contact.id), contact.id.strip("0123456789abcdef")) for contact in made} == {("6399e09e", 24, "")}
    assert len({contact.id for contact in made}) == 3


def test_every_lead_has_an_anonymous_id_of_its_own(contacts, workspace):
    leads = [contacts.create(workspace, Draft(role="lead", email="joe@bloggs.com"), now=20, profile=LENIENT) for _ in range(2)]
    assert [contacts.find(workspace, "anonymous_id", lead.anonymous_id) for lead in leads] == [[1], [2]]


@pytest.mark.parametrize(
    ("there", "drafted", "profile", "clashes"),
    [
        (Draft(external_id="70"), Draft(external_id="70"), LENIENT, True),
        (Draft(external_id="70"), Draft(external_id="7O"), LENIENT, False),
        (Draft(external_id="ab"), Draft(external_id="AB"), LENIENT, False),
        (Draft(email="joe@bloggs.com"), Draft(email="JOE@bloggs.com"), LENIENT, True),
        (Draft(external_id="70", email="joe@bloggs.com"), Draft(email="joe@bloggs.com"), LENIENT, True),
        (Draft(email="joe@bloggs.com"), Draft(external_id="70", email="joe@bloggs.com"), LENIENT, False),
        (Draft(email="joe@bloggs.com"), Draft(external_id="70", email="joe@bloggs.com"), STRICT, True),
        (Draft(role="lead", email="joe@bloggs.com"), Draft(email="joe@bloggs.com"), STRICT, False),
        (Draft(email="joe@bloggs.com"), Draft(role="lead", email="joe@bloggs.com"), STRICT, False),
        (Draft(role="lead", anonymous_id="a1"), Draft(role="lead", anonymous_id="a1"), LENIENT, True),
        (Draft(id=ID), Draft(id=ID), LENIENT, True),
    ],
)
def test_who_counts_as_there_already(contacts, workspace, there, drafted, profile, clashes):
    first = contacts.create(workspace, there, now=20, profile=profile)
    outcome = contacts.create_many(workspace, [drafted], now=30, profile=profile)[0]
    assert isinstance(outcome, Conflict) == clashes
    if clashes:
        assert outcome.message == _exists(first)
    assert contacts.list(workspace, limit=10)[1] == (1 if clashes else 2)


def test_an_archived_contact_still_stands_in_the_way(contacts, workspace, elsewhere):
    made = contacts.create(workspace, Draft(external_id="70"), now=20, profile=LENIENT)
    elsewhere("UPDATE contacts SET archived_at = 25")
    with pytest.raises(Conflict) as caught:
        contacts.create(workspace, Draft(external_id="70"), now=30, profile=LENIENT)
    assert caught.value.message == _exists(made, archived=True)


def test_a_blocked_user_cannot_be_made_again(contacts, workspace, elsewhere):
    contacts.create(workspace, Draft(email="joe@bloggs.com"), now=20, profile=LENIENT)
    elsewhere("UPDATE contacts SET blocked_at = 25")
    with pytest.raises(NotRestorable):
        contacts.create(workspace, Draft(email="joe@bloggs.com"), now=30, profile=LENIENT)


def test_of_eight_who_make_the_same_user_at_once_one_succeeds(contacts, workspace):
    outcomes, start = [], threading.Barrier(8)

    def run():
        start.wait()
        outcomes.extend(contacts.create_many(workspace, [Draft(external_id="70")], now=20, profile=LENIENT))

    threads = [threading.Thread(target=run) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    made = [outcome for outcome in outcomes if isinstance(outcome, Contact)]
    refused = [outcome.message for outcome in outcomes if isinstance(outcome, Conflict)]
    assert (len(made), refused) == (1, [_exists(made[0])] * 7)
    assert contacts.list(workspace, limit=10) == (made, 1, None)


def test_many_contacts_each_have_an_outcome_of_their_own(contacts, workspace):
    there = contacts.create(workspace, Draft(external_id="70", custom_attributes={"seats": 1}), now=20, profile=LENIENT)
    drafts = [
        Draft(external_id="71", email="joe@bloggs.com"),
        Draft(external_id="70"),
        Draft(external_id="72", custom_attributes={"seats": "many", "fresh": 1}),
        Draft(external_id="71"),
        Draft(email="joe@bloggs.com"),
        Draft(role="lead", id=ID, anonymous_id="a1", created_at=5, updated_at=6),
        Draft(role="lead", id=ID),
    ]
    outcomes = contacts.create_many(workspace, drafts, now=30, profile=LENIENT)
    first, lead = outcomes[0], outcomes[5]
    assert first == Contact(
        number=2, id=first.id, workspace=workspace, role="user", external_id="71", email="joe@bloggs.com", created_at=30, updated_at=30
    )
    assert lead == Contact(number=3, id=ID, workspace=workspace, role="lead", anonymous_id="a1", created_at=5, updated_at=6)
    assert [(type(outcome), str(outcome)) for outcome in outcomes if isinstance(outcome, TrackrecordError)] == [
        (Conflict, _exists(there)),
        (TypeMismatch, "custom_attributes.seats must be a whole number, got a string"),
        (Conflict, _exists(first)),
        (Conflict, _exists(first)),
        (Conflict, _exists(lead)),
    ]
    assert contacts.by_numbers(workspace, range(9)) == {1: there, 2: first, 3: lead}


def test_an_import_in_thousands_and_its_repetition(contacts, workspace):
    drafts = [Draft(external_id=f"u{number}") for number in range(1200)]
    made = contacts.create_many(workspace, drafts, now=20, profile=LENIENT)
    assert [contact.number for contact in made] == list(range(1, 1201))
    assert contacts.find_many(workspace, "user_id", [f"u{number}" for number in range(1200)]) == {
        contact.external_id: [contact.number] for contact in made
    }
    again = contacts.create_many(workspace, drafts, now=30, profile=LENIENT)
    assert [outcome.message for outcome in again] == [_exists(contact) for contact in made]


def test_an_id_is_given_once_in_all_workspaces(contacts, workspace, other):
    contacts.create(workspace, Draft(id=ID), now=20, profile=LENIENT)
    with pytest.raises(Conflict):
        contacts.create(other, Draft(id=ID), now=20, profile=LENIENT)


# --- Custom attributes ---


def test_lenient_declares_an_attribute_by_its_first_use(directory, contacts, workspace):
    contacts.create(workspace, Draft(custom_attributes={"plan": "pro", "seats": 1, "nothing": None}), now=20, profile=LENIENT)
    assert directory.attributes.list(workspace) == [
        Attribute(id=1, workspace=workspace, model="contact", name="plan", data_type="string", declared=False, created_at=20),
        Attribute(id=2, workspace=workspace, model="contact", name="seats", data_type="integer", declared=False, created_at=20),
    ]


def test_a_type_that_was_guessed_widens_and_one_that_was_declared_does_not(directory, contacts, workspace):
    directory.attributes.create(workspace, model="contact", name="meant", data_type="integer", now=20)
    made = contacts.create(workspace, Draft(custom_attributes={"guessed": 1}), now=20, profile=LENIENT)
    contacts.update(workspace, made.id, Changes(custom_attributes={"guessed": 1.5}), now=30, profile=LENIENT)
    with pytest.raises(TypeMismatch):
        contacts.update(workspace, made.id, Changes(custom_attributes={"guessed": 2, "meant": 1.5}), now=30, profile=LENIENT)
    assert {each.name: each.data_type for each in directory.attributes.list(workspace)} == {"meant": "integer", "guessed": "float"}
    assert contacts.get(workspace, made.id).custom_attributes == {"guessed": 1.5}


def test_strict_knows_only_declared_attributes(directory, contacts, workspace):
    directory.attributes.create(workspace, model="contact", name="plan", data_type="string", now=20)
    made = contacts.create(workspace, Draft(custom_attributes={"plan": "pro"}), now=20, profile=STRICT)
    with pytest.raises(ParameterInvalid) as caught:
        contacts.update(workspace, made.id, Changes(custom_attributes={"plan": "x", "seats": 1}), now=30, profile=STRICT)
    assert (caught.value.message, caught.value.field) == ("Custom attribute 'seats' does not exist", "custom_attributes.seats")
    assert contacts.get(workspace, made.id) == made


def test_a_refused_contact_declares_nothing(directory, contacts, workspace):
    directory.attributes.create(workspace, model="contact", name="plan", data_type="string", now=20)
    with pytest.raises(TypeMismatch):
        contacts.create(workspace, Draft(custom_attributes={"fresh": 1, "plan": 1}), now=20, profile=LENIENT)
    assert [each.name for each in directory.attributes.list(workspace)] == ["plan"]


def test_a_date_is_kept_in_seconds_however_it_came(directory, contacts, workspace):
    directory.attributes.create(workspace, model="contact", name="renewed", data_type="date", now=20)
    made = contacts.create(workspace, Draft(custom_attributes={"renewed": "2022-12-14T14:41:34Z"}), now=20, profile=LENIENT)
    assert made.custom_attributes == {"renewed": 1671028894}


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"name": "plan"}, "You already have 'plan' in your people data. To save this as new people data, use a different name."),
        ({"data_type": "mithril"}, "Data Type isn't an option"),
        ({"model": "conversation"}, "The Data Attribute model field must be either contact or company"),
    ],
)
def test_an_attribute_that_cannot_be_declared(directory, workspace, changed, message):
    directory.attributes.create(workspace, model="contact", name="plan", data_type="string", now=20)
    with pytest.raises(ParameterInvalid) as caught:
        directory.attributes.create(workspace, **{"model": "contact", "name": "seats", "data_type": "integer", "now": 20, **changed})
    assert caught.value.message == message


def test_archived_attributes_are_listed_when_asked_for(directory, workspace, elsewhere):
    made = directory.attributes.create(workspace, model="contact", name="plan", data_type="string", now=20)
    elsewhere("UPDATE attributes SET archived = 1")
    assert directory.attributes.list(workspace) == []
    assert directory.attributes.list(workspace, include_archived=True) == [replace(made, archived=True)]
    assert directory.attributes.list(workspace, model="company", include_archived=True) == []


# --- Changing ---


def test_a_change_is_kept(contacts, workspace):
    made = contacts.create(workspace, Draft(external_id="70", email="joe@bloggs.com"), now=20, profile=LENIENT)
    after = contacts.update(workspace, made.id, Changes(external_id="71", email=None, name="Joe"), now=30, profile=LENIENT)
    assert after == replace(made, external_id="71", email=None, name="Joe", updated_at=30)
    assert contacts.get(workspace, made.id) == after
    assert [contacts.find(workspace, "user_id", id) for id in ("70", "71")] == [[], [made.number]]
    assert contacts.find(workspace, "email", "joe@bloggs.com") == []


def test_a_change_may_not_take_what_another_has(contacts, workspace):
    first = contacts.create(workspace, Draft(external_id="70"), now=20, profile=LENIENT)
    second = contacts.create(workspace, Draft(external_id="71"), now=20, profile=LENIENT)
    with pytest.raises(Conflict) as caught:
        contacts.update(workspace, second.id, Changes(external_id="70"), now=30, profile=LENIENT)
    assert caught.value.message == _exists(first)
    assert contacts.get(workspace, second.id) == second


@pytest.mark.parametrize(("profile", "clashes"), [(LENIENT, False), (STRICT, True)])
def test_an_address_may_be_taken_over_where_it_may_be_shared(contacts, workspace, profile, clashes):
    contacts.create(workspace, Draft(external_id="70", email="joe@bloggs.com"), now=20, profile=profile)
    second = contacts.create(workspace, Draft(external_id="71"), now=20, profile=profile)
    asked = Changes(email="JOE@bloggs.com")
    if clashes:
        with pytest.raises(Conflict):
            contacts.update(workspace, second.id, asked, now=30, profile=profile)
    else:
        contacts.update(workspace, second.id, asked, now=30, profile=profile)
    assert len(contacts.find(workspace, "email", "joe@bloggs.com")) == (1 if clashes else 2)


def test_who_shares_an_address_already_can_still_be_changed_otherwise(contacts, workspace):
    for id in ("70", "71"):
        made = contacts.create(workspace, Draft(external_id=id, email="joe@bloggs.com"), now=20, profile=LENIENT)
    assert contacts.update(workspace, made.id, Changes(name="Joe"), now=30, profile=STRICT).name == "Joe"


def test_a_lead_that_becomes_a_user_is_found_as_both(contacts, workspace):
    lead = contacts.create(workspace, Draft(role="lead"), now=20, profile=LENIENT)
    user = contacts.update(workspace, lead.id, Changes(role="user", external_id="70"), now=30, profile=LENIENT)
    assert (user.number, user.id) == (lead.number, lead.id)
    found = [("id", lead.id), ("anonymous_id", lead.anonymous_id), ("user_id", "70")]
    assert [contacts.find(workspace, kind, value) for kind, value in found] == [[lead.number]] * 3


def test_a_lead_that_becomes_a_user_may_not_take_a_users_address(contacts, workspace):
    contacts.create(workspace, Draft(email="joe@bloggs.com"), now=20, profile=LENIENT)
    lead = contacts.create(workspace, Draft(role="lead", email="joe@bloggs.com"), now=20, profile=LENIENT)
    with pytest.raises(Conflict):
        contacts.update(workspace, lead.id, Changes(role="user"), now=30, profile=LENIENT)


def test_a_user_does_not_become_a_lead(contacts, workspace):
    made = contacts.create(workspace, Draft(), now=20, profile=LENIENT)
    with pytest.raises(DataInvalid):
        contacts.update(workspace, made.id, Changes(role="lead"), now=30, profile=LENIENT)


# --- Deleting ---


def test_a_deleted_contact_is_gone_and_its_erasure_is_noted(contacts, workspace):
    made = contacts.create(workspace, Draft(external_id="70", email="joe@bloggs.com"), now=20, profile=LENIENT)
    assert contacts.delete(workspace, made.id, now=30) == [made]
    assert contacts.erasures() == [(made.number, workspace)]
    assert contacts.by_numbers(workspace, [made.number]) == {}
    with pytest.raises(ContactNotFound):
        contacts.get(workspace, made.id)
    with pytest.raises(ContactNotFound):
        contacts.delete(workspace, made.id, now=40)


def test_the_number_of_a_deleted_contact_is_never_given_again(contacts, workspace):
    numbers = []
    for _ in range(3):
        made = contacts.create(workspace, Draft(external_id="70"), now=20, profile=LENIENT)
        numbers.append(made.number)
        contacts.delete(workspace, made.id, now=30)
    assert numbers == [1, 2, 3]


@pytest.mark.parametrize("column", ["archived_at", "blocked_at"])
def test_a_hidden_contact_can_be_deleted(contacts, workspace, elsewhere, column):
    made = contacts.create(workspace, Draft(external_id="70"), now=20, profile=LENIENT)
    elsewhere(f"UPDATE contacts SET {column} = 25")
    contacts.delete(workspace, made.id, now=30)
    assert elsewhere("SELECT count(*) FROM contacts") == [(0,)]


def test_listeners_hear_of_every_change_after_it_is_kept(directory, contacts, workspace):
    heard = []

    def listen(before, after):
        number = (before or after).number
        heard.append((before, after, contacts.by_numbers(workspace, [number]).get(number)))

    contacts.on_change.append(listen)
    made = contacts.create(workspace, Draft(external_id="70"), now=20, profile=LENIENT)
    contacts.create_many(workspace, [Draft(external_id="70")], now=20, profile=LENIENT)
    after = contacts.update(workspace, made.id, Changes(name="Joe"), now=30, profile=LENIENT)
    contacts.update(workspace, made.id, Changes(name="Joe"), now=40, profile=LENIENT)
    contacts.delete(workspace, made.id, now=50)
    assert heard == [(None, made, made), (made, after, after), (after, None, None)]


# --- Finding ---


def test_an_address_finds_every_user_that_has_it_and_no_lead(contacts, workspace):
    users = [
        contacts.create(workspace, Draft(external_id=id, email=email), now=20, profile=LENIENT)
        for id, email in (("1", "Straße@X.de"), ("2", "STRASSE@x.de"))
    ]
    contacts.create(workspace, Draft(role="lead", email="straße@x.de"), now=20, profile=LENIENT)
    assert contacts.find(workspace, "email", " strasse@x.de") == [user.number for user in users]


def test_a_number_finds_only_by_the_kind_of_identifier_it_was_given_as(contacts, workspace):
    user = contacts.create(workspace, Draft(external_id="x"), now=20, profile=LENIENT)
    lead = contacts.create(workspace, Draft(role="lead", anonymous_id="y"), now=20, profile=LENIENT)
    asked = ("x", "X", "y", user.id, lead.id, "", "\x00", "' OR 1=1 --")
    found = {kind: contacts.find_many(workspace, kind, asked) for kind in ("user_id", "anonymous_id", "id", "email")}
    nobody: dict[str, list[int]] = {value: [] for value in asked}
    assert found == {
        "user_id": {**nobody, "x": [user.number]},
        "anonymous_id": {**nobody, "y": [lead.number]},
        "id": {**nobody, user.id: [user.number], lead.id: [lead.number]},
        "email": nobody,
    }
    assert found == {kind: {value: contacts.find(workspace, kind, value) for value in asked} for kind in found}


def test_many_spellings_of_one_address_each_find_it(contacts, workspace):
    contacts.create(workspace, Draft(email="joe@bloggs.com"), now=20, profile=LENIENT)
    assert contacts.find_many(workspace, "email", ["JOE@bloggs.com", "joe@bloggs.com"]) == {"JOE@bloggs.com": [1], "joe@bloggs.com": [1]}


@pytest.mark.parametrize("column", ["archived_at", "blocked_at"])
def test_a_hidden_contact_answers_to_nothing(contacts, workspace, elsewhere, column):
    made = contacts.create(workspace, Draft(external_id="70", anonymous_id="a1", email="joe@bloggs.com"), now=20, profile=LENIENT)
    elsewhere(f"UPDATE contacts SET {column} = 25")
    named = [("id", made.id), ("user_id", "70"), ("anonymous_id", "a1"), ("email", "joe@bloggs.com")]
    assert [contacts.find(workspace, kind, value) for kind, value in named] == [[]] * 4
    assert contacts.list(workspace, limit=10) == ([], 0, None)
    with pytest.raises(ContactNotFound):
        contacts.by_external_id(workspace, "70")
    with pytest.raises(ContactNotFound):
        contacts.update(workspace, made.id, Changes(name="Joe"), now=30, profile=LENIENT)
    assert not contacts.by_numbers(workspace, [1])[1].live  # whoever has its number may still see it


@pytest.mark.parametrize(("hops", "found"), [(1, True), (2, True), (3, True), (4, False)])
def test_the_id_of_a_merged_contact_leads_on_to_three_others_at_most(contacts, workspace, elsewhere, hops, found):
    made = [contacts.create(workspace, Draft(role="lead"), now=20, profile=LENIENT) for _ in range(5)]
    for number in range(1, hops + 1):
        elsewhere("UPDATE contacts SET merged_into = ? WHERE number = ?", number + 1, number)
    target = [hops + 1] if found else []
    assert contacts.find(workspace, "id", made[0].id) == target
    assert contacts.find_many(workspace, "id", [made[0].id]) == {made[0].id: target}
    assert contacts.find(workspace, "anonymous_id", made[0].anonymous_id) == target
    for ask in (lambda: contacts.get(workspace, made[0].id), lambda: contacts.delete(workspace, made[0].id, now=30)):
        with pytest.raises(ContactMerged if found else ContactNotFound) as caught:
            ask()
        assert getattr(caught.value, "location", None) == (f"/contacts/{made[hops].id}" if found else None)


@pytest.mark.parametrize("change", ["UPDATE contacts SET archived_at = 25 WHERE number = 2", "DELETE FROM contacts WHERE number = 2"])
def test_a_merge_into_somebody_who_is_gone_leads_nowhere(contacts, workspace, elsewhere, change):
    made = [contacts.create(workspace, Draft(role="lead"), now=20, profile=LENIENT) for _ in range(2)]
    elsewhere("UPDATE contacts SET merged_into = 2 WHERE number = 1")
    elsewhere(change)
    assert contacts.find(workspace, "id", made[0].id) == []


def test_no_method_shows_one_workspace_the_contacts_of_another(contacts, workspace, other):
    drafted = Draft(external_id="70", anonymous_id="a1", email="joe@bloggs.com")
    mine = contacts.create(workspace, drafted, now=20, profile=LENIENT)
    assert contacts.list(other, limit=10) == ([], 0, None)
    assert contacts.by_numbers(other, [mine.number]) == {}
    for kind, value in (("id", mine.id), ("user_id", "70"), ("anonymous_id", "a1"), ("email", "joe@bloggs.com")):
        assert contacts.find(other, kind, value) == []
        assert contacts.find_many(other, kind, [value]) == {value: []}
    for attempt in (
        lambda: contacts.get(other, mine.id),
        lambda: contacts.by_external_id(other, "70"),
        lambda: contacts.update(other, mine.id, Changes(name="Theirs"), now=30, profile=LENIENT),
        lambda: contacts.delete(other, mine.id, now=30),
    ):
        with pytest.raises(ContactNotFound):
            attempt()
    theirs = contacts.create(other, drafted, now=20, profile=LENIENT)  # nor does one stand in the other's way
    assert contacts.update(other, theirs.id, Changes(name="Theirs"), now=30, profile=LENIENT).name == "Theirs"
    assert contacts.get(workspace, mine.id) == mine


# --- Listing ---


def _pages(contacts, workspace, limit):
    after, pages = None, []
    while True:
        page, total, after = contacts.list(workspace, limit=limit, after=after)
        pages.append((page, total))
        if after is None:
            return pages


@pytest.mark.parametrize("limit", [1, 2, 5, 23, 24, 150])
def test_pages_show_every_contact_once_the_newest_first_ties_included(contacts, workspace, other, limit):
    drafts = [Draft(external_id=str(number), created_at=100 + number // 7) for number in range(24)]
    made = contacts.create_many(workspace, drafts, now=20, profile=LENIENT)
    contacts.create(other, Draft(), now=20, profile=LENIENT)
    pages = _pages(contacts, workspace, limit)
    shown = [contact for page, _ in pages for contact in page]
    assert shown == sorted(made, key=lambda contact: (contact.created_at, contact.id), reverse=True)
    assert [len(page) for page, _ in pages[:-1]] == [limit] * (len(pages) - 1)
    assert {total for _, total in pages} == {24}


def test_contacts_made_and_deleted_meanwhile_shift_no_other(contacts, workspace):
    made = contacts.create_many(workspace, [Draft(created_at=100 + number) for number in range(6)], now=20, profile=LENIENT)
    first, _, after = contacts.list(workspace, limit=3)
    contacts.create(workspace, Draft(), now=999, profile=LENIENT)
    contacts.delete(workspace, first[-1].id, now=999)
    second, total, _ = contacts.list(workspace, limit=3, after=after)
    assert (first + second, total) == (made[::-1], 6)


def test_a_cursor_is_made_of_characters_that_need_no_encoding(contacts, workspace):
    made = contacts.create_many(workspace, [Draft(), Draft()], now=20, profile=LENIENT)
    _, _, after = contacts.list(workspace, limit=1)
    assert after == f"2-20-{max(contact.id for contact in made)}"


def test_a_cursor_that_is_not_ours_is_refused(contacts, workspace):
    with pytest.raises(ParameterInvalid) as caught:
        contacts.list(workspace, limit=10, after="WzE2NzEwMjg4OTRd")
    assert caught.value.field == "starting_after"


def test_an_id_of_another_workspace_is_refused_without_a_word_about_it(directory, workspace, other):
    theirs = directory.contacts.create(other, Draft(external_id="70"), now=20, profile=LENIENT)
    directory.archiving.archive(other, theirs.id, now=21)
    with pytest.raises(Conflict) as caught:
        directory.contacts.create(workspace, Draft(id=theirs.id, external_id="71"), now=22, profile=LENIENT)
    assert (caught.value.message, caught.value.field) == ("this id cannot be used here; leave it out to get a new one", "id")
    ours = directory.contacts.create(workspace, Draft(external_id="70"), now=22, profile=LENIENT)
    with pytest.raises(Conflict) as caught:  # of what is ours more can be told
        directory.contacts.create(workspace, Draft(id=theirs.id, external_id="70"), now=22, profile=LENIENT)
    assert (caught.value.message, caught.value.field) == (_exists(ours), "external_id")
