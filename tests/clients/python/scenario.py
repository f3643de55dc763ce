"""python-intercom 3.1, which speaks API 1.x with Basic authentication, against the server that TRACKRECORD_URL and TRACKRECORD_TOKEN
name; prints what it observed as one JSON object."""

import json
import os
from collections.abc import Callable, Iterable
from typing import Any

from intercom.client import Client
from intercom.errors import IntercomError

URL, TOKEN, NOW = os.environ["TRACKRECORD_URL"], os.environ["TRACKRECORD_TOKEN"], int(os.environ["NOW"])
SEVEN = (("one", 0), ("two", 1), ("three", 2), ("four", 3), ("five", 3), ("six", 4), ("seven", 5))


def client_of(token: str) -> Client:
    made = Client(personal_access_token=token)
    made.base_url = URL
    return made


def refusal(call: Callable[[], Any]) -> list[Any] | str:
    """What a call was refused with, as this client shows it."""
    try:
        call()
    except IntercomError as error:
        return [type(error).__name__, error.message, (error.context or {}).get("http_code")]
    return "was not refused"


def plain(value: Any) -> Any:
    """A resource of the client as what it was made of; classes it made up from `type` by their names."""
    if hasattr(value, "to_dict"):
        return {"class": type(value).__name__, **{key: plain(each) for key, each in sorted(value.to_dict().items())}}
    if isinstance(value, dict):
        return {key: plain(each) for key, each in value.items()}
    return [plain(each) for each in value] if isinstance(value, list) else value


def seconds(value: Any) -> int | None:
    """A moment, which this client reads as a datetime."""
    return None if value is None else int(value.timestamp())


def names(events: Iterable[Any]) -> list[str]:
    return [event.event_name for event in events]


seen: dict[str, Any] = {}
client, stranger = client_of(TOKEN), client_of("nobody-gave-this-out")

# Users
ada = client.users.create(user_id="ada", email="ada@example.com", name="Ada", custom_attributes={"plan": "free", "seats": 1})
seen["ada"] = plain(ada)
seen["signed_up"] = seconds(client.users.create(user_id="grace", email="grace@example.com", signed_up_at=NOW - 86_400).signed_up_at)
seen["found"] = [client.users.find(**by).id == ada.id for by in ({"id": ada.id}, {"user_id": "ada"}, {"email": "ada@example.com"})]
ada.name = "Ada L."
ada.custom_attributes["plan"] = "pro"
ada.increment("seats", 2)
client.users.save(ada)
seen["saved"] = [ada.name, dict(ada.custom_attributes), plain(client.users.find(id=ada.id))["name"]]
for number in range(3):
    client.users.create(user_id=f"user-{number}")
seen["users"] = sorted(user.user_id for user in client.users.all())
seen["user pages"] = sorted(user.user_id for user in client.users.find_all(per_page=2, sort="created_at", order="asc"))
seen["scrolled"] = sorted(user.user_id for user in client.users.scroll())

# Leads
lead = client.leads.create(email="lead@example.com", name="Lee")
seen["lead"] = [lead.email, lead.name, lead.anonymous]
lead.name = "Lea"
seen["lead saved"] = client.leads.save(lead).name
seen["lead found"] = client.leads.find(id=lead.id).name
seen["leads"] = [each.id == lead.id for each in client.leads.all()]

# Events
price = {"amount": 2999, "currency": "usd"}
seen["accepted"] = client.events.create(
    event_name="seven", created_at=NOW - 95, user_id="ada", metadata={"order_date": 1392036272, "price": price, "paid": True}
)
client.events.create(event_name="seven", created_at=NOW - 95, user_id="ada", metadata={"copy": "second"})
for name, second in SEVEN[:6]:
    client.events.create(event_name=name, created_at=NOW - 100 + second, email="ada@example.com")
client.events.create(event_name="read-article", created_at=NOW, id=lead.id)
seen["events"] = names(client.events.find_all(type="user", user_id="ada", per_page=3))
newest = client.events.find_all(type="user", email="ada@example.com")[0]
seen["newest"] = [newest.event_name, seconds(newest.created_at), newest.metadata, newest.intercom_user_id == ada.id]
seen["lead's events"] = names(client.events.find_all(type="user", intercom_user_id=lead.id))
summary = client.events.find_all(type="user", user_id="ada", summary="true")
seen["summary"] = sorted([item.name, item.count, item.first, item.last] for item in summary)

# A lead becomes a user, with its events
client.leads.convert(lead, client.users.find(user_id="user-0"))
seen["converted"] = names(client.events.find_all(type="user", user_id="user-0"))
seen["leads left"] = len(list(client.leads.all()))

# Bulk
job = client.events.submit_bulk_job(
    create_items=[
        {"event_name": "ordered-item", "created_at": NOW - 3, "user_id": "grace", "metadata": {"n": 1}},
        {"event_name": "ordered-item", "created_at": NOW - 2, "user_id": "grace", "metadata": {"n": 2}},
        {"event_name": "ordered-item", "created_at": NOW - 2, "user_id": "grace", "metadata": {"n": 3}},
        {"event_name": "ordered-item", "created_at": NOW - 1, "user_id": "nobody"},
    ]
)
more = client.events.submit_bulk_job(
    create_items=[{"event_name": "ordered-item", "created_at": NOW - 1, "email": "grace@example.com"}], job_id=job.id
)
seen["job"] = [job.name, more.id == job.id, len(more.tasks), seconds(job.closing_at)]
loaded = client.jobs.find(id=job.id)
seen["job found"] = [loaded.id == job.id, loaded.state, [task["item_count"] for task in loaded.tasks], sorted(loaded.links)]
feed = client.jobs.errors(job.id)
seen["job errors"] = [
    feed.job_id == job.id,
    [[item["data"]["user_id"], item["error"], item["method"], item["data_type"]] for item in feed.items],
]
seen["bulk events"] = [[event.event_name, event.metadata] for event in client.events.find_all(type="user", user_id="grace")]
made = client.users.submit_bulk_job(
    create_items=[{"user_id": "bulk-1", "email": "bulk-1@example.com"}, {"email": "bulk-2@example.com"}],
    delete_items=[{"user_id": "user-2"}],
)
seen["bulk users"] = [
    client.jobs.find(id=made.id).state,
    client.users.find(user_id="bulk-1").email,
    client.users.find(email="bulk-2@example.com").email,
]

# Tags and segments
tag = client.tags.tag(name="blue", users=[{"id": ada.id}, {"user_id": "grace"}])
seen["tag"] = [tag.name, sorted(user.user_id for user in client.users.by_tag(tag.id))]
seen["tags of ada"] = [each.name for each in client.users.find(user_id="ada").tags]
client.tags.untag(name="blue", users=[{"user_id": "grace"}])
seen["untagged"] = [user.user_id for user in client.users.by_tag(tag.id)]
seen["tags"] = [each.name for each in client.tags.all()]
seen["segments"] = [each.name for each in client.segments.all()]

# Who the token belongs to, and how many calls are left
seen["admins"] = [admin.name for admin in client.admins.all()]
seen["rate limit"] = sorted(client.rate_limit_details)

# Refusals
client.users.create(user_id="joan", email="shared@example.com")
client.users.create(user_id="jane", email="shared@example.com")
at = {"event_name": "signed-up", "created_at": NOW}
seen["refused"] = {
    "bad token": refusal(lambda: stranger.users.find(user_id="ada")),
    "bad token, event": refusal(lambda: stranger.events.create(user_id="ada", **at)),
    "no user": refusal(lambda: client.users.find(user_id="nobody")),
    "no user, event": refusal(lambda: client.events.create(user_id="nobody", **at)),
    "ambiguous": refusal(lambda: client.users.find(email="shared@example.com")),
    "ambiguous, event": refusal(lambda: client.events.create(email="shared@example.com", **at)),
    "no name": refusal(lambda: client.events.create(user_id="ada", created_at=NOW)),
    "no job": refusal(lambda: client.jobs.find(id="job_none")),
    "two scrolls": refusal(lambda: (client.users.scroll()[0], client.users.scroll()[0])),
}

# Deletion: of this API an archiving
client.users.delete(client.users.find(user_id="user-1"))
seen["deleted"] = refusal(lambda: client.users.find(user_id="user-1"))

print(json.dumps(seen))
