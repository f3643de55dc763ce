"""Settings: one row each, from flags, environment, file or default; a wrong one is named before anything is opened."""

import pytest

from trackrecord.errors import SettingInvalid
from trackrecord.rules.profiles import PROFILES, PROFILES_TABLE
from trackrecord.settings import SETTINGS, Settings, load


def test_every_setting_says_what_it_means():
    assert [row.name for row in SETTINGS] == list(Settings.__struct_fields__)
    assert [row.name for row in SETTINGS if not row.meaning] == []


def test_a_flag_counts_before_the_environment_before_the_file_before_the_default(tmp_path):
    (tmp_path / "settings.toml").write_text('port = 1\nhost = "file"\nprofile = "strict"\n')
    found = load({"data": str(tmp_path), "port": "3"}, {"TRACKRECORD_PORT": "2", "TRACKRECORD_HOST": "env", "PATH": "/bin"})
    assert (found.port, found.host, found.profile, found.dedup) == (3, "env", "strict", "strict")


@pytest.mark.parametrize(
    ("flags", "environ", "message"),
    [
        ({"port": "x"}, {}, "--port: port cannot be 'x': Expected `int`, got `str`"),
        ({"port": 70_000}, {}, "--port: port cannot be 70000: Expected `int` <= 65535"),
        ({"listing_days": "-3"}, {}, "--listing-days: listing_days cannot be '-3': Expected `int` >= 0"),
        ({}, {"TRACKRECORD_PROT": "1"}, "TRACKRECORD_PROT: there is no setting 'prot'; trackrecord settings lists them all"),
        ({"profile": "loose"}, {}, "profile must be one of lenient, strict, got 'loose'"),
        ({"public_url": "example.org"}, {}, "public_url must begin with http:// or https://, got 'example.org'"),
        ({"default_version": "9.9.9"}, {}, "default_version must be a version such as 2.14, got '9.9.9'"),
    ],
)
def test_a_setting_that_cannot_be_is_named_with_what_is_wrong(flags, environ, message):
    with pytest.raises(SettingInvalid) as caught:
        load(flags, environ)
    assert caught.value.message == message


@pytest.mark.parametrize("text", ["port = ", "colour = 1", "port = 'x'", "data = 'elsewhere'", "ephemeral = true"])
def test_a_settings_file_that_cannot_be_is_named(tmp_path, text):
    (tmp_path / "settings.toml").write_text(text)
    with pytest.raises(SettingInvalid, match=r"settings\.toml"):
        load({"data": str(tmp_path)}, {})


def test_the_profile_is_one_table_with_overrides():
    assert {name: [getattr(PROFILES[name], row[0]) for row in PROFILES_TABLE] for name in PROFILES} == {
        "lenient": [row[1] for row in PROFILES_TABLE],
        "strict": [row[2] for row in PROFILES_TABLE],
    }
    found = load({"profile": "strict", "listing_days": "0", "metadata_keys_max": 20}, {}).effective_profile()
    assert (found.name, found.listing_days, found.metadata_keys_max, found.event_names_max) == ("strict", 0, 20, 120)


def test_variables_that_kubernetes_sets_for_a_service_of_our_name_are_passed_over():
    set_by_it = {
        "TRACKRECORD_SERVICE_HOST": "10.0.0.1",
        "TRACKRECORD_SERVICE_PORT": "80",
        "TRACKRECORD_PORT": "tcp://10.0.0.1:80",
        "TRACKRECORD_PORT_80_TCP": "tcp://10.0.0.1:80",
    }
    assert load({}, set_by_it) == Settings()
