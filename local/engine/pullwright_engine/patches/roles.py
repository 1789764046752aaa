"""Defect: an update of a role changed neither its inline policies nor its permissions boundary.

AWS's handler makes the calls that the type's schema lists for an update:
https://github.com/aws-cloudformation/aws-cloudformation-resource-providers-iam
"""

import json
from typing import Any

from localstack.services.cloudformation.deployment_utils import remove_none_values
from localstack.services.cloudformation.resource_provider import ProgressEvent
from localstack.services.iam.resource_providers.aws_iam_role import IAMRoleProvider

from pullwright_engine.cloudformation import Document, done

_REPLACED = ("RoleName", "AssumeRolePolicyDocument", "ManagedPolicyArns")
"""What LocalStack's own update sees, by making the role anew under its name."""


def _policies(model: Document) -> Document:
    return {policy["PolicyName"]: policy["PolicyDocument"] for policy in model.get("Policies") or []}


def update_role(iam: Any, before: Document, after: Document) -> None:
    """Change a role in place: first what holds it, then what it may do."""
    name = before["RoleName"]
    boundary = after.get("PermissionsBoundary")
    if boundary and boundary != before.get("PermissionsBoundary"):
        iam.put_role_permissions_boundary(RoleName=name, PermissionsBoundary=boundary)
    was, will = _policies(before), _policies(after)
    for policy in sorted(set(was) - set(will)):
        iam.delete_role_policy(RoleName=name, PolicyName=policy)
    for policy, document in will.items():
        if document != was.get(policy):
            iam.put_role_policy(
                RoleName=name, PolicyName=policy, PolicyDocument=json.dumps(remove_none_values(document))
            )
    if before.get("PermissionsBoundary") and not boundary:
        iam.delete_role_permissions_boundary(RoleName=name)


def apply() -> None:
    """Update in place what LocalStack leaves as it is."""
    usual = IAMRoleProvider.update

    def update(self: Any, request: Any) -> ProgressEvent:
        before, after = request.previous_state, request.desired_state
        if any(name in after and after[name] != before.get(name) for name in _REPLACED):
            return usual(self, request)
        update_role(request.aws_client_factory.iam, before, after)
        return done(before | after)

    IAMRoleProvider.update = update
