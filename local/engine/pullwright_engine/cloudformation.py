"""CloudFormation resources that LocalStack lacks: ECS clusters and task definitions."""

from typing import Any

from localstack.services.cloudformation.resource_provider import (
    CloudFormationResourceProviderPlugin,
    OperationStatus,
    ProgressEvent,
    ResourceProvider,
)

Document = dict[str, Any]

OPTION_MAPS = frozenset({"Options", "DockerLabels"})
"""Properties whose keys are people's own, so their spelling stays."""


def api_spelling(value: Any) -> Any:
    """CloudFormation's property names as the ECS API spells them."""
    if isinstance(value, list):
        return [api_spelling(item) for item in value]
    if not isinstance(value, dict):
        return value
    return {
        key[:1].lower() + key[1:]: item if key in OPTION_MAPS else api_spelling(item)
        for key, item in value.items()
    }


def registration(model: Document, default_family: str) -> Document:
    """Return the RegisterTaskDefinition request for a resource's properties.

    CloudFormation passes numbers and booleans on as text where the template has them so.
    """
    request: Document = api_spelling(
        {key: item for key, item in model.items() if key not in {"TaskDefinitionArn", "Tags"}}
    )
    request.setdefault("family", default_family)
    request["tags"] = [{"key": tag["Key"], "value": tag["Value"]} for tag in model.get("Tags") or []]
    for key in ("cpu", "memory"):
        if key in request:
            request[key] = str(request[key])
    if "ephemeralStorage" in request:
        request["ephemeralStorage"] = {"sizeInGiB": int(request["ephemeralStorage"]["sizeInGiB"])}
    for container in request.get("containerDefinitions", []):
        for key in ("cpu", "memory", "memoryReservation", "stopTimeout", "startTimeout"):
            if key in container:
                container[key] = int(container[key])
        for key in ("essential", "readonlyRootFilesystem", "privileged", "interactive", "pseudoTerminal"):
            if key in container:
                container[key] = str(container[key]).lower() == "true"
        for entry in container.get("environment") or []:
            entry["value"] = str(entry["value"])
    return request


def done(model: Document) -> ProgressEvent:
    """Return the end of an operation that succeeded at once."""
    return ProgressEvent(status=OperationStatus.SUCCESS, resource_model=model)


def plugin(provider: type[ResourceProvider]) -> type[CloudFormationResourceProviderPlugin]:
    """Return the plugin that announces a provider to LocalStack."""

    class Plugin(CloudFormationResourceProviderPlugin):  # type: ignore[misc] # LocalStack publishes no types
        name = provider.TYPE
        factory: Any = None

        def load(self) -> None:
            self.factory = provider

    return Plugin


class Cluster(ResourceProvider):  # type: ignore[misc] # LocalStack publishes no types
    """`AWS::ECS::Cluster`."""

    TYPE = "AWS::ECS::Cluster"
    SCHEMA: Document = {  # noqa: RUF012 - the base class has it so
        "typeName": TYPE,
        "properties": {"ClusterName": {}, "Arn": {}, "CapacityProviders": {}},
        "primaryIdentifier": ["/properties/ClusterName"],
        "readOnlyProperties": ["/properties/Arn"],
    }

    def create(self, request: Any) -> ProgressEvent:
        """Make the cluster."""
        model = request.desired_state
        model.setdefault("ClusterName", f"{request.stack_name}-{request.logical_resource_id}")
        tags = [{"key": tag["Key"], "value": tag["Value"]} for tag in model.get("Tags") or []]
        cluster = request.aws_client_factory.ecs.create_cluster(
            clusterName=model["ClusterName"],
            tags=tags,
            capacityProviders=model.get("CapacityProviders") or [],
        )
        model["Arn"] = cluster["cluster"]["clusterArn"]
        return done(model)

    def update(self, request: Any) -> ProgressEvent:
        """Change the cluster's capacity providers: nothing else that may change has an effect here."""
        model = request.previous_state | request.desired_state
        request.aws_client_factory.ecs.put_cluster_capacity_providers(
            cluster=model["ClusterName"],
            capacityProviders=model.get("CapacityProviders") or [],
            defaultCapacityProviderStrategy=[],
        )
        return done(model)

    def delete(self, request: Any) -> ProgressEvent:
        """Remove the cluster."""
        request.aws_client_factory.ecs.delete_cluster(cluster=request.desired_state["ClusterName"])
        return done({})


class TaskDefinition(ResourceProvider):  # type: ignore[misc] # LocalStack publishes no types
    """`AWS::ECS::TaskDefinition`; every change is a new revision."""

    TYPE = "AWS::ECS::TaskDefinition"
    SCHEMA: Document = {  # noqa: RUF012 - the base class has it so
        "typeName": TYPE,
        "properties": {"TaskDefinitionArn": {}},
        "createOnlyProperties": [
            f"/properties/{name}"
            for name in (
                *("Family", "RequiresCompatibilities", "NetworkMode", "RuntimePlatform", "Cpu", "Memory"),
                *("EphemeralStorage", "TaskRoleArn", "ExecutionRoleArn", "ContainerDefinitions", "Volumes"),
            )
        ],
        "primaryIdentifier": ["/properties/TaskDefinitionArn"],
        "readOnlyProperties": ["/properties/TaskDefinitionArn"],
    }

    def create(self, request: Any) -> ProgressEvent:
        """Register a revision."""
        model = request.desired_state
        wanted = registration(model, f"{request.stack_name}-{request.logical_resource_id}")
        registered = request.aws_client_factory.ecs.register_task_definition(**wanted)
        model["TaskDefinitionArn"] = registered["taskDefinition"]["taskDefinitionArn"]
        return done(model)

    def delete(self, request: Any) -> ProgressEvent:
        """Deregister the revision."""
        request.aws_client_factory.ecs.deregister_task_definition(
            taskDefinition=request.desired_state["TaskDefinitionArn"]
        )
        return done({})


ClusterPlugin = plugin(Cluster)
TaskDefinitionPlugin = plugin(TaskDefinition)
