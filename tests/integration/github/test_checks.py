"""Workflows that fail on the running stand-in, from the push to the log and the second attempt."""

from __future__ import annotations

from typing import TYPE_CHECKING

import urllib3

from local.people import Person

if TYPE_CHECKING:
    from tests.integration.github.kit import Hook, StandIn

CI = "on: push\njobs:\n  test: {}\n"


def test_a_red_check_is_read_and_run_again(stand_in: StandIn, hook: Hook) -> None:
    """The App hears of the failure, its log is text behind a link, and the next attempt passes."""
    author = Person.join(stand_in.url, "pusher")
    files = {"a.txt": "one\n", ".github/workflows/ci.yml": CI}
    name = stand_in.repository("octo/red", files=files, permissions={"pusher": "write"})
    outcome = {"job": "test", "attempts": ["failure", "success"], "log": "E   assert 1 == 2"}
    stand_in.control("PUT", f"/repositories/{name}/outcomes", {"outcomes": [outcome]})
    head = author.commit(name, "work", {"a.txt": "two\n"})
    _, payload = hook.next("check_suite", "completed")
    assert (payload["check_suite"]["head_sha"], payload["check_suite"]["conclusion"]) == (head, "failure")
    [run] = author.rest("GET", f"/repos/{name}/actions/runs?head_sha={head}")["workflow_runs"]
    [job] = author.rest("GET", f"/repos/{name}/actions/runs/{run['id']}/jobs")["jobs"]
    address = f"{stand_in.url}/api/v3/repos/{name}/actions/jobs/{job['id']}/logs"
    headers = {"Authorization": f"Bearer {author.token}", "User-Agent": "tests"}
    moved = urllib3.request("GET", address, headers=headers, redirect=False)
    log = urllib3.request("GET", moved.headers["Location"])
    assert log.headers["Content-Type"] == "text/plain; charset=utf-8"
    assert log.data.decode().rstrip().endswith("Z E   assert 1 == 2")
    assert urllib3.request("GET", moved.headers["Location"], headers=headers).status == 403
    # A client that follows leaves its credentials behind, as the address is another host's.
    assert urllib3.request("GET", address, headers=headers).data == log.data
    author.rest("POST", f"/repos/{name}/actions/runs/{run['id']}/rerun-failed-jobs", {})
    _, payload = hook.next("check_suite", "completed")
    assert payload["check_suite"]["conclusion"] == "success"
