"""A labelled pull request runs behind the load balancer until it is not needed, and then nothing is left."""

from __future__ import annotations

import html
import json
import re
import threading
import uuid
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import pytest
import urllib3

from local import chromium
from local.people import Person
from local.stack import STACK
from pullwright.previewing.png import problem_of
from pullwright_cli.session import ENDED
from tests.integration.commands import run
from tests.integration.test_conversation import play
from tests.integration.test_reconcile import items, until

if TYPE_CHECKING:
    from local.sessions import Stack
    from tests.integration.conftest import Repositories, Repository

NODE = {
    "package.json": '{"name": "shop", "version": "1.0.0", "scripts": {"start": "node server.js"}}\n',
    "server.js": """const fs = require("fs");
const page = fs.readFileSync("page.txt");
require("http").createServer((_, response) => response.end(page)).listen(process.env.PORT, process.env.HOST);
""",
    "page.txt": "of main",
}
PYTHON = {
    "Procfile": "web: python3 -m http.server --bind $HOST $PORT\n",
    "index.html": "of main",
}
SECONDS = 90.0
_HTTP = urllib3.PoolManager(retries=False, timeout=10, maxsize=2)


@dataclass(frozen=True)
class Preview:
    """One execution of the machine of previews."""

    stack: Stack
    arn: str

    @property
    def id(self) -> str:
        """Its name."""
        return self.arn.rpartition(":")[2]

    def execution(self) -> dict[str, Any]:
        """Return what Step Functions says of it."""
        described: dict[str, Any] = self.stack.client("stepfunctions").describe_execution(
            executionArn=self.arn
        )
        return described

    def wait(self) -> str:
        """Wait for its end; return its status."""
        return str(
            until(lambda: (status := self.execution()["status"]) in ENDED and status, "its end", SECONDS)
        )

    def tasks(self) -> list[dict[str, Any]]:
        """Return its tasks, those that have stopped too."""
        ecs, cluster = self.stack.client("ecs"), self.stack.outputs["EcsClusterArn"]
        pages = [
            page["taskArns"]
            for family in (f"{STACK}-preview", f"{STACK}-preview-staging")
            for status in ("RUNNING", "STOPPED")
            for page in ecs.get_paginator("list_tasks").paginate(
                cluster=cluster, family=family, desiredStatus=status
            )
        ]
        tasks = [
            task
            for arns in pages
            if arns
            for task in ecs.describe_tasks(cluster=cluster, tasks=arns)["tasks"]
        ]
        return [task for task in tasks if self.id in json.dumps(task["overrides"])]

    def running(self) -> list[str]:
        """Return its tasks and their processes, those that have stopped left out."""
        found: list[str] = []
        for task in self.tasks():
            pids = [container.get("runtimeId", "-0").rpartition("-")[2] for container in task["containers"]]
            found += [pid for pid in pids if Path("/proc", pid).exists()]
            found += [task["taskArn"]] if task["lastStatus"] != "STOPPED" else []
        return found


@dataclass
class PullRequest:
    """A pull request whose branch is to be seen.

    Attributes:
        begin: how the comment of its previews begins.
    """

    repository: Repository
    number: int
    branch: str
    begin: str = "<!-- pullwright:preview -->"
    known: set[str] = field(default_factory=set)

    @classmethod
    def open(
        cls,
        repository: Repository,
        files: dict[str, str | None],
        branch: str = "topic",
        body: str | None = "Please look.",
    ) -> PullRequest:
        """Commit files on a branch and open a pull request for it."""
        repository.person.commit(repository.name, branch, files)
        number = repository.person.open_pull(repository.name, branch, "Change it", body=body)
        return cls(repository, number, branch)

    def label(self, name: str, person: Person | None = None) -> Preview:
        """Add a label; return the preview that it starts."""
        (person or self.repository.person).label(self.repository.name, self.number, name)
        return self.started()

    def push(self, files: dict[str, str | None]) -> Preview:
        """Push a commit; return the preview that it starts."""
        self.repository.person.commit(self.repository.name, self.branch, files)
        return self.started()

    def started(self) -> Preview:
        """Return the preview that has been started since this was asked before."""
        arn = until(
            lambda: next(iter(self._executions() - self.known), None), "a preview is started", SECONDS
        )
        self.known.add(arn)
        return Preview(self.repository.stack, arn)

    def comment(self) -> str:
        """Return the one comment of its previews, empty as long as there is none."""
        comments = self.repository.comments(self.number)
        found = [text for text in comments if text.startswith(self.begin)]
        assert len(found) <= 1
        return found[0] if found else ""

    def url(self) -> str:
        """Wait until the comment has an address; return it."""
        found = until(lambda: re.search(r"<(http://[^>]+)>", self.comment()), "the address is told", SECONDS)
        return str(found[1])

    def _executions(self) -> set[str]:
        stack = self.repository.stack
        states = stack.client("stepfunctions")
        pages = states.get_paginator("list_executions").paginate(
            stateMachineArn=stack.outputs["PreviewStateMachineArn"]
        )
        arns = [execution["executionArn"] for page in pages for execution in page["executions"]]
        return {
            arn
            for arn in arns
            if self._is_about(json.loads(states.describe_execution(executionArn=arn)["input"]))
        }

    def _is_about(self, request: dict[str, Any]) -> bool:
        wanted = {"repository": self.repository.name, "pull_request": self.number}
        return request == {**request, **wanted}


class Client:
    """Asks for a page over and over in a thread of its own, and keeps what was not as it should be."""

    def __init__(self, url: str) -> None:
        self.requests = 0
        self.failed: list[str] = []
        self._url = url
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._ask)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._thread.join()

    def _ask(self) -> None:
        while not self._ended.wait(0.02):
            self.requests += 1
            try:
                if (status := get(self._url)[0]) != 200:
                    self.failed.append(str(status))
            except urllib3.exceptions.HTTPError as error:
                self.failed.append(str(error))


def get(url: str) -> tuple[int, str]:
    """Ask for a page as a browser does, to which *.localhost is this machine; return status and text."""
    address = urllib3.util.parse_url(url)
    response = _HTTP.request(
        "GET", f"http://127.0.0.1:{address.port}/", headers={"Host": f"{address.netloc}"}
    )
    return response.status, response.data.decode()


def left(stack: Stack, *previews: Preview) -> list[str]:
    """Return what is there of previews: rules, target groups, tasks, processes, slots, hosts."""
    elb = stack.client("elbv2")
    [balancer] = elb.describe_load_balancers()["LoadBalancers"]
    [listener] = elb.describe_listeners(LoadBalancerArn=balancer["LoadBalancerArn"])["Listeners"]
    rules = elb.describe_rules(ListenerArn=listener["ListenerArn"])["Rules"]
    found = [rule["RuleArn"] for rule in rules if not rule["IsDefault"]]
    found += [group["TargetGroupName"] for group in elb.describe_target_groups()["TargetGroups"]]
    found += [each for preview in previews for each in preview.running()]
    kept = [item for item in items(stack) if item["pk"]["S"].startswith(("PREVIEWS", "PREVIEWHOST#"))]
    return found + [str(item) for item in kept if {"holders", "untold"} & item.keys()]


def test_a_branch_is_seen_renewed_and_gone(repositories: Repositories, stack: Stack) -> None:
    """The comment's address shows the branch, and what is pushed without a failure between; then 404."""
    pull = PullRequest.open(repositories.make(files=NODE), {"page.txt": "of the branch"})
    first = pull.label("uat")
    url = pull.url()
    assert get(url) == (200, "of the branch")
    assert url.startswith("http://uat-topic.preview.localhost:")
    with Client(url) as client:
        second = pull.push({"page.txt": "pushed"})
        until(lambda: get(url) == (200, "pushed"), "the new commit is served", SECONDS)
        assert first.wait() == "SUCCEEDED"
    assert client.requests > 20
    assert client.failed == []
    assert get(url) == (200, "pushed")
    pull.repository.rest("DELETE", f"/issues/{pull.number}/labels/uat")
    assert second.wait() == "SUCCEEDED"
    until(lambda: get(url)[0] == 404, "the load balancer knows it no more", SECONDS)
    assert f"The label uat was removed by {pull.repository.person.login}." in pull.comment()
    assert left(stack, first, second) == []


def test_the_other_label_runs_the_other_image(
    repositories: Repositories, stack: Stack, environment: dict[str, str], tmp_path: Path
) -> None:
    """A project in Python is served by the image that `staging` points to, until its pull request closes.

    Its pull request has no text, and its branch a letter that no host can have. A picture of its page follows
    the address, by a real Chromium where npm has one for this machine, and can be saved.
    """
    config = {".pullwright/config.yaml": "preview: {screenshots: [/]}\n"}
    repository = repositories.make(files={**PYTHON, **config})
    pull = PullRequest.open(repository, {"index.html": "of the branch"}, "feature/Größe_2", body=None)
    preview = pull.label("uat-staging")
    url = pull.url()
    assert re.match(r"http://uat-feature-gro-e-2-[0-9a-f]{8}\.preview\.localhost:", url)
    assert get(url) == (200, "of the branch")
    [task] = preview.tasks()
    [container] = task["containers"]
    assert container["image"] == f"{stack.outputs['PreviewRepositoryUri']}:staging"
    _check_picture(pull, preview, environment, tmp_path)
    pull.repository.rest("PATCH", f"/pulls/{pull.number}", {"state": "closed"})
    assert preview.wait() == "SUCCEEDED"
    until(lambda: get(url)[0] == 404, "the load balancer knows it no more", SECONDS)
    assert left(stack, preview) == []


def _check_picture(pull: PullRequest, preview: Preview, environment: dict[str, str], folder: Path) -> None:
    """Look at the picture in a comment, which is the same that the command saves; or at why there is none."""
    if not chromium.is_for_this_machine():
        until(lambda: "screenshot" in pull.comment().lower(), "the pictures are told of", SECONDS)
        return
    found = until(lambda: re.search(r'<img src="([^"]+)"', pull.comment()), "the picture is shown", SECONDS)
    shown = _HTTP.request("GET", html.unescape(found[1]))
    assert (shown.status, shown.headers["Content-Type"]) == (200, "image/png")
    assert problem_of(shown.data) == ""
    options = ("--output", str(folder), "--json")
    done = run(environment, "preview", "screenshots", preview.id, *options)
    assert done.returncode == 0, done.stderr
    [page] = json.loads(done.stdout)["screenshots"]
    assert Path(page["saved"]).read_bytes() == shown.data


def test_a_session_leaves_a_preview(repositories: Repositories, stack: Stack) -> None:
    """A labelled issue becomes a pull request, whose branch is served at the session's host."""
    config = {".pullwright/config.yaml": "preview: {after_session: true}\n"}
    repository = repositories.make(files={**PYTHON, **config})
    write = {"command": "printf 'of the session' >index.html", "description": "Write the page"}
    play(stack, repository, {"tool": "Bash", "input": write}, {"text": "The page is written."})
    session = repository.label(repository.issue(), SECONDS)
    record = session.record()
    assert record.outcome == "changed"
    begin = "<!-- pullwright:preview:session -->"
    pull = PullRequest(repository, record.pull_request or 0, "claude/1", begin)
    assert repository.rest("GET", f"/pulls/{pull.number}")["draft"] is False
    preview = pull.started()
    url = pull.url()
    assert url.startswith(f"http://{session.id}.preview.localhost:")
    assert get(url) == (200, "of the session")
    repository.rest("PATCH", f"/pulls/{pull.number}", {"state": "closed"})
    assert preview.wait() == "SUCCEEDED"
    until(lambda: get(url)[0] == 404, "the load balancer knows it no more", SECONDS)
    assert left(stack, preview) == []


@dataclass(frozen=True)
class Refused:
    """A preview that did not come to serve its branch."""

    pull: PullRequest
    preview: Preview


def _configured(text: str) -> dict[str, str]:
    return {**PYTHON, ".pullwright/config.yaml": f"preview: {text}\n"}


def _of_a_fork(repositories: Repositories) -> Refused:
    repository = repositories.make(files=PYTHON)
    stranger = Person.join(repository.stack.github_url, f"stranger-{uuid.uuid4().hex[:8]}")
    fork = stranger.rest("POST", f"/repos/{repository.name}/forks", {})["full_name"]
    stranger.commit(fork, "topic", {"index.html": "of a stranger"})
    number = stranger.open_pull(repository.name, f"{stranger.login}:topic", "Mine", body="Please look.")
    pull = PullRequest(repository, number, "topic")
    return Refused(pull, pull.label("uat"))


def _by_a_reader(repositories: Repositories) -> Refused:
    """Whoever triages adds labels, and has no write permission."""
    person = Person.join(repositories.stack.github_url, f"triage-{uuid.uuid4().hex[:8]}")
    permissions = {repositories.person.login: "admin", person.login: "triage"}
    pull = PullRequest.open(
        repositories.make(files=PYTHON, permissions=permissions), {"index.html": "of the branch"}
    )
    return Refused(pull, pull.label("uat", person))


def _configured_as(repositories: Repositories, text: str) -> Refused:
    pull = PullRequest.open(repositories.make(files=_configured(text)), {"index.html": "of the branch"})
    return Refused(pull, pull.label("uat"))


@pytest.fixture(scope="module")
def refused(repositories: Repositories) -> dict[str, Refused]:
    """Start what comes to nothing, all of it at once."""
    return {
        "fork": _of_a_fork(repositories),
        "reader": _by_a_reader(repositories),
        "build": _configured_as(repositories, "{build: 'echo no compiler; exit 3'}"),
        "endless": _configured_as(repositories, "{build: sleep 600, start_timeout: 3}"),
        "unhealthy": _configured_as(repositories, "{start: sleep 600, start_timeout: 3}"),
    }


@pytest.mark.parametrize(
    ("name", "error", "sentence"),
    [
        ("fork", "PreviewFromFork", "is in a fork, whose code is not run."),
        ("reader", "NotAllowed", "has no write permission to"),
        ("build", "PreviewBuildFailed", "The build command failed."),
        ("build", "PreviewBuildFailed", "> no compiler\n"),
        ("endless", "PreviewBuildTooLong", "The build took longer than 3 seconds."),
        (
            "unhealthy",
            "PreviewNeverHealthy",
            "did not answer with a status from 200 to 399 within 3 seconds.",
        ),
    ],
)
def test_what_comes_to_nothing_says_why(
    refused: dict[str, Refused], name: str, error: str, sentence: str
) -> None:
    """The comment has the sentence, the execution its class."""
    pull, preview = refused[name].pull, refused[name].preview
    assert preview.wait() == "FAILED"
    assert preview.execution()["error"] == error
    assert sentence in pull.comment()
    assert "Preview: failed" in pull.comment()


def test_what_comes_to_nothing_leaves_nothing(refused: dict[str, Refused], stack: Stack) -> None:
    """No rule, target group, task, process, slot or host is left of any of them."""
    assert left(stack, *(each.preview for each in refused.values() if each.preview.wait())) == []
