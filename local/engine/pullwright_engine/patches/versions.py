"""Defects around versions and aliases, of functions and of state machines.

References to what SAM makes, a version or an alias, were refused before SAM had made it. CloudFormation never
moved a function's alias, published nothing when a version's description changed, and knew no revision of a
state machine. `ListExecutions` and `DescribeStateMachine` refused aliases, and the event of an execution that
was started through one named its version in the machine's place. What they answer is as recorded from AWS in
LocalStack's own `test_sfn_api_aliasing.snapshot.json`, `test_base_lifecycle_create_invoke_describe_list`.
"""

from typing import Any

from localstack.services.cloudformation.engine.v2.change_set_model_transform import ChangeSetModelTransform
from localstack.services.cloudformation.engine.validations import ValidationError
from localstack.services.cloudformation.resource_provider import OperationStatus, ProgressEvent
from localstack.services.lambda_.resource_providers.aws_lambda_version import LambdaVersionProvider
from localstack.services.lambda_.resource_providers.lambda_alias import LambdaAliasProvider
from localstack.services.stepfunctions.backend import execution
from localstack.services.stepfunctions.provider import StepFunctionsProvider
from localstack.services.stepfunctions.resource_providers.aws_stepfunctions_statemachine import (
    StepFunctionsStateMachineProvider,
)


def _unknown_to_sam_alone(original: Any) -> Any:
    def visit(self: Any, node: Any) -> Any:
        try:
            return original(self, node)
        except ValidationError:
            # What SAM does not resolve or make either is refused after it.
            return self.visit(node.arguments)

    return visit


def _with_revision(original: Any) -> Any:
    def deploy(self: Any, request: Any) -> ProgressEvent:
        event = original(self, request)
        machine = request.aws_client_factory.stepfunctions.describe_state_machine(
            stateMachineArn=event.resource_model["Arn"]
        )
        # https://docs.aws.amazon.com/step-functions/latest/apireference/API_PublishStateMachineVersion.html
        event.resource_model["StateMachineRevisionId"] = machine.get("revisionId") or "INITIAL"
        return event

    return deploy


def _move_alias(_self: Any, request: Any) -> ProgressEvent:
    model = request.previous_state | request.desired_state
    request.aws_client_factory.lambda_.update_alias(
        FunctionName=model["FunctionName"], Name=model["Name"], FunctionVersion=model["FunctionVersion"]
    )
    return ProgressEvent(status=OperationStatus.SUCCESS, resource_model=model)


def _list_executions(original: Any) -> Any:
    def list_executions(self: Any, context: Any, state_machine_arn: str | None = None, **kwargs: Any) -> Any:
        alias = self.get_store(context).aliases.get(state_machine_arn)
        if alias is None:
            return original(self, context, state_machine_arn, **kwargs)
        machine = alias.state_machine_alias_arn.rpartition(":")[0]
        answer = original(self, context, machine, **kwargs)
        answer["executions"] = [
            item
            for item in answer["executions"]
            if item.get("stateMachineAliasArn") == alias.state_machine_alias_arn
        ]
        return answer

    return list_executions


def _describe_state_machine(original: Any) -> Any:
    def describe_state_machine(self: Any, context: Any, state_machine_arn: str, **kwargs: Any) -> Any:
        alias = self.get_store(context).aliases.get(state_machine_arn)
        return original(self, context, alias.sample() if alias else state_machine_arn, **kwargs)

    return describe_state_machine


def _by_machine(**detail: Any) -> dict[str, Any]:
    """Return what describes an execution, with the machine's own ARN, which has seven parts."""
    return {**detail, "stateMachineArn": ":".join(detail["stateMachineArn"].split(":")[:7])}


def apply() -> None:
    """Wrap the providers."""
    transform = ChangeSetModelTransform
    for kind in ("ref", "fn_sub", "fn_get_att"):
        name = f"visit_node_intrinsic_function_{kind}"
        setattr(transform, name, _unknown_to_sam_alone(getattr(transform, name)))
    machine = StepFunctionsStateMachineProvider
    machine.create = _with_revision(machine.create)
    machine.update = _with_revision(machine.update)
    LambdaAliasProvider.update = _move_alias
    # https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-lambda-version.html
    LambdaVersionProvider.SCHEMA["createOnlyProperties"] = [
        "/properties/FunctionName",
        "/properties/Description",
    ]
    StepFunctionsProvider.list_executions = _list_executions(StepFunctionsProvider.list_executions)
    StepFunctionsProvider.describe_state_machine = _describe_state_machine(
        StepFunctionsProvider.describe_state_machine
    )
    execution.DescribeExecutionOutput = _by_machine
