"""Who is in which segment, exactly as of the moment of the question: attributes are asked of the directory, events of the analysis.

Nothing is written down of who is in one: a segment is its query. So a change of a contact, an event that was acknowledged, a merge and
the clock all show in the next answer.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from typing import Any, Protocol
from zoneinfo import ZoneInfo

from .analysis.asking import Analysis
from .errors import ParameterInvalid
from .ingest import Services as Base
from .rules import segments as rules
from .rules.contacts import Contact
from .rules.directory import Workspace
from .rules.explaining import Explanation, explained
from .rules.filters import Known
from .rules.search import NOBODY, Done, Filter, Inside, Not, Query, filters, leaves, names_attributes, replaced
from .rules.segments import DAY_S, Facts, Segment

TOGETHER = 8  # conditions on events that are asked for at once: each answer has a byte a contact
CONDITIONS_MAX = 100  # on events, all different, in one search: that many bytes a contact


class Services(Base, Protocol):
    @property
    def analysis(self) -> Analysis: ...


class Segments:
    """What handlers call `services.segments`. Belongs to the event loop."""

    def __init__(self, services: Services) -> None:
        self._services = services

    async def read(self, workspace: Workspace, query: object) -> Query:
        """Check a query that was sent, and read it. Raises by the place in it, as rules.segments.read does."""
        return (await self._read(workspace, [query]))[0]

    async def get(self, workspace: Workspace, id: str) -> tuple[Segment, Query]:
        """A segment, and its members as a query. Raises NotFound."""
        segment = await self._services.in_thread(self._services.directory.segments.get, workspace.number, id)
        return segment, (await self._queries(workspace, [segment]))[0]

    async def resolved(self, workspace: Workspace, query: Query) -> Query:
        """The same contacts as a query that the directory can answer alone: segments are their queries, and what was done is who did it.

        Raises ParameterInvalid where it asks for too much of the events at once, and what the analysis raises.
        """
        if any(each.field.kind == "segment" for each in filters(query)):
            there: Sequence[Segment] = await self._services.in_thread(self._services.directory.segments.list, workspace.number)
            ids = _ids(query)
            wanted = [each for each in there if ids is None or each.id in ids]
            queries = await self._queries(workspace, wanted)
            query = rules.expanded(query, {segment.id: each for segment, each in zip(wanted, queries, strict=True)})
        asked = list(dict.fromkeys(each for each in leaves(query) if isinstance(each, Done)))
        if len(asked) > CONDITIONS_MAX:
            text = (
                f"this asks for {len(asked)} different conditions on events at once, and {CONDITIONS_MAX} are possible: name fewer segments"
            )
            raise ParameterInvalid(text, field="query")
        if not asked:
            return query
        who = await self._doers(workspace, asked, now=int(self._services.now()))
        return replaced(query, lambda leaf: who[leaf] if isinstance(leaf, Done) else leaf)

    async def count(self, workspace: Workspace, query: Query) -> int:
        """How many listed contacts a query means."""
        resolved = await self.resolved(workspace, query)
        found: int = await self._services.in_background(
            workspace.number,
            self._services.directory.searches.count,
            workspace.number,
            resolved,
            within_s=self._services.settings.search_max_s,
            long=True,
        )
        return found

    async def marks(self, workspace: Workspace, id: str) -> bytes:
        """Who is in a segment: a byte for each contact by its number, 1 for the members. Raises NotFound."""
        _, query = await self.get(workspace, id)
        found: bytes = await self._services.in_background(
            workspace.number,
            self._services.directory.searches.marks,
            workspace.number,
            await self.resolved(workspace, query),
            within_s=self._services.settings.search_max_s,
            long=True,
        )
        return found

    async def counts(self, workspace: Workspace, segments: Sequence[Segment]) -> dict[int, int]:
        """How many are in each, by its number; noted as the sizes of today."""
        found = {}
        for segment, query in zip(segments, await self._queries(workspace, segments), strict=True):
            found[segment.number] = await self.count(workspace, query)
        if found:
            day = int(self._services.now()) // DAY_S
            await self._services.in_thread(self._services.directory.segments.note_sizes, found, day=day)
        return found

    async def of(self, workspace: Workspace, contacts: Iterable[int]) -> dict[int, list[Segment]]:
        """The segments that each of a few contacts is in, by the contacts' numbers, the first made first; who is in none is left out."""
        segments: Sequence[Segment] = await self._services.in_thread(self._services.directory.segments.list, workspace.number)
        numbers = list(dict.fromkeys(contacts))
        if not segments or not numbers:
            return {}
        queries = await self._queries(workspace, segments)
        now = int(self._services.now())
        did = await self._facts(
            workspace, [each for query in queries for each in leaves(query) if isinstance(each, Done)], numbers, now=now
        )
        met = await self._holding(workspace, [each for query in queries for each in filters(query)], numbers)
        found: dict[int, list[Segment]] = {}
        for place, number in enumerate(numbers):
            of_filters = met.get(number)
            if of_filters is None:
                continue

            def so(leaf: Query, place: int = place, of_filters: Mapping[Filter, bool] = of_filters) -> bool:
                if isinstance(leaf, Done):
                    return rules.holds(leaf, did[leaf][place], now)
                return isinstance(leaf, Filter) and of_filters[leaf]  # else it is NOBODY

            for segment, query in zip(segments, queries, strict=True):
                if rules.decided(query, {at: so(leaf) for at, leaf in enumerate(leaves(query))})[0]:
                    found.setdefault(number, []).append(segment)
        return found

    async def explain(self, workspace: Workspace, segment: Segment, contact: Contact) -> Explanation:
        """Why a contact is in a segment, or out of it."""
        query = await self.read(workspace, segment.query)
        whole = rules.of_persons(query, segment.person_type)
        now = int(self._services.now())
        asked = [each for each in leaves(whole) if isinstance(each, Done)]
        did = await self._facts(workspace, asked, [contact.number], now=now)
        met = (await self._holding(workspace, list(filters(whole)), [contact.number])).get(contact.number, {})
        tags = await self._services.in_thread(self._services.directory.tags.of_contact, workspace.number, contact.id)
        return explained(
            segment,
            query,
            contact,
            filters=[met.get(each, False) for each in filters(whole)],
            facts=[did[each][0] for each in asked],
            tags={str(each.tag.id): each.tag.name for each in tags},
            now=now,
            zone=ZoneInfo(workspace.timezone),
        )

    async def note_sizes(self, *, ending: Callable[[], bool]) -> None:
        """Count the segments of all workspaces that nobody has counted today, until the server is `ending`. Raises what counts does."""
        directory, today = self._services.directory, int(self._services.now()) // DAY_S
        for workspace in await self._services.in_thread(directory.workspaces.list):
            for segment in await self._services.in_thread(directory.segments.unsized, workspace.number, day=today):
                if not ending():
                    await self.counts(workspace, [segment])

    # Parts.

    async def _queries(self, workspace: Workspace, segments: Sequence[Segment]) -> list[Query]:
        """What each segment's members are, with whom it is of. One without a query has none."""
        read = await self._read(workspace, [segment.query for segment in segments if segment.query is not None])
        of = iter(read)
        return [NOBODY if each.query is None else rules.of_persons(next(of), each.person_type) for each in segments]

    async def _read(self, workspace: Workspace, queries: Sequence[object]) -> list[Query]:
        attributes: dict[str, str] = {}
        if any(names_attributes(query, None) for query in queries):
            listed: Any = await self._services.in_thread(
                partial(self._services.directory.attributes.list, workspace.number, include_archived=True)
            )
            attributes = {each.name: each.data_type for each in listed}
        known = Known(
            attributes=attributes,
            zone=ZoneInfo(workspace.timezone),
            exact_dates=self._services.settings.search_dates == "exact",
            dates_in_order=True,
            formatted_phone=True,
        )
        return [rules.read(query, known) for query in queries]

    async def _names(self, workspace: Workspace, asked: Iterable[Done]) -> dict[str, int]:
        found: Any = await self._services.in_thread(self._services.directory.names.find, workspace.number, {each.folded for each in asked})
        return {folded: name.number for folded, name in found.items()}

    async def _doers(self, workspace: Workspace, asked: Sequence[Done], *, now: int) -> dict[Query, Query]:
        names = await self._names(workspace, asked)
        found: dict[Query, Query] = {}
        for start in range(0, len(asked), TOGETHER):
            some = asked[start : start + TOGETHER]
            conditions = [[names.get(each.folded), *rules.asked(each, now)] for each in some]
            for each, doers in zip(some, await self._services.analysis.ask("who_did", conditions=conditions), strict=True):
                inside = Inside(bytes(doers["marks"]), doers["others"])
                found[each] = Not(inside) if rules.negated(each) else inside
        return found

    async def _facts(self, workspace: Workspace, asked: Sequence[Done], contacts: Sequence[int], *, now: int) -> dict[Done, list[Facts]]:
        """For each condition, what each contact did of it."""
        if not asked:
            return {}
        names = await self._names(workspace, asked)
        of = {each: (names.get(each.folded), *rules.asked(each, now)[1:3]) for each in asked}
        windows = list(dict.fromkeys(of.values()))
        answer = await self._services.analysis.ask("what_they_did", windows=[list(each) for each in windows], contacts=list(contacts))
        facts = {window: [Facts(*each) for each in did] for window, did in zip(windows, answer, strict=True)}
        return {each: facts[window] for each, window in of.items()}

    async def _holding(self, workspace: Workspace, asked: Sequence[Filter], contacts: Sequence[int]) -> dict[int, dict[Filter, bool]]:
        each_once = list(dict.fromkeys(asked))
        found: dict[int, list[bool]] = await self._services.in_thread(
            self._services.directory.searches.holding, workspace.number, contacts, each_once
        )
        return {number: dict(zip(each_once, held, strict=True)) for number, held in found.items()}


def _ids(query: Query) -> set[str] | None:
    """The segments that a query names; None where it asks for contacts that are in none, so for all of them."""
    found: set[str] = set()
    for each in filters(query):
        if each.field.kind == "segment":
            values = each.value if isinstance(each.value, tuple) else (each.value,)
            if None in values:
                return None
            found.update(str(value) for value in values)
    return found
