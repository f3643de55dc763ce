"""What the dashboard refuses by itself. All else that goes wrong there, the API has gone wrong with."""

from ..errors import RequestError


class SignInRefused(RequestError):
    """One answer for an address nobody has, a wrong password, and an account that is disabled: nothing can be learnt from it."""

    status, code, field = 401, "unauthorized", "password"

    def __init__(self) -> None:
        super().__init__("the email or the password is wrong", cause="sign-in with an email or password that is wrong")


class TooManyTries(RequestError):
    status, code, field = 429, "rate_limit_exceeded", "password"

    def __init__(self, wait_s: int) -> None:
        super().__init__(f"too many tries to sign in: try again in {_span(wait_s)}", cause=f"sign-in was held up for {wait_s} s")
        self.retry_after_s = wait_s


class FormRefused(RequestError):
    """A form that did not come from a page of ours, or from one that was opened before the session."""

    status, code, field = 403, "origin_refused", "csrf"

    def __init__(self, cause: str) -> None:
        super().__init__("this form was opened in another session, or by another site: load the page anew and send it again", cause=cause)


class NotYours(RequestError):
    """What an admin of the workspace may do, and a viewer may not."""

    status, code, field = 403, "token_unauthorized", "role"

    def __init__(self) -> None:
        super().__init__("only an admin of this workspace may do this", cause="the account is a viewer of the workspace")


def _span(seconds: int) -> str:
    if seconds < 60:
        return "1 second" if seconds == 1 else f"{seconds} seconds"
    minutes = -(-seconds // 60)
    return "1 minute" if minutes == 1 else f"{minutes} minutes"
