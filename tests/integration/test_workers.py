"""A repository's own workers on the stack: read from GitHub, used, told where they are wrong, removed."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from local.people import call
from local.stack import STACK
from tests.integration.test_reconcile import until

if TYPE_CHECKING:
    from tests.integration.conftest import Repositories, Repository

WORKERS = ".pullwright/workers"
GREETER = (
    "on: {event: issues, labels: greet}\ninstructions: {file: .pullwright/greeter.md}\nlimits: {turns: 7}\n"
)
BROKEN = GREETER + "modle: m\n"


def stored(repository: Repository) -> dict[str, Any]:
    """Return the repository's items under `REPO#`, by key."""
    key = f"REPO#{repository.name.lower()}"
    table = {"TableName": repository.stack.outputs["SessionsTable"]}
    pages = repository.stack.client("dynamodb").get_paginator("scan").paginate(**table)
    items = {item["pk"]["S"]: item for page in pages for item in page["Items"]}
    return {pk: item for pk, item in items.items() if pk == key or pk.startswith(f"{key}#")}


def listed(repository: Repository) -> dict[str, Any]:
    """Return what `pullwright workers list` says."""
    stack = repository.stack
    environment = {
        "AWS_ENDPOINT_URL": stack.described["endpoint_url"],
        "AWS_DEFAULT_REGION": stack.described["region"],
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
    }
    command = [str(Path(sys.prefix) / "bin" / "pullwright"), "workers", "list", "--json"]
    command += ["--stack-name", STACK, "--repo", repository.name]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    value: dict[str, Any] = json.loads(done.stdout)
    return value


def test_workers_take_effect_by_themselves(repositories: Repositories) -> None:
    """Installed, used, kept while newer files are broken, and removed with the App."""
    repository = repositories.make(
        files={f"{WORKERS}/greeter.yaml": GREETER, ".pullwright/greeter.md": "Say hello.", "README.md": "#\n"}
    )
    until(lambda: any("#" in key.removeprefix("REPO#") for key in stored(repository)), "the set")
    good = until(lambda: listed(repository), "the list")
    assert [worker["id"] for worker in good["workers"]] == ["greeter"]

    commit = repository.person.commit(repository.name, "main", {f"{WORKERS}/greeter.yaml": BROKEN})
    comments = f"/commits/{commit}/comments"
    [comment] = until(lambda: repository.rest("GET", comments), "the comment on the commit")
    assert comment["user"]["login"].endswith("[bot]")
    assert f"`{WORKERS}/greeter.yaml`, line 4" in comment["body"]
    problem = until(lambda: listed(repository)["problem"], "the problem")
    assert problem["commit"] == commit
    assert listed(repository)["sha256"] == good["sha256"]

    session = repository.start(worker="greeter", issue=repository.issue())
    record = session.record()
    assert (record.worker, record.status) == ("greeter", "SUCCEEDED")
    request = json.loads(session.artifacts()["request.json"])
    assert (request["instructions"], request["limits"]["turns"]) == ("Say hello.", 7)
    # The same delivery once more changes nothing, and writes no second comment.
    deliveries = call(repository.stack.github_url, "GET", "/_standin/deliveries")
    pushed = next(it for it in deliveries if it["event"] == "push" and commit in json.dumps(it))
    call(repository.stack.github_url, "POST", f"/_standin/deliveries/{pushed['id']}/redeliver")
    mended = repository.person.commit(
        repository.name, "main", {f"{WORKERS}/greeter.yaml": GREETER + "plan: true\n"}
    )
    until(lambda: listed(repository)["commit"] == mended, "the mended set")
    assert listed(repository)["problem"] is None
    assert len(repository.rest("GET", comments)) == 1

    path = f"/_standin/repositories/{repository.name}"
    call(repository.stack.github_url, "PATCH", path, {"installed": False})
    until(lambda: not stored(repository), "that it is removed")
