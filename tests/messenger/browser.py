"""A browser as our script is one: people, items and deliveries, sent as bytes."""

import time
import uuid
from typing import Any

from wire.client import Answer, Api


def new_id() -> str:
    return str(uuid.uuid4())


class Browser:
    """One browser with one anonymous id; `person` is who it says it is, and with what proof."""

    def __init__(self, api: Api, *, app_id: str = "trackrecord", **person: Any) -> None:
        self.api = Api(api.server, token=None)
        self.app_id = app_id
        self.person = {"visitor": new_id(), **person}

    @property
    def visitor(self) -> str:
        return str(self.person["visitor"])

    def becomes(self, **person: Any) -> "Browser":
        """The same browser once its page says who it is."""
        other = Browser(self.api, app_id=self.app_id)
        other.person = {**self.person, **person}
        return other

    def event(self, name: str, *, metadata: Any = None, **item: Any) -> dict[str, Any]:
        extra = {} if metadata is None else {"metadata": metadata}
        return {"id": new_id(), "who": 0, "kind": "event", "name": name, "time": int(time.time() * 1000) - 5, **extra, **item}

    def ping(self, **data: Any) -> dict[str, Any]:
        return {"id": new_id(), "who": 0, "kind": "ping", "data": data}

    def send(self, *items: Any, headers: tuple[str, ...] = (), **more: Any) -> Answer:
        body = {"script": "1", "sent_at": int(time.time() * 1000), "people": [self.person], "items": list(items), **more}
        return self.api.post(f"/messenger/{self.app_id}/deliveries", body, "Content-Type: text/plain;charset=UTF-8", *headers)

    def deliver(self, *items: Any, **more: Any) -> Any:
        """The answer, which must be 200."""
        answer = self.send(*items, **more)
        assert answer.status == 200, answer
        return answer.json

    def outcomes(self, *items: Any, **more: Any) -> list[tuple[str, str | None]]:
        """(outcome, code) of each item."""
        return [(each["outcome"], each.get("code")) for each in self.deliver(*items, **more)["results"]]
