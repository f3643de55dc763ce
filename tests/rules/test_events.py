"""Which events we take. Source: the contract, 2.1."""

import pytest

from trackrecord.errors import DataInvalid, ParameterInvalid, ParameterNotFound, TypeMismatch
from trackrecord.rules.events import Accepted, accept, clean_name, when
from trackrecord.rules.metadata import Kept
from trackrecord.rules.profiles import PROFILES

NOW = 1_700_000_000
LENIENT, STRICT = PROFILES["lenient"], PROFILES["strict"]


@pytest.mark.parametrize(
    ("sent", "name", "folded"),
    [
        ("Completed-Order", "Completed-Order", "completed-order"),
        ("a.b$c", "a-b-c", "a-b-c"),
        (" padded ", " padded ", " padded "),
        ("STRASSE", "STRASSE", "strasse"),
        ("straße", "straße", "strasse"),
        ("订单", "订单", "订单"),
        ("x" * 255, "x" * 255, "x" * 255),
    ],
)
def test_a_name_is_kept_as_sent_and_told_apart_without_case(sent, name, folded):
    assert clean_name(sent) == (name, folded)


@pytest.mark.parametrize(
    ("sent", "error"),
    [(None, ParameterNotFound), ("", ParameterNotFound), ("x" * 256, DataInvalid), ("a\x00b", ParameterInvalid)],
)
def test_a_name_that_cannot_be_is_refused_by_field(sent, error):
    with pytest.raises(error) as caught:
        clean_name(sent)
    assert caught.value.field == "event_name"


@pytest.mark.parametrize(
    ("sent", "profile", "seconds"),
    [
        (1671028894, STRICT, 1671028894),
        (1671028894.9, STRICT, 1671028894),
        ("1671028894", STRICT, 1671028894),
        (0, STRICT, 0),
        (NOW + 86_400, STRICT, NOW + 86_400),
        (1671028894123, LENIENT, 1671028894),
        ("1671028894123", LENIENT, 1671028894),
        ("2022-12-14T14:41:34Z", LENIENT, 1671028894),
        ("2022-12-14T15:41:34.900+01:00", LENIENT, 1671028894),
        ("2022-12-14", LENIENT, 1670976000),
        (None, LENIENT, NOW),
        ("", LENIENT, NOW),
    ],
)
def test_a_moment_is_read_as_whole_seconds(sent, profile, seconds):
    assert when(sent, now=NOW, profile=profile) == seconds


@pytest.mark.parametrize(
    ("sent", "profile", "error"),
    [
        (None, STRICT, ParameterNotFound),
        (1671028894123, STRICT, DataInvalid),
        ("2022-12-14T14:41:34Z", STRICT, TypeMismatch),
        ("tomorrow", LENIENT, TypeMismatch),
        ("9" * 40, LENIENT, TypeMismatch),
        ("9999-99-99", LENIENT, TypeMismatch),
        (-1, LENIENT, DataInvalid),
        (-(10**40), LENIENT, DataInvalid),
        (10**40, LENIENT, DataInvalid),
        (1e300, LENIENT, DataInvalid),
        (NOW + 86_401, LENIENT, DataInvalid),
        ("1969-12-31T23:59:59Z", LENIENT, DataInvalid),
        ("9999-12-31T23:59:59-23:59", LENIENT, DataInvalid),
        ("0001-01-01T00:00:00+14:00", LENIENT, DataInvalid),
    ],
)
def test_a_moment_that_cannot_be_is_refused_by_field(sent, profile, error):
    with pytest.raises(error) as caught:
        when(sent, now=NOW, profile=profile)
    assert caught.value.field == "created_at"


@pytest.mark.parametrize("metadata", [None, {}, [], ""])
def test_no_metadata_is_no_metadata_in_whatever_form(metadata):
    assert accept("a", 1, metadata, now=NOW, profile=LENIENT) == Accepted("a", "a", 1, None)


@pytest.mark.parametrize("metadata", [[1], "x", 0, 1, False, True])
def test_metadata_that_is_no_object_is_refused(metadata):
    with pytest.raises(TypeMismatch, match="metadata must be an object"):
        accept("a", 1, metadata, now=NOW, profile=LENIENT)


def test_an_accepted_event_is_one_whole_value():
    assert accept("A.b", "5", {"n": 1}, now=NOW, profile=STRICT) == Accepted("A-b", "a-b", 5, Kept({"n": 1}, "n", []))
