"""Which rights of the template's roles the calls of a test run used, and which calls no right covered."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel

from local.stack import STACK
from tests.integration.policies import NOT_OURS, allowed_by, refusal

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from local.sessions import Stack

RIGHTS = "PULLWRIGHT_RIGHTS"
"""Names the folder in which each stack of a test run leaves what was used of its rights."""
Policies = Mapping[str, list[Mapping[str, Any]]]
Right = tuple[str, str, str]
"""A role as the template calls it, the Sid of a statement, and an action as it stands there."""


class Rights(BaseModel):
    """What was found in the calls of one stack, or of several.

    Attributes:
        granted: all rights of the roles.
        used: those that a call needed.
        refused: role and reason of each call that AWS would have refused.
    """

    granted: set[Right] = set()
    used: set[Right] = set()
    refused: set[tuple[str, str]] = set()

    def __or__(self, other: Rights) -> Rights:
        """Return what was found in both."""
        return Rights(
            granted=self.granted | other.granted,
            used=self.used | other.used,
            refused=self.refused | other.refused,
        )


def role_name(role: str) -> str:
    """Return how the template calls a role, without its ending."""
    return role.split("-")[-2].removesuffix("Role")


def policies_of(stack: Stack) -> dict[str, list[Mapping[str, Any]]]:
    """Return the policies of all roles of a deployment."""
    iam = stack.client("iam")
    return {
        role["RoleName"]: [
            iam.get_role_policy(RoleName=role["RoleName"], PolicyName=name)["PolicyDocument"]
            for name in iam.list_role_policies(RoleName=role["RoleName"])["PolicyNames"]
        ]
        for page in iam.get_paginator("list_roles").paginate()
        for role in page["Roles"]
        if role["RoleName"].startswith(f"{STACK}-")
    }


def recorded(stack: Stack, roles: Policies) -> list[dict[str, Any]]:
    """Return the calls under a deployment's roles, each kind of call once."""
    found: dict[str, dict[str, Any]] = {}
    with (Path(stack.described["log_dir"]) / "aws-calls.jsonl").open(encoding="utf-8") as lines:
        for line in lines:
            call = json.loads(line)
            if call["role"] in roles and (call["service"], call["operation"]) not in NOT_OURS:
                kind = {name: call[name] for name in call if name not in {"at", "status"}}
                found.setdefault(json.dumps(kind, sort_keys=True), call)
    return list(found.values())


def rights_of(policies: Policies, calls: Sequence[Mapping[str, Any]]) -> Rights:
    """Hold calls against the policies of their roles."""
    return Rights(
        granted={right for role, theirs in policies.items() for right in _granted(role, theirs)},
        used={
            (role_name(call["role"]), sid, pattern)
            for call in calls
            for sid, pattern in allowed_by(policies[call["role"]], call)
        },
        refused={
            (role_name(call["role"]), why) for call in calls if (why := refusal(policies[call["role"]], call))
        },
    )


def _granted(role: str, policies: Sequence[Mapping[str, Any]]) -> Iterator[Right]:
    for policy in policies:
        for statement in policy["Statement"]:
            if statement["Effect"] == "Allow":
                actions = statement["Action"]
                for action in [actions] if isinstance(actions, str) else actions:
                    yield role_name(role), statement.get("Sid", ""), action


def read_rights(folder: Path) -> Rights:
    """Return what all stacks of a run have left."""
    found = Rights()
    for file in folder.glob("*.json"):
        found |= Rights.model_validate_json(file.read_text(encoding="utf-8"))
    return found


def judged(found: Rights, *, is_whole: bool) -> list[str]:
    """Return what is wrong with the rights of the template.

    Args:
        is_whole: whether all tests ran that use rights: only then an unused one is one too many.
    """
    refused = [f"AWS would refuse {role}: {why}" for role, why in sorted(found.refused)]
    if not is_whole:
        return refused
    unused = found.granted - found.used
    known = {right for right in unused if reason_of(right)}
    return [
        *refused,
        *(
            f"no test uses a right of {role}: {action} ({sid})"
            for role, sid, action in sorted(unused - known)
        ),
    ]


def reason_of(right: Right) -> str:
    """Return why no test uses a right; empty if there is no reason."""
    return next((reason for key, reason in UNUSED.items() if _is_meant(right, key)), "")


def _is_meant(right: Right, key: Right) -> bool:
    return all(wanted in ("", given) for given, wanted in zip(right, key, strict=True))


_ECS = "ECS itself uses it on AWS, to pull an image and to write a log; the engine does both without a call"
_URL = "the broker's URL is asked over HTTP, which the engine's own check of the caller judges"
_SYNC = "Step Functions keeps a rule on AWS to hear of an end; the engine hears of it without one"
UNUSED: dict[Right, str] = {
    ("AgentSession", "LogDelivery", ""): "Step Functions sets up the machine's log with it on AWS",
    ("", "PassTaskRoles", "iam:PassRole"): "RunTask asks for it on AWS; there is no such call",
    ("", "TagTask", "ecs:TagResource"): "RunTask asks for it on AWS where it tags; there is no such call",
    ("", "TaskEvents", ""): _SYNC,
    ("Evaluation", "SessionEvents", ""): _SYNC,
    ("Evaluation", "FollowSession", "states:StopExecution"): "Step Functions stops what is nested by itself",
    ("", "MissingArtifacts", "s3:ListBucket"): "a key that is not there is 404 with it, else 403",
    ("TaskExecution", "", ""): _ECS,
    ("PreviewTaskExecution", "", ""): _ECS,
    ("", "CallBroker", "lambda:InvokeFunctionUrl"): _URL,
    ("", "CallBrokerByUrlOnly", "lambda:InvokeFunction"): _URL,
    ("Broker", "Allowance", "dynamodb:UpdateItem"): "it meets GitHub's limit in the unit tests alone",
    ("Broker", "Screenshots", "s3:PutObject"): "previews of the stack's tests take no screenshots",
    ("Reconcile", "LeavePreview", "sqs:SendMessage"): "it reports such a session in the unit tests alone",
    ("ReportOutcome", "Tasks", "ecs:StopTask"): "the engine stops the task of a state that takes too long",
    ("Task", "Model", ""): "the model's stand-in takes the place of Bedrock",
}
"""Rights that no test uses, with the reason; an empty part stands for any."""
