"""What pages say of people, sorted."""

import pytest

from trackrecord.errors import DataInvalid
from trackrecord.rules.messenger import origin_of, second_of, told


def test_keys_of_the_session_are_no_attributes_and_unknown_values_are_none():
    said = told(
        {"app_id": "x", "hide_default_launcher": True, "user_hash": "h", "last_request_at": 1, "plan": "undefined", "beta": False, "n": 0}
    )
    assert said.attributes == {"beta": False, "n": 0}


def test_fields_have_the_names_of_api_1_x_and_claims_win():
    said = told({"name": "Said", "created_at": 5}, {"name": "Signed", "user_id": "u", "exp": 1, "role": "admin"})
    assert (said.fields, said.attributes) == ({"name": "Signed", "signed_up_at": 5}, {"role": "admin"})


def test_what_is_signed_wins_wherever_the_page_says_otherwise():
    said = told(
        {"plan": "x", "custom_attributes": {"plan": "evil"}, "companies": [{"id": "acme", "plan": "evil"}, {"id": "b"}]},
        {"plan": "pro", "company": {"id": "acme", "plan": "gold"}},
    )
    assert said.attributes == {"plan": "pro"}
    assert said.companies == [{"company_id": "b"}, {"company_id": "acme", "plan": "gold"}]


def test_company_and_companies_are_one_list():
    said = told({"company": {"id": 7, "name": "A", "created_at": 3, "tier": 1}, "companies": [{"company_id": "b"}, "c"]})
    assert said.companies == [
        {"name": "A", "company_id": 7, "remote_created_at": 3, "custom_attributes": {"tier": 1}},
        {"company_id": "b"},
    ]


@pytest.mark.parametrize(
    ("time", "at", "sent_at", "second"),
    [
        (1_000_500.0, None, None, (1000, True)),
        (None, 10.0, 30_010.0, (970, False)),
        (None, 30_010.0, 10.0, (1000, False)),  # a clock that went back
        (None, None, 30_010.0, (1000, False)),
        (2_000_000_000.0, 10.0, 30_010.0, (2_000_000, True)),  # ahead: the same at every try
        (-5.0, None, None, (1000, False)),
    ],
)
def test_when_an_event_happened(time, at, sent_at, second):
    assert second_of(time, at=at, sent_at=sent_at, now_ms=1_000_999) == second


@pytest.mark.parametrize(
    "text", ["", "example.com", "https://", "ftp://a", "https://a/b", "https://a b", "null", "https://a:123456", "https://a:99999"]
)
def test_what_is_no_origin(text):
    with pytest.raises(DataInvalid):
        origin_of(text)


@pytest.mark.parametrize(
    ("text", "origin"),
    [
        ("HTTP://Localhost:3000/", "http://localhost:3000"),
        ("https://a.example:443", "https://a.example"),
        ("http://a.example:80", "http://a.example"),
        ("http://a.example:443", "http://a.example:443"),
        ("http://[::1]:80", "http://[::1]"),
        ("http://my_host:8080", "http://my_host:8080"),
    ],
)
def test_origins_are_written_as_browsers_send_them(text, origin):
    assert origin_of(text) == origin


def test_no_key_of_the_session_is_ever_an_attribute():
    """Source: the contract, 8.3. The script sends most of them as they come."""
    keys = (
        "app_id api_base custom_launcher_selector alignment vertical_padding horizontal_padding z_index hide_default_launcher "
        "hide_notifications session_duration action_color background_color link_color theme_mode messenger_style_id page_title "
        "installation_type auth_tokens intercom_user_jwt user_hash"
    )
    assert told(dict.fromkeys(keys.split(), "x")) == ({}, {}, [])
