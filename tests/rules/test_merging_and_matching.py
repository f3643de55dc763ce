import pytest
from msgspec.structs import replace

from trackrecord.errors import Conflict, InvalidMerge
from trackrecord.rules.contacts import Contact
from trackrecord.rules.matching import Named, meant
from trackrecord.rules.merging import Place, joined, left_behind, place, refuse

LEAD = Contact(number=1, id="1" * 24, workspace=1, role="lead", anonymous_id="a", created_at=5, updated_at=6)
USER = Contact(number=2, id="2" * 24, workspace=1, role="user", external_id="70", created_at=5, updated_at=6)
OTHER = replace(USER, number=3, id="3" * 24, external_id="71")


@pytest.mark.parametrize(
    ("lead", "user", "expected"),
    [
        ({"name": "Lead"}, {}, {"name": "Lead"}),
        ({"name": "Lead"}, {"name": "User"}, {"name": "User"}),
        ({"email": "a@b"}, {}, {"email": "a@b"}),
        ({"owner_id": 0}, {}, {"owner_id": 0}),
        ({"custom_attributes": {"a": 1, "b": 1}}, {"custom_attributes": {"b": 2}}, {"custom_attributes": {"a": 1, "b": 2}}),
        ({"unsubscribed_from_emails": True}, {}, {"unsubscribed_from_emails": True}),  # an opt-out is never lost
        ({}, {"unsubscribed_from_emails": True}, {}),
        ({"created_at": 1}, {}, {}),
    ],
)
def test_the_target_wins_and_its_gaps_are_filled(lead, user, expected):
    target = replace(USER, **user)
    assert joined(replace(LEAD, **lead), target, now=9, email_taken=False) == replace(target, **expected, updated_at=9)


def test_what_is_left_of_a_source_names_it_and_tells_nothing_of_the_person():
    lead = replace(
        LEAD, email="a@b", phone="1", name="x", avatar="x", owner_id=1, signed_up_at=1, last_seen_at=1, custom_attributes={"a": 1}
    )
    assert left_behind(lead, USER, now=9) == replace(LEAD, updated_at=9, merged_into=2)


@pytest.mark.parametrize(
    ("source", "target", "duplicates_only", "field"),
    [
        (LEAD, USER, False, None),
        (LEAD, LEAD, False, "into"),
        (USER, OTHER, False, "from"),
        (USER, LEAD, False, "from"),
        (LEAD, replace(LEAD, number=9), False, "into"),
        (replace(LEAD, role="visitor"), USER, False, "from"),
        (LEAD, USER, True, "skip_duplicate_validation"),
        (replace(LEAD, email="A@b"), replace(USER, email="a@B "), True, None),
        (replace(LEAD, phone="+1 (23)"), replace(USER, phone="+123"), True, None),
        (replace(LEAD, phone="-"), replace(USER, phone="+"), True, "skip_duplicate_validation"),
    ],
)
def test_a_lead_is_merged_into_a_user_and_nobody_else_into_anybody(source, target, duplicates_only, field):
    if field is None:
        refuse(source, target, duplicates_only=duplicates_only)
        return
    with pytest.raises(InvalidMerge) as caught:
        refuse(source, target, duplicates_only=duplicates_only)
    assert caught.value.field == field


def test_a_place_is_read_as_it_was_written():
    assert place(Place(1_671_028_894, "1" * 24).text) == Place(1_671_028_894, "1" * 24)


BOTH = Named(id=USER.id, external_id="70", email="a@b")


@pytest.mark.parametrize(
    ("named", "found", "expected"),
    [
        (BOTH, {}, None),
        (BOTH, {"id": [USER], "external_id": [USER], "email": [USER]}, USER),
        (BOTH, {"id": [USER]}, USER),
        (BOTH, {"email": [USER, OTHER]}, USER),  # the other has another external id: it only shares the address
        (BOTH, {"external_id": [USER], "email": [OTHER]}, USER),
        (BOTH, {"email": [OTHER]}, None),
        (BOTH._replace(external_id=None), {"email": [OTHER]}, OTHER),
        (BOTH, {"id": [USER], "external_id": [OTHER]}, "external_id"),
        (BOTH._replace(external_id=None), {"id": [USER], "email": [OTHER]}, "email"),
        (BOTH, {"external_id": [USER], "email": [replace(OTHER, external_id=None)]}, "email"),
        (BOTH._replace(external_id=None), {"email": [USER, OTHER]}, "email"),
    ],
)
def test_identifiers_mean_one_contact_or_none_or_are_told_apart(named, found, expected):
    if isinstance(expected, str):
        with pytest.raises(Conflict) as caught:
            meant(named, found)
        assert caught.value.field == expected
    else:
        assert meant(named, found) == expected
