"""What the commands for set-up, workers, dashboard and local stack print with `--json`; see `documents`."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, RootModel

from pullwright.fields import Model


class AppPlan(Model):
    """`github setup --dry-run`.

    Attributes:
        address: the page that the manifest is sent to.
        manifest: as GitHub takes it.
        secrets: ARNs of those that would be written.
    """

    address: str
    manifest: dict[str, Any]
    secrets: tuple[str, ...]


class AppRegistered(Model):
    """`github setup`.

    Attributes:
        app_id: GitHub's number of the App.
        page: URL of the App on GitHub.
        install: URL of the page on which it is installed.
        webhook: whether GitHub's first delivery bore the right signature.
        mention: how comments address it.
    """

    app_id: int
    slug: str
    page: str
    install: str
    webhook: Literal["verified", "not verified yet"]
    mention: str


class SecretRotated(Model):
    """`github rotate-secret` and `secrets rotate webhook`.

    Attributes:
        resumed: whether it went on with a rotation that had been broken off.
    """

    rotated: Literal["webhook"]
    resumed: bool


class KeyRotated(Model):
    """`github rotate-key`.

    Attributes:
        page: from which the old key is deleted.
    """

    rotated: Literal["key"]
    page: str


class SecretStored(Model):
    """`secrets set`."""

    stored: Literal["github-app", "webhook", "model-key"]


class ListedSecret(Model):
    """One of `secrets list`.

    Attributes:
        changed: when it got its value; null if it has none.
    """

    name: Literal["github-app", "webhook", "model-key", "jira", "jira-webhook"]
    arn: str
    changed: str | None


class SecretList(RootModel[tuple[ListedSecret, ...]]):
    """`secrets list`."""


class JiraPlan(Model):
    """`jira setup --dry-run`.

    Attributes:
        projects: the repository of each.
        permissions: that the account needs, and what for.
        webhook: its address, events and filter.
        stores: ARNs of the secrets that would be written.
    """

    site: str
    projects: dict[str, str]
    groups: tuple[str, ...]
    permissions: dict[str, str]
    webhook: dict[str, Any]
    stores: tuple[str, ...]


class ListedWorker(Model):
    """A worker as `workers sync` and `workers list` show it.

    Attributes:
        on: its events and schedules.
    """

    id: str
    type: str
    mode: Literal["write", "comment"]
    enabled: bool
    on: tuple[str, ...]


class WorkersTarget(Model):
    """Where `workers sync` stores.

    Attributes:
        key: `pk` of the table's item.
    """

    stack: str
    key: str


class WorkersSynced(Model):
    """`workers sync`, with and without `--dry-run`.

    Attributes:
        commit: that is checked out; empty without one.
        bytes: size of the packed set.
        chunks: number of items that it takes.
        warnings: what may not be meant.
        result: what came of it, in a sentence.
    """

    repository: str
    commit: str
    workers: tuple[ListedWorker, ...]
    bytes: int
    chunks: int
    sha256: str
    target: WorkersTarget
    warnings: tuple[str, ...]
    result: str


class WorkersProblem(Model):
    """What is wrong with files that are newer than what is stored.

    Attributes:
        at: when it was noticed, ISO 8601 in UTC.
    """

    commit: str
    text: str
    at: str


class WorkersStored(Model):
    """`workers list`.

    Attributes:
        commit: that the set is from; empty if nothing is stored.
        sha256: of the packed set; empty if there is none.
    """

    repository: str
    commit: str
    sha256: str
    chunks: int
    workers: tuple[ListedWorker, ...]
    problem: WorkersProblem | None


class WorkerMatch(Model):
    """A worker that a delivery starts.

    Attributes:
        asks: what has to be asked of GitHub before it is sure.
    """

    worker: str
    asks: tuple[str, ...]


class WorkersRouted(Model):
    """`workers test`.

    Attributes:
        unmatched: why each other worker does not start.
    """

    matched: tuple[WorkerMatch, ...]
    unmatched: dict[str, str]


class DashboardServed(Model):
    """`dashboard`.

    Attributes:
        address: of its first page, with the token.
    """

    address: str


class LocalStackUp(BaseModel):
    """`local up`: `stack.json` without its secret; releases may add fields.

    Attributes:
        outputs: of the CloudFormation stack.
        webhook_host: what to send as `Host` to `webhook_url`.
        preview_port: of 127.0.0.1, where previews answer at their hosts.
        model_url: null if the model is no stand-in.
        log_dir: path of the folder with the logs of all processes.
    """

    endpoint_url: str
    region: str
    outputs: dict[str, str]
    webhook_url: str
    webhook_host: str
    github_url: str
    jira_url: str
    preview_port: int
    model_url: str | None
    model: str
    log_dir: str


class LocalStackDown(Model):
    """`local down`.

    Attributes:
        killed: processes that did not end by themselves.
    """

    killed: tuple[str, ...]


class LocalStackStatus(Model):
    """`local status`.

    Attributes:
        processes: by name, whether it runs.
        children: what they have started and what runs.
        endpoint_url: null if the stack was never up; so are the other addresses.
    """

    up: bool
    processes: dict[str, bool]
    children: tuple[str, ...]
    stack_file: str
    endpoint_url: str | None
    github_url: str | None
    jira_url: str | None


class LocalStackVariables(RootModel[dict[str, str]]):
    """`local env`: variables with which a shell reaches the stack."""


class LocalStackCleaned(Model):
    """`local clean`: an empty object."""
