"""Users of API 1.x over HTTP. Scopes: reading needs read_contacts, the rest write_contacts."""

from collections.abc import Sequence
from typing import Any

from ...errors import ContactNotFound, ParameterNotFound
from ...rules.contacts import Contact
from ...rules.search import FIELDS, Filter, Query
from ...rules.users import NOTHING_HANGS, SHOWN_MAX, Belonging, Listed
from ...wire import pages
from ...wire import users as wire
from ...wire.params import last
from ..call import Answer, Call
from .contacts import erased


async def save_user(call: Call) -> Answer:
    """POST /users. 200 with the user, changed or made."""
    wanted = wire.parse_user(call.body, now=call.now())
    contact = await call.services.in_thread(
        call.services.directory.users.save, call.workspace.number, wanted, now=call.now(), profile=call.profile
    )
    return Answer(await one(call, contact))


async def get_user(call: Call) -> Answer:
    """GET /users/{id}, by the id that is ours."""
    return Answer(await one(call, await found(call, "id", [call.path["id"]], role="user")))


async def get_users(call: Call) -> Answer:
    """GET /users. With user_id or email the one user who has it, else a page of all."""
    identified = wire.identified(call.query, "user_id", "email")
    if identified is not None:
        return Answer(await one(call, await found(call, *identified, role="user")))
    listed = wire.parse_listed(call.query, role="user")
    page = pages.parse(call.query, per_page=wire.PER_PAGE_DEFAULT)
    users, total = await call.services.in_background(
        call.workspace.number,
        call.services.directory.users.list,
        call.workspace.number,
        listed,
        offset=page.offset,
        limit=page.per_page,
        inside=await inside(call, listed),
    )
    following = pages.links(page, total, address=f"{call.base_url}/users", query=call.query)
    return Answer(wire.listing(await several(call, users), pages=following, total_count=total))


async def scroll_users(call: Call) -> Answer:
    """GET /users/scroll. All users, a hundred at a time; one scroll at a time in a workspace."""
    param, users = await scrolled(call, role="user")
    return Answer(wire.scrolled(await several(call, users), scroll_param=param))


async def archive_user(call: Call) -> Answer:
    """DELETE /users/{id}. 200 with the user, which is hidden from then on; saving it again brings it back."""
    return await _archived(call, "id", [call.path["id"]])


async def archive_named_user(call: Call) -> Answer:
    """DELETE /users?user_id= or ?email=."""
    identified = wire.identified(call.query, "user_id", "email")
    if identified is None:
        raise ParameterNotFound("say which user it is: user_id or email", field="user_id")
    return await _archived(call, *identified)


async def request_deletion(call: Call) -> Answer:
    """POST /user_delete_requests. The user is deleted for good, and its events with it, before this is answered."""
    id = wire.parse_delete_request(call.body)
    directory, now = call.services.directory, call.now()
    await call.services.in_thread(directory.users.refuse_unknown, call.workspace.number, id, field="intercom_user_id")
    audit = await call.services.in_thread(
        directory.audits.begin, call.workspace.number, token=call.token.id, action="delete_user", subject={"id": id}, count=1, now=now
    )
    await erased(call, directory.contacts.delete, id)
    await call.services.in_thread(directory.audits.complete, call.workspace.number, audit, now=call.now())
    return Answer(wire.UserDeleteAnswer(id=audit))


# --- What users and leads share ------------------------------------------------------------------------------------------


async def one(call: Call, contact: Contact) -> wire.UserBody:
    return (await several(call, [contact]))[0]


async def several(call: Call, contacts: Sequence[Contact]) -> list[wire.UserBody]:
    """As API 1.x shows them, with what hangs on them."""
    numbers = [contact.number for contact in contacts]
    hanging = await call.services.in_thread(call.services.directory.users.hanging, numbers)
    segments = await call.services.segments.of(call.workspace, numbers)
    return [
        wire.shown(
            each,
            workspace=call.workspace,
            hanging=hanging.get(each.number, NOTHING_HANGS)._replace(
                segments=tuple(Belonging(segment.id, segment.name) for segment in segments.get(each.number, ())[:SHOWN_MAX])
            ),
        )
        for each in contacts
    ]


async def inside(call: Call, listed: Listed) -> Query | None:
    """Those of the segment that a list names; None where it names none."""
    if listed.segment is None:
        return None
    return await call.services.segments.resolved(call.workspace, Filter(FIELDS["segment_id"], "=", listed.segment))


async def found(call: Call, kind: str, values: Sequence[str], *, role: str) -> Contact:
    """Whoever the first of these values names that names anybody. Raises ContactNotFound, and Conflict for an email of several."""
    for value in values[:-1]:
        try:
            return await _find(call, kind, value, role)
        except ContactNotFound:
            continue
    return await _find(call, kind, values[-1], role)


async def _find(call: Call, kind: str, value: str, role: str) -> Contact:
    contact: Contact = await call.services.in_thread(call.services.directory.users.find, call.workspace.number, kind, value, role=role)
    return contact


async def scrolled(call: Call, *, role: str) -> tuple[str, Sequence[Contact]]:
    """The next page of a scroll over all of one role, and what names the scroll. An empty page ends it."""
    directory, now, whose = call.services.directory, call.now(), call.workspace.number
    in_thread: Any = call.services.in_thread
    param, after = last(call.query, "scroll_param"), None
    if param is None:
        param = await in_thread(directory.scrolls.begin, whose, role, now=now)
    else:
        after = await in_thread(directory.scrolls.after, whose, role, param, now=now)
    contacts, following = await in_thread(directory.users.walk, whose, role, after=after, limit=wire.SCROLL_PAGE)
    if following is None:
        await in_thread(directory.scrolls.end, whose, role, param)
    else:
        await in_thread(directory.scrolls.advance, whose, role, param, following, now=now)
    return param, contacts


async def _archived(call: Call, kind: str, values: Sequence[str]) -> Answer:
    contact = await found(call, kind, values, role="user")
    after = await call.services.in_thread(
        call.services.directory.users.archive, call.workspace.number, contact.id, role="user", now=call.now()
    )
    return Answer(await one(call, after))
