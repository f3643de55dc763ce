"""Which metadata an event keeps. Source: API reference, "Metadata Object"; the contract, 2.1."""

import pytest

from trackrecord.errors import DataInvalid, TypeMismatch
from trackrecord.rules.metadata import KINDS, NESTING_MAX, Kept, keep, kind_of


@pytest.mark.parametrize(
    ("key", "value", "kind"),
    [
        ("source", "desktop", "string"),
        ("source", "", "string"),
        ("load", 3.67, "number"),
        ("load", 0, "number"),
        ("status", True, "boolean"),
        ("contact_date", 1392036272, "date"),
        ("contact_date", 1392036272.5, "date"),
        ("contact_date", "tomorrow", "string"),  # the suffix alone does not make a date
        ("contact_date", True, "boolean"),
        ("article", "https://example.org/a.html", "link"),
        ("article", "http://example.org", "link"),
        ("article", "ftp://example.org", "string"),
        ("photo", "https://example.org/a.PNG?size=2", "image"),
        ("photo", "https://example.org/a.png#top", "image"),
        ("photo", "https://example.org/a.png?b\nc", "image"),
        ("order_number", {"value": "3434-3434", "url": "https://example.org/orders/3434-3434"}, "rich_link"),
        ("order_number", {"value": 1, "url": "https://example.org", "more": 1}, "rich_link"),
        ("price", {"amount": 34999, "currency": "eur"}, "money"),
        ("price", {"amount": 1999.9999999999998, "currency": "USD"}, "money"),
        ("price", {"amount": "34999", "currency": "eur"}, "nested"),
        ("price", {"amount": True, "currency": "eur"}, "nested"),
        ("stripe_invoice", "inv_3434343434", "stripe"),
        ("stripe_other", "inv_3434343434", "string"),
        ("basket", {"b": 1}, "nested"),
        ("basket", [1, 2], "nested"),
    ],
)
def test_a_metadata_value_has_one_kind(key, value, kind):
    assert kind_of(key, value) == kind


def test_what_json_cannot_carry_has_no_kind():
    with pytest.raises(TypeMismatch) as caught:
        kind_of("a", object())
    assert caught.value.field == "metadata.a"


def test_kinds_are_recorded_a_letter_a_key_in_the_order_sent():
    kept = keep({"z": "s", "a_date": 1, "m": {"amount": 1, "currency": "eur"}, "b": False}, limit=10, nested=True)
    assert [KINDS[letter] for letter in kept.kinds] == ["string", "date", "money", "boolean"]
    assert list(kept.values) == ["z", "a_date", "m", "b"]


def test_the_first_ten_keys_are_kept_and_the_rest_is_named():
    sent = {f"k{number}": number for number in range(13)}
    assert keep(sent, limit=10, nested=True) == Kept(
        {f"k{number}": number for number in range(10)},
        "n" * 10,
        [("k10", "past_limit"), ("k11", "past_limit"), ("k12", "past_limit")],
    )


def test_no_limit_keeps_every_key():
    assert len(keep({f"k{number}": number for number in range(300)}, limit=0, nested=True).values) == 300


def test_null_is_dropped_and_counts_as_a_key():
    sent = {"gone": None, **{f"k{number}": number for number in range(10)}}
    kept = keep(sent, limit=10, nested=True)
    assert list(kept.values) == [f"k{number}" for number in range(9)]
    assert kept.dropped == [("gone", "null_value"), ("k9", "past_limit")]


@pytest.mark.parametrize("sent", ["a.b", "a$b", "a`b", "a'b", 'a"b', "a|b", "a\\b", "a\x00b", "a{b", "a~b", "a#b"])
def test_a_character_a_key_cannot_have_becomes_a_dash(sent):
    assert keep({sent: 1}, limit=10, nested=True).values == {"a-b": 1}


def test_keys_that_differ_in_case_are_one_with_the_last_value_at_the_first_place():
    assert keep({"Price": 1, "x": 2, "price": 3}, limit=10, nested=True) == Kept({"Price": 3, "x": 2}, "nn", [("Price", "same_key")])


def test_a_later_spelling_of_a_key_that_was_null_stands_at_the_first_place_too():
    kept = keep({"Price": None, "x": "2", "price": 3}, limit=10, nested=True)
    assert (list(kept.values.items()), kept.kinds, kept.dropped) == ([("Price", 3), ("x", "2")], "ns", [("Price", "null_value")])


def test_a_later_spelling_of_a_kept_key_is_kept_past_the_limit():
    sent = {"a": 1, "b": 2, "c": 3, "A": 4}
    assert keep(sent, limit=2, nested=True) == Kept({"a": 4, "b": 2}, "nn", [("c", "past_limit"), ("a", "same_key")])


@pytest.mark.parametrize(
    ("sent", "values", "dropped"),
    [
        ({"A.b": 1, "a-b": 2}, {"A-b": 2}, [("A.b", "same_key")]),
        ({"a-b": 1, "a.b": 2}, {"a-b": 2}, [("a-b", "same_key")]),
        ({"a.b": 1, "a$b": 2, "A~b": 3}, {"a-b": 3}, [("a.b", "same_key"), ("a$b", "same_key")]),
        ({"a": None, "b": 1}, {"b": 1}, [("a", "null_value")]),
        ({"a.b": 1, "a$b": None}, {}, [("a.b", "same_key"), ("a$b", "null_value")]),
        ({"a.b": None, "a$b": 1}, {"a-b": 1}, [("a.b", "null_value")]),
        ({"a.b": None, "a$b": 1, "A-B": 2}, {"a-b": 2}, [("a.b", "null_value"), ("a$b", "same_key")]),
        ({"a.b": None, "a-b": 1, "A-B": 2}, {"a-b": 2}, [("a.b", "null_value"), ("a-b", "same_key")]),
        ({"-": 1, ".": 2}, {"-": 2}, [("-", "same_key")]),
        ({"a.b": 1, "c.d": 2}, {"a-b": 1, "c-d": 2}, []),
    ],
)
def test_of_keys_that_are_one_the_values_that_do_not_stand_are_named_as_they_were_sent(sent, values, dropped):
    kept = keep(sent, limit=10, nested=True)
    assert (kept.values, kept.dropped) == (values, dropped)


def test_nested_values_are_refused_by_field_where_the_profile_says_so():
    with pytest.raises(DataInvalid) as caught:
        keep({"fine": 1, "basket": [1]}, limit=10, nested=False)
    assert (caught.value.field, caught.value.message) == (
        "metadata.basket",
        "metadata.basket must be a string, number, boolean, rich link or amount",
    )


def test_rich_links_and_amounts_are_no_nested_values():
    sent = {"link": {"url": "https://example.org", "value": "x"}, "price": {"amount": 1, "currency": "eur"}}
    assert keep(sent, limit=10, nested=False).values == sent


def test_a_value_may_nest_so_deep_and_no_deeper():
    def nest(levels):
        value = 1
        for _ in range(levels):
            value = [value]
        return value

    assert keep({"a": nest(NESTING_MAX)}, limit=10, nested=True).kinds == "x"
    with pytest.raises(DataInvalid, match="nests deeper than 16 levels"):
        keep({"a": nest(NESTING_MAX + 1)}, limit=10, nested=True)


def test_the_names_of_very_many_dropped_keys_are_bounded():
    dropped = keep({f"k{number}": 1 for number in range(1000)}, limit=10, nested=True).dropped
    assert (len(dropped), dropped[-1]) == (101, ("and 890 more", "past_limit"))
    marks = [f"{first}{second}" for first in ".$~`!@#%^&*" for second in ".$~`!@#%^&*"]
    sent = {**{f"a{mark}": 1 for mark in marks}, "b": 1, "c": 1}
    dropped = keep(sent, limit=1, nested=True).dropped
    assert (len(dropped), dropped[100:]) == (102, [("and 20 more", "same_key"), ("and 2 more", "past_limit")])


def test_a_link_as_long_as_a_body_is_looked_at_once():
    # 200,000 times what may end the name of an image, and no end of the line: it took an hour, and the server stood still.
    assert keep({"a": "https://" + ".png!" * 200_000 + "\n\n!"}, limit=10, nested=True).kinds == "l"
    assert keep({"a": "https://" + ".png?" * 200_000 + "\n\n!"}, limit=10, nested=True).kinds == "i"
