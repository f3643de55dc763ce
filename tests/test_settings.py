"""Settings: one row each, from flags, environment, file or default; a wrong one is named before anything is opened."""

import pytest

from trackrecord.errors import SettingInvalid
from trackrecord.rules.profiles import PROFILES, PROFILES_TABLE
from trackrecord.settings import NO, SETTINGS, YES, Settings, load, origins


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
        ({"port": "x"}, {}, "--port must be a whole number from 0 to 65535, got 'x'"),
        ({"port": 70_000}, {}, "--port must be a whole number from 0 to 65535, got 70000"),
        ({"token": "a b"}, {}, "--token must be 1 to 255 visible ASCII characters without blanks"),
        ({"data": ""}, {}, "--data must be the name of a directory, got ''"),
        ({"profile": "loose"}, {}, "--profile must be lenient or strict, got 'loose'"),
        ({"public_url": "example.org"}, {}, "--public-url must be an address that begins with http:// or https://, got 'example.org'"),
        ({}, {"TRACKRECORD_PROT": "1"}, "TRACKRECORD_PROT: there is no such setting; trackrecord settings lists them all"),
        ({}, {"TRACKRECORD_DEFAULT_VERSION": "9.9.9"}, "TRACKRECORD_DEFAULT_VERSION must be a version such as 2.14, got '9.9.9'"),
        ({}, {"TRACKRECORD_SEARCH_MAX_S": "nan"}, "TRACKRECORD_SEARCH_MAX_S must be a number above 0, got 'nan'"),
    ],
)
def test_a_setting_that_cannot_be_is_named_with_what_is_wrong(flags, environ, message):
    with pytest.raises(SettingInvalid) as caught:
        load(flags, environ)
    assert caught.value.message == message


@pytest.mark.parametrize(
    ("typed", "message"),
    [
        (("foo", "1"), "--set foo: there is no such setting; trackrecord settings lists them all"),
        (("dedup", "no"), "--set dedup must be strict, with-metadata or off, got 'no'"),
        (("search-dates", "week"), "--set search-dates must be day or exact, got 'week'"),
        (("create_contacts", "si"), "--set create_contacts must be yes or no (on, true, 1, off, false, 0 do too), got 'si'"),
        (("listing-days", "-3"), "--set listing-days must be a whole number of at least 0, got '-3'"),
        (("keep_alive_s", "0"), "--set keep_alive_s must be a whole number of at least 1, got '0'"),
    ],
)
def test_what_cannot_be_set_is_named_as_it_was_typed(typed, message):
    with pytest.raises(SettingInvalid) as caught:
        load({}, {}, pairs=[typed])
    assert caught.value.message == message


@pytest.mark.parametrize(("word", "value"), [(word, value) for value, words in ((True, YES), (False, NO)) for word in words])
def test_yes_and_no_have_many_words(tmp_path, word, value):
    (tmp_path / "settings.toml").write_text(f'create_contacts = "{word}"\n')
    given = {"create_contacts": word.upper()}
    assert [
        load(given, {}).create_contacts,
        load({}, {}, pairs=list(given.items())).create_contacts,
        load({}, {"TRACKRECORD_CREATE_CONTACTS": word}).create_contacts,
        load({"data": str(tmp_path)}, {}).create_contacts,
    ] == [value] * 4


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("host = here", 'FILE is no TOML: Invalid value (at line 1, column 8). Its lines are like port = 9000 or host = "0.0.0.0"'),
        ("colour = 1", "colour in FILE: there is no such setting; trackrecord settings lists them all"),
        ("port = 'x'", "port in FILE must be a whole number from 0 to 65535, got 'x'"),
        ("default_version = 2.14", "default_version in FILE must be a version such as 2.14 in quotes, got 2.14"),
        ("data = 'elsewhere'", "data cannot be set in FILE, which lies in the data directory; use --data"),
        ("ephemeral = true", "ephemeral cannot be set in FILE, which lies in the data directory; use --ephemeral"),
    ],
)
def test_a_settings_file_that_cannot_be_is_named(tmp_path, text, message):
    (tmp_path / "settings.toml").write_text(text)
    with pytest.raises(SettingInvalid) as caught:
        load({"data": str(tmp_path)}, {})
    assert caught.value.message == message.replace("FILE", str(tmp_path / "settings.toml"))


def test_of_each_value_it_can_be_told_where_it_came_from(tmp_path):
    (tmp_path / "settings.toml").write_text('port = 9001\nhost = "::1"\nthreads = 4\n')
    environ = {"TRACKRECORD_HOST": "localhost", "TRACKRECORD_DEDUP": "off", "TRACKRECORD_THREADS": "4"}
    settings = load({"data": str(tmp_path), "port": "9002"}, environ)
    assert {name: source for name, source in origins(settings, environ).items() if source != "default"} == {
        "data": "a flag",
        "port": "a flag",
        "host": "TRACKRECORD_HOST",
        "dedup": "TRACKRECORD_DEDUP",
        "threads": "TRACKRECORD_THREADS",
    }
    assert origins(load({"data": str(tmp_path)}, {}), {})["port"] == "settings.toml"


def test_a_file_is_no_data_directory(tmp_path):
    (tmp_path / "notes.txt").write_text("")
    with pytest.raises(SettingInvalid) as caught:
        load({"data": str(tmp_path / "notes.txt")}, {})
    assert caught.value.message == f"{tmp_path / 'notes.txt'} is no directory: name one with --data"


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
