"""Contacts that a search finds: exactly those that plain Python finds, whatever is asked. The contract, 4.5."""

import random
import sqlite3
from datetime import datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from trackrecord.directory import Directory
from trackrecord.directory import search as statements
from trackrecord.errors import BadRequest
from trackrecord.rules.contacts import Changes, Draft, fold_email
from trackrecord.rules.filters import Known
from trackrecord.rules.profiles import PROFILES
from trackrecord.rules.search import FIELDS, Filter, Group, Inside, Not, Search, Sort, search

LENIENT = PROFILES["lenient"]
ZONE = ZoneInfo("America/New_York")
NIGHT = 1_583_625_600 + 5 * 3600  # 2020-03-08 00:00 in New York, a day of 23 hours
TYPES = {"plan": "string", "seats": "integer", "spend": "float", "paid": "boolean", "renews": "date", 'a."b\\c%': "string"}
KNOWN = Known(attributes=TYPES, zone=ZONE, formatted_phone=True)
EXACTLY = Known(attributes=TYPES, zone=ZONE, formatted_phone=True, exact_dates=True)
TEXTS = ["Joe", "JOE", "joe_", "J%e", "Straße", "STRASSE", "Ünal", "ünal", "İ", "日本", "x\\y", "a'b", "ﬁn"]
MOMENTS = [0, NIGHT - 1, NIGHT, NIGHT + 22 * 3600, NIGHT + 23 * 3600 - 1, NIGHT + 23 * 3600, NIGHT + 3 * 86_400]
TAGS = (1, 2, 3)


def drafts(rng, count):
    """Contacts with few different values, so that filters and sorts meet them often; None stands for none."""

    def one_of(values):
        return rng.choice([None, *values])

    for number in range(count):
        user = rng.random() < 0.8
        kept = {"plan": TEXTS[:6], "seats": [-1, 0, 5, 1 << 62], "spend": [0.5, 5, -1.25], "paid": [True, False], "renews": MOMENTS}
        kept['a."b\\c%'] = TEXTS[6:]
        yield Draft(
            role="user" if user else "lead",
            external_id=rng.choice([None, f"u{number}", f"U{number}"]) if user else None,
            email=one_of([f"{name}{number % 7}@{host}" for name in ("joe", "JÖE", "a@b") for host in ("x.com", "X.com", "y.org")]),
            name=one_of(TEXTS),
            phone=one_of(["+353 87-123", "(35387)123", "+35387123", "35387.123"]),
            avatar=one_of(["https://x.com/A.png", "https://x.com/a.png"]),
            owner_id=one_of([0, 1, 2, (1 << 63) - 1]),
            signed_up_at=one_of(MOMENTS),
            last_seen_at=one_of(MOMENTS),
            unsubscribed_from_emails=rng.random() < 0.3,
            language_override=one_of(["en", "EN", "de"]),
            custom_attributes={name: value for name, values in kept.items() if (value := one_of(values)) is not None},
            created_at=rng.choice(MOMENTS),
            updated_at=rng.choice(MOMENTS),
        )


class World:
    """A directory with contacts that searches find, and others that none may find."""

    def __init__(self, path):
        self.directory = Directory.open(path)
        self.workspace = self.directory.workspaces.create("first", "First", now=1).number
        other = self.directory.workspaces.create("other", "Other", now=1).number
        for name, data_type in TYPES.items():
            self.directory.attributes.create(self.workspace, model="contact", name=name, data_type=data_type, now=1)
        rng = random.Random(12)
        shown = self.make(self.workspace, drafts(rng, 60))
        hidden = self.make(self.workspace, drafts(rng, 40))
        self.make(other, drafts(rng, 20))
        self.tags = {contact.id: {tag for tag in TAGS if rng.random() < 0.3} for contact in shown}
        numbers = {contact.id: contact.number for contact in shown}
        with sqlite3.connect(path) as db:
            for position, contact in enumerate(hidden):
                column = ("archived_at", "blocked_at", "merged_into")[position % 3] if position % 4 else "role"
                db.execute(f"UPDATE contacts SET {column} = ? WHERE number = ?", ("visitor" if column == "role" else 1, contact.number))
            pairs = [(number, tag) for id, number in numbers.items() for tag in self.tags[id]]
            db.executemany("INSERT INTO contact_tags VALUES (?, ?, 1, NULL)", pairs)
        db.close()
        self.contacts = shown

    def make(self, workspace, made):
        outcomes = self.directory.contacts.create_many(workspace, list(made), now=1, profile=LENIENT)
        return [outcome for outcome in outcomes if not isinstance(outcome, Exception)]

    def pages(self, asked, limit=20):
        """What a search finds, page after page; every page tells the same total."""
        found, after, totals = [], None, set()
        while True:
            page = self.directory.searches.page(self.workspace, asked, limit=limit, after=after)
            found += page.contacts
            totals.add(page.total_count)
            after = page.next
            if after is None:
                assert totals == {len(found)}
                return found


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    made = World(tmp_path_factory.mktemp("searched") / "directory.db")
    assert len(made.contacts) > 40
    yield made
    made.directory.close()


# --- What plain Python finds ---------------------------------------------------------------------------------------------

NEVER = {"browser", "os", "location.city", "ios_device", "andoid_sdk_version", "android_sdk_version"}
NEVER_DATES = {"last_replied_at", "ios_last_seen_at", "last_contacted_at"}
EXACT = {"id", "role", "external_id"}
DATES = {"created_at", "updated_at", "signed_up_at", "last_seen_at", "custom_attributes.renews"} | NEVER_DATES
NUMBERS = {"owner_id", "custom_attributes.seats", "custom_attributes.spend"}
BOOLEANS = {"unsubscribed_from_emails", "has_hard_bounced", "marked_email_as_spam", "custom_attributes.paid"}
WORDS = {"name", "avatar", "phone", "language_override", "custom_attributes.plan", 'custom_attributes.a."b\\c%'} | (NEVER)
MAILS = {"email", "email_domain"}


def value_of(contact, field):
    if field in NEVER | NEVER_DATES:
        return None
    if field in ("has_hard_bounced", "marked_email_as_spam"):
        return False
    if field == "email_domain":
        return None if contact.email is None else contact.email.split("@")[-1]
    if field == "formatted_phone":
        return None if contact.phone is None else "".join(each for each in contact.phone if each in "+0123456789")
    if field.startswith("custom_attributes."):
        return contact.custom_attributes.get(field.partition(".")[2])
    return getattr(contact, field)


def same(field, value):
    """A value as values of its field are compared."""
    if value is None or field in EXACT | NUMBERS | BOOLEANS | DATES:
        return value
    if field in MAILS:
        return fold_email(value)
    return value if field == "formatted_phone" else value.casefold()


def local_day(moment):
    return datetime.fromtimestamp(moment, ZONE).date()


def meets(world, contact, asked, exact):
    if "field" not in asked:
        met = [meets(world, contact, each, exact) for each in asked["value"]]
        return all(met) if asked["operator"] == "AND" else any(met)
    field, operator, wanted = asked["field"], asked["operator"], asked["value"]
    if field == "tag_id":
        has = {str(each) for each in world.tags[contact.id]}
        among = wanted if isinstance(wanted, list) else [wanted]
        met = any(not has if each is None else each in has for each in among)
        return met if operator in ("=", "IN") else not met
    value = same(field, value_of(contact, field))
    wanted = [same(field, each) for each in wanted] if isinstance(wanted, list) else same(field, wanted)
    if field in DATES and wanted is not None and value is not None and not exact:
        value, wanted = local_day(value), local_day(wanted)
    return {
        "=": lambda: value == wanted,
        "!=": lambda: value != wanted,
        "IN": lambda: value in wanted,
        "NIN": lambda: value not in wanted,
        "~": lambda: value is not None and wanted in value,
        "!~": lambda: value is None or wanted not in value,
        "^": lambda: value is not None and value.startswith(wanted),
        "$": lambda: value is not None and value.endswith(wanted),
        "<": lambda: value is not None and value < wanted,
        ">": lambda: value is not None and value > wanted,
        "<=": lambda: value is not None and value <= wanted,
        ">=": lambda: value is not None and value >= wanted,
    }[operator]()


def ordered(contacts, field, descending):
    by_id = sorted(contacts, key=lambda contact: contact.id, reverse=descending)
    valued = [contact for contact in by_id if value_of(contact, field) is not None]
    valued.sort(key=lambda contact: same(field, value_of(contact, field)), reverse=descending)
    return valued + [contact for contact in by_id if value_of(contact, field) is None]


# --- What is asked -------------------------------------------------------------------------------------------------------

EQUALITY, PATTERNS, ORDER = ["=", "!=", "IN", "NIN"], ["~", "!~", "^", "$"], ["<", ">", "<=", ">="]
PARTS = ["j", "O", "%", "_", "\\", "ß", "ss", "ü", "本", "'", "x.com", "@", "7", "+", "é"]


@st.composite
def filters(draw, world, exact):
    field = draw(st.sampled_from(sorted(WORDS | MAILS | EXACT | DATES | NUMBERS | BOOLEANS | {"tag_id", "formatted_phone"})))
    text = field in WORDS | MAILS | EXACT | {"formatted_phone"}
    if field == "tag_id":
        operators, values = ["=", "!="], [*map(str, TAGS), "99", None]
    elif field in DATES:
        operators, values = (["=", *ORDER] if exact else ["=", "<", ">"]), [*MOMENTS, *(at + 7 for at in MOMENTS), None]
    else:
        operators = EQUALITY + (PATTERNS if text else ORDER if field in NUMBERS else [])
        values = [value_of(contact, field) for contact in world.contacts]
        if field == "role":
            values = ["user", "lead", None]
        elif text:
            values += [*TEXTS, *(value.upper() for value in values if value), *(value.title() for value in values if value)]
        elif field in NUMBERS:
            values += [1, 7]
        else:
            values = [True, False, None]
    operator = draw(st.sampled_from(operators))
    if operator in PATTERNS:
        whole = [value for value in values if value]
        value = draw(st.sampled_from(PARTS + whole))
        if value in whole and draw(st.booleans()):
            cut = draw(st.integers(1, len(value)))
            value = draw(st.sampled_from([value[:cut], value[-cut:]]))
        if field == "formatted_phone":
            value = "".join(each for each in value if each in "+0123456789") or "5"
        if field in MAILS:
            value = value.strip() or "j"
    elif operator in ("IN", "NIN"):
        value = draw(st.lists(st.sampled_from(values), min_size=1, max_size=4))
    elif operator in ORDER:
        value = draw(st.sampled_from([each for each in values if each is not None]))
    else:
        value = draw(st.sampled_from(values))
    return {"field": field, "operator": operator, "value": value}


@st.composite
def queries(draw, world, exact, depth=0):
    if depth == 2 or draw(st.integers(0, 2)) == 0:
        return draw(filters(world, exact))
    members = draw(st.lists(queries(world, exact, depth + 1), min_size=1, max_size=4))
    return {"operator": draw(st.sampled_from(["AND", "OR"])), "value": members}


SORTABLE = sorted(WORDS | MAILS | EXACT | DATES | NUMBERS | BOOLEANS | {"formatted_phone"})


@pytest.mark.parametrize("known", [KNOWN, EXACTLY], ids=["days", "exact"])
@settings(max_examples=120, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_a_search_finds_what_plain_python_finds_in_the_same_order(world, known, data):
    query = data.draw(queries(world, known.exact_dates))
    sort = {"field": data.draw(st.sampled_from(SORTABLE)), "order": data.draw(st.sampled_from(["ascending", "descending"]))}
    asked = search(query, sort, known)
    wanted = [contact for contact in world.contacts if meets(world, contact, query, known.exact_dates)]
    assert world.pages(asked) == ordered(wanted, sort["field"], sort["order"] == "descending")


@pytest.mark.parametrize("order", ["ascending", "descending"])
@pytest.mark.parametrize("field", SORTABLE)
def test_every_sort_is_walked_whole_and_without_repetition(world, field, order):
    asked = search({"field": "name", "operator": "NIN", "value": ["nobody"]}, {"field": field, "order": order}, KNOWN)
    assert world.pages(asked, limit=10) == ordered(world.contacts, field, order == "descending")


# --- How it is found -----------------------------------------------------------------------------------------------------


def found(directory, workspace, query, sort=None, **how):
    return directory.searches.page(workspace, search(query, sort, KNOWN), limit=how.pop("limit", 50), **how)


def of(field, operator, value):
    return {"field": field, "operator": operator, "value": value}


BY_ID, BY_EXTERNAL_ID, BY_EMAIL = of("id", "=", "6762f0cd1bb69f9f2193bb7c"), of("external_id", "=", "70"), of("email", "=", "j@x.com")


ID_INDEX = "sqlite_autoindex_contacts_1 (id=?)"
EXTERNAL_ID_INDEX, EMAIL_INDEX = "contacts_external_id (workspace=? AND external_id=?)", "contacts_email (workspace=? AND email_folded=?)"


@pytest.mark.parametrize(
    ("query", "indexes"),
    [
        (BY_ID, [ID_INDEX]),
        (BY_EXTERNAL_ID, [EXTERNAL_ID_INDEX]),
        (BY_EMAIL, [EMAIL_INDEX]),
        (of("email", "IN", ["j@x.com", "k@x.com"]), [EMAIL_INDEX]),
        ({"operator": "AND", "value": [of("role", "=", "user"), BY_EMAIL]}, [EMAIL_INDEX]),
        ({"operator": "AND", "value": [{"operator": "OR", "value": [BY_EXTERNAL_ID]}]}, [EXTERNAL_ID_INDEX]),
        ({"operator": "OR", "value": [BY_ID, BY_EXTERNAL_ID, BY_EMAIL]}, [ID_INDEX, EXTERNAL_ID_INDEX, EMAIL_INDEX]),
        (
            {"operator": "AND", "value": [of("role", "=", "user"), {"operator": "OR", "value": [BY_EMAIL, BY_EXTERNAL_ID]}]},
            [EMAIL_INDEX, EXTERNAL_ID_INDEX],
        ),
    ],
)
@pytest.mark.parametrize("sort", [None, {"field": "updated_at", "order": "ascending"}, {"field": "id"}])
def test_an_identifier_is_found_by_its_index_and_several_each_by_its_own(world, query, indexes, sort):
    asked = search(query, sort, KNOWN)
    with world.directory._db.reading() as connection:
        for statement in (
            statements._page(world.workspace, asked, limit=51, after=None),
            statements._counted(world.workspace, asked.query),
        ):
            compiled = statement.compile(connection.engine, compile_kwargs={"render_postcompile": True})
            values = tuple(compiled.params[name] for name in compiled.positiontup)
            plan = [row[3] for row in connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {compiled}", values)]
            reads = {line.replace("COVERING ", "") for line in plan if "contacts" in line}
            by_number = "SEARCH contacts USING INTEGER PRIMARY KEY (rowid=?)"
            assert reads - {by_number} == {f"SEARCH contacts USING INDEX {index}" for index in indexes}


def test_a_walk_by_the_default_order_reads_it_off_the_index(world):
    asked = search(of("role", "=", "user"), None, KNOWN)
    after = world.directory.searches.page(world.workspace, asked, limit=5).next
    with world.directory._db.reading() as connection:
        compiled = statements._page(world.workspace, asked, limit=51, after=after).compile(connection.engine)
        values = tuple(compiled.params[name] for name in compiled.positiontup)
        plan = [row[3] for row in connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {compiled}", values)]
    assert plan == ["SEARCH contacts USING INDEX contacts_listed (workspace=? AND (created_at,id)<(?,?))"]


def test_a_search_that_takes_too_long_is_ended_and_the_next_one_is_not(directory, workspace):
    directory.contacts.create_many(workspace, [Draft(name="Joe" * 50) for _ in range(2000)], now=1, profile=LENIENT)
    heavy = {"operator": "OR", "value": [{"operator": "OR", "value": [of("name", "~", f"{n}-{m}") for n in range(15)]} for m in range(15)]}
    with pytest.raises(BadRequest) as caught:
        found(directory, workspace, heavy, within_s=0.01)
    said = "this search took longer than 0.01 s; ask for an id, external_id or email as well, or use fewer filters"
    assert (caught.value.field, caught.value.message) == ("query", said)
    assert found(directory, workspace, heavy, within_s=600).total_count == 0
    assert found(directory, workspace, heavy).total_count == 0


def test_pages_stay_right_when_contacts_come_and_go_between_them(directory, workspace):
    made = directory.contacts.create_many(
        workspace, [Draft(external_id=f"{n:02}", name="x", created_at=n) for n in range(1, 10)], now=1, profile=LENIENT
    )
    everybody = of("name", "=", "x")
    sort = {"field": "external_id", "order": "ascending"}
    first = found(directory, workspace, everybody, sort, limit=3)
    directory.contacts.delete(workspace, made[1].id, now=2)
    directory.contacts.delete(workspace, made[2].id, now=2)
    directory.contacts.create(workspace, Draft(external_id="00", name="x"), now=3, profile=LENIENT)
    directory.contacts.create(workspace, Draft(external_id="045", name="X"), now=3, profile=LENIENT)
    second = found(directory, workspace, everybody, sort, limit=3, after=first.next)
    third = found(directory, workspace, everybody, sort, limit=3, after=second.next)
    pages = [[contact.external_id for contact in page.contacts] for page in (first, second, third)]
    assert pages == [["01", "02", "03"], ["04", "045", "05"], ["06", "07", "08"]]
    assert [page.total_count for page in (first, second, third)] == [9, 9, 9]


def test_a_search_sees_a_change_as_soon_as_it_is_made(directory, workspace):
    contact = directory.contacts.create(workspace, Draft(email="joe@x.com"), now=1, profile=LENIENT)
    assert found(directory, workspace, of("email", "=", "JOE@x.com")).contacts == [contact]
    changed = directory.contacts.update(workspace, contact.id, Changes(email="ann@x.com"), now=2, profile=LENIENT)
    assert found(directory, workspace, of("email", "=", "joe@x.com")) == statements.Found([], 0, None)
    assert found(directory, workspace, of("email", "=", "ann@x.com")) == statements.Found([changed], 1, None)


def test_a_search_ends_at_its_workspace(directory, workspace, other):
    mine = directory.contacts.create(workspace, Draft(external_id="70", email="joe@x.com"), now=1, profile=LENIENT)
    directory.contacts.create(other, Draft(external_id="70", email="joe@x.com"), now=1, profile=LENIENT)
    anyone = {"operator": "OR", "value": [of("email", "=", "joe@x.com"), of("external_id", "!=", "nobody"), of("tag_id", "!=", "1")]}
    assert found(directory, workspace, anyone).contacts == [mine]
    assert found(directory, other, of("id", "=", mine.id)).total_count == 0


def test_contacts_are_found_by_marks_at_their_numbers(world):
    everybody = {contact.id for contact in world.contacts}
    third = {contact.id for contact in world.contacts if contact.number % 3 == 0}
    users = {contact.id for contact in world.contacts if contact.role == "user"}
    j = {contact.id for contact in world.contacts if (contact.name or "").casefold().startswith("j")}
    highest = max(contact.number for contact in world.contacts)
    marks = bytes(number % 3 == 0 for number in range(highest + 1))
    half = {contact.id for contact in world.contacts if contact.number < highest // 2}
    for more in (b"", b"\1" * (statements.FEW + 1)):  # looked up one by one, and looked for among all
        for query, expected in (
            (Inside(marks + more), third),
            (Not(Inside(marks + more)), everybody - third),
            (Group("AND", (Inside(marks + more), Filter(FIELDS["role"], "=", "user"))), third & users),
            (Group("OR", (Inside(marks + more), Filter(FIELDS["role"], "=", "user"))), third | users),
            (Inside(marks[: highest // 2]), third & half),
            (Inside(marks[: highest // 2], others=True), (third & half) | (everybody - half)),
            (Inside(b""), set()),
            (Inside(b"", others=True), everybody),
            (Not(Filter(FIELDS["name"], "^", "j")), everybody - j),
        ):
            asked = Search(query, Sort(FIELDS["created_at"], descending=True))
            assert {contact.id for contact in world.pages(asked)} == expected
            assert world.directory.searches.count(world.workspace, query) == len(expected)


def test_few_marked_contacts_are_looked_up_one_by_one(world):
    with world.directory._db.reading() as connection:
        compiled = statements._counted(world.workspace, Inside(b"\0\1")).compile(
            connection.engine, compile_kwargs={"render_postcompile": True}
        )
        values = tuple(compiled.params[name] for name in compiled.positiontup)
        plan = [row[3] for row in connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {compiled}", values)]
    assert plan[0] == "SEARCH contacts USING INTEGER PRIMARY KEY (rowid=?)"
