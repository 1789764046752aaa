"""A preview's surroundings in one process: the GitHub stand-in, and the table on moto's DynamoDB."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from pullwright.previewing.prepare import PreparePreviewEvent, prepare_preview
from pullwright.previewing.services import PreviewServices
from pullwright.previewing.store import STARTING, PreviewStore
from pullwright.settings import PreparePreviewSettings
from tests.unit.aws_kit import client
from tests.unit.pipeline_kit import API, REPOSITORY, GitHub

if TYPE_CHECKING:
    from pathlib import Path

    from pullwright.previewing.models import PreparedPreview

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
        self.store.update(preview_id, {"preview_status": STARTING, "started_at": started_at.isoformat()})
        event = PreparePreviewEvent(
            preview_id=preview_id,
            execution_arn=f"arn:aws:states:eu-central-1:123456789012:execution:preview:{preview_id}",
            started_at=started_at,
            input={"repository": REPOSITORY, "pull_request": number, **fields},
        )
        settings = SETTINGS.model_copy(update={"max_previews": limit})
        return prepare_preview(event, PreviewServices(self.github.app(), self.store, settings))

    def comment(self, number: int) -> str:
        """Return the one comment of a pull request."""
        (comment,) = self.github.comments(number)
        return str(comment["body"])
