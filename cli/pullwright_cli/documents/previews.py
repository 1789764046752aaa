"""Documents of `pullwright preview`."""

from pullwright.fields import Model


class PreviewStartPlan(Model):
    """`preview --dry-run`, with and without `--json`.

    Attributes:
        request: StartExecution's arguments.
        command: the same for a shell.
    """

    stack: str
    region: str
    request: dict[str, str]
    command: str


class PreviewStarted(Model):
    """`preview`."""

    preview: str
    execution_arn: str
    command: str


class ListedPreview(Model):
    """One of `preview list`; what is not known is null.

    Attributes:
        status: STARTING, SERVING, SUCCEEDED or FAILED; that of the execution where the record says none.
        session: id of the session whose work it shows; null for a label's or a command's.
        host: full name, `PreviewDomainSuffix` included.
        sentence: how it ended, or why it is not wanted any more.
    """

    preview: str
    status: str
    repository: str | None
    pull_request: int | None
    session: str | None
    label: str | None
    commit: str | None
    host: str | None
    url: str | None
    started_at: str | None
    healthy_at: str | None
    ended_at: str | None
    error: str | None
    sentence: str | None


class PreviewList(Model):
    """`preview list`, newest first."""

    stack: str
    previews: tuple[ListedPreview, ...]


class PreviewScreenshot(Model):
    """One page of `preview screenshots`.

    Attributes:
        saved: where its picture is on this machine; null if there is none.
        problem: why there is none; null if there is one.
    """

    path: str
    saved: str | None
    problem: str | None


class PreviewScreenshots(Model):
    """`preview screenshots`, in the configuration's order."""

    preview: str
    screenshots: tuple[PreviewScreenshot, ...]


class PreviewsRemoved(Model):
    """`preview remove`.

    Attributes:
        removed: none with `--dry-run`.
        commands: that do the same without Pullwright's command.
    """

    removed: tuple[str, ...]
    commands: tuple[str, ...]
