"""Routes of previews: a rule for each host, target groups with one task each, on one listener.

A load balancer checks the targets of a group only if a rule names the group, so a group enters its rule with
weight 0 beside the one that is served, and gets the whole weight once it is healthy:
https://docs.aws.amazon.com/elasticloadbalancing/latest/application/load-balancer-target-groups.html
A group that is alone in its rule has the weight from the beginning: a change of weights reaches requests
seconds later, when its address is told already.
"""

from __future__ import annotations

from hashlib import sha256
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from pullwright.aws import calling, code_of
from pullwright.errors import NoCapacity, PreviewHostTaken, PreviewNotReady
from pullwright.previewing.patterns import hosts_of, is_claimed

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

PREVIEW_TAG = "pullwright:preview"
STACK_TAG = "pullwright:preview-stack"
"""Of a rule: which deployment made it. A listener may have rules of others, and of another Pullwright."""
MOST_GROUPS = 5
"""How many target groups one rule may name:
https://docs.aws.amazon.com/elasticloadbalancing/latest/application/load-balancer-limits.html"""
_PREFIX = "preview-"
_PRIORITIES = 50_000
# https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_DescribeTags.html
_MOST_TAGS = 20
_USUAL = {"http": 80, "https": 443}
_ATTEMPTS = 20
_FULL = frozenset({"TooManyRules", "TooManyTargetGroups", "TooManyUniqueTargetGroupsPerLoadBalancer"})
_GONE = frozenset({"TargetGroupNotFound", "RuleNotFound"})
_TAKEN = frozenset({"PriorityInUse"})
_ANSWERED = frozenset({"Target.ResponseCodeMismatch", "Target.Timeout"})
_NONE: frozenset[str] = frozenset()


def group_name(preview_id: str) -> str:
    """Return the name of a preview's target group, which AWS lets have 32 characters."""
    return f"{_PREFIX}{sha256(preview_id.encode()).hexdigest()[:24]}"


def priorities(host: str) -> Iterator[int]:
    """Yield the priorities that a host's rule may have, one after the other from the host's own."""
    first = int.from_bytes(sha256(host.encode()).digest()[:4])
    for offset in range(_ATTEMPTS):
        yield 1 + (first + offset) % _PRIORITIES


class Routes:
    """The rules and target groups of previews on a listener.

    Args:
        elb: a client of Elastic Load Balancing v2.
        vpc: id of the VPC that tasks and load balancer are in.
        stack: name of the deployment, whose rules alone are changed.
    """

    def __init__(self, elb: Any, listener: str, vpc: str, stack: str) -> None:
        self._elb = elb
        self._listener = listener
        self._vpc = vpc
        self._stack = stack

    def url(self, host: str) -> str:
        """Return the address of a host, whose scheme and port are the listener's."""
        answer = self._call("describe_listeners", ListenerArns=[self._listener])
        listener = answer["Listeners"][0]
        scheme = str(listener["Protocol"]).lower()
        port = int(listener["Port"])
        return f"{scheme}://{host}" + ("" if port == _USUAL.get(scheme) else f":{port}")

    def register(self, preview_id: str, address: str, port: int, health: str) -> str:
        """Find or create a preview's target group with its task in it.

        Args:
            address: private address of the task.
            health: path that answers 200 to 399 when the task is ready.

        Returns:
            The target group's ARN.

        Raises:
            NoCapacity: the account has no room for another group.
        """
        group = self._group(preview_id) or self._create_group(preview_id, port, health)
        self._call("register_targets", TargetGroupArn=group, Targets=[{"Id": address, "Port": port}])
        return group

    def admit(self, host: str, group: str) -> None:
        """Name a group in its host's rule, or create that; another group keeps the requests.

        Raises:
            NoCapacity: the load balancer has no room for another rule or group.
            PreviewHostTaken: somebody else's rule is for this host.
            PreviewNotReady: the rule has no room until one of the host's older previews is removed.
        """
        rules = self._rules()
        if any(group in _weights(rule) for rule in rules if _host(rule) == host):
            return
        claiming = [rule for rule in rules if is_claimed(host, rule)]
        own = self._own(claiming)
        if len(own) < len(claiming):
            raise PreviewHostTaken(f"The listener has a rule for {host} that is not of this deployment.")
        if not own:
            self._create_rule(host, group)
            return
        if len(weights := _weights(own[0])) >= MOST_GROUPS:
            raise PreviewNotReady(f"Earlier previews of {host} are still being removed.")
        self._set(own[0], {**weights, group: 0})

    def is_healthy(self, group: str) -> bool:
        """Return whether all targets of a group are healthy, and there is one."""
        answer = self._call("describe_target_health", TargetGroupArn=group)
        states = [entry["TargetHealth"]["State"] for entry in answer["TargetHealthDescriptions"]]
        return set(states) == {"healthy"}

    def answer(self, group: str) -> str:
        """Return what the load balancer says of the answers of a group's target; empty if it has none.

        https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_TargetHealth.html
        """
        answer = self._call("describe_target_health", TargetGroupArn=group)
        healths = [entry["TargetHealth"] for entry in answer["TargetHealthDescriptions"]]
        return next((str(it.get("Description")) for it in healths if it.get("Reason") in _ANSWERED), "")

    def take_over(self, host: str, group: str) -> None:
        """Send all requests for a host to this group, some seconds from now.

        Other groups stay in the rule until they are removed: requests go to them that long.
        """
        for rule in self._own([rule for rule in self._rules() if _host(rule) == host]):
            if (weights := _weights(rule)) != (wanted := {**dict.fromkeys(weights, 0), group: 1}):
                self._set(rule, wanted)

    def previews(self) -> frozenset[str]:
        """Return the previews that have a target group in this VPC, those of other deployments too."""
        pages = self._pages("describe_target_groups", "TargetGroups")
        arns = [
            group["TargetGroupArn"]
            for group in pages
            if group["TargetGroupName"].startswith(_PREFIX) and group.get("VpcId") == self._vpc
        ]
        tags = self._tags(arns).values()
        return frozenset(found[PREVIEW_TAG] for found in tags if PREVIEW_TAG in found)

    def remove(self, preview_id: str) -> None:
        """Take a preview's group out of its rule, the rule too if it has no other group, and delete it.

        A group that is left alone gets the requests.
        """
        group = self._group(preview_id)
        if group is None:
            return
        for rule in self._rules():
            weights = _weights(rule)
            if weights.pop(group, None) is None:
                continue
            if weights:
                self._set(rule, dict.fromkeys(weights, 1) if len(weights) == 1 else weights)
            else:
                self._call("delete_rule", expected=_GONE, RuleArn=rule["RuleArn"])
        self._call("delete_target_group", expected=_GONE, TargetGroupArn=group)

    def _group(self, preview_id: str) -> str | None:
        answer = self._call("describe_target_groups", expected=_GONE, Names=[group_name(preview_id)])
        return str(answer["TargetGroups"][0]["TargetGroupArn"]) if answer else None

    def _create_group(self, preview_id: str, port: int, health: str) -> str:
        answer = self._call(
            "create_target_group",
            Name=group_name(preview_id),
            Protocol="HTTP",
            Port=port,
            VpcId=self._vpc,
            TargetType="ip",
            HealthCheckPath=health,
            HealthCheckIntervalSeconds=5,
            HealthCheckTimeoutSeconds=4,
            HealthyThresholdCount=2,
            UnhealthyThresholdCount=3,
            Matcher={"HttpCode": "200-399"},
            Tags=[{"Key": PREVIEW_TAG, "Value": preview_id}],
        )
        return str(answer["TargetGroups"][0]["TargetGroupArn"])

    def _create_rule(self, host: str, group: str) -> None:
        for priority in priorities(host):
            answer = self._call(
                "create_rule",
                expected=_TAKEN,
                ListenerArn=self._listener,
                Priority=priority,
                Conditions=[{"Field": "host-header", "HostHeaderConfig": {"Values": [host]}}],
                Actions=_forward({group: 1}),
                Tags=[{"Key": STACK_TAG, "Value": self._stack}],
            )
            if answer is not None:
                return
        raise NoCapacity(f"The load balancer has no priority left for the rule of {host}.")

    def _own(self, rules: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
        """Return those of the rules that this deployment made.

        Raises:
            PreviewNotReady: one of them is gone meanwhile, such as with an older preview.
        """
        tags = self._tags([rule["RuleArn"] for rule in rules])
        if len(tags) < len(rules):
            raise PreviewNotReady("A rule of the listener was removed while it was looked at.")
        return [rule for rule in rules if tags[rule["RuleArn"]].get(STACK_TAG) == self._stack]

    def _tags(self, arns: Sequence[str]) -> dict[str, dict[str, str]]:
        """Return tags by ARN; where one of them is gone meanwhile, none of those asked for with it."""
        described = [
            entry
            for first in range(0, len(arns), _MOST_TAGS)
            if (
                answer := self._call(
                    "describe_tags", expected=_GONE, ResourceArns=arns[first : first + _MOST_TAGS]
                )
            )
            for entry in answer["TagDescriptions"]
        ]
        return {
            entry["ResourceArn"]: {tag["Key"]: tag["Value"] for tag in entry["Tags"]} for entry in described
        }

    def _set(self, rule: Mapping[str, Any], weights: Mapping[str, int]) -> None:
        self._call("modify_rule", RuleArn=rule["RuleArn"], Actions=_forward(weights))

    def _rules(self) -> list[dict[str, Any]]:
        """Return the listener's rules."""
        return self._pages("describe_rules", "Rules", ListenerArn=self._listener)

    def _pages(self, operation: str, field: str, **arguments: Any) -> list[dict[str, Any]]:
        """Return what all pages of an answer have in a field."""
        found: list[dict[str, Any]] = []
        page: dict[str, Any] = {}
        while True:
            answer = self._call(operation, **arguments, **page)
            found += answer[field]
            if not answer.get("NextMarker"):
                return found
            page = {"Marker": answer["NextMarker"]}

    def _call(self, operation: str, *, expected: frozenset[str] = _NONE, **arguments: Any) -> Any:
        """Return what a call answers; None where it fails with an expected error."""
        with calling(f"change or read the routes of previews: {operation}"):
            try:
                return getattr(self._elb, operation)(**arguments)
            except ClientError as error:
                if code_of(error) in expected:
                    return None
                if code_of(error) in _FULL:
                    raise NoCapacity(
                        "The load balancer has as many rules or target groups as AWS allows.",
                        remedy="Remove previews that are not needed, or ask AWS for a higher quota.",
                    ) from error
                raise


def _forward(weights: Mapping[str, int]) -> list[dict[str, Any]]:
    groups = [{"TargetGroupArn": arn, "Weight": weight} for arn, weight in weights.items()]
    return [{"Type": "forward", "ForwardConfig": {"TargetGroups": groups}}]


def _weights(rule: Mapping[str, Any]) -> dict[str, int]:
    """Return the groups that a rule forwards to, by ARN."""
    return {
        group["TargetGroupArn"]: int(group.get("Weight", 1))
        for action in rule["Actions"]
        for group in action.get("ForwardConfig", {}).get("TargetGroups", [])
    }


def _host(rule: Mapping[str, Any]) -> str:
    """Return the one host that a rule is for; empty if it is not such a rule."""
    hosts = hosts_of(rule)
    return hosts[0] if len(hosts) == 1 == len(rule["Conditions"]) else ""
