"""CloudFormation resources that LocalStack lacks: versions and aliases of state machines."""

from typing import Any

from localstack.services.cloudformation.resource_provider import ProgressEvent, ResourceProvider

from pullwright_engine.cloudformation import Document, done, plugin


class StateMachineVersion(ResourceProvider):  # type: ignore[misc] # LocalStack publishes no types
    """`AWS::StepFunctions::StateMachineVersion`; every revision of the machine is a new version.

    https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-stepfunctions-statemachineversion.html
    """

    TYPE = "AWS::StepFunctions::StateMachineVersion"
    SCHEMA: Document = {  # noqa: RUF012 - the base class has it so
        "typeName": TYPE,
        "properties": {"Arn": {}, "StateMachineArn": {}, "StateMachineRevisionId": {}, "Description": {}},
        "createOnlyProperties": [
            "/properties/StateMachineArn",
            "/properties/StateMachineRevisionId",
            "/properties/Description",
        ],
        "primaryIdentifier": ["/properties/Arn"],
        "readOnlyProperties": ["/properties/Arn"],
    }

    def create(self, request: Any) -> ProgressEvent:
        """Publish the machine's current revision."""
        model = request.desired_state
        described = {"description": model["Description"]} if "Description" in model else {}
        published = request.aws_client_factory.stepfunctions.publish_state_machine_version(
            stateMachineArn=model["StateMachineArn"], **described
        )
        model["Arn"] = published["stateMachineVersionArn"]
        return done(model)

    def delete(self, request: Any) -> ProgressEvent:
        """Remove the version."""
        request.aws_client_factory.stepfunctions.delete_state_machine_version(
            stateMachineVersionArn=request.desired_state["Arn"]
        )
        return done({})


class StateMachineAlias(ResourceProvider):  # type: ignore[misc] # LocalStack publishes no types
    """`AWS::StepFunctions::StateMachineAlias`; a gradual deployment moves all at once here.

    https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-stepfunctions-statemachinealias.html
    """

    TYPE = "AWS::StepFunctions::StateMachineAlias"
    SCHEMA: Document = {  # noqa: RUF012 - the base class has it so
        "typeName": TYPE,
        "properties": {"Arn": {}, "Name": {}, "DeploymentPreference": {}, "RoutingConfiguration": {}},
        "createOnlyProperties": ["/properties/Name"],
        "primaryIdentifier": ["/properties/Arn"],
        "readOnlyProperties": ["/properties/Arn"],
    }

    def create(self, request: Any) -> ProgressEvent:
        """Make the alias."""
        model = request.desired_state
        made = request.aws_client_factory.stepfunctions.create_state_machine_alias(
            name=model["Name"], routingConfiguration=_routing(model)
        )
        model["Arn"] = made["stateMachineAliasArn"]
        return done(model)

    def update(self, request: Any) -> ProgressEvent:
        """Move the alias."""
        model = request.previous_state | request.desired_state
        request.aws_client_factory.stepfunctions.update_state_machine_alias(
            stateMachineAliasArn=model["Arn"], routingConfiguration=_routing(model)
        )
        return done(model)

    def delete(self, request: Any) -> ProgressEvent:
        """Remove the alias."""
        request.aws_client_factory.stepfunctions.delete_state_machine_alias(
            stateMachineAliasArn=request.desired_state["Arn"]
        )
        return done({})


def _routing(model: Document) -> list[Document]:
    if "DeploymentPreference" in model:
        version = model["DeploymentPreference"]["StateMachineVersionArn"]
        return [{"stateMachineVersionArn": version, "weight": 100}]
    return [
        {"stateMachineVersionArn": route["StateMachineVersionArn"], "weight": int(route["Weight"])}
        for route in model["RoutingConfiguration"]
    ]


StateMachineVersionPlugin = plugin(StateMachineVersion)
StateMachineAliasPlugin = plugin(StateMachineAlias)
