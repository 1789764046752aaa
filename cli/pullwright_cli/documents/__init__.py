"""What the commands print with `--json`. The schemas are published in docs/commands.schema.json.

No command imports this: a list of sessions is printed before pydantic would be read. Tests hold the two
together.
"""

from typing import Any, Literal

from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from pullwright.fields import Model
from pullwright_cli.checkup.findings import Checkup
from pullwright_cli.documents import devbox, evaluations, previews, releases, removal, sessions, setup


class CommandFailure(Model):
    """What a command with `--json` prints on standard error when it fails.

    Attributes:
        error: a class of docs/contracts.md, or CliError for wrong usage.
    """

    error: str
    sentence: str
    remedy: str


PRINTED: dict[str, tuple[type[BaseModel], ...]] = {
    "run": (sessions.Started, sessions.StartPlan, sessions.SessionDetails, sessions.LocalRun),
    "retry": (sessions.Started, sessions.StartPlan, sessions.SessionDetails),
    "stop": (sessions.Stopped,),
    "sessions": (sessions.SessionList,),
    "sessions purge": (removal.Purge,),
    "show": (sessions.SessionDetails,),
    "logs": (sessions.LogLine,),
    "artifacts": (sessions.ArtifactList,),
    "events": (sessions.DeliveryList,),
    "cost": (sessions.CostReport,),
    "evaluate": (
        evaluations.EvaluationReport,
        evaluations.EvaluationTasks,
        evaluations.EvaluationStart,
        evaluations.EvaluationStopped,
    ),
    "doctor": (Checkup,),
    "dashboard": (setup.DashboardServed,),
    "deploy": (releases.Deployed, releases.DeployPlan),
    "canary": (releases.CanaryVerdict, sessions.StartPlan),
    "releases": (releases.ReleaseList,),
    "rollback": (releases.RolledBack,),
    "destroy": (removal.Removal,),
    "image build": (releases.ImageBuilt, releases.Commands),
    "image push": (releases.ImagePushed, releases.Commands),
    "image validate": (releases.CanaryVerdict, sessions.StartPlan),
    "image promote": (releases.ImageMoved,),
    "image rollback": (releases.ImageMoved,),
    "image list": (releases.ImageList,),
    "github setup": (setup.AppRegistered, setup.AppPlan),
    "github rotate-secret": (setup.SecretRotated,),
    "github rotate-key": (setup.KeyRotated,),
    "jira setup": (Checkup, setup.JiraPlan),
    "jira test": (Checkup,),
    "preview start": (previews.PreviewStarted, previews.PreviewStartPlan),
    "preview list": (previews.PreviewList,),
    "preview logs": (sessions.LogLine,),
    "preview screenshots": (previews.PreviewScreenshots,),
    "preview remove": (previews.PreviewsRemoved,),
    "secrets set": (setup.SecretStored,),
    "secrets rotate": (setup.SecretRotated,),
    "secrets list": (setup.SecretList,),
    "workers sync": (setup.WorkersSynced,),
    "workers list": (setup.WorkersStored,),
    "workers test": (setup.WorkersRouted,),
    "devbox up": (devbox.DevBoxStatus, releases.Commands),
    "devbox status": (devbox.DevBoxStatus,),
    "devbox start": (devbox.DevBoxState, releases.Commands),
    "devbox stop": (devbox.DevBoxState, releases.Commands),
    "devbox measure": (devbox.DevBoxMeasured,),
    "devbox down": (devbox.DevBoxRemoved, releases.Commands),
    "local up": (setup.LocalStackUp,),
    "local down": (setup.LocalStackDown,),
    "local status": (setup.LocalStackStatus,),
    "local env": (setup.LocalStackVariables,),
    "local clean": (setup.LocalStackCleaned,),
}
"""The documents of each command that takes `--json`; with one of these, a plan or a failure."""


def schema() -> dict[str, Any]:
    """Return the JSON Schema that describes every document by its name."""
    models: list[type[BaseModel]] = [model for printed in PRINTED.values() for model in printed]
    models.append(CommandFailure)
    wanted: list[tuple[type[BaseModel], Literal["validation"]]] = [
        (model, "validation") for model in dict.fromkeys(models)
    ]
    _, schemas = models_json_schema(wanted, title="What Pullwright's commands print with --json")
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **schemas}
