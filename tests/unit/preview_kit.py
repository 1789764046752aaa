"""A preview's surroundings in one process: the GitHub stand-in, and the table on moto's DynamoDB."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, cast

from botocore.exceptions import ClientError

from pullwright.previewing.prepare import PreparePreviewEvent, prepare_preview
from pullwright.previewing.remove import RemovePreviewEvent, remove_preview
from pullwright.previewing.route import RoutePreviewEvent, route_preview
from pullwright.previewing.routes import Routes
from pullwright.previewing.services import PreviewServices
from pullwright.previewing.store import STARTING, PreviewStore
from pullwright.previewing.task_log import TaskLog
from pullwright.reporting.event import StateError, TaskEnd
from pullwright.reporting.tasks import Tasks
from pullwright.settings import PreparePreviewSettings, RemovePreviewSettings, RoutePreviewSettings
from tests.unit.aws_kit import client
from tests.unit.pipeline_kit import API, REPOSITORY, GitHub

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from pullwright.previewing.models import PreparedPreview, PreviewRoute, PreviewVerdict

LABEL, STAGING_LABEL, SUFFIX = "uat", "uat-staging", "preview.localhost"
START = datetime(2026, 3, 1, 12, tzinfo=UTC)
SETTINGS = PreparePreviewSettings(
    sessions_table="t",
    github_app_secret_arn="arn",
    github_api_url=API,
    preview_domain_suffix=SUFFIX,
    preview_prefix="uat",
    preview_label=LABEL,
    preview_staging_label=STAGING_LABEL,
    preview_hours=24,
    max_previews=2,
    preview_task_definition="preview",
    preview_staging_task_definition="preview-staging",
    allowed_apps="",
    allowed_owners="",
)
_GITHUB = {"sessions_table": "t", "github_app_secret_arn": "arn", "github_api_url": API}
_ROUTING = {
    **_GITHUB,
    "cluster_arn": "cluster",
    "alb_listener_arn": "listener",
    "stack_name": "pullwright",
    "vpc_id": "vpc",
    "preview_log_group": "/logs",
}
ROUTING = RoutePreviewSettings.model_validate({**_ROUTING, "artifacts_bucket": "bucket"})
REMOVING = RemovePreviewSettings.model_validate(
    {
        **_ROUTING,
        "preview_task_families": "preview,preview-staging",
        "retention_days": 1,
        "preview_state_machine_arn": "arn:aws:states:eu-central-1:123456789012:stateMachine:preview",
    }
)


def execution(preview_id: str) -> str:
    """Return the ARN of a preview's execution."""
    return f"arn:aws:states:eu-central-1:123456789012:execution:preview:{preview_id}"


class MemoryRoutes(Routes):
    """A listener in memory.

    Attributes:
        rules: by host, the weights of the previews.
        healthy: previews that answer their health check.
        answers: what is said of those that answer it otherwise.
    """

    def __init__(self) -> None:
        self.rules: dict[str, dict[str, int]] = {}
        self.targets: dict[str, tuple[str, int, str]] = {}
        self.healthy: set[str] = set()
        self.answers: dict[str, str] = {}

    def url(self, host: str) -> str:
        """See `Routes`."""
        return f"http://{host}:8000"

    def register(self, preview_id: str, address: str, port: int, health: str) -> str:
        """See `Routes`."""
        self.targets[preview_id] = (address, port, health)
        return preview_id

    def admit(self, host: str, group: str) -> None:
        """See `Routes`."""
        weights = self.rules.setdefault(host, {})
        weights.setdefault(group, 0 if weights else 1)

    def is_healthy(self, group: str) -> bool:
        """See `Routes`."""
        return group in self.healthy

    def answer(self, group: str) -> str:
        """See `Routes`."""
        return self.answers.get(group, "")

    def take_over(self, host: str, group: str) -> None:
        """See `Routes`."""
        self.rules[host] = {**dict.fromkeys(self.rules[host], 0), group: 1}

    def previews(self) -> frozenset[str]:
        """See `Routes`."""
        return frozenset(self.targets)

    def remove(self, preview_id: str) -> None:
        """See `Routes`."""
        self.targets.pop(preview_id, None)
        for host, weights in list(self.rules.items()):
            weights.pop(preview_id, None)
            if not weights:
                del self.rules[host]
            elif len(weights) == 1:
                self.rules[host] = dict.fromkeys(weights, 1)


class MemoryTasks(Tasks):
    """The newest task of each execution, as ECS describes it; `ends` says how it ended."""

    def __init__(self) -> None:
        self.tasks: dict[str, dict[str, Any]] = {}
        self.ends: dict[str, TaskEnd] = {}
        self.silenced: list[str] = []

    def launch(self, preview_id: str, address: str = "10.0.0.7") -> None:
        """Start a task with an address."""
        details = [{"name": "subnetId", "value": "s"}, {"name": "privateIPv4Address", "value": address}]
        self.tasks[execution(preview_id)] = {
            "taskArn": f"arn:aws:ecs:eu-central-1:123456789012:task/cluster/{preview_id}",
            "startedAt": START + timedelta(seconds=34),
            "attachments": [{"type": "ElasticNetworkInterface", "details": details}],
        }

    def newest(self, execution_arn: str) -> Mapping[str, Any] | None:
        """See `Tasks`."""
        return self.tasks.get(execution_arn)

    def has_stopped(self, execution_arn: str) -> bool:
        """See `Tasks`."""
        return execution_arn not in self.tasks and execution_arn in self.ends

    def silence(self, execution_arn: str, claimed: str | None, reason: str) -> bool:
        """See `Tasks`."""
        assert claimed is None
        assert reason
        self.silenced.append(execution_arn)
        return execution_arn in self.tasks

    def stop(self, execution_arn: str, claimed: str | None, *, seconds: float) -> TaskEnd | None:
        """See `Tasks`."""
        assert claimed is None
        assert seconds > 0
        task = self.tasks.pop(execution_arn, None)
        arn = None if task is None else task["taskArn"]
        return self.ends.get(execution_arn) or (None if arn is None else TaskEnd(TaskArn=arn))


class MemoryLog(TaskLog):
    """What tasks wrote, in memory.

    Attributes:
        messages: by task; of one that is not in here there is no log.
        error: with which CloudWatch Logs refuses; empty while it answers.
    """

    def __init__(self) -> None:
        super().__init__(lambda: cast("Any", self), "/logs")
        self.messages: dict[str, list[str]] = {}
        self.error = ""

    def get_log_events(self, **call: Any) -> dict[str, Any]:
        """As CloudWatch Logs answers, whose first page from the end is empty now and then."""
        assert (call["logGroupName"], call["startFromHead"]) == ("/logs", False)
        stream = call["logStreamName"].removeprefix("preview/preview/")
        if self.error or stream not in self.messages:
            code = self.error or "ResourceNotFoundException"
            raise ClientError({"Error": {"Code": code, "Message": ""}}, "GetLogEvents")
        if "nextToken" not in call:
            return {"events": [], "nextBackwardToken": str(len(self.messages[stream]))}
        end = int(call["nextToken"])
        first = max(0, end - call["limit"])
        events = [{"message": message} for message in self.messages[stream][first:end]]
        return {"events": events, "nextBackwardToken": str(first)}


class Previews:
    """Everything that the functions of previews work with; to be used within moto."""

    def __init__(self, folder: Path) -> None:
        self.github = GitHub(folder)
        self.github.repository(files={"README.md": "# Widgets\n", "Procfile": "web: python app.py\n"})
        dynamodb = client("dynamodb")
        dynamodb.create_table(
            TableName="t",
            BillingMode="PAY_PER_REQUEST",
            AttributeDefinitions=[{"AttributeName": "pk", "AttributeType": "S"}],
            KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}],
        )
        self.store = PreviewStore(dynamodb, "t")
        self.routes, self.tasks, self.log = MemoryRoutes(), MemoryTasks(), MemoryLog()
        self.pauses: list[float] = []
        self.pause: Callable[[float], None] = self.pauses.append

    def pull(self, branch: str = "topic") -> int:
        """Open a pull request and return its number."""
        self.github.write(branch, {f"{branch.replace('/', '-')}.txt": "x"})
        fields = {"title": branch, "head": branch, "base": "main"}
        return int(self.github.person("POST", "/pulls", fields)["number"])

    def label(self, number: int, name: str = LABEL) -> None:
        """Add a label."""
        self.github.person("POST", f"/issues/{number}/labels", {"labels": [name]})

    def prepare(
        self, preview_id: str, number: int, *, started_at: datetime = START, limit: int = 2, **fields: Any
    ) -> PreparedPreview:
        """Prepare a preview as a fresh Lambda environment does, after RecordPreview."""
        self.store.update(
            preview_id,
            {
                "preview_status": STARTING,
                "started_at": started_at.isoformat(),
                "execution_arn": execution(preview_id),
            },
        )
        event = PreparePreviewEvent(
            preview_id=preview_id,
            execution_arn=execution(preview_id),
            started_at=started_at,
            input={"repository": REPOSITORY, "pull_request": number, **fields},
        )
        settings = SETTINGS.model_copy(update={"max_previews": limit})
        return prepare_preview(event, PreviewServices(self.github.app(), self.store, settings))

    def comment(self, number: int) -> str:
        """Return the one comment of a pull request."""
        (comment,) = self.github.comments(number)
        return str(comment["body"])

    def route(self, preview_id: str, prepared: PreparedPreview, *, now: datetime = START) -> PreviewRoute:
        """Ask RoutePreview once."""
        event = RoutePreviewEvent(
            preview_id=preview_id, execution_arn=execution(preview_id), prepared=prepared
        )
        services = PreviewServices(self.github.app(), self.store, ROUTING, self.log)
        return route_preview(event, services, self.tasks, self.routes, now=now, pause=self.pause)

    def serve(self, preview_id: str, number: int, **fields: Any) -> PreparedPreview:
        """Prepare a preview, start its task and route it."""
        prepared = self.prepare(preview_id, number, **fields)
        self.tasks.launch(preview_id)
        self.routes.healthy.add(preview_id)
        self.route(preview_id, prepared)
        return prepared

    def remove(
        self,
        preview_id: str,
        ended: StateError | None = None,
        *,
        prepared: PreparedPreview | None = None,
        now: datetime = START,
    ) -> PreviewVerdict:
        """Run RemovePreview."""
        event = RemovePreviewEvent(
            preview_id=preview_id,
            execution_arn=execution(preview_id),
            started_at=START,
            prepared=None if prepared is None else prepared.model_dump(mode="json"),
            ended=ended,
        )
        services = PreviewServices(self.github.app(), self.store, REMOVING, self.log)
        return remove_preview(event, services, self.tasks, self.routes, now=now, seconds=1)
