"""The stand-in as a service: webhooks, failures on order, pages, restarts."""

from __future__ import annotations

import http.client
import json
import signal
import time
from pathlib import Path

import pytest
import urllib3

from local.people import StandInError, call
from tests.integration.github.kit import MAINTAINER, Hook, StandIn, clone, commit, git


def test_it_listens_on_loopback_only(stand_in: StandIn) -> None:
    """The server's only listening socket is bound to 127.0.0.1."""
    port = f"{int(stand_in.url.rpartition(':')[2]):04X}"
    rows = Path("/proc/net/tcp").read_text().splitlines()[1:]
    listening = {row.split()[1] for row in rows if row.split()[3] == "0A"}
    assert {entry for entry in listening if entry.endswith(f":{port}")} == {f"0100007F:{port}"}


def test_ordered_failures(stand_in: StandIn) -> None:
    """A failure before the work does nothing, one after it has done it; a drop has no answer at all."""
    name = stand_in.repository("octo/faults")
    path = f"/repos/{name}/issues$"
    issue = {"title": "x"}
    stand_in.control("PUT", "/faults", [{"method": "POST", "path_regex": path, "status": 502}])
    with pytest.raises(StandInError) as before:
        stand_in.rest("POST", f"/repos/{name}/issues", issue)
    assert before.value.status == 502
    assert stand_in.rest("GET", f"/repos/{name}/issues") == []
    stand_in.control("PUT", "/faults", [{"method": "POST", "path_regex": path, "status": 502, "after": True}])
    with pytest.raises(StandInError):
        stand_in.rest("POST", f"/repos/{name}/issues", issue)
    assert len(stand_in.rest("GET", f"/repos/{name}/issues")) == 1
    for after, count in ((False, 1), (True, 2)):
        fault = {"method": "POST", "path_regex": path, "drop": True, "after": after}
        stand_in.control("PUT", "/faults", [fault])
        connection = http.client.HTTPConnection(stand_in.url.removeprefix("http://"))
        headers = {"Authorization": f"Bearer {MAINTAINER}", "User-Agent": "test"}
        connection.request("POST", f"/api/v3/repos/{name}/issues", json.dumps(issue), headers)
        with pytest.raises((http.client.RemoteDisconnected, ConnectionResetError)):
            connection.getresponse()
        connection.close()
        assert len(stand_in.rest("GET", f"/repos/{name}/issues")) == count
    stand_in.control("PUT", "/faults", [])


def test_a_push_that_failed_too_late_has_arrived(stand_in: StandIn, tmp_path: Path) -> None:
    """A 502 ordered after a push leaves the branch moved, as when GitHub's answer is lost."""
    name = stand_in.repository("octo/late")
    folder = clone(stand_in, name, tmp_path, MAINTAINER)
    sha = commit(folder, "b.txt", "two\n")
    fault = {"method": "POST", "path_regex": f"{name}.git/git-receive-pack", "status": 502, "after": True}
    stand_in.control("PUT", "/faults", [fault])
    git(folder, "push", "origin", "main", ok=False)
    assert stand_in.rest("GET", f"/repos/{name}/git/ref/heads/main")["object"]["sha"] == sha


def test_lost_webhooks_can_be_asked_for_again(stand_in: StandIn, hook: Hook) -> None:
    """A delivery that could not connect is listed outside `failure`, and comes again under the same GUID."""
    name = stand_in.repository("octo/lost")
    while stand_in.control("GET", "/deliveries?pending=true"):
        time.sleep(0.05)
    hook.got.queue.clear()
    stand_in.control(
        "PUT", "/faults", [{"method": "WEBHOOK", "path_regex": r"^issues\.opened$", "drop": True}]
    )
    stand_in.rest("POST", f"/repos/{name}/issues", {"title": "lost", "labels": ["found"]})
    _, payload = hook.next("issues")
    assert payload["action"] == "labeled"
    opened = stand_in.control("GET", "/deliveries?event=issues&action=opened")
    everything = stand_in.control("GET", "/deliveries")
    assert opened == [it for it in everything if (it["event"], it["action"]) == ("issues", "opened")]
    [lost] = [it for it in opened if not it["status_code"]]
    again = stand_in.control("POST", f"/deliveries/{lost['id']}/redeliver")
    assert (again["guid"], again["redelivery"], again["status_code"]) == (lost["guid"], True, 202)
    headers, payload = hook.next("issues", "opened")
    assert headers["X-GitHub-Delivery"] == lost["guid"]
    assert payload["issue"]["title"] == "lost"


def test_a_transferred_issue_leads_to_its_new_place(stand_in: StandIn, hook: Hook) -> None:
    """It takes its comments along; reading it at the old place leads on, where the new one may be seen."""
    old, public, private = (
        stand_in.repository(f"octo/transfer-{name}", private=name == "hidden")
        for name in ("from", "to", "hidden")
    )
    mutation = "mutation($it: TransferIssueInput!) { transferIssue(input: $it) { issue { number } } }"
    reader = stand_in.installation_token(old, {"issues": "write"})
    for target in (public, private):
        made = stand_in.rest("POST", f"/repos/{old}/issues", {"title": "moving"})
        stand_in.rest("POST", f"/repos/{old}/issues/{made['number']}/comments", {"body": "along"})
        moved = {
            "issueId": made["node_id"],
            "repositoryId": stand_in.rest("GET", f"/repos/{target}")["node_id"],
        }
        asked = {"query": mutation, "variables": {"it": moved}}
        answer = call(stand_in.url, "POST", "/api/graphql", asked, token=MAINTAINER)
        assert answer == {"data": {"transferIssue": {"issue": {"number": 1}}}}
        _, payload = hook.next("issues", "transferred")
        assert payload["repository"]["full_name"] == old
        assert payload["issue"]["number"] == made["number"]
        assert payload["changes"]["new_repository"]["full_name"] == target
        [comment] = stand_in.rest("GET", f"/repos/{target}/issues/1/comments")
        assert comment["body"] == "along"

    redirect = stand_in.rest("GET", f"/repos/{old}/issues/1", token=reader)
    assert redirect["message"] == "Moved Permanently"
    found = stand_in.rest("GET", redirect["url"].partition("/api/v3")[2], token=reader)
    assert found["repository_url"].endswith(f"/repos/{public}")
    for path in ("issues/2", "issues/1/comments"):
        with pytest.raises(StandInError) as absent:
            stand_in.rest("GET", f"/repos/{old}/{path}", token=reader)
        assert absent.value.status == 404


def test_pages_show_what_happened(stand_in: StandIn) -> None:
    """Every page of a repository renders, escapes what people wrote and hides hidden comments."""
    name = stand_in.repository("octo/pages")
    text = "<!-- hidden marker -->\n<script>alert(1)</script>\n\n[x](javascript:alert(1)) **bold**"
    stand_in.rest("POST", f"/repos/{name}/issues", {"title": "<b>t</b>", "body": text})
    content = {"tree": [{"path": "a.txt", "mode": "100644", "content": "two\n"}]}
    head = stand_in.rest("GET", f"/repos/{name}/branches/main")["commit"]
    tree = stand_in.rest("POST", f"/repos/{name}/git/trees", content)["sha"]
    made = stand_in.rest(
        "POST", f"/repos/{name}/git/commits", {"message": "two", "tree": tree, "parents": [head["sha"]]}
    )
    stand_in.rest("POST", f"/repos/{name}/git/refs", {"ref": "refs/heads/t/1", "sha": made["sha"]})
    stand_in.rest(
        "POST", f"/repos/{name}/pulls", {"title": "p", "head": "t/1", "base": "main", "draft": True}
    )

    def page(path: str) -> str:
        answer = urllib3.request("GET", stand_in.url + path)
        assert answer.status == 200, path
        return answer.data.decode()

    issue = page(f"/{name}/issues/1")
    assert "hidden marker" not in issue
    assert "<script>" not in issue
    assert 'href="javascript' not in issue
    assert "<strong>bold</strong>" in issue
    assert "Draft" in page(f"/{name}/pull/2")
    assert "+two" in page(f"/{name}/pull/2/files")
    assert "+two" in page(f"/{name}/pull/2.diff")
    for path in ("", "/issues", "/pulls", "/commits/t/1", f"/commit/{made['sha']}", "/blob/t/1/a.txt"):
        page(f"/{name}{path}")
    page("/")
    page("/deliveries")


def test_nothing_is_lost_when_it_is_killed(tmp_path: Path) -> None:
    """After kill -9 and a start on the same folder, people, tokens, issues and branches are there."""
    first = StandIn.start(tmp_path / "data")
    first.control("POST", "/users", {"login": "maintainer", "token": MAINTAINER})
    name = first.repository("octo/kept")
    first.rest("POST", f"/repos/{name}/issues", {"title": "kept"})
    first.stop(signal.SIGKILL)
    second = StandIn.start(tmp_path / "data")
    try:
        [issue] = second.rest("GET", f"/repos/{name}/issues")
        assert issue["title"] == "kept"
        assert second.rest("GET", "/user")["login"] == "maintainer"
        assert second.rest("GET", f"/repos/{name}/branches")[0]["name"] == "main"
        assert second.rest("POST", f"/repos/{name}/issues", {"title": "next"})["number"] == 2
    finally:
        second.stop()
