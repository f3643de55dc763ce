"""What can be asked: one row each. To add a question, write its function in a file of this folder and add a row.

A function is given the records, exact as of the moment that was asked for, and the arguments of `Analysis.ask` by their names;
`records.columns` has the arrays. Lists of whole numbers that pass as `array` come as numpy arrays. It answers what msgspec can encode,
and numpy's arrays of numbers. It checks nothing of what users send: the API has done that.
"""

from collections.abc import Callable
from typing import Any

from .activity import activity, top_contacts
from .breakdown import breakdown
from .doers import what_they_did, who_did
from .funnel import funnel
from .retention import retention
from .trend import trend

QUESTIONS: dict[str, Callable[..., Any]] = {
    "activity": activity,
    "top_contacts": top_contacts,
    "breakdown": breakdown,
    "who_did": who_did,
    "what_they_did": what_they_did,
    "trend": trend,
    "funnel": funnel,
    "retention": retention,
}
