"""The settings that the server runs with, and what its profile makes of them. To be looked at: they are set where it is started."""

from ...errors import SettingInvalid
from ...http.call import Answer
from ...rules.profiles import PROFILES_TABLE
from ...settings import OVERRIDES, SECRETS, SETTINGS, origins
from ..visit import Page, Visit
from . import common


async def profile(visit: Visit) -> Answer:
    """GET settings/profile?changed=yes: with it those settings alone that are not as they come."""
    now = visit.services.settings
    try:
        sources = await visit.services.in_thread(origins, now)
    except SettingInvalid:  # the file was changed since, and cannot be read now
        sources = {}
    rows = [
        {
            "name": row.name,
            "value": _value(row.name, getattr(now, row.name)),
            "source": sources.get(row.name, "unknown"),
            "default": _value(row.name, row.default),
            "meaning": row.meaning,
        }
        for row in SETTINGS
    ]
    changed = visit.param("changed") == "yes"
    differences = [
        {
            "name": name,
            "value": _shown(getattr(visit.services.profile, name)),
            "lenient": _shown(lenient),
            "strict": _shown(strict),
            "meaning": text,
        }
        for name, lenient, strict, text in PROFILES_TABLE
    ]
    return common.page(
        visit,
        "profile",
        profile=visit.services.profile.name,
        rows=[row for row in rows if row["source"] != "default" or not changed],
        changed=changed,
        differences=differences,
    )


def _value(name: str, value: object) -> str:
    if value is None and name in OVERRIDES:
        return "as the profile"
    return "set, and not shown" if name in SECRETS and value else _shown(value)


def _shown(value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return "" if value is None else str(value)  # whole, so that it can be set as it stands


PAGES = (Page("GET", "settings/profile", profile),)
