"""Gives a running task the credentials of its session."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pullwright.brokering.caller import Caller, find_task, session_of
from pullwright.brokering.credentials import assume_session_role, session_policy
from pullwright.brokering.models import BrokerGrant, PreviewGrant
from pullwright.brokering.preview import LASTING, answer_preview
from pullwright.claims import is_in_cluster, started_for
from pullwright.errors import SessionClosed
from pullwright.github.permissions import READ, WORK
from pullwright.log import about, hide, logger
from pullwright.models import SessionStatus
from pullwright.secret_values import read_text

if TYPE_CHECKING:
    from mypy_boto3_ecs import ECSClient
    from mypy_boto3_ecs.type_defs import TaskTypeDef
    from mypy_boto3_secretsmanager import SecretsManagerClient
    from mypy_boto3_sts import STSClient

    from pullwright.previewing.screenshots import Screenshots
    from pullwright.previewing.store import PreviewStore
    from pullwright.services import Services
    from pullwright.settings import BrokerSettings


def grant(
    event: dict[str, Any],
    services: Services[BrokerSettings],
    *,
    ecs: ECSClient,
    sts: STSClient,
    secrets: SecretsManagerClient,
    previews: PreviewStore,
    screenshots: Screenshots,
) -> BrokerGrant | PreviewGrant | None:
    """Give the calling task what its session, or its preview, needs for the next hour.

    Nothing that the caller sends decides: Lambda names its task, ECS names the session of that task, and
    the session's request, which no task can write, names the repository and says whether it may push.

    Args:
        event: of a Function URL with `AWS_IAM`.

    Returns:
        None to a preview's task that sent a screenshot.

    Raises:
        NotAllowed: the caller is not a task of ours.
        SessionClosed: its session is not running, or a newer task has taken it over.
        PullwrightError: GitHub or AWS gave no credentials.
    """
    settings = services.settings
    roles = {settings.task_role_name, settings.preview_task_role_name} - {""}
    caller = Caller.of(event, task_roles=roles, session_role_arn=settings.session_role_arn)
    if caller.role == settings.preview_task_role_name:
        return answer_preview(
            event, caller, services, previews, ecs=ecs, secrets=secrets, screenshots=screenshots
        )
    task = find_task(ecs, settings.cluster_arn, caller.task_id)
    if task is None:
        raise SessionClosed("The caller's task does not run.")
    session_id = session_of(task)
    about(session_id)
    record = services.store.read_session(session_id)
    if record.status is not SessionStatus.RUNNING:
        raise SessionClosed("The session is not running.")
    _check_newest(ecs, settings.cluster_arn, task, session_id, record.task_arn)
    request = services.artifacts.read_request(session_id)
    if request is None or request.session_id != session_id:
        raise SessionClosed("The session has no request to work on.")
    # By repository alone: the runner may write the record, so an installation in it proves nothing.
    permissions = READ if request.only_reads else WORK
    token = services.app.token(request.repository, permissions, lasting=LASTING)
    hide(token.token)
    policy = session_policy(
        caller,
        region=sts.meta.region_name,
        bucket=settings.artifacts_bucket,
        table=settings.sessions_table,
        session_id=session_id,
        account=request.repository.partition("/")[0],
    )
    aws = assume_session_role(sts, role_arn=settings.session_role_arn, name=caller.task_id, policy=policy)
    key_arn = settings.model_key_secret_arn
    logger.info("granted", repository=request.repository, task_id=caller.task_id)
    return BrokerGrant(
        session_id=session_id,
        github_token=token.token,
        github_expires_at=token.expires_at,
        aws=aws,
        model_api_key=read_text(secrets, key_arn) if key_arn else None,
    )


def _check_newest(
    ecs: ECSClient, cluster: str, task: TaskTypeDef, session_id: str, claimed: str | None
) -> None:
    """Refuse a task that was launched before the claiming one: a session's newest task wins.

    A task may claim with any ARN; only one that was started for the same session counts.
    """
    if claimed is None or claimed == task.get("taskArn") or not is_in_cluster(claimed, cluster):
        return
    other = find_task(ecs, cluster, claimed)
    if other is None or started_for(other) != session_id:
        return
    mine, theirs = task.get("createdAt"), other.get("createdAt")
    if mine is not None and theirs is not None and mine < theirs:
        raise SessionClosed("A newer task works on the session.")
