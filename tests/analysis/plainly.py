"""What the questions must answer, said with lists and loops over the events that a store says stand."""

import json
from collections import Counter
from itertools import pairwise


def standing(store):
    """(position, event) of everything stored."""
    receipts = (store.receipt(position) for position in range(1, store.cursor() + 1))
    return [(receipt.position, receipt.event.event) for receipt in receipts if receipt and receipt.outcome == "stored"]


def rows(store):
    return [(position, event.contact, event.name, event.created_at) for position, event in standing(store)]


def within(event, since, until):
    return (since is None or event.created_at >= since) and (until is None or event.created_at < until)


def activity(store, names, edges):
    events = [event for _, event in standing(store)]
    return {
        "counts": [sum(event.name == name for event in events) for name in names],
        "contacts": [len({event.contact for event in events if event.name == name}) for name in names],
        "periods": [
            [sum(event.name == name and since <= event.created_at < until for event in events) for since, until in pairwise(edges)]
            for name in names
        ],
    }


def top_contacts(store, name, limit, since=None, until=None):
    times = {}
    for _, event in standing(store):
        if event.name == name and within(event, since, until):
            times.setdefault(event.contact, []).append(event.created_at)
    most = sorted(times, key=lambda contact: (-len(times[contact]), contact))[:limit]
    return {
        "top": [{"contact": each, "count": len(times[each]), "first": min(times[each]), "last": max(times[each])} for each in most],
        "events": sum(map(len, times.values())),
        "contacts": len(times),
    }


def breakdown(store, name, key, limit, since=None, until=None):
    """Of values that as many events have, the order is not said: they stand here by how they are written."""
    by_value, contacts, events, without = {}, {}, [], 0
    for _, event in standing(store):
        if event.name != name or not within(event, since, until):
            continue
        events.append(event)
        metadata = json.loads(event.metadata or b"{}")
        if key not in metadata:
            without += 1
            continue
        kind = event.kinds[list(metadata).index(key)]
        value = metadata[key]
        value = value["value"] if kind == "r" else {**value, "currency": value["currency"].lower()} if kind == "m" else value
        shown = kind, json.dumps(float(value) if kind in "nd" else value, sort_keys=True)
        by_value.setdefault(shown, value)
        contacts.setdefault(shown, []).append(event.contact)
    most = sorted(contacts, key=lambda shown: -len(contacts[shown]))
    counts = Counter({shown: len(whose) for shown, whose in contacts.items()})
    return {
        "events": len(events),
        "contacts": len({event.contact for event in events}),
        "without": without,
        "values": {shown: (len(whose), len(set(whose))) for shown, whose in contacts.items()},
        "counts": [counts[shown] for shown in most[:limit]],
        "other_values": max(0, len(most) - limit),
        "other_events": sum(counts[shown] for shown in most[limit:]),
    }
