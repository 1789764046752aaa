"""Gives a preview's task what it needs: a token that reads its repository, and the repository's variables."""

from __future__ import annotations

import json
import re
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from pullwright.brokering.caller import find_task
from pullwright.brokering.models import PreviewGrant
from pullwright.brokering.screenshots import read_message, take
from pullwright.claims import preview_of
from pullwright.errors import NotAllowed, PreviewSecretInvalid, SessionClosed
from pullwright.github.permissions import READ
from pullwright.json_object import as_object
from pullwright.log import about, hide, logger
from pullwright.previewing.models import PreviewPlan
from pullwright.secret_values import read_text

if TYPE_CHECKING:
    from collections.abc import Mapping

    from mypy_boto3_ecs import ECSClient
    from mypy_boto3_secretsmanager import SecretsManagerClient

    from pullwright.brokering.caller import Caller
    from pullwright.previewing.screenshots import Screenshots
    from pullwright.previewing.store import PreviewStore
    from pullwright.services import Services
    from pullwright.settings import BrokerSettings

# Longer than any token lasts, so that each is new: who asks again early was refused with the last one.
LASTING = timedelta(days=1)
_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,99}")
_NO_TEXT = re.compile("[\0\ud800-\udfff]")


def answer_preview(
    event: Mapping[str, Any],
    caller: Caller,
    services: Services[BrokerSettings],
    previews: PreviewStore,
    *,
    ecs: ECSClient,
    secrets: SecretsManagerClient,
    screenshots: Screenshots,
) -> PreviewGrant | None:
    """Give the calling task the plan of its preview, a token that reads its repository, and its variables.

    Or take a screenshot from it. As for sessions, nothing that the caller sends decides whose it is: ECS
    names the preview of its task. It gets no credentials of AWS and no model's key.

    Returns:
        None when it sent a screenshot.

    Raises:
        NotAllowed: the task was started for no preview.
        SessionClosed: the preview is over, or not needed any more.
        PreviewSecretInvalid: the secret with the variables has another form.
        PullwrightError: GitHub or AWS gave nothing, or what it sent was not taken.
    """
    plan = plan_of(caller, services.settings.cluster_arn, previews, ecs)
    message = read_message(event)
    if not message.asks_for_the_plan:
        take(message, plan, screenshots)
        return None
    token = services.app.token(plan.repository, READ, lasting=LASTING)
    hide(token.token)
    arn = services.settings.preview_secret_arn
    variables = variables_of(read_text(secrets, arn), plan.repository) if arn else {}
    hide(*variables.values())
    logger.info("granted", repository=plan.repository, task_id=caller.task_id)
    return PreviewGrant(
        plan=plan, github_token=token.token, github_expires_at=token.expires_at, variables=variables
    )


def plan_of(caller: Caller, cluster_arn: str, previews: PreviewStore, ecs: ECSClient) -> PreviewPlan:
    """Return the plan of the preview that the calling task runs.

    Raises:
        NotAllowed: the task was started for no preview.
        SessionClosed: the preview is over, or not needed any more.
    """
    task = find_task(ecs, cluster_arn, caller.task_id)
    if task is None:
        raise SessionClosed("The caller's task does not run.")
    preview_id = preview_of(task)
    if preview_id is None:
        raise NotAllowed("The caller's task was started for no preview.")
    about(preview_id)
    record = previews.read(preview_id)
    if not record.is_open or record.withdrawn:
        raise SessionClosed("The preview is over.")
    try:
        return PreviewPlan.model_validate_json(record.plan)
    except ValidationError:
        raise SessionClosed("The preview has no plan to work by.") from None


def variables_of(text: str, repository: str) -> dict[str, str]:
    """Return a repository's variables; none if the secret does not name it.

    Args:
        text: of the secret: JSON, by `owner/name` and variable.

    Raises:
        PreviewSecretInvalid: it has another form; the sentence quotes no value.
    """
    try:
        by_repository = json.loads(text)
    except (ValueError, RecursionError):
        raise PreviewSecretInvalid("The secret with the variables of previews is not JSON.") from None
    if not isinstance(by_repository, dict):
        raise PreviewSecretInvalid("The secret with the variables of previews is no JSON object.")
    named = {name.lower(): value for name, value in by_repository.items()}
    found = named.get(repository.lower(), {})
    for name, value in as_object(found).items():
        if not _VARIABLE.fullmatch(name) or not isinstance(value, str) or not _is_value(value):
            raise PreviewSecretInvalid(
                f"In the secret with the variables of previews, {name[:100]} of {repository} is no text that "
                "a variable can have, or has no name of a variable."
            )
    if not isinstance(found, dict):
        raise PreviewSecretInvalid(
            f"In the secret with the variables of previews, {repository} has no table of variables."
        )
    return found


def _is_value(text: str) -> bool:
    """Return whether a process can have a text as a variable: none has a zero byte in it.

    JSON also has halves of characters, which no encoding has.
    """
    return not _NO_TEXT.search(text)
