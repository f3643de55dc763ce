"""Which metadata is kept, as docs/api/events.md says it under "What else is known"."""

from typing import Any, NamedTuple

KEYS_MAX = 10
DASHES = str.maketrans(dict.fromkeys(".$~!@#%^&*'{}|\"\\`\x00", "-"))
IMAGES = (".png", ".jpg", ".jpeg", ".gif", ".webp", ".svg", ".avif", ".bmp")
STRIPE = ("stripe_invoice", "stripe_customer", "stripe_charge")


class Kept(NamedTuple):
    values: dict[str, Any]
    kinds: dict[str, str]
    dropped: list[tuple[str, str]]  # (key, reason), in the order they were met


def kept(sent: dict[str, Any]) -> Kept:
    places: dict[str, tuple[str, str, Any]] = {}  # by the folded key: as it is shown, as it was sent last, its value
    dropped = []
    for key, value in sent.items():
        shown = key.translate(DASHES)
        folded = shown.casefold()
        if folded in places:
            shown, earlier, replaced = places[folded]
            if replaced is not None:
                dropped.append((earlier, "same_key"))
        elif len(places) == KEYS_MAX:
            dropped.append((key, "past_limit"))
            continue
        places[folded] = (shown, key, value)
        if value is None:
            dropped.append((key, "null_value"))
    values = {shown: value for shown, _, value in places.values() if value is not None}
    return Kept(values, {key: kind(key, value) for key, value in values.items()}, dropped)


def kind(key: str, value: Any) -> str:
    if isinstance(value, bool):
        return "boolean"
    if isinstance(value, (int, float)):
        return "date" if key.endswith("_date") else "number"
    if isinstance(value, str):
        if value.startswith(("http://", "https://")):
            return "image" if value.endswith(IMAGES) else "link"
        return "stripe" if key in STRIPE else "string"
    if isinstance(value, dict) and {"url", "value"} <= value.keys():
        return "rich_link"
    return "money" if isinstance(value, dict) and {"amount", "currency"} <= value.keys() else "nested"
