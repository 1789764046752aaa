"""Changes of a stack in CloudFormation by a change set, as `aws cloudformation deploy` makes them.

That command looks every 30 seconds whether its stack is ready; this looks every two.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from botocore.exceptions import WaiterError

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

_PREPARATION = {"Delay": 1, "MaxAttempts": 300}
_EXECUTION = {"Delay": 2, "MaxAttempts": 900}
# CloudFormation has no code for it. The AWS CLI compares the same two sentences:
# https://github.com/aws/aws-cli/blob/v2/awscli/customizations/cloudformation/deployer.py
_NOTHING_TO_DO = ("The submitted information didn't contain changes.", "No updates are to be performed")


def change(
    cloudformation: Any,
    stack: str,
    template: str,
    values: Mapping[str, str],
    tags: Mapping[str, str],
    before: Collection[str] | None,
) -> bool:
    """Make or change a stack, and wait until CloudFormation is done.

    Args:
        values: of parameters. All others that the stack has keep their values.
        before: the names of the stack's parameters; None where there is no stack yet.

    Returns:
        Whether there was anything to change.

    Raises:
        ClientError: CloudFormation refuses the template or a value.
        WaiterError: the change could not be prepared, or ended in a failure.
    """
    name = {"StackName": stack, "ChangeSetName": f"pullwright-{time.time_ns()}"}
    cloudformation.create_change_set(
        **name,
        ChangeSetType="CREATE" if before is None else "UPDATE",
        TemplateBody=template,
        Parameters=_parameters(cloudformation, template, values, before or ()),
        Capabilities=["CAPABILITY_IAM"],
        Tags=[{"Key": key, "Value": value} for key, value in tags.items()],
    )
    try:
        cloudformation.get_waiter("change_set_create_complete").wait(**name, WaiterConfig=_PREPARATION)
    except WaiterError as error:
        reason = error.last_response.get("StatusReason", "")
        if not any(sentence in reason for sentence in _NOTHING_TO_DO):
            raise
        cloudformation.delete_change_set(**name)
        return False
    cloudformation.execute_change_set(**name)
    kind = "create" if before is None else "update"
    cloudformation.get_waiter(f"stack_{kind}_complete").wait(StackName=stack, WaiterConfig=_EXECUTION)
    return True


def _parameters(
    cloudformation: Any, template: str, values: Mapping[str, str], before: Collection[str]
) -> list[dict[str, Any]]:
    """Return the values that are named, and those of before for the rest.

    A parameter that is new in the template takes its default: CloudFormation knows no previous value of it.
    """
    summary = cloudformation.get_template_summary(TemplateBody=template)
    kept = [one["ParameterKey"] for one in summary["Parameters"] if one["ParameterKey"] in before]
    return [
        *({"ParameterKey": key, "ParameterValue": value} for key, value in values.items()),
        *({"ParameterKey": key, "UsePreviousValue": True} for key in kept if key not in values),
    ]
