"""Resources whose condition comes to hold, and holds no longer, when a stack is updated."""

import json
from typing import Any

from tests.integration.engine.kit import Engine, wait

_IS_WANTED = {"Condition": "IsWanted"}
TEMPLATE = {
    "Parameters": {"Queue": {"Type": "String"}},
    "Conditions": {"IsWanted": {"Fn::Equals": [{"Ref": "Queue"}, "yes"]}},
    "Resources": {
        # Before what it names, as the order in a template says nothing.
        "Note": {
            **_IS_WANTED,
            "Type": "AWS::SSM::Parameter",
            "DependsOn": "Queue",
            "Properties": {
                "Type": "String",
                "Name": "/conditions/note",
                "Value": {"Fn::Sub": ["${Queue.QueueName} ${a}", {"a": {"Fn::GetAtt": ["Queue", "Arn"]}}]},
            },
        },
        "Queue": {**_IS_WANTED, "Type": "AWS::SQS::Queue", "Properties": {"QueueName": "conditions"}},
        "Always": {
            "Type": "AWS::SSM::Parameter",
            "Properties": {
                "Type": "String",
                "Name": "/conditions/always",
                "Value": {"Fn::If": ["IsWanted", {"Fn::GetAtt": ["Queue", "QueueName"]}, "none"]},
            },
        },
    },
    "Outputs": {"Queue": {**_IS_WANTED, "Value": {"Fn::GetAtt": ["Queue", "Arn"]}}},
}


def _deploy(engine: Engine, wanted: str) -> tuple[set[str], str, list[str]]:
    """Create or update the stack; return its parameters of SSM, what the last one says, and its outputs."""
    stacks = engine.client("cloudformation")
    act = stacks.update_stack if _stack(engine) else stacks.create_stack
    parameters = [{"ParameterKey": "Queue", "ParameterValue": wanted}]
    act(StackName="conditions", TemplateBody=json.dumps(TEMPLATE), Parameters=parameters)
    wait(lambda: not _stack(engine)["StackStatus"].endswith("IN_PROGRESS"), 30)
    stack = _stack(engine)
    assert stack["StackStatus"] in ("CREATE_COMPLETE", "UPDATE_COMPLETE"), stack
    found = engine.client("ssm").get_parameters_by_path(Path="/conditions")["Parameters"]
    values = {parameter["Name"].rpartition("/")[2]: parameter["Value"] for parameter in found}
    there = stacks.describe_stack_resources(StackName="conditions")["StackResources"]
    names = {it["LogicalResourceId"] for it in there if not it["ResourceStatus"].startswith("DELETE")}
    assert names & {"Note", "Always"} == {name.title() for name in values}
    return names, values["always"], [output["OutputKey"] for output in stack.get("Outputs", [])]


def _stack(engine: Engine) -> Any:
    stacks = engine.client("cloudformation").describe_stacks()["Stacks"]
    return next((stack for stack in stacks if stack["StackName"] == "conditions"), None)


def test_an_update_makes_and_removes_what_a_condition_is_for(engine: Engine) -> None:
    """What such resources refer to one another is looked at where they exist, and none of them stays."""
    without: tuple[set[str], str, list[str]] = ({"Always"}, "none", [])
    with_queue = ({"Always", "Note", "Queue"}, "conditions", ["Queue"])
    assert _deploy(engine, "no") == without
    assert _deploy(engine, "yes") == with_queue
    assert engine.client("sqs").list_queues(QueueNamePrefix="conditions")["QueueUrls"]
    assert _deploy(engine, "no") == without
    assert not engine.client("sqs").list_queues(QueueNamePrefix="conditions").get("QueueUrls")
    engine.client("cloudformation").delete_stack(StackName="conditions")
