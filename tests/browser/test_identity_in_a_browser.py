"""Where identities must be proved, a page speaks for those alone whom it can prove: nothing is written as somebody else."""

import hashlib
import hmac
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jwt
import pytest
from real_server import RealServer, until
from shop import Kept, Shop

SECRET, OTHER_SECRET = "a-secret-that-only-our-servers-know", "a-secret-of-somebody-else-entirely"
HOUR_S = 3600


@pytest.fixture(scope="module")
def shared_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RealServer]:
    path: Path = tmp_path_factory.mktemp("identity") / "data"
    with RealServer(path, f"identity_secret={SECRET}") as server:
        yield server


def hashed(named: str, secret: str = SECRET) -> str:
    return hmac.new(secret.encode(), named.encode(), hashlib.sha256).hexdigest()


def token(claims: dict[str, Any], secret: str = SECRET, algorithm: str = "HS256", *, expires_in_s: int = HOUR_S) -> str:
    return jwt.encode({"exp": int(time.time()) + expires_in_s, **claims}, secret, algorithm)


@pytest.mark.parametrize(
    ("user_id", "settings"),
    [
        ("hash-1", {"user_id": "hash-1", "user_hash": hashed("hash-1")}),
        ("hash-2", {"user_id": "hash-2", "email": "two@example.com", "user_hash": hashed("hash-2")}),
        ("77", {"user_id": 77, "user_hash": hashed("77")}),
        ("token-1", {"user_id": "token-1", "intercom_user_jwt": token({"user_id": "token-1"})}),
        ("token-2", {"intercom_user_jwt": token({"user_id": "token-2", "email": "token@example.com"})}),
        ("token-3", {"user_id": "token-3", "user_hash": "forged", "intercom_user_jwt": token({"user_id": "token-3"})}),
    ],
    ids=["hash", "hash of user_id beside an email", "hash of a number", "token", "token alone", "token beside a wrong hash"],
)
def test_who_can_prove_who_they_are_is_believed(shop: Shop, user_id: str, settings: dict[str, Any]) -> None:
    tab = shop.visit(**settings).booted()
    tab.track("looked")
    assert shop.settled(tab) == [Kept(user_id, "looked", {})]


def test_what_a_token_says_besides_wins_over_what_the_page_says(shop: Shop) -> None:
    tab = shop.visit(user_id="said", plan="gold", intercom_user_jwt=token({"user_id": "said", "plan": "free"})).booted()
    shop.settled(tab)
    user = shop.record.user("said")
    assert user
    assert user["custom_attributes"] == {"plan": "free"}


def tried(shop: Shop, name: str) -> None:
    """Until the server has judged an event of this name."""
    until(lambda: any(item.get("name") == name for delivery in shop.door.passed for item in delivery["items"]))


@pytest.fixture
def victim(shop: Shop) -> Iterator[None]:
    """Somebody with the user_id victim, of whom nothing is left afterwards."""
    made = {"external_id": "victim", "email": "victim@example.com", "name": "Victoria"}
    status, contact = shop.record.ask("POST", "/contacts", made)
    assert status == 200, contact
    yield
    shop.record.ask("DELETE", f"/contacts/{contact['id']}")


@pytest.mark.parametrize(
    "proof",
    [
        {},
        {"user_hash": "0" * 64},
        {"user_hash": hashed("mallory")},
        {"user_hash": hashed("victim", OTHER_SECRET)},
        {"user_hash": hashed("victim@example.com"), "email": "victim@example.com"},
        {"intercom_user_jwt": token({"user_id": "victim"}, OTHER_SECRET)},
        {"intercom_user_jwt": token({"user_id": "victim"}, "", "none")},
        {"intercom_user_jwt": token({"user_id": "victim"}, SECRET * 2, "HS512")},
        {"intercom_user_jwt": token({"user_id": "mallory"})},
        {"intercom_user_jwt": token({"email": "victim@example.com"})},
        {"intercom_user_jwt": token({"user_id": "victim"}, expires_in_s=-HOUR_S)},
        {"intercom_user_jwt": token({"user_id": "victim", "nbf": int(time.time()) + HOUR_S})},
        {"intercom_user_jwt": "not.a.token"},
        {"intercom_user_jwt": token({"user_id": "victim"}, OTHER_SECRET), "user_hash": hashed("victim")},
    ],
    ids=[
        "no proof",
        "a made-up hash",
        "somebody else's hash",
        "a hash of another secret",
        "a hash of the email beside a user_id",
        "a token of another secret",
        "a token with alg none",
        "a token with another alg",
        "a token of somebody else",
        "a token without user_id",
        "a token that has expired",
        "a token that is not valid yet",
        "no token at all",
        "a forged token beside a good hash",
    ],
)
@pytest.mark.usefixtures("victim")
def test_nothing_is_written_as_somebody_who_was_not_proved(shop: Shop, proof: dict[str, Any]) -> None:
    tab = shop.visit(user_id="victim", name="Mallory", plan="stolen", **proof).booted()
    tab.track("stolen")
    tried(shop, "stolen")
    user = shop.record.user("victim")
    assert user
    assert (user["name"], user["custom_attributes"]) == ("Victoria", {})
    assert shop.record.names("victim") == []
    assert shop.record.kept() == []


def test_the_proof_of_one_user_is_none_of_the_next(shop: Shop) -> None:
    tab = shop.visit(user_id="proved", user_hash=hashed("proved")).booted()
    tab.track("looked")
    tab.call("update", {"user_id": "another", "email": "another@example.com"})
    tab.track("stolen")
    tried(shop, "stolen")
    assert shop.record.kept() == [Kept("proved", "looked", {})]
    assert shop.record.user("another") is None


def test_a_visitor_needs_no_proof_and_is_made_nobody_by_a_forged_one(shop: Shop) -> None:
    tab = shop.visit().booted()
    visitor = tab.visitor_id
    tab.track("looked")
    shop.wait_for("looked")
    tab.call("update", {"user_id": "somebody", "user_hash": "0" * 64})
    tab.track("stolen")
    tried(shop, "stolen")
    assert shop.record.kept() == [Kept(visitor, "looked", {})]
    assert shop.record.user("somebody") is None


def test_what_came_with_a_token_that_had_expired_is_kept_once_there_is_a_new_one(shop: Shop) -> None:
    expired = token({"user_id": "sleeper"}, expires_in_s=-HOUR_S)
    tab = shop.visit(user_id="sleeper", intercom_user_jwt=expired).booted()
    tab.track("looked")
    tried(shop, "looked")
    assert shop.record.kept() == []
    tab.call("update", {"intercom_user_jwt": token({"user_id": "sleeper"})})
    shop.wait_for("looked")
    assert shop.settled(tab) == [Kept("sleeper", "looked", {})]


def test_a_new_token_counts_also_while_the_server_still_judges_the_old_one(shop: Shop) -> None:
    expired = token({"user_id": "awake"}, expires_in_s=-HOUR_S)
    tab = shop.visit(user_id="awake", intercom_user_jwt=expired).booted()
    until(lambda: shop.door.passed)  # the page knows the time, so that it sends what it has
    shop.door.hold()
    tab.track("bought")
    until(lambda: shop.door.waiting)
    tab.call("update", {"intercom_user_jwt": token({"user_id": "awake"})})
    shop.door.release()
    shop.wait_for("bought")


def test_what_came_with_a_token_that_had_expired_is_kept_by_the_next_visit_with_a_new_one(shop: Shop) -> None:
    expired = token({"user_id": "returner"}, expires_in_s=-HOUR_S)
    tab = shop.visit(user_id="returner", intercom_user_jwt=expired).booted()
    tab.track("looked")
    tried(shop, "looked")
    tab.page.close()
    tab = shop.visit(user_id="returner", intercom_user_jwt=token({"user_id": "returner"})).booted()
    shop.wait_for("looked")
    assert shop.settled(tab) == [Kept("returner", "looked", {})]


def messenger(server: RealServer, *command: str) -> None:
    subprocess.run([sys.executable, "-m", "trackrecord", "messenger", *command, "--data", server.data], check=True, capture_output=True)


def test_pages_that_are_not_named_deliver_nothing_until_they_are(shop: Shop, server: RealServer) -> None:
    elsewhere, here = "https://shop.example.com", f"http://127.0.0.1:{shop.pages.port}"
    messenger(server, "allow", elsewhere)
    try:
        tab = shop.visit().booted()
        tab.track("looked")
        until(lambda: 403 in shop.door.answered)
        assert shop.record.kept() == []
        messenger(server, "allow", here)
        tab = shop.visit(tab=tab).booted()
        shop.wait_for("looked")
        assert shop.settled(tab) == [Kept(tab.visitor_id, "looked", {})]
    finally:
        messenger(server, "forbid", elsewhere)
        messenger(server, "forbid", here)
