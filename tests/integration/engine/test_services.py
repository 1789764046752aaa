"""CloudFormation, ECR, DynamoDB and the record of calls."""

import json
from concurrent.futures import ThreadPoolExecutor

import pytest
from botocore.exceptions import ClientError

from tests.integration.engine.kit import Engine, wait


def test_an_unknown_type_fails_the_deployment(engine: Engine) -> None:
    """Only types of the written list may be faked."""
    assert _deployed(engine, "faked", "AWS::CloudWatch::Dashboard") == "CREATE_COMPLETE"
    assert _deployed(engine, "unknown", "AWS::Pipes::Pipe") != "CREATE_COMPLETE"


def _deployed(engine: Engine, name: str, kind: str) -> str:
    body = json.dumps({"Resources": {"Thing": {"Type": kind, "Properties": {"DashboardBody": "{}"}}}})
    try:
        engine.client("cloudformation").create_stack(StackName=name, TemplateBody=body)
    except ClientError as error:
        return str(error.response["Error"]["Code"])
    wait(lambda: not _stack_status(engine, name).endswith("IN_PROGRESS"), 20)
    return _stack_status(engine, name)


def _stack_status(engine: Engine, name: str) -> str:
    stacks = engine.client("cloudformation").describe_stacks(StackName=name)["Stacks"]
    return str(stacks[0]["StackStatus"])


def test_a_repository_has_the_address_that_aws_would_give(engine: Engine) -> None:
    """The image's name can be told from the repository's."""
    assert ".dkr.ecr.us-east-1.amazonaws.com/" in engine.outputs["RepositoryUri"]


def test_calls_are_recorded_with_their_role(engine: Engine) -> None:
    """Each call that a role made is on file, without any value of the request that could be a secret."""
    engine.execute(command="exit 0")
    lines = [
        json.loads(line)
        for line in (engine.emulator.layout.logs / "aws-calls.jsonl").read_text().splitlines()
    ]
    assert any(line["service"] == "ecs" and line["operation"] == "RunTask" for line in lines)
    assert all(line["role"] for line in lines)


def test_a_transaction_that_fails_leaves_the_writes_of_others_alone(engine: Engine) -> None:
    """What is written while transactions are refused is still there afterwards, and so is what was there."""
    table = engine.client("dynamodb")
    table.create_table(
        TableName="shared",
        BillingMode="PAY_PER_REQUEST",
        AttributeDefinitions=[{"AttributeName": "pk", "AttributeType": "S"}],
        KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}],
    )
    table.put_item(TableName="shared", Item={"pk": {"S": "full"}, "n": {"N": "1"}})
    refused = [
        {
            "Update": {
                "TableName": "shared",
                "Key": {"pk": {"S": "first"}},
                "UpdateExpression": "SET n = :one",
                "ExpressionAttributeValues": {":one": {"N": "1"}},
            }
        },
        {
            "Update": {
                "TableName": "shared",
                "Key": {"pk": {"S": "full"}},
                "UpdateExpression": "SET n = :two",
                "ConditionExpression": "n > :two",
                "ExpressionAttributeValues": {":two": {"N": "2"}},
            }
        },
    ]

    # Before the threads begin: each thread that looks first makes botocore's exceptions anew.
    cancelled = table.exceptions.TransactionCanceledException

    def refuse(_number: int) -> None:
        with pytest.raises(cancelled):
            table.transact_write_items(TransactItems=refused)

    def write(number: int) -> None:
        table.put_item(TableName="shared", Item={"pk": {"S": f"item-{number}"}})

    with ThreadPoolExecutor(8) as threads:
        done = [threads.submit(work, number) for number in range(40) for work in (refuse, write)]
        for one in done:
            one.result()
    items = {item["pk"]["S"]: item for item in table.scan(TableName="shared")["Items"]}
    assert set(items) == {"full", *(f"item-{number}" for number in range(40))}
    assert items["full"]["n"] == {"N": "1"}
