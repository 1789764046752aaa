"""A small judge of IAM policies: does a role's policy allow a call that was recorded?

It knows wildcards in actions and resources, which action and resource a call of ours stands for, denials, and
the conditions whose keys the call's recorded context has; of any other key it takes the condition to hold.
How conditions are read: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition_operators.html
and, for sets of values, https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-single-vs-multi-valued-context-keys.html
"""

from __future__ import annotations

import fnmatch
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

ACCOUNT = "us-east-1:000000000000"
ACTIONS: dict[tuple[str, str], tuple[str, ...]] = {
    ("lambda", "Invoke"): ("lambda:InvokeFunction",),
    ("s3", "HeadObject"): ("s3:GetObject",),
    # Both keys are in the sessions' folder. https://docs.aws.amazon.com/AmazonS3/latest/API/API_CopyObject.html
    ("s3", "CopyObject"): ("s3:GetObject", "s3:PutObject"),
    # https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-batch-api.html
    ("sqs", "DeleteMessageBatch"): ("sqs:DeleteMessage",),
    ("sqs", "SendMessageBatch"): ("sqs:SendMessage",),
    ("s3", "ListObjectsV2"): ("s3:ListBucket",),
    # With tags, as ours are made:
    # https://docs.aws.amazon.com/elasticloadbalancing/latest/userguide/tagging-resources-during-creation.html
    ("elbv2", "CreateTargetGroup"): (
        "elasticloadbalancing:CreateTargetGroup",
        "elasticloadbalancing:AddTags",
    ),
    ("elbv2", "CreateRule"): ("elasticloadbalancing:CreateRule", "elasticloadbalancing:AddTags"),
}
PREFIXES = {"elbv2": "elasticloadbalancing", "service-quotas": "servicequotas", "stepfunctions": "states"}
# What the engine does under a function's name although AWS's platform does it otherwise: with a log group of
# its own given, Lambda creates none.
NOT_OURS = {("logs", "CreateLogGroup")}


def actions(service: str, operation: str, kinds: Sequence[str] = ()) -> tuple[str, ...]:
    """Return the IAM actions that an API call needs.

    A transaction needs those of what is in it:
    https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/transaction-apis-iam.html

    Args:
        kinds: of a transaction's items, as `Update`.
    """
    if kinds:
        return tuple(f"dynamodb:{kind}Item" for kind in kinds)
    return ACTIONS.get((service, operation), (f"{PREFIXES.get(service, service)}:{operation}",))


def resources(service: str, named: Mapping[str, Any]) -> list[str]:  # noqa: C901, PLR0911, PLR0912 - a case a kind
    """Return the ARNs that an API call touches, as its arguments name them; empty when they name none."""

    def arn(value: str, kind: str) -> str:
        return value if value.startswith("arn:") else f"arn:aws:{service}:{ACCOUNT}:{kind}{value}"

    match service, named:
        case "cloudformation", {"StackName": name}:
            return [name if name.startswith("arn:") else f"arn:aws:cloudformation:{ACCOUNT}:stack/{name}/0"]
        case "iam", {"RoleName": name}:
            return [f"arn:aws:iam::{ACCOUNT.partition(':')[2]}:role/{name}"]
        case "lambda", {"FunctionName": name}:
            return [arn(name, "function:")]
        case "dynamodb", {"TableName": table}:
            index = f"/index/{named['IndexName']}" if named.get("IndexName") else ""
            return [arn(table, "table/") + index]
        case "s3", {"Bucket": bucket, "Key": key}:
            return [f"arn:aws:s3:::{bucket}/{key}"]
        case "s3", {"Bucket": bucket}:
            return [f"arn:aws:s3:::{bucket}"]
        case "sqs", {"QueueUrl": url}:
            return [f"arn:aws:sqs:{ACCOUNT}:{url.rsplit('/', 1)[1]}"]
        case "logs", {"logGroupName": group, "logStreamName": stream}:
            return [f"arn:aws:logs:{ACCOUNT}:log-group:{group}:log-stream:{stream}"]
        case "logs", {"logGroupName": group}:
            return [f"arn:aws:logs:{ACCOUNT}:log-group:{group}:*"]
        case "ssm", {"Name": name}:
            return [f"arn:aws:ssm:{ACCOUNT}:parameter/{name}"]
        case "stepfunctions", {"stateMachineArn": machine} | {"stateMachineAliasArn": machine}:
            # Versions and aliases are authorized by the machine's ARN:
            # https://docs.aws.amazon.com/step-functions/latest/dg/auth-version-alias.html
            return [":".join(machine.split(":")[:7])]
        case "ecs", {"taskDefinition": family}:
            return [arn(family, "task-definition/") + ("" if ":" in family else ":1")]
        case "ecs", {"cluster": cluster, **rest} if "task" in rest or "tasks" in rest:
            name = cluster.rsplit("/", 1)[-1]
            return [arn(task, f"task/{name}/") for task in rest.get("tasks") or [rest["task"]]]
        case _:
            return [value for value in named.values() if isinstance(value, str) and value.startswith("arn:")]


def qualifier(named: Mapping[str, Any]) -> dict[str, str]:
    """Return what a call's context says about the version or alias of a state machine that it names."""
    if "stateMachineArn" not in named:
        return {}
    name = "".join(named["stateMachineArn"].split(":")[7:])
    # Without one the key is absent on AWS, which no StringEquals holds for either.
    return {"states:StateMachineQualifier": name}


def service_role(call: Mapping[str, Any]) -> dict[str, Any]:
    """Return what a change set's context says of the role for CloudFormation, or that there is none.

    https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/control-access-with-iam.html
    """
    if (call["service"], call["operation"]) != ("cloudformation", "CreateChangeSet"):
        return {}
    return {"cloudformation:RoleArn": call["resources"].get("RoleARN", [])}


def _list(value: str | Sequence[str]) -> Sequence[str]:
    return [value] if isinstance(value, str) else value


def _statements(policies: Sequence[Mapping[str, Any]], action: str) -> Iterator[Mapping[str, Any]]:
    for policy in policies:
        statements = policy["Statement"]
        for statement in statements if isinstance(statements, list) else [statements]:
            if any(fnmatch.fnmatchcase(action, pattern) for pattern in _list(statement["Action"])):
                yield statement


def _one(operator: str, value: str, patterns: Sequence[str]) -> bool:
    """Return whether one value of a request satisfies one of a condition's values."""
    match operator:
        case "StringEquals" | "Bool":
            return value in patterns
        case "StringLike" | "ArnEquals" | "ArnLike":
            return any(fnmatch.fnmatchcase(value, pattern) for pattern in patterns)
        case _:
            raise AssertionError(f"the judge does not know {operator}")


def _holds(operator: str, key: str, patterns: Sequence[str], context: Mapping[str, Any]) -> bool:
    service = key.partition(":")[0]
    # What was not recorded of a service proves nothing; what was and lacks the key does.
    if key not in context and not any(one.startswith(f"{service}:") for one in context):
        return True
    if operator == "Null":
        return [str(key not in context).lower()] == list(patterns)
    quantifier, _, plain = operator.rpartition(":")
    if plain.endswith("IfExists"):
        if key not in context:
            return True
        plain = plain.removesuffix("IfExists")
    values = _list(context.get(key, []))
    if quantifier == "ForAllValues":
        return all(_one(plain, value, patterns) for value in values)
    if not quantifier and len(values) > 1:
        raise AssertionError(f"{key} has several values and {operator} is for one")
    return any(_one(plain, value, patterns) for value in values)


def applies(statement: Mapping[str, Any], context: Mapping[str, Any]) -> bool:
    """Return whether all conditions of a statement hold for a request."""
    return all(
        _holds(operator, key, _list(patterns), context)
        for operator, keys in statement.get("Condition", {}).items()
        for key, patterns in keys.items()
    )


def allowed_by(policies: Sequence[Mapping[str, Any]], call: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Yield what allows a recorded call: Sid of a statement, and the action as it stands there."""
    context = service_role(call) | qualifier(call["resources"]) | call.get("context", {})
    touched = resources(call["service"], call["resources"]) or ["*"]
    for action in actions(call["service"], call["operation"], call.get("kinds", ())):
        for statement in _statements(policies, action):
            if statement["Effect"] != "Allow" or not applies(statement, context):
                continue
            if any(
                resource == "*" or any(fnmatch.fnmatchcase(resource, p) for p in _list(statement["Resource"]))
                for resource in touched
            ):
                for pattern in _list(statement["Action"]):
                    if fnmatch.fnmatchcase(action, pattern):
                        yield statement.get("Sid", ""), pattern


def refusal(policies: Sequence[Mapping[str, Any]], call: Mapping[str, Any]) -> str:
    """Return why a recorded call would be refused; empty when the policies allow it.

    Args:
        call: a line of the engine's record of calls.
    """
    context = service_role(call) | qualifier(call["resources"]) | call.get("context", {})
    for action in actions(call["service"], call["operation"], call.get("kinds", ())):
        touched = resources(call["service"], call["resources"]) or ["*"]
        for resource in touched:
            effects = {
                statement["Effect"]
                for statement in _statements(policies, action)
                if (
                    resource == "*"
                    or any(fnmatch.fnmatchcase(resource, p) for p in _list(statement["Resource"]))
                )
                and applies(statement, context)
            }
            if effects != {"Allow"}:
                return f"{action} on {resource}"
    return ""
