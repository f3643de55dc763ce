"""Tags of one contact: put on by name, taken off by id."""

from urllib.parse import quote

from ...http.call import Answer
from ..visit import Visit
from .people import known, name_of, short


async def add(visit: Visit) -> Answer:
    """POST contacts/{contact_id}/tags: `name` of a tag, which is made where there is none."""
    contact = await known(visit)
    tag = (await visit.api.post("/tags", {"name": visit.field("name")})).data
    await visit.api.post(f"/contacts/{quote(contact['id'])}/tags", {"id": tag["id"]})
    return visit.go(visit.url(f"contacts/{contact['id']}"), f"{short(name_of(contact))} is tagged {short(tag['name'])}")


async def remove(visit: Visit) -> Answer:
    """POST contacts/{contact_id}/tags/remove: `tag_id`."""
    contact = await known(visit)
    tag = (await visit.api.delete(f"/contacts/{quote(contact['id'])}/tags/{quote(visit.field('tag_id'), safe='')}")).data
    return visit.go(visit.url(f"contacts/{contact['id']}"), f"{short(name_of(contact))} is not tagged {short(tag['name'])} any more")
