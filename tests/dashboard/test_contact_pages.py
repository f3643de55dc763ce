"""The pages of contacts as HTML: what they show is what the API answers, and what they do is what it does."""

import csv
import io
import json
import re
import shlex
from collections.abc import Callable, Iterator
from html import unescape
from typing import Any
from urllib.parse import parse_qsl, quote, urlencode, urlsplit

import httpx
import pytest
from looking import INSIDE, Html, Looker, Shown

from trackrecord.dashboard.contacts import PAGES
from trackrecord.rules.directory import SCOPES

WHEN = 1_790_000_000
MANY = 170  # contacts of one list: more than one page of it, and of the API's largest


class People:
    """The API of the server behind the pages."""

    def __init__(self, shown: Shown, token: str | None = None) -> None:
        headers = {"Authorization": f"Bearer {token or shown.server.token}"}
        self.http = httpx.Client(base_url=shown.url, headers=headers, timeout=30)
        self._made = 0

    def ask(self, method: str, path: str, body: Any = None) -> Any:
        answer = self.http.request(method, path, json=body)
        assert answer.status_code in (200, 202), answer.text
        return answer.json() if answer.content else None

    def new(self, **fields: Any) -> Any:
        """A contact, with a name nobody else has unless `fields` say one."""
        self._made += 1
        return self.ask("POST", "/contacts", {"external_id": f"made-{self._made}", "name": f"Made {self._made}", **fields})

    def lead(self, **fields: Any) -> Any:
        self._made += 1
        return self.ask("POST", "/contacts", {"role": "lead", "name": f"Lead {self._made}", **fields})

    def did(self, contact: Any, name: str, *, times: int = 1, since: int = WHEN, every: int = 60, **metadata: Any) -> None:
        for start in range(0, times, 1000):
            numbers = range(start, min(times, start + 1000))
            events = [
                {"event_name": name, "created_at": since - each * every, "id": contact["id"], "metadata": {"n": each, **metadata}}
                for each in numbers
            ]
            sent = self.http.post("/-/api/import/events", content="\n".join(map(json.dumps, events)))
            assert sent.json()["refused"] == [], sent.text

    def counts(self, contact: Any) -> dict[str, int]:
        found = self.ask("GET", f"/events?type=user&intercom_user_id={contact['id']}&summary=true")
        return {each["name"]: each["count"] for each in found["events"]}

    def status(self, contact: Any) -> int:
        return self.http.get(f"/contacts/{contact['id']}").status_code


@pytest.fixture(scope="module")
def people(shown: Shown) -> Iterator[People]:
    made = People(shown)
    yield made
    made.http.close()


@pytest.fixture
def signed_in(shown: Shown) -> Iterator[Callable[..., Looker]]:
    """Somebody else who is signed in, with a role in a workspace."""
    made: list[Looker] = []

    def sign_in(role: str, workspace: int = 1) -> Looker:
        directory = shown.server.server.directory
        email = f"{role}-{workspace}-{len(made)}-{id(made)}@example.com"
        account = directory.accounts.create(email, "", now=WHEN, role=role, workspaces=[workspace], password="a few words in a row")
        looker = Looker(shown.url)
        secret = directory.sessions.create(account.number, now=int(shown.server.server.now()))
        looker.http.cookies.set("trackrecord_session", secret or "", domain="127.0.0.1", path="/-/")
        looker.get(f"{INSIDE}/start")
        made.append(looker)
        return looker

    yield sign_in
    for looker in made:
        looker.http.close()


def names(page: Html) -> list[str]:
    """The contacts that a list shows, in its order."""
    return [unescape(name) for name in re.findall(r'<td><a href="[^"]*/contacts/[0-9a-f]{24}"[^>]*><bdi>(.*?)</bdi>', page.text)]


def following(page: Html) -> str | None:
    """Where the link at the end of a list leads to."""
    found = re.search(r'class="more" hx-get="([^"]+)"', page.text)
    return unescape(found[1]) if found else None


def listed(**query: Any) -> str:
    return "contacts?" + urlencode(query, doseq=True)


def row(field: str, op: str, value: str = "") -> list[tuple[str, str]]:
    return [("field", field), ("op", op), ("value", value)]


def rows(*conditions: list[tuple[str, str]], **more: str) -> str:
    return "contacts?" + urlencode([pair for each in conditions for pair in each] + list(more.items()))


@pytest.fixture(scope="module")
def many(people: People) -> list[Any]:
    """Contacts of one plan, more than fit on a page."""
    return [
        people.new(
            external_id=f"many-{n}", name=f"Many {n:03}", email=f"many{n}@example.com", custom_attributes={"plan": "many", "seats": n}
        )
        for n in range(MANY)
    ]


# --- The list ------------------------------------------------------------------------------------------------------------


@pytest.mark.usefixtures("many")
def test_the_list_goes_on_page_by_page_with_the_link_that_htmx_follows_too(looker: Looker) -> None:
    page = looker.get(rows(row("custom_attributes.plan", "is", "many"), sort="name"))
    seen, whole = names(page), names(page)
    while (address := following(page)) is not None:
        whole += names(looker.get(address))
        page = looker.get(address, **{"HX-Request": "true"})
        assert "<html" not in page.text
        seen += names(page)
    assert seen == whole == [f"Many {n:03}" for n in range(MANY)]


@pytest.mark.usefixtures("many")
def test_the_number_is_the_apis_and_the_call_beside_it_gives_it(looker: Looker, people: People) -> None:
    page = looker.get(rows(row("custom_attributes.seats", "from", "100"), row("custom_attributes.plan", "in", "many, x")))
    (command,) = re.findall(r"<code>(curl .*?)</code>", page.text, re.DOTALL)
    parts = shlex.split(unescape(command).replace("\\\n", ""))
    assert parts[2] == f"{people.http.base_url}/contacts/search".replace("//contacts", "/contacts")
    answer = people.ask("POST", "/contacts/search", json.loads(parts[parts.index("-d") + 1]))
    assert answer["total_count"] == MANY - 100
    assert f"{MANY - 100} contacts found" in page.words
    assert names(page) == [each["name"] for each in answer["data"]]


def test_whoever_is_called_what_is_typed_comes_first_and_parts_of_names_on_demand(looker: Looker, people: People) -> None:
    one = people.new(external_id="quark", name="Exactly")
    other = people.new(name="Quarkson", email="quarkson@example.com")
    exact = looker.get(listed(q="quark"))
    assert names(exact) == ["Exactly"]
    assert "called exactly so" in exact.words
    assert names(looker.get(listed(q="quark", wide=1))) == ["Quarkson"]
    assert names(looker.get(listed(q="QUARKS"))) == ["Quarkson"]
    assert names(looker.get(listed(q=one["id"]))) == ["Exactly"]
    assert names(looker.get(listed(q=" quarkson@EXAMPLE.com "))) == [other["name"]]


@pytest.mark.usefixtures("many")
@pytest.mark.parametrize(
    ("condition", "message"),
    [
        (row("custom_attributes.seats", "over", "many"), "this must be a number, got 'many'"),
        (row("last_seen_at", "on", "yesterday"), "this must be a date in Unix seconds"),
        (row("no_such_field", "is", "x"), "no_such_field is not a valid search field"),
        (row("tag_id", "is", "VIP"), "this must be the id of a tag"),
    ],
)
def test_a_condition_that_cannot_be_asked_says_what_is_wrong_where_it_stands(looker: Looker, condition: Any, message: str) -> None:
    page = looker.get(rows(row("name", "contains", "Many"), condition))
    assert page.status == 400
    assert f"Condition 2: {message}" in page.words
    assert re.search(r'<div class="condition wrong" role="group" aria-label="Condition 2">', page.text)
    assert 'value="Many"' in page.text


def test_nothing_found_says_by_what_and_each_part_can_be_taken_away(looker: Looker) -> None:
    page = looker.get(rows(row("name", "is", "nobody at all"), row("phone", "known"), q="nothing"))
    assert "Nobody is found by this" in page.words
    lifts = {" ".join(re.sub("<[^>]+>", " ", words).split()): unescape(address)
             for address, words in re.findall(r'<li><a class="button" href="([^"]+)">(.*?)</a></li>', page.text)}  # fmt: skip
    name, phone = row("name", "is", "nobody at all"), row("phone", "known")
    assert lifts == {
        "“nothing” as a name, e-mail address or id": f"{INSIDE}/{rows(name, phone)}",
        "Name is nobody at all": f"{INSIDE}/contacts?" + urlencode([("q", "nothing"), *phone]),
        "Phone is known": f"{INSIDE}/contacts?" + urlencode([("q", "nothing"), *name]),
    }


def test_rows_are_added_and_taken_away_with_buttons_that_need_no_script(looker: Looker) -> None:
    page = looker.get(rows(row("name", "is", "Ann"), add="1"))
    assert page.text.count('<div class="condition"') == 2
    page = looker.get(rows(row("name", "is", "Ann"), row("role", "is", "lead"), drop="0"))
    assert page.text.count('<div class="condition"') == 1
    assert '<option value="lead" selected>' in page.text
    assert looker.get(rows(row("name", "is", "Ann"), drop="7")).text.count('<div class="condition"') == 1


@pytest.mark.parametrize(
    ("field", "shows"),
    [
        ("role", '<option value="lead">Lead</option>'),
        ("created_at", 'type="date"'),
        ("custom_attributes.seats", 'inputmode="decimal"'),
        ("tag_id", "Tagged for the form</option>"),
        ("custom_attributes.size", '<option value="large">'),
    ],
)
@pytest.mark.usefixtures("many")
def test_a_value_is_typed_into_what_fits_its_field(looker: Looker, people: People, field: str, shows: str) -> None:
    people.ask("POST", "/tags", {"name": "Tagged for the form"})
    people.http.post("/data_attributes", json={"name": "size", "model": "contact", "data_type": "string",
                                               "options": [{"value": "small"}, {"value": "large"}]})  # fmt: skip
    assert shows in looker.get(rows(row(field, "is"))).text


def test_a_search_in_the_apis_own_words_is_asked_as_it_is(looker: Looker, people: People) -> None:
    people.new(name="Nested One", phone="1")
    inner = {
        "operator": "OR",
        "value": [{"field": "phone", "operator": "=", "value": "1"}, {"field": "phone", "operator": "=", "value": "2"}],
    }
    query = {"operator": "AND", "value": [inner, {"field": "name", "operator": "^", "value": "nested"}]}
    page = looker.get(listed(query=json.dumps(query)))
    assert names(page) == ["Nested One"]
    assert "<textarea" in page.text
    plain = looker.get(listed(query=json.dumps(query["value"][1])))
    assert names(plain) == ["Nested One"]
    assert "<textarea" not in plain.text


@pytest.mark.parametrize("query", ["{", "[]", '{"operator":"AND"}', "5", '"' + "x" * 4000])
def test_a_search_that_is_none_is_told_and_never_a_fault_of_ours(looker: Looker, query: str) -> None:
    page = looker.get(listed(query=query))
    assert page.status == 400
    assert "query" in page.words or "this" in page.words


@pytest.mark.parametrize(
    "query",
    [
        "starting_after=nothing",
        "sort=no-such",
        "sort=-tag_id",
        "field=name&op=in&value=%22",
        "field=%00&op=is&value=%00",
        "drop=-1&add=",
        "q=" + "x" * 5000,
        "field=name&op=is&value=" + "y" * 20_000,
        "q=%ff%fe",
    ],
)
def test_an_address_that_somebody_made_up_is_answered_and_never_a_fault_of_ours(looker: Looker, query: str) -> None:
    assert looker.get(f"contacts?{query}").status in (200, 400)


@pytest.mark.usefixtures("many")
def test_as_csv_is_the_whole_list_with_no_cell_that_a_spreadsheet_would_run(looker: Looker, people: People) -> None:
    people.new(name="=1+1", external_id="formula", custom_attributes={"plan": "many", "seats": 500})
    answer = looker.get(rows(row("custom_attributes.plan", "is", "many"), sort="name", format="csv"))
    assert answer.headers["content-type"].startswith("text/csv")
    table = list(csv.DictReader(io.StringIO(answer.text.removeprefix("\ufeff"))))
    assert sorted(each["name"] for each in table) == ["'=1+1", *(f"Many {n:03}" for n in range(MANY))]
    assert {each["custom_attributes.plan"] for each in table} == {"many"}
    assert looker.get(rows(row("custom_attributes.seats", "over", "x"), format="csv")).status == 400


def test_who_is_archived_or_blocked_has_a_list_of_its_own(looker: Looker, people: People) -> None:
    gone, blocked = people.new(name="Gone Away"), people.new(name="Shut Out")
    people.ask("POST", f"/contacts/{gone['id']}/archive", {})
    people.ask("POST", f"/contacts/{blocked['id']}/block", {})
    page = looker.get("contacts/archived")
    assert {"Gone Away", "Shut Out"} <= set(names(page))
    assert names(looker.get(listed(q="Gone Away"))) == []


# --- One contact ---------------------------------------------------------------------------------------------------------


def test_a_contact_is_shown_with_all_that_the_api_knows_of_it(looker: Looker, people: People) -> None:
    attributes = {"tier": "gold", "spend": 4.75, "trial": False, "site": "https://example.com/x"}
    contact = people.new(
        email="whole@example.com", name="Whole Person", phone="+353", avatar="https://example.com/a.png", language_override="de",
        last_seen_at=WHEN, signed_up_at=WHEN, owner_id=7, unsubscribed_from_emails=True, custom_attributes=attributes,
    )  # fmt: skip
    tag = people.ask("POST", "/tags", {"name": "Whole tag", "users": [{"id": contact["id"]}]})
    company = people.ask("POST", "/companies", {"company_id": "whole-1", "name": "Whole & Co"})
    people.ask("POST", f"/contacts/{contact['id']}/companies", {"id": company["id"]})
    people.did(contact, "opened-door", times=12)
    people.did(contact, "shut-door", times=3)
    page = looker.get(f"contacts/{contact['id']}")
    for words in (
        "Whole Person", contact["id"], contact["external_id"], "whole@example.com", "+353", "Language de", "Owner id 7",
        "E-mails unsubscribed", "tier gold string", "spend 4.75 float", "trial false boolean", "Whole tag", "Whole & Co whole-1",
        "opened-door 12", "shut-door 3",
    ):  # fmt: skip
        assert words in page.words, words
    assert people.counts(contact) == {"opened-door": 12, "shut-door": 3}
    assert f'href="{INSIDE}/contacts?field=tag_id&amp;op=is&amp;value={tag["id"]}"' in page.text
    assert '<a href="https://example.com/x" target="_blank" rel="noopener noreferrer nofollow">' in page.text
    assert "img" not in re.findall(r"<(\w+)", page.text)  # nothing is loaded from elsewhere


def happened(page: Html) -> list[str]:
    """The days and times of a timeline, as the page has them."""
    body = page.text.partition('class="rows events timeline"')[2].partition("<aside")[0] if "<h1>" in page.text else page.text
    return re.findall(r'<th scope="rowgroup"[^>]*>([^<]+)|<time datetime="([^"]+)"', body)  # type: ignore[return-value]


def test_the_timeline_goes_back_to_the_first_event_day_by_day(looker: Looker, people: People) -> None:
    contact = people.new()
    people.did(contact, "walked", times=130, every=3_600)
    page = looker.get(f"contacts/{contact['id']}")
    found = happened(page)
    while (address := following(page)) is not None:
        page = looker.get(address, **{"HX-Request": "true"})
        found += happened(page)
    days, times = [day for day, _ in found if day], list(dict.fromkeys(time for _, time in found if time))
    assert len(days) == len(set(days)) == 6  # a day that goes on over a page is said once
    assert len(times) == 130
    assert times == sorted(times, reverse=True)
    whole = looker.get(re.sub(r"&day=[^&]*", "", following(looker.get(f"contacts/{contact['id']}")) or ""))
    assert (whole.status, "<h1>" in whole.text) == (200, True)


def test_the_timeline_shows_one_event_name_alone(looker: Looker, people: People) -> None:
    contact = people.new()
    people.did(contact, "sang", times=4)
    people.did(contact, "danced & jumped", times=2, since=WHEN - 7)
    page = looker.get(f"contacts/{contact['id']}?" + urlencode({"name": "danced & jumped"}))
    assert len([time for _, time in happened(page) if time]) == 2
    page = looker.get(f"contacts/{contact['id']}?name=never-done")
    assert "No event of this name" in page.words


def test_a_contact_without_events_or_name_has_its_page_too(looker: Looker, people: People) -> None:
    lead = people.ask("POST", "/contacts", {"role": "lead"})
    page = looker.get(f"contacts/{lead['id']}")
    assert page.status == 200
    assert "It has done nothing yet" in page.words


def test_a_contact_says_what_became_of_it(looker: Looker, people: People) -> None:
    user, lead, gone, blocked = people.new(name="Survivor"), people.lead(), people.new(), people.new()
    for contact in (gone, blocked):
        people.did(contact, "was-here", times=2)
    people.ask("POST", "/contacts/merge", {"from": lead["id"], "into": user["id"]})
    people.ask("POST", f"/contacts/{gone['id']}/archive", {})
    people.ask("POST", f"/contacts/{blocked['id']}/block", {})
    merged = looker.get(f"contacts/{lead['id']}")
    assert "Merged away" in merged.words
    assert f'href="{INSIDE}/contacts/{user["id"]}"' in merged.text
    assert "until it is unarchived" in looker.get(f"contacts/{gone['id']}").words
    assert "hidden for good" in looker.get(f"contacts/{blocked['id']}").words
    for contact in (gone, blocked):
        assert looker.get(f"contacts/{contact['id']}").text.count("was-here") >= 2


def test_a_visitor_has_a_page(looker: Looker, people: People) -> None:
    line = json.dumps({"role": "visitor", "user_id": "3ecf64d0-9ed1-4e9f-88e1-da7d6e6782f3"})
    assert people.http.post("/-/api/import/contacts", content=line).status_code == 200
    visitor = people.ask("GET", "/visitors?user_id=3ecf64d0-9ed1-4e9f-88e1-da7d6e6782f3")
    people.did(visitor, "visited-pricing")
    page = looker.get(f"contacts/{visitor['id']}")
    assert "not yet identified" in page.words
    assert "visited-pricing 1" in page.words
    assert "Actions Delete" in page.words
    looker.get(f"contacts/{visitor['id']}/delete")
    done = looker.post(f"contacts/{visitor['id']}/delete", {"typed": visitor["user_id"]})
    assert "is deleted, with its 1 event" in looker.follow(done).words
    assert looker.get(f"contacts/{visitor['id']}").status == 404


# --- What is done --------------------------------------------------------------------------------------------------------


def test_tags_are_put_on_by_name_and_taken_off(looker: Looker, people: People) -> None:
    contact = people.new(name="Tagged One")
    looker.get(f"contacts/{contact['id']}")
    page = looker.follow(looker.post(f"contacts/{contact['id']}/tags", {"name": "Fresh tag"}))
    assert "Tagged One is tagged Fresh tag" in page.words
    (tag,) = people.ask("GET", f"/contacts/{contact['id']}/tags")["data"]
    page = looker.follow(looker.post(f"contacts/{contact['id']}/tags/remove", {"tag_id": tag["id"]}))
    assert "Tagged One is not tagged Fresh tag any more" in page.words
    assert people.ask("GET", f"/contacts/{contact['id']}/tags")["data"] == []
    assert looker.post(f"contacts/{contact['id']}/tags", {"name": " "}).status == 400
    assert looker.post(f"contacts/{contact['id']}/tags/remove", {"tag_id": "no/such"}).status == 404


def test_archiving_says_what_will_happen_and_then_what_was_done(looker: Looker, people: People) -> None:
    contact = people.new(name="Archie")
    before = looker.get(f"contacts/{contact['id']}/archive")
    assert "What will happen" in before.words
    assert people.status(contact) == 200
    page = looker.follow(looker.post(f"contacts/{contact['id']}/archive"))
    assert "Archie is archived" in page.words
    assert people.status(contact) == 404
    assert looker.get(f"contacts/{contact['id']}/archive").status == 404
    looker.get(f"contacts/{contact['id']}/unarchive")
    page = looker.follow(looker.post(f"contacts/{contact['id']}/unarchive"))
    assert "Archie is back, with all that it had" in page.words
    assert people.status(contact) == 200


@pytest.mark.parametrize("deed", ["block", "delete"])
def test_what_has_no_way_back_is_not_done_before_the_name_is_typed(looker: Looker, people: People, deed: str) -> None:
    contact = people.new(name="Dear  Name")
    people.did(contact, "stayed", times=1204)
    page = looker.get(f"contacts/{contact['id']}/{deed}")
    assert "There is no way back" in page.words
    for typed in ("", "dear name", "Dear Name!"):
        refused = looker.post(f"contacts/{contact['id']}/{deed}", {"typed": typed})
        assert refused.status == 400
        assert "as it stands here" in refused.words
    assert people.counts(contact) == {"stayed": 1204}
    done = looker.follow(looker.post(f"contacts/{contact['id']}/{deed}", {"typed": " Dear Name "}))
    assert people.status(contact) == 404
    if deed == "delete":
        assert "Delete this contact and its 1,204 events" in page.words
        assert "is deleted, with its 1,204 events" in done.words
        assert looker.get(f"contacts/{contact['id']}").status == 404
    else:
        assert "is blocked" in done.words
        looker.get(f"contacts/{contact['id']}/delete")
        done = looker.follow(looker.post(f"contacts/{contact['id']}/delete", {"typed": "Dear Name"}))
        assert "is deleted, with its 1,204 events" in done.words


def test_a_merge_shows_what_every_field_comes_to_and_how_many_events_move(looker: Looker, people: People) -> None:
    lead = people.lead(email="pair@example.com", name="Zoe L", phone="+1 555", custom_attributes={"colour": "red", "cups": 3})
    user = people.new(external_id="zoe", name="Zoe U", email="pair@example.com", custom_attributes={"colour": "blue"})
    people.did(lead, "asked", times=37)
    people.did(user, "answered", times=5)
    for one, other in ((lead, user), (user, lead)):
        assert names(looker.get(f"contacts/{one['id']}/merge")) == []
        assert f'merge?with={other["id"]}"' in looker.get(f"contacts/{one['id']}/merge").text  # who has the same address
        page = looker.get(f"contacts/{one['id']}/merge?with={other['id']}")
        assert "Merge Zoe L into Zoe U" in page.words
        assert "Zoe L has 37 events, which become Zoe U's, who has 5." in page.words
        for fate in ("E-mail pair@example.com pair@example.com pair@example.com the same", "Name Zoe L Zoe U Zoe U the user's stays",
                     "Phone +1 555 – +1 555 taken over", "colour red blue blue the user's stays", "cups 3 – 3 taken over"):  # fmt: skip
            assert fate in page.words, fate
    assert people.status(lead) == 200
    done = looker.follow(looker.post(f"contacts/{lead['id']}/merge", {"with": user["id"]}))
    assert "Zoe L is merged into Zoe U, with 37 events" in done.words
    assert people.counts(user) == {"asked": 37, "answered": 5}
    assert people.ask("GET", f"/contacts/{user['id']}")["custom_attributes"] == {"colour": "blue", "cups": 3}


def test_whom_to_merge_with_is_searched_for_among_the_other_role(looker: Looker, people: People) -> None:
    lead, user = people.lead(name="Seeking"), people.new(name="Findable Person")
    people.lead(name="Findable Lead")
    page = looker.get(f"contacts/{lead['id']}/merge?q=findable")
    assert re.findall(r"merge\?with=([0-9a-f]{24})", page.text) == [user["id"]]
    assert "No user is called so" in looker.get(f"contacts/{lead['id']}/merge?q=nobody-at-all").words


def test_two_that_cannot_be_merged_are_refused_in_words(looker: Looker, people: People) -> None:
    one, other, hidden = people.new(), people.new(), people.lead()
    people.ask("POST", f"/contacts/{hidden['id']}/archive", {})
    assert "a lead into a user" in looker.get(f"contacts/{one['id']}/merge?with={other['id']}").words
    assert looker.get(f"contacts/{one['id']}/merge?with={hidden['id']}").status == 404
    assert looker.get(f"contacts/{one['id']}/merge?with=nobody").status == 404
    looker.get(f"contacts/{one['id']}")
    assert looker.post(f"contacts/{one['id']}/merge", {"with": other["id"]}).status == 400
    assert looker.post(f"contacts/{one['id']}/merge", {"with": ""}).status == 404


# --- Who may, and whose it is --------------------------------------------------------------------------------------------

DEEDS = [page.path.removeprefix("contacts/{contact_id}/") for page in PAGES if page.method == "POST"]
FIELDS = {"typed": "Untouched", "name": "x", "tag_id": "1"}


@pytest.mark.parametrize("deed", DEEDS)
def test_nothing_is_done_for_a_form_of_another_site(looker: Looker, people: People, deed: str) -> None:
    contact, user = people.lead(name="Untouched"), people.new()
    for csrf in ("", "wrong"):
        assert looker.post(f"contacts/{contact['id']}/{deed}", {**FIELDS, "with": user["id"]}, csrf=csrf).status == 403
    looker.get(f"contacts/{contact['id']}")
    other_site = {"Origin": "https://elsewhere.example", "Sec-Fetch-Site": "cross-site"}
    assert looker.post(f"contacts/{contact['id']}/{deed}", {**FIELDS, "with": user["id"]}, **other_site).status == 403
    assert people.ask("GET", f"/contacts/{contact['id']}") == contact


@pytest.mark.parametrize("deed", DEEDS)
def test_a_viewer_sees_a_contact_and_does_nothing_to_it(people: People, signed_in: Callable[..., Looker], deed: str) -> None:
    contact, user, viewer = people.lead(name="Untouched"), people.new(), signed_in("viewer")
    people.did(contact, "seen")
    page = viewer.get(f"contacts/{contact['id']}")
    assert page.status == 200
    assert "Actions" not in page.words
    assert 'method="post" action="' + INSIDE not in page.text
    assert viewer.post(f"contacts/{contact['id']}/{deed}", {**FIELDS, "with": user["id"]}).status == 403
    if not deed.startswith("tags"):
        assert viewer.get(f"contacts/{contact['id']}/{deed}").status == 403
    assert people.ask("GET", f"/contacts/{contact['id']}") == contact


def test_another_workspaces_contact_is_not_found_on_any_page_nor_in_any_list(shown: Shown, looker: Looker) -> None:
    directory = shown.server.server.directory
    other = directory.workspaces.create("other", "Other", now=0, admin_name="Ann", admin_email="ann@example.com").number
    theirs = People(shown, directory.tokens.create(other, "theirs", frozenset(SCOPES), now=0)[1])
    contact = theirs.new(name="Theirs Alone", email="theirs@example.com", external_id="theirs-1")
    theirs.did(contact, "their-event")
    looker.get("contacts")
    for page in PAGES:
        if "{contact_id}" in page.path:
            path = page.path.replace("{contact_id}", contact["id"])
            sent = {**FIELDS, "typed": "Theirs Alone", "with": contact["id"]}
            answer = looker.get(path) if page.method == "GET" else looker.post(path, sent)
            assert answer.status == 404, path
            assert "their-event" not in answer.text
            assert "Theirs Alone" not in answer.text
    for typed in ("Theirs Alone", "theirs@example.com", "theirs-1", contact["id"]):
        assert names(looker.get(listed(q=typed))) == []
    assert theirs.ask("GET", f"/contacts/{contact['id']}") == contact
    theirs.http.close()


SCRIPT = "<script>alert(1)</script>\"'><img src=x onerror=alert(2)>"


def test_whatever_strangers_wrote_stands_in_every_page_as_text(looker: Looker, people: People) -> None:
    hostile = {
        "name": SCRIPT, "email": '"<b>"@x.com', "phone": SCRIPT, "avatar": "javascript:alert(3)", "language_override": SCRIPT,
        "custom_attributes": {"hostile": SCRIPT, "address": "javascript:alert(4)", "data": "data:text/html,<script>alert(5)</script>"},
    }  # fmt: skip
    lead, user = people.lead(**hostile), people.new(**hostile, external_id=SCRIPT)
    for contact in (lead, user):
        people.ask("POST", "/tags", {"name": SCRIPT, "users": [{"id": contact["id"]}]})
        people.did(contact, SCRIPT, note=SCRIPT, link="javascript:alert(6)")
    company = people.ask("POST", "/companies", {"company_id": SCRIPT, "name": SCRIPT})
    people.ask("POST", f"/contacts/{user['id']}/companies", {"id": company["id"]})
    pages = [
        *(f"contacts/{user['id']}{end}" for end in ("", "/archive", "/block", "/delete", "/merge", f"?name={quote(SCRIPT)}")),
        f"contacts/{lead['id']}/merge?with={user['id']}", f"contacts/{lead['id']}/merge?q={quote(SCRIPT)}",
        listed(q=SCRIPT), listed(q="<b>"), rows(row("custom_attributes.hostile", "is", SCRIPT), row(SCRIPT, SCRIPT, SCRIPT)),
        rows(row("tag_id", "is", SCRIPT)), listed(query=SCRIPT), listed(sort=SCRIPT),
    ]  # fmt: skip
    for path in pages:
        text = looker.get(path).text
        assert re.findall(r"<script(?![^>]* src=)|<img|<b>\"@|\son[a-z]+=(?!&)", text.replace(" onerror=alert(2)", "")) == [], path
        assert re.findall(r'(?:href|src|action|hx-get)="(?:javascript|data:text)', text) == [], path
    looker.get(f"contacts/{lead['id']}")
    done = looker.follow(looker.post(f"contacts/{lead['id']}/tags", {"name": SCRIPT + "2"}))
    assert "is tagged" in done.words
    assert "<img" not in done.text


def test_what_is_asked_of_contacts_can_be_kept_as_a_segment(looker: Looker, signed_in: Callable[..., Looker]) -> None:
    asked = rows(row("name", "contains", "Ann"), row("last_seen_at", "after", "2026-11-01"))
    (address,) = re.findall(r'href="([^"]+/segments/new[^"]*)"', looker.get(asked).text)
    query = {"operator": "AND", "value": [
        {"field": "name", "operator": "~", "value": "Ann"}, {"field": "last_seen_at", "operator": ">", "value": "2026-11-01"},
    ]}  # fmt: skip
    assert json.loads(dict(parse_qsl(urlsplit(unescape(address)).query))["query"]) == query
    assert "segments/new" not in signed_in("viewer").get(asked).text
    assert "segments/new" not in looker.get("contacts").text
    assert "segments/new" not in looker.get(rows(row("segment_id", "is", "5" * 24))).text
