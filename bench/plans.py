"""The requests that loads are made of."""

from . import processes
from .dataset import LATER, NAMES
from .load import Plan

BODY = '{"event_name":"event-%02d","user_id":"user-%06d","created_at":%010d,"metadata":{"plan":"team","seats":12,"path":"/settings"}}'
LIVE = Plan(processes.request("GET", "/-/health?check=live").decode())


def events(contacts: int, since: int = LATER) -> Plan:
    """POST /events: distinct events of all contacts. Content-Length is that of the body with its places filled."""
    length = len(BODY % (0, 0, since))
    head = processes.request("POST", "/events", bytes(length))[:-length].decode()
    return Plan(head + BODY, ("name", "contact", "second"), contacts, NAMES, since)


def page(contacts: int) -> Plan:
    """GET /events, the newest 50 of one contact after the other."""
    return _reading("per_page=50", contacts)


def summary(contacts: int) -> Plan:
    """GET /events, how often each did what."""
    return _reading("summary=true", contacts)


def _reading(query: str, contacts: int) -> Plan:
    return Plan(processes.request("GET", f"/events?type=user&user_id=user-%06d&{query}").decode(), ("contact",), contacts)
