"""Whose event it is, what it is called outside, and which version a request is served under."""

import uuid

import pytest

from trackrecord.errors import Conflict, ParameterNotFound, VersionInvalid
from trackrecord.rules.identity import Identifier, event_id, for_submit, only
from trackrecord.rules.versions import available, served


def tried(**sent):
    first_decides = sent.pop("first_decides", False)
    return for_submit(**{"id": None, "intercom_user_id": None, "user_id": None, "email": None, **sent}, first_decides=first_decides)


def test_identifiers_are_tried_id_first_then_user_id_then_email():
    assert tried(email="a@b", user_id=25, id="x", intercom_user_id="y") == [
        Identifier("id", "x"),
        Identifier("id", "y", "intercom_user_id"),
        Identifier("user_id", "25"),
        Identifier("email", "a@b"),
    ]


def test_strict_tries_the_first_present_identifier_alone():
    assert tried(email="a@b", user_id="25", first_decides=True) == [Identifier("user_id", "25")]


@pytest.mark.parametrize("sent", [{}, {"id": ""}, {"email": "", "user_id": None}])
def test_an_event_of_nobody_is_refused(sent):
    with pytest.raises(ParameterNotFound, match="must say whose it is"):
        tried(**sent)


def test_an_identifier_that_names_several_is_a_conflict():
    assert (only([]), only([7])) == (None, 7)
    with pytest.raises(Conflict, match="Multiple existing users match this email address - must be more specific using user_id"):
        only([7, 8])


def test_an_event_has_the_same_uuid_for_ever_and_another_on_another_server():
    ids = [event_id(b"a" * 16, 1), event_id(b"a" * 16, 2), event_id(b"b" * 16, 1)]
    assert event_id(b"a" * 16, 1) == ids[0] == str(uuid.UUID(ids[0]))
    assert len(set(ids)) == 3
    assert {uuid.UUID(each).version for each in ids} == {8}


@pytest.mark.parametrize(
    ("asked", "text"),
    [
        (None, "2.14"),
        ("", "2.14"),
        (" 2.7 ", "2.7"),
        ("1.4", "1.4"),
        ("2.16", "2.16"),
        ("2.17", "2.16"),
        ("3.0", "2.16"),
        ("Unstable", "Unstable"),
        ("preview", "Preview"),
    ],
)
def test_a_version_is_served_by_its_name(asked, text):
    assert served(asked, default="2.14", newer=True).text == text


@pytest.mark.parametrize("asked", ["latest", "2", "2.x", "0.9", "1.5", "-1.2", "2.14.1", "٢.٧"])
def test_a_version_nobody_knows_is_refused(asked):
    with pytest.raises(VersionInvalid, match="The requested version could not be found"):
        served(asked, default="2.14", newer=True)


def test_strict_does_not_know_newer_versions():
    with pytest.raises(VersionInvalid):
        served("2.17", default="2.14", newer=False)


@pytest.mark.parametrize(("asked", "offered"), [("1.4", False), ("2.0", True), ("2.16", True), ("Preview", True), ("Unstable", True)])
def test_a_resource_is_absent_from_versions_before_it(asked, offered):
    version = served(asked, default="2.14", newer=True)
    if offered:
        available(version, first=(2, 0))
    else:
        with pytest.raises(VersionInvalid, match="Requested resource is not available in current API version"):
            available(version, first=(2, 0))
