"""Metadata as pages show it: by kind, and nothing of it is markup."""

from typing import Any
from zoneinfo import ZoneInfo

import pytest

from trackrecord.dashboard.metadata import KINDS, brief, by_kind
from trackrecord.rules import metadata

UTC = ZoneInfo("UTC")


def test_every_kind_of_the_rules_is_shown_in_its_own_way() -> None:
    assert set(KINDS) == set(metadata.KINDS.values())


@pytest.mark.parametrize(
    ("key", "value", "shown", "kind"),
    [
        ("room", "a <b>", "<bdi>a &lt;b&gt;</bdi>", "text"),
        ("n", 1234567, "1,234,567", "number"),
        ("n", 0.5, "0.5", "number"),
        ("new", False, "no", "yes or no"),
        ("price", {"amount": 34999, "currency": "eur"}, "349.99 EUR", "money"),
        ("price", {"amount": 500.0, "currency": "JPY"}, "500 JPY", "money"),
        ("price", {"amount": 1, "currency": "<i>"}, "0.01 &lt;I&gt;", "money"),
        ("far_date", 1 << 60, str(1 << 60), "date"),
        ("past_date", -5, "-5", "date"),
        ("bad", {"url": "javascript:alert(1)", "value": "<u>"}, "&lt;u&gt;", "link"),
        ("odd", {"url": "https://x.example/", "value": 5}, None, "link"),
        ("cart", {"items": ["<s>"]}, "<code>{&#34;items&#34;:[&#34;&lt;s&gt;&#34;]}</code>", "nested"),
    ],
)
def test_a_value_is_shown_by_its_kind(key: str, value: Any, shown: str | None, kind: str) -> None:
    (each,) = by_kind({key: value}, UTC)
    assert (each.key, each.kind) == (key, kind)
    assert each.value == (shown or '<a href="https://x.example/" target="_blank" rel="noopener noreferrer nofollow">5</a>')


def test_in_one_line_the_first_values_stand_each_for_itself() -> None:
    sent = {"a<": "x" * 200, "b": "\u202eabc", "c": True, "d": 1, "e": 2}
    shown = [("a&lt;", "x" * 79 + "…"), ("b", "\u202eabc"), ("c", "yes"), ("d", "1")]
    assert brief(sent, UTC) == " · ".join(f"<bdi>{key}</bdi> <bdi>{value}</bdi>" for key, value in shown) + " …"
