"""What the commands for images, deployments and releases print with `--json`; see `documents`."""

from __future__ import annotations

from pydantic import Field, RootModel

from pullwright.fields import Model


class ImageBuilt(Model):
    """`image build`.

    Attributes:
        content: the tag that says what the image holds.
        built: false if the archive held it already.
    """

    archive: str
    content: str
    built: bool


class ImagePushed(Model):
    """`image push`.

    Attributes:
        built: false if the registry had the content already.
    """

    repository: str
    digest: str
    tags: tuple[str, ...] = Field(min_length=1)
    built: bool


class ListedImage(Model):
    """One of `image list`.

    Attributes:
        size: in bytes, compressed.
        is_run: whether new sessions of the stack run it.
    """

    digest: str
    tags: tuple[str, ...]
    size: int
    pushed_at: str
    is_run: bool


class ImageList(RootModel[tuple[ListedImage, ...]]):
    """`image list`, newest first."""


class ImageMoved(Model):
    """`image promote` and `image rollback`, with and without `--dry-run`.

    Attributes:
        before: digest that the tag pointed to; null if there was no such tag.
        moved: false with `--dry-run`, and if the tag points there already.
        commands: that do the same without Pullwright's command.
    """

    repository: str
    tag: str
    digest: str
    before: str | None
    moved: bool
    commands: tuple[str, ...]


class Commands(Model):
    """What `image build`, `image push` and `devbox` would run, with `--dry-run`."""

    commands: tuple[str, ...] = Field(min_length=1)


class DeployPlan(Commands):
    """`deploy --dry-run`."""


class CanaryVerdict(Model):
    """`canary` and `image validate`: what came of the session.

    Attributes:
        sentence: what went wrong; empty after success.
        image_digest: of the image that its task ran; empty if no task did.
        pull_request: its address; empty if there is none.
    """

    session: str
    succeeded: bool
    sentence: str
    image_digest: str
    pull_request: str


class DeployedRelease(Model):
    """A release as `deploy` has made it.

    Attributes:
        number: of its version in Parameter Store.
        machine: ARN of the state machine's version.
        preview_machine: that of the previews' state machine; null where the release has none.
        functions: ARNs of the functions' versions.
        image: digest, or the tag where the stack has no digest.
    """

    number: int
    at: str
    machine: str
    preview_machine: str | None = None
    functions: tuple[str, ...]
    task_definition: str
    image: str


class Deployed(Model):
    """`deploy`.

    Attributes:
        release: null where the stack is older than releases.
        canary: null without `--canary`.
        workers: what `--sync-workers` stored, for people; null without it.
    """

    release: DeployedRelease | None
    canary: CanaryVerdict | None
    workers: str | None


class ListedRelease(DeployedRelease):
    """One of `releases`."""

    is_live: bool


class ReleaseList(RootModel[tuple[ListedRelease, ...]]):
    """`releases`, oldest first."""


class RolledBack(Model):
    """`rollback`, with and without `--dry-run`."""

    release: ListedRelease
    commands: tuple[str, ...]
