"""What pages say through the JavaScript API: of people, and of when something happened. Pure. Source: the contract, 8."""

import re
from collections.abc import Mapping
from typing import Any, NamedTuple

from ..errors import DataInvalid, ParameterInvalid
from .attributes import Attribute
from .contacts import CAME_BY

AGE_MAX_S = 31 * 86_400  # of an event that is delivered late; scripts give up after a week. Ours
ITEMS_MAX = 500  # of one delivery; the script sends 100. Ours
PEOPLE_MAX = 100  # whom they may be about
FAULTS_MAX = 20  # values of one ping that are left out one by one, before all of them are
KEYS_MAX = 250  # of what one ping says, and again of custom_attributes in it; the rest is passed over. Ours
COMPANIES_MAX = 20  # of one ping. Ours

PORT_MAX = 65_535

_VISITOR = re.compile(r"[A-Za-z0-9_-]{8,64}")
_ITEM = re.compile(r"[A-Za-z0-9_-]{16,64}")
_ORIGIN = re.compile(r"(https?|chrome-extension|moz-extension|capacitor|ionic)://([a-z0-9._-]+|\[[0-9a-f:.]+\])(:([0-9]{1,5}))?")
_HALF = re.compile("[\ud800-\udfff]")

UNKNOWN = ("", "undefined", "null", None)  # what a page that does not know a value sends

# Of the session and of what it looks like: never of a person.
SESSION = frozenset(
    {
        *("app_id", "api_base", "installation_type", "session_duration", "page_title", "messenger_style_id", "theme_mode", "auth_tokens"),
        *("custom_launcher_selector", "hide_default_launcher", "hide_notifications", "alignment", "vertical_padding", "horizontal_padding"),
        *("z_index", "action_color", "background_color", "link_color", "intercom_user_jwt", "user_hash", "user_id", "email"),
        *("last_request_at", "hold_until_consent", "respect_dnt"),
    }
)
# What a page may say of a person besides, and what API 1.x, whose reader is used, calls it.
FIELDS = {
    "name": "name",
    "phone": "phone",
    "created_at": "signed_up_at",
    "unsubscribed_from_emails": "unsubscribed_from_emails",
    "language_override": "language_override",
    "avatar": "avatar",
}
DROPPED = ("full", "old", "refused")  # why a script gives an item up
# Claims of a JWT that are no attributes: those that are registered, and who it is.
CLAIMS = frozenset({"user_id", "email", "iss", "sub", "aud", "exp", "nbf", "iat", "jti"})


class Told(NamedTuple):
    """What a page said of a person, as the reader of API 1.x takes it."""

    fields: dict[str, Any]
    attributes: dict[str, Any]
    companies: list[Any]


def told(data: Mapping[str, Any], claims: Mapping[str, Any] | None = None) -> Told:
    """Sort what a page says into fields, custom attributes and companies. What is proved (`claims`) wins over what is said."""
    said = _sorted(data)
    proved = _sorted({name: value for name, value in (claims or {}).items() if name not in CLAIMS})
    sure = {company["company_id"] for company in proved.companies}
    companies = [*(each for each in said.companies if each["company_id"] not in sure), *proved.companies]
    return Told(said.fields | proved.fields, said.attributes | proved.attributes, companies[:COMPANIES_MAX])


def _sorted(data: Mapping[str, Any]) -> Told:
    fields: dict[str, Any] = {}
    attributes: dict[str, Any] = {}
    companies: list[Any] = []
    for name, value in list(data.items())[:KEYS_MAX]:
        if name in SESSION or name in CAME_BY or _unknown(value):
            continue
        if name in FIELDS:
            fields[FIELDS[name]] = value
        elif name == "company":
            companies.insert(0, value)
        elif name == "companies":
            companies += value if isinstance(value, list) else [value]
        elif name == "custom_attributes" and isinstance(value, Mapping):
            attributes |= {key: one for key, one in list(value.items())[:KEYS_MAX] if not _unknown(one)}
        else:
            attributes[name] = value
    attributes = {name: value for name, value in attributes.items() if writable(name) and writable(value)}
    return Told(fields, attributes, [_company(each) for each in companies[:COMPANIES_MAX] if isinstance(each, Mapping)])


def _unknown(value: object) -> bool:
    return any(value is each or value == each for each in UNKNOWN)


def writable(value: object) -> bool:
    """Whether a value can be written, if it is a text: JSON can name halves of letters, and nobody meant them."""
    return not (isinstance(value, str) and _HALF.search(value))


def _company(said: Mapping[str, Any]) -> dict[str, Any]:
    """A company as API 1.x takes one: pages call the customer's own id `id` or `company_id`, and when it was made `created_at`."""
    standard = ("name", "remote_created_at", "plan", "monthly_spend", "size", "website", "industry")
    ours = ("id", "company_id", "created_at", "user_count", "custom_attributes", "type", "remove")
    company = {name: said[name] for name in standard if said.get(name) not in UNKNOWN}
    company["company_id"] = said.get("company_id") or said.get("id")
    if "remote_created_at" not in company and said.get("created_at") not in UNKNOWN:
        company["remote_created_at"] = said["created_at"]
    given = said.get("custom_attributes")
    custom = {**(given if isinstance(given, Mapping) else {})}
    custom |= {name: value for name, value in said.items() if name not in standard and name not in ours and value not in UNKNOWN}
    if custom:
        company["custom_attributes"] = custom
    return company


def closed(attributes: Mapping[str, Any], known: Mapping[str, Attribute]) -> list[str]:
    """Those custom attributes that pages may not write: declared, and not as messenger_writable."""
    return [name for name in attributes if (each := known.get(name)) is not None and each.declared and not each.messenger_writable]


def visitor(text: str) -> str:
    """Raises ParameterInvalid for what can be no anonymous id."""
    if not _VISITOR.fullmatch(text):
        raise ParameterInvalid("people.visitor must have 8 to 64 letters, digits, _ and -", field="people.visitor")
    return text


def item_id(text: str) -> str:
    """Raises ParameterInvalid for what cannot tell one call of the script from all others."""
    if not _ITEM.fullmatch(text):
        raise ParameterInvalid("items.id must have 16 to 64 letters, digits, _ and -", field="items.id")
    return text


def second_of(time: float | None, *, at: float | None, sent_at: float | None, now_ms: int) -> tuple[int, bool]:
    """(the second an event happened, whether that is for ever). All in milliseconds, `time` by our clock, the others by the browser's.

    What the script could not say is counted from how long ago the call was by the browser's own clock, whatever that shows. It would
    come out otherwise at the next try, so it has to be noted.
    """
    if time is not None and time >= 0:  # one that has not come is refused by the rule for all events, or stands
        return int(time) // 1000, True
    age = max(0.0, sent_at - at) if at is not None and sent_at is not None else 0.0
    return max(0, now_ms - int(min(age, AGE_MAX_S * 1000.0))) // 1000, False


def too_old(second: int, *, now_ms: int) -> bool:
    return second < now_ms // 1000 - AGE_MAX_S


def origin_of(text: str) -> str:
    """An origin as browsers send it: scheme, host and port, without a path. Raises DataInvalid."""
    origin = text.strip().lower().rstrip("/")
    found = _ORIGIN.fullmatch(origin)
    if found is None or int(found[4] or 1) > PORT_MAX:
        hint = "" if origin.isascii() else " (browsers write other letters as xn--…)"
        raise DataInvalid(f"an origin is like https://app.example.com or http://localhost:3000, got {text[:80]!r}{hint}", field="origin")
    return (
        origin.removesuffix(":443") if origin.startswith("https:") else origin.removesuffix(":80") if origin.startswith("http:") else origin
    )
