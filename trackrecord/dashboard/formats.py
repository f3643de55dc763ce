"""How values are shown: times, numbers, money, links. Everything that comes out of here is safe to stand in a page."""

import hashlib
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

from markupsafe import Markup, escape

DAY_S = 86_400
HUES = 10  # of the palette in app.css
# Digits behind the point, where a currency has not two. Source: ISO 4217.
_NO_CENTS = frozenset(
    ["BIF", "CLP", "DJF", "GNF", "ISK", "JPY", "KMF", "KRW", "PYG", "RWF", "UGX", "UYI", "VND", "VUV", "XAF", "XOF", "XPF"]
)
_THOUSANDTHS = frozenset(["BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND"])
_SECONDS_MAX = 253_402_300_799  # the last second of the year 9999


def number(value: float) -> str:
    """Grouped: 1,234,567; of a fraction at most two digits."""
    return f"{value:,}" if isinstance(value, int) else f"{value:,.2f}".rstrip("0").rstrip(".")


def short(value: int) -> Markup:
    """From a million on in few characters, with the whole of it on hover."""
    for size, letter in ((1_000_000_000, "B"), (1_000_000, "M")):
        if value >= size:
            shown = f"{value / size:.1f}".removesuffix(".0")
            return Markup('<span title="{}">{} {}</span>').format(number(value), shown, letter)
    return escape(number(value))


def size(count: int) -> str:
    """Bytes: 1.2 MB."""
    value, unit = float(count), "B"
    for larger in ("kB", "MB", "GB", "TB"):
        if value < 999.5:
            break
        value, unit = value / 1000, larger
    return f"{value:.0f} {unit}" if unit == "B" or value >= 99.5 else f"{value:.1f} {unit}"


def utc_day(seconds: float) -> str:
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%d}"


def first_line(text: str) -> str:
    """Of a traceback the last line, which says what happened; of anything else the first."""
    lines = text.strip().splitlines() or [""]
    return lines[-1] if lines[0].startswith("Traceback ") else lines[0]


def share(part: float, whole: float) -> str:
    """As percent; a dash of nothing."""
    if not whole:
        return "–"
    percent = 100 * part / whole
    return "100 %" if part == whole else f"{percent:.1f} %" if percent < 99.95 else "99.9 %"


def change(now: float, before: float) -> str:
    """Against what was before, which is not nothing: +12.5 %."""
    return f"{100 * (now - before) / before:+,.1f} %".replace("-", "\N{MINUS SIGN}").replace(".0 %", " %")


def duration(seconds: float) -> str:
    """In the two largest units: 2 d 3 h, 4 min 10 s."""
    left, parts = int(seconds), list[str]()
    for size, unit in ((DAY_S, "d"), (3_600, "h"), (60, "min"), (1, "s")):
        if left >= size or (unit == "s" and not parts):
            parts.append(f"{left // size} {unit}")
            left %= size
    return " ".join(parts[:2])


def _moment(seconds: float, zone: ZoneInfo) -> datetime | None:
    """None for what no calendar has."""
    return datetime.fromtimestamp(seconds, zone) if 0 <= seconds <= _SECONDS_MAX else None


def when(seconds: float | None, zone: ZoneInfo, now: float) -> Markup:
    """A time: relative within the last day, else absolute; exact in the workspace's zone and in UTC on hover."""
    if seconds is None:
        return Markup('<span class="quiet">–</span>')
    local = _moment(seconds, zone)
    if local is None:
        return escape(str(seconds))
    utc = datetime.fromtimestamp(seconds, UTC)
    exact = f"{utc:%Y-%m-%d %H:%M:%S} UTC"
    if local.utcoffset():
        exact = f"{local:%Y-%m-%d %H:%M:%S} {local.tzname()} · {exact}"
    return Markup('<time datetime="{}" title="{}">{}</time>').format(f"{utc:%Y-%m-%dT%H:%M:%SZ}", exact, _words(seconds, local, now))


def _words(seconds: float, local: datetime, now: float) -> str:
    ago = now - seconds
    if 0 <= ago < 60:
        return "just now" if ago < 5 else f"{int(ago)} s ago"
    if 0 <= ago < 3_600:
        return f"{int(ago // 60)} min ago"
    if 0 <= ago < DAY_S:
        return f"{int(ago // 3_600)} h ago"
    return f"{local.day} {local:%b %Y, %H:%M}"


def date(seconds: float, zone: ZoneInfo) -> Markup:
    """A date of metadata or an attribute: absolute, with the time where it is not midnight."""
    local = _moment(seconds, zone)
    if local is None:
        return escape(str(seconds))
    utc = datetime.fromtimestamp(seconds, UTC)
    shown = f"{local.day} {local:%b %Y}" + ("" if (local.hour, local.minute, local.second) == (0, 0, 0) else f", {local:%H:%M}")
    return Markup('<time datetime="{}" title="{}">{}</time>').format(f"{utc:%Y-%m-%dT%H:%M:%SZ}", f"{utc:%Y-%m-%d %H:%M:%S} UTC", shown)


def money(amount: float, currency: str) -> str:
    """`amount` counts the currency's smallest unit, as the wire has it: 349 and eur are 3.49 EUR."""
    code = currency.upper()[:10]
    digits = 0 if code in _NO_CENTS else 3 if code in _THOUSANDTHS else 2
    return f"{amount / 10**digits:,.{digits}f} {code}"


def link(address: Any, words: Any = None) -> Markup:
    """Leads somewhere only over http and https; of anything else the text alone."""
    text = str(address if words is None else words)
    if isinstance(address, str) and address.lower().startswith(("http://", "https://")):
        return Markup('<a href="{}" target="_blank" rel="noopener noreferrer nofollow">{}</a>').format(address, text)
    return escape(text)


def hue(name: str) -> int:
    """The colour of an event name in every chart and list: 0 to HUES - 1."""
    return hashlib.blake2b(name.casefold().encode(), digest_size=2).digest()[0] % HUES


def sparkline(values: list[int], label: str) -> Markup:
    """Bars of a row of counts, zero-based."""
    if not values:
        return Markup("")
    most, width, height = max(values) or 1, 4, 24
    bars = Markup("").join(
        Markup('<rect x="{}" y="{}" width="{}" height="{}"/>').format(place * width, height - tall, width - 1, tall)
        for place, value in enumerate(values)
        if (tall := max(round(height * value / most), 1 if value else 0))
    )
    return Markup('<svg class="spark" viewBox="0 0 {} {}" role="img" aria-label="{}" preserveAspectRatio="none">{}</svg>').format(
        len(values) * width, height, label, bars
    )
