"""What the rules choose from: few identifiers, names and seconds, so that they meet; and metadata of every kind."""

from typing import Any

from hypothesis import strategies as st

EXTERNAL_IDS = ("1", "a", "A", "team/7 é")
EMAILS = ("ann@example.com", "Ann@example.com", "bob+x@example.com", "zoe@example.com")
EVENT_NAMES = ("signed-up", "Signed-Up", "signed.up", "paid", "Straße", "STRASSE", "$ 5%/é")
PER_PAGE = (1, 2, 3, 150)
IDENTIFIERS = ("id", "id", "id", "user_id", "user_id", "email", "intercom_user_id", "wrong id", "wrong user_id", "wrong email")

external_ids = st.sampled_from(EXTERNAL_IDS)
emails = st.sampled_from(EMAILS)
event_names = st.sampled_from(EVENT_NAMES)
new_names = st.sampled_from((*EVENT_NAMES, "bought", "Left.Room", "Left-Room", "$"))  # more than are sent, so that some are free
per_page = st.sampled_from(PER_PAGE)
either = st.booleans()
mostly = st.sampled_from([True, True, False])
named_by = st.lists(st.sampled_from(IDENTIFIERS), min_size=1, max_size=3)
phones = st.sampled_from(["+353 87 1", "+353871", "555"])
texts = st.sampled_from(["Ann", "ann b.", "Zoë", "%_*\\"])

attributes = st.fixed_dictionaries(
    {},
    optional={
        "plan": st.sampled_from(["pro", "Free", None]),
        "seats": st.sampled_from([0, 3, -1, None]),
        "paying": st.sampled_from([True, False, None]),
    },
)
PLAIN_FIELDS = {"phone": phones, "name": texts, "custom_attributes": attributes}
new_users = st.fixed_dictionaries({}, optional={"external_id": external_ids, "email": emails, "role": st.just("user"), **PLAIN_FIELDS})
new_leads = st.fixed_dictionaries({"role": st.just("lead")}, optional={"email": emails, **PLAIN_FIELDS})
changes = st.fixed_dictionaries(
    {},
    optional={
        "external_id": external_ids | st.none(),
        "email": emails | st.none(),
        "role": st.sampled_from(["user", "lead"]),
        "phone": phones | st.none(),
        "name": texts | st.none(),
        "custom_attributes": attributes,
    },
)
saved = st.fixed_dictionaries({}, optional={"user_id": external_ids, "email": emails, **PLAIN_FIELDS})
old_leads = st.fixed_dictionaries({}, optional={"email": emails, **PLAIN_FIELDS})
tag_names = st.sampled_from(["VIP", "vip", "beta"])

# The same second in several forms, seconds that are neighbours, both ends of a day, and None for the moment of arrival.
seconds = st.sampled_from(
    [100, 100, 100, "100", 100.9, 101, 0, 86_399, 86_400, 1_600_000_000, 1_600_000_000_123, "2020-09-13T12:26:40Z", 1_600_000_001, None]
)
keys = st.sampled_from(["n", "N", "plan", "a.b", "a-b", "shipped_date", "stripe_charge", "price", "link", "é\U0001f600", ""])
odd: st.SearchStrategy[Any] = st.sampled_from(
    [
        None,
        True,
        False,
        0,
        1,
        1.0,
        -3.67,
        1999.9999999999998,
        2**53 + 1,
        -(2**63),
        "",
        "pro",
        "Pro",
        "1",
        'é\U0001f600\x01"\\',
        "https://example.org/a.html",
        "http://example.org/a.PNG".lower(),
        {"url": "https://example.org/1", "value": "3434"},
        {"amount": 34999, "currency": "eur"},
        {"amount": 0.5, "currency": "USD", "more": None},
        [],
        {},
        [1, [2, {"a": None}]],
        {"a": {"b": "c"}},
    ]
)
few_keys = st.dictionaries(keys, odd, max_size=4)
many_keys = st.integers(9, 13).map(lambda size: {f"k{number}": None if number % 5 == 4 else number for number in range(size)})
metadata = st.one_of(few_keys, few_keys, few_keys, many_keys, st.sampled_from([[], "", None]))


def event_of(name: str, when: Any, absent: bool, data: Any) -> dict[str, Any]:
    """An event but for whose it is. Without a moment it says null, or nothing; without metadata nothing."""
    event = {"event_name": name, "created_at": when, "metadata": data}
    return {key: value for key, value in event.items() if not (absent and value in (None, {}))}


events = st.builds(event_of, event_names, seconds, st.booleans(), metadata)
moments = st.sampled_from([None, 50, 100, 1_700_000_000])


def baseline_of(name: str, count: int, first: int | None, last: int | None) -> dict[str, Any]:
    ordered = sorted((first, last)) if first is not None and last is not None else (first, last)
    row = {"event_name": name, "count": count, "first": ordered[0], "last": ordered[1]}
    return {key: value for key, value in row.items() if value is not None}


baselines = st.builds(baseline_of, event_names, st.integers(0, 40), moments, moments)
