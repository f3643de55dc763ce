"""The catalogue of error codes: every one that clients know, with its status here, and when it is answered or why never.

Code, docs/errors.md and the tests share this table. Source: the contract, 13 "Error catalogue".
"""

from typing import NamedTuple

from .. import errors


class Code(NamedTuple):
    code: str
    status: int
    meaning: str  # what the code says wherever it is used
    here: str  # when this server answers it; for one it never answers, why
    kind: type[errors.TrackrecordError] | None = None  # the class that carries it; None for one that is never answered


def _answered(kind: type[errors.TrackrecordError], meaning: str, here: str) -> Code:
    return Code(kind.code, kind.status, meaning, here, kind)


def _never(code: str, status: int, meaning: str, why: str) -> Code:
    return Code(code, status, meaning, why)


_ONE_NAME = "parameter_not_found is answered in its place: several names are known for one thing"
_THREE_STATES = "a token here is known and good, known and revoked, or unknown"

CODES: tuple[Code, ...] = (
    # What is wrong with a request as such.
    _answered(
        errors.ParameterInvalid,
        "a value cannot be used; also a body that is no JSON",
        "a parameter out of its range or of the wrong form, a cursor that is not ours, JSON or HTTP that cannot be read",
    ),
    _answered(errors.ParameterNotFound, "something required is absent", "a required parameter is missing, null or empty"),
    _answered(errors.TypeMismatch, "a value has the wrong JSON type", "a string where a number belongs, and the like; `field` says where"),
    _answered(
        errors.BadRequest,
        "the request could not be processed",
        "nothing in it is wrong by itself: more requests wait on a connection than may, or what is asked for does not go as it stands",
    ),
    _answered(
        errors.VersionInvalid,
        "the version is unknown, or does not have the resource",
        "an Intercom-Version that cannot be read, strict: one above the newest known; a path that came later, or was gone by then",
    ),
    _answered(errors.BodyTooLarge, "generic fault of the client", "the body is larger than the limit, as sent or after decompression"),
    _answered(
        errors.UnsupportedMedia,
        "generic fault of the client",
        "the body is a form that is no JSON, or is compressed with something else than gzip",
    ),
    _answered(errors.HeadTooLarge, "generic fault of the client", "the request line and headers are larger than header_max_bytes"),
    _answered(errors.RequestTimeout, "the request took too long", "the head or the body did not arrive within body_timeout_s"),
    _answered(errors.DataInvalid, "well-formed but not possible", "a date in the future, a name too long, a role a contact cannot take"),
    _answered(errors.Unprocessable, "well-formed but not possible", "a new event name past the limit of active names"),
    _answered(errors.ModelInvalid, "a value cannot be used", "a data attribute of something that has none, from 2.16 on"),
    _answered(errors.TooManyItems, "a value cannot be used", "a bulk request with more items than may come at once"),
    _answered(errors.InvalidField, "a search by a field that cannot be searched", "a field of a search or of a query that is not known"),
    _answered(errors.InvalidSortOrder, "an order that is none", "an order that is neither ascending nor descending"),
    # Who may do what.
    _answered(
        errors.Unauthorized, "the credentials are absent or not known", "no Authorization header, or one that opens nothing: one answer"
    ),
    _answered(errors.TokenRevoked, "the token was revoked", "the token was revoked"),
    _answered(errors.TokenUnauthorized, "the token may not do this", "the token lacks the scope that the call needs"),
    _answered(errors.OriginRefused, "pages of this origin may not do this", "a page delivers to a workspace that names its origins"),
    _answered(errors.RateLimitExceeded, "slow down", "the calls of a token or of a workspace in a window of ten seconds are used up"),
    # What is not there.
    _answered(
        errors.NotFound, "it is not there", "an unknown path, a method the path does not have, an id that names nothing in this workspace"
    ),
    _answered(errors.ContactNotFound, "it is not there", "no such contact; `field` is the first identifier that was tried"),
    _answered(errors.AdminNotFound, "no such admin", "no admin of this workspace has the id"),
    _answered(errors.CompanyNotFound, "no such company", "no company of this workspace has the id"),
    _answered(errors.FieldNotFound, "no such data attribute", "no data attribute of this workspace has the id"),
    _answered(errors.JobNotFound, "no such job", "no bulk job of this workspace has the id"),
    _answered(errors.ContactMerged, "the contact was merged into another", "from 2.16 on, with a Link to that; before, 404 `not_found`"),
    # What does not go with what is there.
    _answered(
        errors.Conflict, "it clashes with what is there", "a contact with those details exists, or several users share an e-mail address"
    ),
    _answered(errors.UniqueUserConstraint, "a user with those details exists", "the user API of 1.x, in place of `conflict`"),
    _answered(errors.NotRestorable, "it was blocked", "a contact with those details was blocked, and cannot be made again"),
    _answered(
        errors.InvalidMerge, "these cannot be merged", "a merge of other things than a lead into a user, or of a contact into itself"
    ),
    _answered(errors.TagHasDependents, "the tag is in use", "a tag that a segment asks for is to be deleted"),
    _answered(errors.ContactCompanyLimitExceeded, "too many companies", "a contact is to be attached to more companies than may be"),
    _answered(errors.ScrollExists, "one scroll at a time", "a scroll is begun while another of this workspace runs"),
    _answered(errors.JobClosed, "the job takes nothing more", "items are added to a bulk job that is closed"),
    # What is ours to mend.
    _answered(errors.TrackrecordError, "generic fault of the server", "a fault of ours; the request id finds its cause in the request log"),
    _answered(
        errors.Unavailable,
        "not now",
        "the disk is full, the store is behind, a file is locked, too much waits; Retry-After says when to come back",
    ),
    # Known to clients, and never answered here.
    _never("client_error", 400, "generic fault of the client", "400 always has one of the codes that say more"),
    _never("parameter_missing", 400, "something required is absent", _ONE_NAME),
    _never("missing_parameter", 400, "something required is absent", _ONE_NAME),
    _never("resource_conflict", 409, "it exists", "`conflict` is answered in its place"),
    _never("missing_authorization", 401, "no credentials", "`unauthorized` is answered, as for credentials that are not known"),
    _never("token_not_found", 401, "the token is not known", "`unauthorized` is answered, so that nothing can be learnt by trying"),
    _never("token_expired", 401, "the token is too old", _THREE_STATES),
    _never("token_blocked", 401, "the token is blocked", _THREE_STATES),
    _never("token_suspended", 401, "the token is suspended", _THREE_STATES),
    _never("forbidden", 403, "not allowed", "`token_unauthorized` says what is lacking"),
    _never("api_plan_restricted", 403, "not on this plan", "there are no plans here"),
    _never("action_forbidden", 405, "this admin may not", "tokens belong to no admin here"),
    _never("too_many_requests", 429, "slow down", "`rate_limit_exceeded` is answered in its place"),
    _never("retry_after", 429, "slow down", "`rate_limit_exceeded` is answered in its place"),
    _never("custom_data_limit_reached", 400, "too many custom attributes", "there is no limit to their number but that of a body"),
    _never(
        "invalid_document",
        400,
        "a custom attribute's name or value cannot be used",
        "`parameter_invalid` with the attribute's name as field",
    ),
    _never("unsupported", 400, "not supported", "what is not supported is an unknown path, 404"),
    _never("422", 422, "a name limit, on the Messenger's path", "it stands in the results of a delivery, which is answered 200"),
)

ANSWERED = frozenset((row.code, row.status) for row in CODES if row.kind is not None)
