"""Everything we raise on purpose, and how the wire answers it.

Three questions decide a class: whose fault is it, would trying again help, and what does the wire call it?

* RequestError   the caller must change something; the same request will fail again
* Unavailable    503 service_unavailable; ours to mend; the same request may work later

Source of codes and statuses: the contract, "Error catalogue".
"""


class TrackrecordError(Exception):
    """The root.

    `field` is what is at fault, as the wire spells it: a parameter, a header, or one of PARTS. Where it is None the door that
    answers fills it in from the request, so that the caller of a RequestError is always told. `cause` is what exactly happened,
    for the log and never for the wire; without one it is the message. `retry_after_s` is set where waiting helps.
    """

    status: int = 500
    code: str = "server_error"
    field: str | None = None
    retry_after_s: int | None = None

    def __init__(self, message: str, *, field: str | None = None, cause: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        if field is not None:
            self.field = field
        self.cause = cause


# What may be at fault besides parameters and headers: parts of a request.
PARTS = ("body", "path", "query", "method", "headers", "request", "connection")


class RequestError(TrackrecordError):
    status, code = 400, "bad_request"


class ParameterInvalid(RequestError):
    status, code = 400, "parameter_invalid"


class ParameterNotFound(RequestError):
    status, code = 400, "parameter_not_found"


class TypeMismatch(RequestError):
    status, code = 400, "type_mismatch"


class VersionInvalid(RequestError):
    status, code, field = 400, "intercom_version_invalid", "Intercom-Version"


class InvalidMerge(RequestError):
    status, code = 400, "invalid_merge"


class InvalidSortOrder(RequestError):
    status, code = 400, "invalid_sort_order"


class InvalidField(RequestError):
    status, code = 400, "invalid_field"


class TagHasDependents(RequestError):
    status, code = 400, "tag_has_dependent_objects"


class ContactCompanyLimitExceeded(RequestError):
    status, code = 400, "contact_company_limit_exceeded"


class ScrollExists(RequestError):
    status, code = 400, "scroll_exists"


class BadRequest(RequestError):
    """What can be read and is not wrong in any one field."""


class Unauthorized(RequestError):
    """No credentials, or credentials nobody gave out. One answer for both, so that nothing can be learnt from it."""

    status, code, field = 401, "unauthorized", "Authorization"

    def __init__(self, message: str = "Access Token Invalid", *, cause: str | None = None) -> None:
        super().__init__(message, cause=cause)


class TokenRevoked(Unauthorized):
    code = "token_revoked"

    def __init__(self, *, cause: str | None = None) -> None:
        super().__init__("Access Token Revoked", cause=cause)


class TokenUnauthorized(RequestError):
    """A good token without the scope this call needs."""

    status, code, field = 403, "token_unauthorized", "Authorization"


class OriginRefused(RequestError):
    """A page that may not deliver here."""

    status, code, field = 403, "origin_refused", "Origin"

    def __init__(self, origin: str | None) -> None:
        said = f"pages of {origin[:200]}" if origin else "pages that say no origin"
        super().__init__(
            f"{said} may not deliver to this workspace; whoever runs the server can let them: trackrecord messenger allow ORIGIN"
        )


class NotRestorable(RequestError):
    status, code = 403, "not_restorable"


class NotFound(RequestError):
    status, code = 404, "not_found"

    def __init__(self, message: str = "Resource Not Found", *, field: str | None = None, cause: str | None = None) -> None:
        super().__init__(message, field=field, cause=cause)


class ContactNotFound(NotFound):
    def __init__(self, message: str = "User Not Found", *, field: str | None = None, cause: str | None = None) -> None:
        super().__init__(message, field=field, cause=cause)


class AdminNotFound(NotFound):
    code = "admin_not_found"

    def __init__(self, message: str = "Admin not found", *, field: str | None = None, cause: str | None = None) -> None:
        super().__init__(message, field=field, cause=cause)


class CompanyNotFound(NotFound):
    code = "company_not_found"

    def __init__(self, message: str = "Company Not Found", *, field: str | None = None, cause: str | None = None) -> None:
        super().__init__(message, field=field, cause=cause)


class FieldNotFound(NotFound):
    code = "field_not_found"


class JobNotFound(NotFound):
    code = "job_not_found"

    def __init__(self, message: str = "Job Not Found", *, field: str | None = None, cause: str | None = None) -> None:
        super().__init__(message, field=field, cause=cause)


class JobClosed(RequestError):
    status, code = 403, "job_closed"


class ContactMerged(RequestError):
    """`location` is the path of the contact that took its place."""

    status, code = 410, "contact_merged"

    def __init__(self, location: str, *, field: str | None = None) -> None:
        message = "This contact has been merged. See the 'Link' header for the canonical contact."
        super().__init__(message, field=field, cause=f"it was merged away; {location} took its place")
        self.location = location


class RateLimitExceeded(RequestError):
    """`limit` is of one window; `whose` says what it is a limit of."""

    status, code, field = 429, "rate_limit_exceeded", "Authorization"

    def __init__(self, limit: int, *, retry_after_s: int, whose: str = "token") -> None:
        super().__init__(f"Exceeded rate limit of {limit} in 10_seconds", cause=f"the {whose} has made {limit} calls in this window")
        self.retry_after_s = retry_after_s


class UniqueUserConstraint(RequestError):
    status, code = 409, "unique_user_constraint"


class RequestTimeout(RequestError):
    status, code, field = 408, "request_timeout", "body"


class Conflict(RequestError):
    status, code = 409, "conflict"


class BodyTooLarge(RequestError):
    status, code, field = 413, "client_error", "body"


class UnsupportedMedia(RequestError):
    status, code, field = 415, "client_error", "Content-Type"


class HeadTooLarge(RequestError):
    status, code, field = 431, "client_error", "headers"


class DataInvalid(RequestError):
    status, code = 422, "data_invalid"


class ModelInvalid(ParameterInvalid):
    status = 422


class TooManyItems(RequestError):
    """Source: API reference of the Preview, its bulk of contacts."""

    status, code = 422, "parameter_invalid"


class Unprocessable(RequestError):
    status, code = 422, "unprocessable_entity"


class Unavailable(TrackrecordError):
    """Nothing was kept, and nothing was lost: the sender still has it and may send it again."""

    status, code = 503, "service_unavailable"

    def __init__(self, message: str, *, retry_after_s: int = 1, cause: str | None = None) -> None:
        super().__init__(message, cause=cause)
        self.retry_after_s = retry_after_s


class SettingInvalid(TrackrecordError):
    """A flag, a variable or a line of settings.toml that cannot be used. Shown before anything is opened."""


class DataDirectoryBusy(TrackrecordError):
    """Another process owns the data directory."""


class DataDirectoryUnusable(TrackrecordError):
    """The data directory cannot be read or written, or was made by a newer version."""
