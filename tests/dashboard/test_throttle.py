"""How often somebody may try to sign in, by a clock that is passed in."""

import pytest

from trackrecord.dashboard.throttle import ACCOUNT, ADDRESS, FORGET_S, KEYS_MAX, PAIR, Rule, Throttle, Tries, network

HOME, AWAY = "192.0.2.1", "192.0.2.2"


def test_after_a_few_tries_each_further_one_waits_twice_as_long_up_to_a_bound():
    tries = Tries(Rule(free=3, first_s=1.0, most_s=10.0))
    now, waited = 0.0, []
    for _ in range(9):
        wait = tries.wait_s("a", now)
        waited.append(wait)
        now += wait
        tries.add("a", now)
    assert waited == [0, 0, 0, 1, 2, 4, 8, 10, 10]
    assert tries.wait_s("another", now) == 0


def test_a_try_before_its_time_is_told_when_and_does_not_count():
    throttle = Throttle()
    assert [throttle.begin("ada", HOME, 0.0) for _ in range(PAIR.free)] == [0] * PAIR.free
    assert [throttle.begin("ada", HOME, 0.25) for _ in range(100)] == [1] * 100  # the rest of the second, rounded up
    assert throttle.begin("ada", HOME, 1.0) == 0


def test_an_hour_after_the_last_try_all_is_as_at_first():
    throttle = Throttle()
    now = 0.0
    while (wait := throttle.begin("ada", HOME, now)) <= 60:
        now += wait
    assert [throttle.begin("ada", HOME, now + FORGET_S) for _ in range(PAIR.free)] == [0] * PAIR.free


def test_signing_in_begins_the_counts_anew():
    throttle = Throttle()
    for _ in range(3):
        assert [throttle.begin("ada", HOME, 0.0) for _ in range(PAIR.free)] == [0] * PAIR.free
        throttle.succeeded("ada", HOME)
    assert throttle.begin("bob", HOME, 0.0) == 0


def test_one_address_cannot_try_one_account_after_another():
    throttle = Throttle()
    assert [throttle.begin(f"account {n}", HOME, 0.0) for n in range(ADDRESS.free)] == [0] * ADDRESS.free
    assert throttle.begin("one more", HOME, 0.0) == 1
    assert throttle.begin("one more", AWAY, 0.0) == 0


def test_many_addresses_that_try_one_account_slow_each_other_and_not_who_signed_in_there_before():
    throttle = Throttle()
    assert throttle.begin("ada", HOME, 0.0) == 0
    throttle.succeeded("ada", HOME)
    now = 0.0
    for n in range(ACCOUNT.free + 20):
        now += throttle.begin("ada", f"198.51.100.{n}", now)
        throttle.begin("ada", f"198.51.100.{n}", now)
    assert 1 < throttle.begin("ada", "203.0.113.9", now) <= ACCOUNT.most_s
    assert throttle.begin("ada", HOME, now) == 0


def test_a_try_that_was_not_looked_at_is_none():
    throttle = Throttle()
    for _ in range(PAIR.free + 1):
        assert throttle.begin("ada", HOME, 0.0) == 0
        throttle.undone("ada", HOME)


def test_memory_is_bounded_and_the_counts_that_were_raised_last_stay():
    tries = Tries(Rule(free=1, first_s=60.0, most_s=60.0))
    for n in range(KEYS_MAX + 10):
        tries.add(str(n), 0.0)
    assert [tries.wait_s(key, 0.0) for key in ("9", "10", str(KEYS_MAX + 9))] == [0.0, 60.0, 60.0]


@pytest.mark.parametrize(
    ("client", "counted"),
    [
        ("192.0.2.1", "192.0.2.1"),
        ("::ffff:192.0.2.1", "192.0.2.1"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("2001:db8:1:2::9", "2001:db8:1:2::/64"),
        ("a proxy's word", "a proxy's word"),
        (None, "unknown"),
    ],
)
def test_a_client_is_its_address_and_of_ipv6_its_network(client, counted):
    assert network(client) == counted
