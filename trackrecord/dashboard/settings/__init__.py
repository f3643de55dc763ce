"""Settings: workspaces, people, access tokens, identity and origins, profile and limits, data and health, the request log, one's account.

There is no API for most of this: the pages call the functions that the command line calls, and show the command.
"""

from ..visit import Page
from . import data, identity, limits, people, requests, tokens, workspaces, you

PAGES: tuple[Page, ...] = (
    *workspaces.PAGES,
    *people.PAGES,
    *tokens.PAGES,
    *identity.PAGES,
    *limits.PAGES,
    *data.PAGES,
    *requests.PAGES,
    *you.PAGES,
)
