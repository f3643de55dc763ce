"""Routes of bulk and its jobs, in every version: they are our own fast way in, too."""

from ...wire import jobs as wire
from ...wire.cursors import PER_PAGE_DEFAULT, PER_PAGE_MAX
from ..api import jobs
from .route import Param, Route

BULK_BYTES_MAX = 8 << 20  # of a bulk body, which holds many of those that body_max_bytes bounds
_JOB_ID = (Param("job_id", "the job's id", place="path", required=True),)
_JOINING = {
    403: "the token lacks the scope, or the job takes no more items",
    404: "no such job to add to",
    422: "too many items",
}
_NO_JOB = {404: "no such job, or it was dropped with its age"}
_PAGES = (
    Param("per_page", f"items a page, 1 to {PER_PAGE_MAX}; {PER_PAGE_DEFAULT} without it", "integer"),
    Param("starting_after", "the cursor that the page before names"),
)

ROUTES: tuple[Route, ...] = (
    Route(
        "POST",
        "/bulk/events",
        jobs.bulk_events,
        "Submit many events, each as POST /events does",
        "Bulk",
        need="write_events",
        request=wire.SentEventBulk,
        response=wire.JobBody,
        status=202,
        errors=_JOINING,
        body_max=BULK_BYTES_MAX,
    ),
    Route(
        "POST",
        "/jobs/events",
        jobs.bulk_events,
        "The same as POST /bulk/events",
        "Bulk",
        need="write_events",
        request=wire.SentEventBulk,
        response=wire.JobBody,
        status=202,
        errors=_JOINING,
        body_max=BULK_BYTES_MAX,
    ),
    Route(
        "POST",
        "/bulk/users",
        jobs.bulk_users,
        "Save or archive many users, each as POST /users and DELETE /users do",
        "Bulk",
        need="write_contacts",
        request=wire.SentUserBulk,
        response=wire.JobBody,
        status=202,
        errors=_JOINING,
        body_max=BULK_BYTES_MAX,
    ),
    Route(
        "GET",
        "/jobs/{job_id}",
        jobs.get_job,
        "Get a job; needs the scope that reads what it holds",
        "Bulk",
        response=wire.JobBody,
        params=_JOB_ID,
        errors=_NO_JOB,
    ),
    Route(
        "GET",
        "/jobs/{job_id}/error",
        jobs.get_job_errors,
        "List the items of a job that were refused",
        "Bulk",
        response=wire.JobErrors,
        params=(*_JOB_ID, *_PAGES),
        errors=_NO_JOB,
    ),
    Route(
        "GET",
        "/jobs/status/{job_id}",
        jobs.get_job_status,
        "Get the status of a job",
        "Bulk",
        response=wire.JobStatus,
        params=_JOB_ID,
        errors=_NO_JOB,
        first=(2, 14),
    ),
    Route(
        "GET",
        "/-/api/jobs/{job_id}",
        jobs.get_job_outcomes,
        "What became of every item of a job",
        "Bulk",
        response=wire.JobOutcomes,
        params=(*_JOB_ID, *_PAGES),
        errors=_NO_JOB,
    ),
)
