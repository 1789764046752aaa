"""The dev box's template with all its values in place, as the main stack's outputs would give them."""

from __future__ import annotations

import re
from functools import cache
from typing import Any

from tests.integration.policies import ACCOUNT
from tests.template.kit import ROOT, template

DEVBOX = ROOT / "devbox" / "template.yaml"
REGION, ACCOUNT_ID = ACCOUNT.split(":")
MAIN = "pullwright-prod"
SECRETS = [
    f"arn:aws:secretsmanager:{ACCOUNT}:secret:{name}Secret-x" for name in ("GitHubApp", "Jira", "Webhook")
]
VALUES: dict[str, Any] = {
    "MainStackName": MAIN,
    "AgentRepositoryArn": f"arn:aws:ecr:{ACCOUNT}:repository/{MAIN}-agentrepository-x",
    "AlarmTopicArn": f"arn:aws:sns:{ACCOUNT}:{MAIN}-AlarmTopic-x",
    "ArtifactsBucket": f"{MAIN}-artifactsbucket-x",
    "EcsClusterArn": f"arn:aws:ecs:{ACCOUNT}:cluster/{MAIN}-Cluster-x",
    "ReleaseParameter": "CFN-Release-x",
    "SecretArns": SECRETS,
    "SessionsTable": f"{MAIN}-SessionsTable-x",
    "TaskExecutionRoleArn": f"arn:aws:iam::{ACCOUNT_ID}:role/{MAIN}-TaskExecutionRole-x",
    "TaskRoleArn": f"arn:aws:iam::{ACCOUNT_ID}:role/{MAIN}-TaskRole-x",
    "VpcId": "vpc-0123456789abcdef0",
    "SubnetId": "subnet-0123456789abcdef0",
    "RepositoryUrl": "https://github.com/acme/pullwright",
}
"""Parameters of the template that have no default."""
PSEUDO = {
    "AWS::StackName": f"{MAIN}-devbox",
    "AWS::StackId": f"arn:aws:cloudformation:{ACCOUNT}:stack/{MAIN}-devbox/0",
    "AWS::Region": REGION,
    "AWS::AccountId": ACCOUNT_ID,
    "AWS::Partition": "aws",
}
ATTRIBUTES = {
    "Boundary": f"arn:aws:iam::{ACCOUNT_ID}:policy/{MAIN}-devbox-Boundary-x",
    "DeploymentRole.Arn": f"arn:aws:iam::{ACCOUNT_ID}:role/{MAIN}-devbox-DeploymentRole-x",
    "BoxRole.Arn": f"arn:aws:iam::{ACCOUNT_ID}:role/{MAIN}-devbox-BoxRole-x",
    "ScheduleRole.Arn": f"arn:aws:iam::{ACCOUNT_ID}:role/{MAIN}-devbox-ScheduleRole-x",
    "LogGroup": f"/pullwright/{MAIN}/devbox",
    "LogGroup.Arn": f"arn:aws:logs:{ACCOUNT}:log-group:/pullwright/{MAIN}/devbox:*",
    "Instance": "i-0123456789abcdef0",
}
_NOTHING = object()


class Resolved:
    """The template's values for one choice of parameters."""

    def __init__(self, **parameters: str) -> None:
        self.document = template(DEVBOX)
        defaults = {name: one.get("Default") for name, one in self.document["Parameters"].items()}
        self.parameters = {**defaults, **VALUES, **parameters}

    def resource(self, name: str) -> dict[str, Any]:
        """Return a resource's properties."""
        properties: dict[str, Any] = self.value(self.document["Resources"][name]["Properties"])
        return properties

    def holds(self, condition: Any) -> bool:
        """Evaluate a condition."""
        if isinstance(condition, str):
            return self.holds(self.document["Conditions"][condition])
        ((function, operands),) = condition.items()
        match function:
            case "Fn::Not":
                return not self.holds(operands[0])
            case "Fn::Or":
                return any(self.holds(one) for one in operands)
            case "Condition":
                return self.holds(operands)
            case "Fn::Equals":
                first, second = (str(self.value(one)) for one in operands)
                return first == second
        raise LookupError(function)

    def value(self, value: Any) -> Any:
        """Put values in the place of functions."""
        if isinstance(value, list):
            return [one for item in value if (one := self.value(item)) is not _NOTHING]
        if not isinstance(value, dict):
            return value
        if len(value) == 1:
            ((function, operand),) = value.items()
            if function == "Ref" or function.startswith("Fn::"):
                return self._call(function, operand)
        return {key: one for key, item in value.items() if (one := self.value(item)) is not _NOTHING}

    def _call(self, function: str, operand: Any) -> Any:  # noqa: C901, PLR0911 - one case for each function
        match function, operand:
            case "Ref", "AWS::NoValue":
                return _NOTHING
            case (("Ref" | "Fn::GetAtt"), str()):
                return self._name(operand)
            case "Fn::Sub", str():
                return re.sub(r"\$\{([A-Za-z:.]+)\}", lambda found: str(self._name(found[1])), operand)
            case "Fn::Sub", [text, names]:
                for name, one in names.items():
                    text = text.replace(f"${{{name}}}", self.value(one))
                return self._call("Fn::Sub", text)
            case "Fn::If", [condition, first, second]:
                return self.value(first if self.holds(condition) else second)
            case "Fn::Select", [index, items]:
                return self.value(items)[int(index)]
            case "Fn::Split", [mark, text]:
                return self.value(text).split(mark)
            case "Fn::FindInMap", [table, first, second]:
                return self.document["Mappings"][table][first][second]
            case "Fn::Base64", text:
                return self.value(text)
        raise LookupError(function)

    def _name(self, name: str) -> Any:
        for values in (self.parameters, PSEUDO, ATTRIBUTES):
            if name in values:
                return values[name]
        return f"{{{name}}}"


@cache
def policies(role: str) -> list[dict[str, Any]]:
    """Return the policies of one of the template's roles, as IAM would have them."""
    return [policy["PolicyDocument"] for policy in Resolved().resource(role)["Policies"]]


@cache
def boundary() -> dict[str, Any]:
    """Return the permissions boundary, as IAM would have it."""
    document: dict[str, Any] = Resolved().resource("Boundary")["PolicyDocument"]
    return document
