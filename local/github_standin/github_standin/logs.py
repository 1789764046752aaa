"""Logs of jobs, behind addresses that are good for a minute.

https://docs.github.com/en/rest/actions/workflow-jobs#download-job-logs-for-a-workflow-run
"""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING

from standin.answers import Reply
from standin.times import fine_stamp

if TYPE_CHECKING:
    from github_standin.check_records import CheckRun
    from github_standin.github import GitHub

PATH = "/_logs"
_GOOD_SECONDS = 60.0
_REFUSED = (
    '<?xml version="1.0" encoding="utf-8"?><Error><Code>AuthenticationFailed</Code><Message>Server failed to '
    "authenticate the request. Make sure the value of Authorization header is formed correctly including the "
    "signature.</Message></Error>"
)


def link(github: GitHub, job: CheckRun) -> str:
    """Return an address for a job's log."""
    name = secrets.token_hex(16)
    github.log_links[name] = (job.id, github.now() + _GOOD_SECONDS)
    return f"{github.links.files}{PATH}/{name}"


def read(github: GitHub, name: str, authorization: str | None) -> Reply:
    """Answer a request for such an address.

    The store behind it refuses a request that brings GitHub's credentials:
    https://github.com/KnpLabs/php-github-api/issues/1156.
    """
    job_id, until = github.log_links.get(name, (None, 0.0))
    job = github.store.check_runs.get(job_id)
    if authorization is not None or job is None or github.now() > until:
        return Reply(403, _REFUSED, media_type="application/xml")
    mark = fine_stamp(job.completed_at or job.started_at).replace("Z", "0000Z")
    lines = "".join(f"{mark} {line}\n" for line in job.log.splitlines())
    # Each file begins so.
    return Reply(200, f"\ufeff{lines}", media_type="text/plain; charset=utf-8")
