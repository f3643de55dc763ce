"""Routes of the log of refused requests."""

from ...wire import requests as wire_requests
from ..api import requests
from .route import Param, Route

ROUTES: tuple[Route, ...] = (
    Route(
        "GET",
        "/-/api/requests",
        requests.list_requests,
        "Search the log of refused requests, newest first",
        "Requests",
        need="read_requests",
        response=wire_requests.RequestList,
        params=(
            Param("request_id", "the request_id of an error, or the X-Request-Id of any answer"),
            Param("status", "such as 404; 4xx for all from 400 to 499"),
            Param("code", "the code of the error, such as parameter_invalid"),
            Param("path", "how the path begins, such as /events"),
            Param("text", "a part of the path, the message or the cause"),
            Param("since", "whole Unix seconds, from 0: requests answered then or later", "integer"),
            Param("until", "whole Unix seconds, from 0: requests answered then or earlier", "integer"),
            Param("per_page", "requests a page, 1 to 150; 50 without it", "integer"),
            Param("starting_after", "the cursor of pages.next.starting_after"),
        ),
    ),
)
