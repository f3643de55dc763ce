"""python-intercom 3.1 at a server that allows few calls: it raises, and its user waits for the end of the window and goes on."""

import json
import os
import time

from intercom.client import Client
from intercom.errors import RateLimitExceeded

CALLS_MAX = 500
client = Client(personal_access_token=os.environ["TRACKRECORD_TOKEN"])
client.base_url = os.environ["TRACKRECORD_URL"]


def send(number: int) -> None:
    client.events.create(user_id="ada", event_name="clicked", created_at=int(os.environ["NOW"]) + number)


shown = None
for number in range(CALLS_MAX):
    try:
        send(number)
    except RateLimitExceeded as error:
        shown = [error.message, error.context]
        break
reset_at = client.rate_limit_details["reset_at"].timestamp()
time.sleep(max(0, reset_at - time.time()) + 0.05)
send(CALLS_MAX)
print(json.dumps({"shown": shown, "went on": client.rate_limit_details["reset_at"].timestamp() > reset_at}))
