"""Gap: CloudFormation made no ECR repository, and gave all one address. Mended: the API has what it makes."""

import json
from contextlib import suppress
from typing import Any

from localstack.services.ecr.resource_providers.aws_ecr_repository import ECRRepositoryProvider

from pullwright_engine.cloudformation import done


def apply() -> None:
    """Let the API have what a template says."""
    original = ECRRepositoryProvider.create

    def create(self: Any, request: Any) -> Any:
        wanted = dict(request.desired_state)
        # It gives the name, where the template has none.
        event = original(self, request)
        model, ecr = event.resource_model, request.aws_client_factory.ecr
        made = ecr.create_repository(
            repositoryName=model["RepositoryName"],
            imageTagMutability=wanted.get("ImageTagMutability", "MUTABLE"),
            imageScanningConfiguration=_scanning(wanted),
            tags=wanted.get("Tags") or [],
        )["repository"]
        model |= {**wanted, "Arn": made["repositoryArn"], "RepositoryUri": made["repositoryUri"]}
        _set_policies(ecr, model, {})
        return event

    ECRRepositoryProvider.create = create
    ECRRepositoryProvider.update = lambda _self, request: _update(request)
    ECRRepositoryProvider.delete = lambda _self, request: _delete(request)


def _update(request: Any) -> Any:
    model = request.previous_state | request.desired_state
    ecr, name = request.aws_client_factory.ecr, model["RepositoryName"]
    ecr.put_image_tag_mutability(
        repositoryName=name, imageTagMutability=model.get("ImageTagMutability", "MUTABLE")
    )
    ecr.put_image_scanning_configuration(repositoryName=name, imageScanningConfiguration=_scanning(model))
    _set_policies(ecr, model, request.previous_state)
    return done(model)


def _delete(request: Any) -> Any:
    """Delete it; without EmptyOnDelete one that holds images stays, and the deletion fails, as on AWS."""
    model, ecr = request.desired_state, request.aws_client_factory.ecr
    force = str(model.get("EmptyOnDelete", "")).lower() == "true"
    # Gone is what is wanted, whoever did it.
    with suppress(ecr.exceptions.RepositoryNotFoundException):
        ecr.delete_repository(repositoryName=model["RepositoryName"], force=force)
    return done({})


def _scanning(model: dict[str, Any]) -> dict[str, bool]:
    said = (model.get("ImageScanningConfiguration") or {}).get("ScanOnPush", False)
    return {"scanOnPush": str(said).lower() == "true"}


def _set_policies(ecr: Any, model: dict[str, Any], before: dict[str, Any]) -> None:
    name = model["RepositoryName"]
    text = (model.get("LifecyclePolicy") or {}).get("LifecyclePolicyText")
    if text:
        ecr.put_lifecycle_policy(repositoryName=name, lifecyclePolicyText=text)
    elif before.get("LifecyclePolicy"):
        ecr.delete_lifecycle_policy(repositoryName=name)
    policy = model.get("RepositoryPolicyText")
    if policy:
        policy = policy if isinstance(policy, str) else json.dumps(policy)
        ecr.set_repository_policy(repositoryName=name, policyText=policy)
    elif before.get("RepositoryPolicyText"):
        ecr.delete_repository_policy(repositoryName=name)
