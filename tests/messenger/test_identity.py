"""Who a browser may speak for. The contract, 8.5."""

import base64
import hashlib
import hmac
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jwt
import pytest
from wire.client import Api, fresh

from trackrecord.messenger.identity import NotProved, Proof, hash_of, verified
from trackrecord.testing import TrackrecordServer

from .browser import Browser

SECRET, OTHER = "a-secret-of-the-workspace-with-32-characters", "another-secret-nobody-here-has-given-out"
NOW = 1_700_000_000.0


@pytest.fixture(scope="module")
def enforcing() -> Iterator[TrackrecordServer]:
    with TrackrecordServer(identity_secret=SECRET) as server:
        yield server


@pytest.fixture
def strict_api(enforcing: TrackrecordServer) -> Api:
    return Api(enforcing)


def signed(secret: str = SECRET, **claims: Any) -> str:
    return jwt.encode(claims, secret, algorithm="HS256")


def unsigned(**claims: Any) -> str:
    parts = [base64.urlsafe_b64encode(json.dumps(each).encode()).rstrip(b"=").decode() for each in ({"alg": "none", "typ": "JWT"}, claims)]
    return ".".join([*parts, ""])


def test_a_hash_is_hex_hmac_sha256_of_the_user_id():
    expected = hmac.new(b"secret", b"user-1", hashlib.sha256).hexdigest()
    assert hash_of("user-1", "secret") == expected


@pytest.mark.parametrize(
    ("proof", "who"),
    [
        (Proof(None, None, None, None), (None, None)),
        (Proof("u1", None, hash_of("u1", SECRET), None), ("u1", None)),
        (Proof("u1", "a@example.com", hash_of("u1", SECRET).upper(), None), ("u1", "a@example.com")),
        (Proof(None, "a@example.com", hash_of("a@example.com", SECRET), None), (None, "a@example.com")),
        (Proof(None, None, None, signed(user_id="u1")), ("u1", None)),
        (Proof("u1", "said@example.com", "nonsense", signed(user_id="u1", email="a@example.com")), ("u1", "a@example.com")),
        (Proof("7", None, None, signed(user_id=7, exp=NOW - 59)), ("7", None)),
    ],
)
def test_good_proof(proof: Proof, who: tuple[str | None, str | None]):
    identity = verified(proof, [OTHER, SECRET], enforced=True, now=NOW)
    assert (identity.user_id, identity.email) == who


@pytest.mark.parametrize(
    ("proof", "code", "held"),
    [
        (Proof("u1", None, None, None), "identity_required", True),
        (Proof("u1", None, "", None), "identity_required", True),
        (Proof("u1", None, hash_of("u2", SECRET), None), "identity_invalid", False),
        (Proof("u1", None, hash_of("u1", OTHER), None), "identity_invalid", False),
        (Proof("u1", None, "é" * 64, None), "identity_invalid", False),
        (Proof("u1", None, None, signed(user_id="u1", exp=float("nan"))), "identity_invalid", False),
        (Proof(None, None, None, signed(user_id="\ud800")), "identity_invalid", False),
        (Proof("u1", "a@example.com", hash_of("a@example.com", SECRET), None), "identity_invalid", False),
        (Proof("u1", None, None, signed(OTHER, user_id="u1")), "identity_invalid", False),
        (Proof("u1", None, None, unsigned(user_id="u1")), "identity_invalid", False),
        (Proof("u1", None, None, jwt.encode({"user_id": "u1"}, SECRET, algorithm="HS512")), "identity_invalid", False),
        (Proof("u1", None, None, signed(user_id="u1", exp=NOW - 61)), "identity_expired", True),
        (Proof("u1", None, None, signed(user_id="u1", exp="soon")), "identity_invalid", False),
        (Proof("u1", None, None, signed(user_id="u1", nbf=NOW + 61)), "identity_invalid", False),
        (Proof("u2", None, None, signed(user_id="u1")), "identity_invalid", False),
        (Proof("u1", None, None, signed(email="a@example.com")), "identity_invalid", False),
        (Proof("u1", None, None, signed(user_id=True)), "identity_invalid", False),
        (Proof("u1", None, None, signed(user_id="u1", email=5)), "identity_invalid", False),
        (Proof("u1", None, None, "no.token"), "identity_invalid", False),
        (Proof("u1", None, None, "é"), "identity_invalid", False),
    ],
)
def test_bad_proof(proof: Proof, code: str, held: bool):
    with pytest.raises(NotProved) as raised:
        verified(proof, [SECRET], enforced=True, now=NOW)
    assert (raised.value.code, raised.value.held) == (code, held)


def test_where_nothing_must_be_proved_a_name_is_enough_and_wrong_proof_is_still_refused():
    assert verified(Proof("u1", None, None, None), [SECRET], enforced=False, now=NOW).user_id == "u1"
    assert verified(Proof("u1", None, "old hash", None), [], enforced=False, now=NOW).user_id == "u1"
    with pytest.raises(NotProved):
        verified(Proof("u1", None, hash_of("u2", SECRET), None), [SECRET], enforced=False, now=NOW)
    with pytest.raises(NotProved):  # claims that nobody can check are no claims
        verified(Proof(None, None, None, signed(user_id="u1")), [], enforced=False, now=NOW)


def test_me_says_that_identities_must_be_proved(strict_api: Api, api: Api):
    assert strict_api.get("/me").json["app"]["identity_verification"] is True
    assert api.get("/me").json["app"]["identity_verification"] is False


def test_nobody_writes_as_somebody_else(strict_api: Api):
    api, user_id = strict_api, fresh("owner-")
    owner = Browser(api, user_id=user_id, user_hash=hash_of(user_id, SECRET))
    assert owner.outcomes(owner.ping(name="Owner"), owner.event("mine")) == [("kept", None)] * 2
    for proof, outcome in (
        ({}, ("held", "identity_required")),
        ({"user_hash": hash_of(user_id, OTHER)}, ("refused", "identity_invalid")),
        ({"jwt": unsigned(user_id=user_id)}, ("refused", "identity_invalid")),
        ({"jwt": signed(OTHER, user_id=user_id)}, ("refused", "identity_invalid")),
        ({"jwt": signed(user_id=user_id, exp=1)}, ("held", "identity_expired")),
        ({"jwt": signed(user_id="somebody-else")}, ("refused", "identity_invalid")),
    ):
        thief = Browser(api, user_id=user_id, **proof)
        assert thief.outcomes(thief.ping(name="Thief"), thief.event("stolen")) == [outcome, outcome], proof
    # Nor with the anonymous id that the owner's browser had: it is in the API, and no secret.
    anonymous = Browser(api)
    anonymous.deliver(anonymous.event("before"))
    claimed = anonymous.becomes(user_id=user_id, user_hash=hash_of(user_id, SECRET))
    claimed.deliver(claimed.ping())
    assert anonymous.outcomes(anonymous.event("stolen")) == [("held", "identity_required")]
    contact = api.get(f"/contacts/find_by_external_id/{user_id}").json
    assert contact["name"] == "Owner"
    assert sorted(event["event_name"] for event in api.events(contact)) == ["before", "mine"]


def test_what_a_token_says_of_a_person_wins_over_what_the_page_says(strict_api: Api):
    user_id = fresh("token-")
    browser = Browser(strict_api, jwt=signed(user_id=user_id, email=f"{user_id}@example.com", name="Signed", plan="pro", iat=1))
    assert browser.outcomes(browser.ping(name="Said", plan="free", seats=3)) == [("kept", None)]
    contact = strict_api.get(f"/contacts/find_by_external_id/{user_id}").json
    assert (contact["name"], contact["email"]) == ("Signed", f"{user_id}@example.com")
    assert contact["custom_attributes"] == {"plan": "pro", "seats": 3}


def test_two_secrets_are_valid_at_a_time_and_the_oldest_goes():
    with TrackrecordServer() as server:
        api, messenger, number = Api(server), server.server.directory.messenger, server.server.default_workspace.number
        made = [messenger.add_secret(number, now=1_700_000_000 + place).secret for place in range(3)]
        messenger.enforce(number, True)
        assert [each.secret for each in messenger.secrets(number)] == made[:0:-1]

        def outcome(secret: str) -> str:
            browser = Browser(api, user_id="u1", user_hash=hash_of("u1", secret))
            return browser.outcomes(browser.event("x"))[0][0]

        assert [outcome(secret) for secret in made] == ["refused", "kept", "kept"]


@pytest.mark.parametrize("seen", [False, True])
def test_an_email_beside_a_proved_user_id_leads_to_nobody(strict_api: Api, seen: bool):
    api, address = strict_api, f"{fresh('victim')}@example.com"
    victim = Browser(api, email=address, user_hash=hash_of(address, SECRET))
    victim.deliver(victim.ping(name="Victim"), victim.event("bought"))
    user_id = fresh("mallory-")
    thief = Browser(api, user_id=user_id, email=address.upper(), user_hash=hash_of(user_id, SECRET))
    if seen:
        visitor = Browser(api, visitor=thief.visitor)
        visitor.deliver(visitor.event("looked"))
    result = thief.deliver(thief.event("alone"), thief.ping(name="Pwned"), thief.event("forged"))["results"]
    assert [each["outcome"] for each in result] == ["kept"] * 3
    assert "another user's" in result[1]["message"]
    mine = api.get(f"/contacts/find_by_external_id/{user_id}").json
    theirs = api.post("/contacts/search", {"query": {"field": "email", "operator": "=", "value": address}}).json["data"]
    assert mine["email"] is None
    assert [(each["name"], each["external_id"]) for each in theirs] == [("Victim", None)]
    assert [event["event_name"] for event in api.events(theirs[0])] == ["bought"]
    assert victim.outcomes(victim.event("again")) == [("kept", None)]


def test_a_secret_that_was_retired_is_not_valid_again_by_a_restart(tmp_path: Path):
    data = str(tmp_path / "data")
    with TrackrecordServer(data=data, identity_secret=SECRET) as server:
        messenger, number = server.server.directory.messenger, server.server.default_workspace.number
        other = messenger.add_secret(number, now=1_700_000_000).secret
        messenger.retire_secret(number, messenger.secrets(number)[1].id, now=1_700_000_001)
    with TrackrecordServer(data=data, identity_secret=SECRET) as server:
        assert [each.secret for each in server.server.directory.messenger.secrets(number)] == [other]
