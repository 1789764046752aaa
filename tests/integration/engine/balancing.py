"""A load balancer in the engine, tasks behind it, and clients before it."""

import json
import shlex
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import urllib3

from local.supervise import free_port
from tests.integration.engine.kit import Engine, wait

SERVER = Path(__file__).parent / "app" / "server.py"
TEMPLATE = {
    "Parameters": {"Port": {"Type": "Number"}, "Answer": {"Type": "String", "Default": "Nothing is here."}},
    "Resources": {
        "Vpc": {"Type": "AWS::EC2::VPC", "Properties": {"CidrBlock": "10.9.0.0/16"}},
        **{
            f"Subnet{zone}": {
                "Type": "AWS::EC2::Subnet",
                "Properties": {
                    "VpcId": {"Ref": "Vpc"},
                    "CidrBlock": f"10.9.{zone}.0/24",
                    "AvailabilityZone": {"Fn::Select": [zone, {"Fn::GetAZs": ""}]},
                },
            }
            for zone in (0, 1)
        },
        "Balancer": {
            "Type": "AWS::ElasticLoadBalancingV2::LoadBalancer",
            "Properties": {
                "Subnets": [{"Ref": "Subnet0"}, {"Ref": "Subnet1"}],
                "IpAddressType": "dualstack",
                "LoadBalancerAttributes": [{"Key": "idle_timeout.timeout_seconds", "Value": "1"}],
                "Tags": [{"Key": "team", "Value": "engine"}],
            },
        },
        "Listener": {
            "Type": "AWS::ElasticLoadBalancingV2::Listener",
            "Properties": {
                "LoadBalancerArn": {"Ref": "Balancer"},
                "Port": {"Ref": "Port"},
                "Protocol": "HTTP",
                "DefaultActions": [
                    {
                        "Type": "fixed-response",
                        "FixedResponseConfig": {
                            "StatusCode": 404,
                            "ContentType": "text/plain",
                            "MessageBody": {"Ref": "Answer"},
                        },
                    }
                ],
            },
        },
    },
    "Outputs": {
        "Vpc": {"Value": {"Ref": "Vpc"}},
        "Balancer": {"Value": {"Ref": "Balancer"}},
        "Name": {"Value": {"Fn::GetAtt": ["Balancer", "DNSName"]}},
        "FullName": {"Value": {"Fn::GetAtt": ["Balancer", "LoadBalancerFullName"]}},
        "Listener": {"Value": {"Ref": "Listener"}},
    },
}


@dataclass
class Balancing:
    """A deployed load balancer whose idle timeout is one second.

    Attributes:
        elb: the operator's client of its API.
        addresses: of tasks that several tests use, by name.
    """

    engine: Engine
    port: int
    outputs: dict[str, str]
    elb: Any
    http: urllib3.PoolManager = field(default_factory=lambda: urllib3.PoolManager(retries=False))
    started: list[str] = field(default_factory=list)
    addresses: dict[str, str] = field(default_factory=dict)

    def ask(self, host: str, path: str = "/", method: str = "GET", **more: Any) -> urllib3.BaseHTTPResponse:
        """Send one request to the listener."""
        headers = {"Host": host, **more.pop("headers", {})}
        return self.http.request(
            method, f"http://127.0.0.1:{self.port}{path}", headers=headers, timeout=10, **more
        )

    def serve(self, name: str, port: int = 8123) -> str:
        """Start a task that answers on its own address, and return that."""
        command = f"exec python3 {shlex.quote(str(SERVER))} {port} {name}"
        task = self.engine.run_task(command)
        self.started.append(task["taskArn"])
        details = {entry["name"]: entry["value"] for entry in task["attachments"][0]["details"]}
        address: str = details["privateIPv4Address"]
        wait(lambda: self._accepts(address, port), 20)
        return address

    def _accepts(self, address: str, port: int) -> bool:
        try:
            return bool(self.http.request("GET", f"http://{address}:{port}/").status)
        except urllib3.exceptions.HTTPError:
            return False

    def group(self, name: str, *addresses: str, port: int = 8123, **more: Any) -> str:
        """Make a target group with these targets and return its ARN."""
        wanted = {
            "HealthCheckPath": "/health",
            "HealthCheckIntervalSeconds": 5,
            "HealthCheckTimeoutSeconds": 2,
            "HealthyThresholdCount": 2,
            "UnhealthyThresholdCount": 2,
            **more,
        }
        [made] = self.elb.create_target_group(
            Name=name, Protocol="HTTP", Port=port, VpcId=self.outputs["Vpc"], TargetType="ip", **wanted
        )["TargetGroups"]
        arn: str = made["TargetGroupArn"]
        if addresses:
            self.elb.register_targets(TargetGroupArn=arn, Targets=[{"Id": address} for address in addresses])
        return arn

    def rule(self, priority: int, host: str, *groups: tuple[str, int], path: str = "") -> str:
        """Make a rule that forwards to target groups by weight and return its ARN."""
        conditions = [{"Field": "host-header", "HostHeaderConfig": {"Values": [host]}}]
        if path:
            conditions.append({"Field": "path-pattern", "Values": [path]})  # the old form
        [made] = self.elb.create_rule(
            ListenerArn=self.outputs["Listener"],
            Priority=priority,
            Conditions=conditions,
            Actions=[forward(*groups)],
        )["Rules"]
        arn: str = made["RuleArn"]
        return arn

    def health(self, group: str) -> list[dict[str, str]]:
        """Return how the targets of a group are."""
        answer = self.elb.describe_target_health(TargetGroupArn=group)
        return [entry["TargetHealth"] for entry in answer["TargetHealthDescriptions"]]

    def await_state(self, group: str, state: str, seconds: float = 15) -> None:
        """Wait until all targets of a group have a state."""
        wait(lambda: {entry["State"] for entry in self.health(group)} == {state}, seconds)

    def websocket(self, host: str, *messages: str) -> list[str]:
        """Send messages with the WebSocket client of Node and return what came back."""
        script = """
            const [url, ...messages] = process.argv.slice(1);
            const socket = new WebSocket(url);
            const seen = [];
            socket.onopen = () => socket.send(messages[0]);
            socket.onerror = (event) => { console.error(event); process.exit(1); };
            socket.onmessage = ({ data }) => {
                seen.push(data);
                if (seen.length < messages.length) return socket.send(messages[seen.length]);
                console.log(JSON.stringify(seen));
                socket.close();
            };
        """
        command = ["node", "--experimental-websocket", "-e", script, f"ws://{host}:{self.port}/ws", *messages]
        done = subprocess.run(command, capture_output=True, text=True, timeout=20, check=False)
        assert done.returncode == 0, done.stderr
        answers: list[str] = json.loads(done.stdout)
        return answers


def forward(*groups: tuple[str, int]) -> dict[str, Any]:
    """Return the action of a rule that forwards by weight."""
    targets = [{"TargetGroupArn": arn, "Weight": weight} for arn, weight in groups]
    return {"Type": "forward", "ForwardConfig": {"TargetGroups": targets}}


def deploy(engine: Engine, name: str, **parameters: str) -> dict[str, str]:
    """Create or update the stack with the load balancer and return its outputs."""
    stacks = engine.client("cloudformation")
    found = stacks.describe_stacks()["Stacks"]
    # The engine lists deleted stacks too.
    known = {stack["StackName"] for stack in found if stack["StackStatus"] != "DELETE_COMPLETE"}
    act = stacks.update_stack if name in known else stacks.create_stack
    act(
        StackName=name,
        TemplateBody=json.dumps(TEMPLATE),
        Parameters=[{"ParameterKey": key, "ParameterValue": value} for key, value in parameters.items()],
    )
    wait(lambda: not _stack(engine, name)["StackStatus"].endswith("IN_PROGRESS"), 30)
    stack = _stack(engine, name)
    assert stack["StackStatus"] in ("CREATE_COMPLETE", "UPDATE_COMPLETE"), stack
    return {output["OutputKey"]: output["OutputValue"] for output in stack["Outputs"]}


def _stack(engine: Engine, name: str) -> dict[str, Any]:
    stack: dict[str, Any] = engine.client("cloudformation").describe_stacks(StackName=name)["Stacks"][0]
    return stack


@contextmanager
def load_balancer(engine: Engine) -> Iterator[Balancing]:
    """Deploy a load balancer, and take it and its tasks away again."""
    port = free_port()
    made = Balancing(engine, port, deploy(engine, "balancing", Port=str(port)), engine.client("elbv2"))
    try:
        yield made
    finally:
        made.http.clear()
        for task in made.started:
            engine.client("ecs").stop_task(cluster=engine.outputs["Cluster"], task=task)
        for task in made.started:
            engine.ended_task(task)
