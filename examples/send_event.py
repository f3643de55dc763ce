"""Send one event with the official Python client and read it back.

pip install python-intercom
TOKEN=tr_... python examples/send_event.py
"""

import os
import time

from intercom import CreateContactRequestWithExternalId, CreateDataEventRequestWithUserId, Intercom
from intercom.core.api_error import ApiError

client = Intercom(
    token=os.environ["TOKEN"],
    base_url=os.environ.get("TRACKRECORD_URL", "http://127.0.0.1:8080"),  # the one line that differs
)

try:
    client.contacts.create(request=CreateContactRequestWithExternalId(external_id="amber", email="amber@example.com"))
except ApiError as error:
    if error.status_code != 409:  # 409: this example ran before, and Amber is there
        raise

event = CreateDataEventRequestWithUserId(
    user_id="amber", event_name="invited-friend", created_at=int(time.time()), metadata={"invitee": "bob@example.com"}
)
client.events.create(request=event)  # returns once the event is on stable storage
client.events.create(request=event)  # a retry changes nothing

newest = client.events.list(type="user", user_id="amber", per_page=1).events[0]
print(f"amber {newest.event_name} {newest.metadata}")
for item in client.events.list(type="user", user_id="amber", summary=True).events:
    print(f"{item.name}: {item.count}, first {item.first}, last {item.last}")
