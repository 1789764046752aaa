"""Defect: every mocked ECR repository has one and the same URI. Mended: the URI that AWS would give."""

from typing import Any

from localstack.services.ecr.resource_providers.aws_ecr_repository import ECRRepositoryProvider


def apply() -> None:
    """Correct what CloudFormation keeps of a new repository."""
    original = ECRRepositoryProvider.create

    def create(self: Any, request: Any) -> Any:
        event = original(self, request)
        name = event.resource_model["RepositoryName"]
        event.resource_model["RepositoryUri"] = (
            f"{request.account_id}.dkr.ecr.{request.region_name}.amazonaws.com/{name}"
        )
        return event

    ECRRepositoryProvider.create = create
