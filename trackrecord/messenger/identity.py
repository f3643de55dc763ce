"""Whether a browser may speak for whom it names. Source: the contract, 8.5."""

import hashlib
import hmac
import math
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import jwt

from ..rules.identity import as_text

_SIGNATURE_ALONE: Any = {
    "verify_signature": True,
    **{f"verify_{name}": False for name in ("exp", "nbf", "iat", "aud", "iss", "sub", "jti")},
}
LEEWAY_S = 60  # between two clocks. Source: the contract, 8.5


class Proof(NamedTuple):
    """What a browser says of who it is."""

    user_id: str | None
    email: str | None
    user_hash: str | None
    token: str | None


class Identity(NamedTuple):
    """Who it is then; neither stands for a visitor. `claims` are what a token says besides.

    `sure` unless the email is only said beside a user_id that is proved: then it may be kept of that user, and leads to nobody.
    """

    user_id: str | None = None
    email: str | None = None
    claims: Mapping[str, Any] = {}
    sure: bool = True


class NotProved(Exception):
    """`held` where better proof may still come for the same person, else it is refused for good."""

    def __init__(self, code: str, message: str, *, held: bool = False) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.held = held


def verified(proof: Proof, secrets: Sequence[str], *, enforced: bool, now: float) -> Identity:
    """Who a browser speaks for, at `now` (Unix seconds). A token decides, and a hash beside it is passed over. Raises NotProved.

    Proof that is given is looked at whether it is needed or not, where there is a secret to look at it with.
    """
    if proof.token:
        return _by_token(proof, secrets, now=now)
    named = proof.user_id or proof.email
    if named is None:
        return Identity()
    if proof.user_hash and secrets:
        sent = proof.user_hash.lower().encode("utf-8", "replace")
        if not any(hmac.compare_digest(hash_of(named, secret).encode(), sent) for secret in secrets):
            raise NotProved("identity_invalid", f"user_hash is not that of this {'user_id' if proof.user_id else 'email'}")
    elif enforced:
        text = "this workspace wants proof of who somebody is: send user_hash or intercom_user_jwt, made by your own server"
        raise NotProved("identity_required", text, held=True)
    return Identity(proof.user_id, proof.email, sure=not enforced or proof.user_id is None)


def hash_of(named: str, secret: str) -> str:
    """The user_hash of a user_id, or of an email where there is no user_id: hex HMAC-SHA256."""
    return hmac.new(secret.encode(), named.encode("utf-8", "surrogatepass"), hashlib.sha256).hexdigest()


def _by_token(proof: Proof, secrets: Sequence[str], *, now: float) -> Identity:
    if not secrets:
        raise NotProved("identity_invalid", "this workspace has no identity secret to check intercom_user_jwt with")
    claims = _claims(proof.token or "", secrets)
    _in_time(claims, now=now)
    user_id = claims.get("user_id")
    if isinstance(user_id, bool) or not isinstance(user_id, (str, int)) or not as_text(user_id):
        raise NotProved("identity_invalid", "intercom_user_jwt must have the claim user_id")
    user_id, email = as_text(user_id), claims.get("email")
    if not _is_text(user_id) or not _is_text(email):
        raise NotProved("identity_invalid", "intercom_user_jwt has text in it that is none")
    if proof.user_id is not None and proof.user_id != user_id:
        raise NotProved("identity_invalid", "intercom_user_jwt is of another user_id than the one that was sent")
    if email is not None and not isinstance(email, str):
        raise NotProved("identity_invalid", "the claim email of intercom_user_jwt must be a string")
    return Identity(user_id, email or None, claims)  # an address that was only said is passed over: it is not proved


def _claims(token: str, secrets: Sequence[str]) -> dict[str, Any]:
    """What a token says that one of the secrets has signed; when it is valid is looked at by our own clock."""
    for secret in secrets:
        try:
            found: dict[str, Any] = jwt.decode(token, secret, algorithms=["HS256"], options=_SIGNATURE_ALONE)
            return found
        except jwt.InvalidSignatureError:
            continue
        except (jwt.PyJWTError, ValueError, TypeError, RecursionError):
            raise NotProved("identity_invalid", "intercom_user_jwt is no token signed with HS256") from None
    raise NotProved("identity_invalid", "intercom_user_jwt is not signed with an identity secret of this workspace")


def _is_text(value: object) -> bool:
    """Whether a text can be written at all: JSON can name halves of letters."""
    try:
        str(value).encode()
    except UnicodeEncodeError:
        return False
    return True


def _in_time(claims: Mapping[str, Any], *, now: float) -> None:
    for name in ("exp", "nbf"):
        moment = claims.get(name)
        if moment is None:
            continue
        if isinstance(moment, bool) or not isinstance(moment, (int, float)) or not math.isfinite(moment):
            raise NotProved("identity_invalid", f"the claim {name} of intercom_user_jwt must be Unix seconds")
        if name == "exp" and moment <= now - LEEWAY_S:
            raise NotProved("identity_expired", "intercom_user_jwt has expired: give the page a new one", held=True)
        if name == "nbf" and moment > now + LEEWAY_S:
            raise NotProved("identity_invalid", "intercom_user_jwt is not valid yet")
