"""Asks AWS for the facts. What cannot be had is said in its place; the rest is asked all the same."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar

from botocore.exceptions import BotoCoreError, ClientError

from pullwright.errors import PullwrightError
from pullwright.opening.model import read_prices
from pullwright.prices import list_price
from pullwright_cli.checkup import collect_github, previews
from pullwright_cli.checkup.collect_image import image
from pullwright_cli.checkup.facts import Facts, SecretFacts, StackFacts
from pullwright_cli.checkup.findings import Unknown
from pullwright_cli.errors import CliError
from pullwright_cli.failures import explained
from pullwright_cli.jira.facts import Wanted
from pullwright_cli.jira.facts import collect as collect_jira
from pullwright_cli.jira.setup import stored_account
from pullwright_cli.jira.site import Site
from pullwright_cli.registering.deployment import APP_SECRET, WEBHOOK_SECRET, Deployment
from pullwright_cli.registering.manifest import declared
from pullwright_cli.registering.rotation import UNCONFIRMED
from pullwright_cli.secret_commands import Name, check

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from pullwright_cli.aws import Stack
    from pullwright_cli.checkup.findings import Fact
    from pullwright_cli.checkup.previews import PreviewFacts
    from pullwright_cli.jira.facts import JiraFacts

T = TypeVar("T")
# Quotas of Fargate: `aws service-quotas list-service-quotas --service-code fargate`.
_VCPUS = {"FARGATE": "L-3032A538", "FARGATE_SPOT": "L-36FBB829"}
_LAST_TASKS = 5
# An answer of AWS that says no more than that this credential may not ask.
_MERELY_UNKNOWN = frozenset({"RightMissing", "AwsUnavailable", "AwsThrottled"})
_MODEL_QUESTION = {"max_tokens": 1, "messages": [{"role": "user", "content": "1"}]}


def attempt(ask: Callable[[], T]) -> Fact[T]:
    """Ask for a fact."""
    try:
        return ask()
    except CliError as error:
        return Unknown(f"{error}.", is_failure=True)
    except (ClientError, BotoCoreError, PullwrightError) as error:
        known = explained(error)
        if known is None:
            raise
        return Unknown(known.sentence, known.remedy, type(known).__name__ not in _MERELY_UNKNOWN)


def collect(stack: Stack, *, ask_model: bool) -> Facts:
    """Collect all facts.

    Args:
        ask_model: whether the model is called, for one token.
    """
    permissions, events = declared()
    facts = Facts(stack.name, permissions, frozenset(events))
    facts = replace(facts, **_caller(stack))
    if isinstance(facts.identity, Unknown):
        return facts
    described = attempt(partial(_stack, stack))
    facts = replace(facts, stack=described)
    if isinstance(described, Unknown):
        return facts
    deployment = Deployment(stack)
    facts = replace(facts, **_of_stack(deployment, ask_model=ask_model))
    return replace(facts, **collect_github.facts(deployment, attempt))


def collect_before(stack: Stack, parameters: Mapping[str, str], *, is_there: bool) -> Facts:
    """Collect what can be known before a deployment.

    Args:
        parameters: with which it is deployed; a stack that is there keeps the rest of its own.
    """
    facts = replace(Facts(stack.name, {}, frozenset()), **_caller(stack))
    if isinstance(facts.identity, Unknown):
        return facts
    known = attempt(partial(_stack, stack)) if is_there else StackFacts("", "", frozenset(), {}, "")
    if isinstance(known, Unknown):
        return replace(facts, stack=known)
    wanted = {**known.parameters, **parameters}
    model = wanted.get("ModelId", "")
    return replace(
        facts,
        stack=replace(known, parameters=wanted),
        price_problem=_price(model, wanted.get("ModelPrices", "")) if model else "",
        vcpus=attempt(partial(_quota, stack, _VCPUS.get(wanted.get("Capacity", "FARGATE"), ""))),
        concurrency=attempt(partial(_concurrency, stack)),
    )


def _caller(stack: Stack) -> dict[str, Any]:
    region = stack.session.region_name
    named: Fact[str] = region or Unknown(
        "No AWS region is named.", "Name it with --region or AWS_REGION.", is_failure=True
    )
    answer = attempt(lambda: stack.client("sts").get_caller_identity())
    if isinstance(answer, Unknown):
        return {"region": named, "identity": replace(answer, is_failure=True)}
    date = answer["ResponseMetadata"]["HTTPHeaders"].get("date")
    ahead = (datetime.now(UTC) - parsedate_to_datetime(date)).total_seconds() if date else None
    clock = Unknown("AWS's answer bears no date.") if ahead is None else ahead
    return {"region": named, "identity": answer["Arn"], "clock_seconds": clock}


def _stack(stack: Stack) -> StackFacts:
    described: Any = stack.description
    return StackFacts(
        status=described["StackStatus"],
        drift=described.get("DriftInformation", {}).get("StackDriftStatus", "NOT_CHECKED"),
        outputs=frozenset(name for name, value in stack.outputs.items() if value),
        parameters=Deployment(stack).parameters,
        webhook_url=stack.outputs.get("WebhookUrl", ""),
    )


def _of_stack(deployment: Deployment, *, ask_model: bool) -> dict[str, Any]:
    stack, parameters = deployment.stack, deployment.parameters
    resources = attempt(partial(_resources, stack))
    of_resources: dict[str, Any] = {}
    for name, ask in (
        *(("dead_letters", _dead_letters), ("alarms", _alarms)),
        *(("sweep_enabled", _sweep), ("model", _model), ("previews", _previews)),
    ):
        if isinstance(resources, Unknown):
            of_resources[name] = resources
        else:
            of_resources[name] = attempt(partial(ask, stack, resources))
    capacity = parameters.get("Capacity", "FARGATE")
    model = of_resources.pop("model")
    return {
        **of_resources,
        "app_secret": attempt(partial(_secret, deployment, APP_SECRET, Name.GITHUB_APP)),
        "webhook_secret": attempt(partial(_secret, deployment, WEBHOOK_SECRET, Name.WEBHOOK)),
        "model_key": attempt(partial(_secret, deployment, "ModelKeySecretArn", Name.MODEL_KEY)),
        "image": attempt(partial(image, stack, parameters)),
        "price_problem": _price(model, parameters.get("ModelPrices", "")),
        "model_access": _model_access(deployment, model, ask_model=ask_model),
        "vcpus": attempt(partial(_quota, stack, _VCPUS.get(capacity, ""))),
        "concurrency": attempt(partial(_concurrency, stack)),
        "cage": attempt(partial(_cage, stack)),
        "jira": _jira(deployment),
    }


def _jira(deployment: Deployment) -> Fact[JiraFacts] | None:
    wanted = Wanted.of(deployment.parameters, deployment.stack.outputs)
    if wanted is None:
        return None
    return attempt(lambda: collect_jira(Site(wanted.site, *stored_account(deployment)), wanted))


def _resources(stack: Stack) -> list[dict[str, str]]:
    pages = (
        stack.client("cloudformation").get_paginator("list_stack_resources").paginate(StackName=stack.name)
    )
    return [resource for page in pages for resource in page["StackResourceSummaries"]]


def _previews(stack: Stack, resources: Sequence[dict[str, str]]) -> PreviewFacts | None:
    parameters = Deployment(stack).parameters
    return previews.collect(stack, parameters, resources, resolves=collect_github.resolves, attempt=attempt)


def _physical(resources: Sequence[dict[str, str]], kind: str, logical: str = "") -> list[str]:
    return [
        it.get("PhysicalResourceId", "")
        for it in resources
        if it["ResourceType"] == kind and logical in it["LogicalResourceId"]
    ]


def _dead_letters(stack: Stack, resources: Sequence[dict[str, str]]) -> int:
    names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
    total = 0
    for url in _physical(resources, "AWS::SQS::Queue", "DeadLetter"):
        answer = stack.client("sqs").get_queue_attributes(QueueUrl=url, AttributeNames=names)
        total += sum(int(value) for value in answer.get("Attributes", {}).values())
    return total


def _alarms(stack: Stack, resources: Sequence[dict[str, str]]) -> list[str]:
    ours = set(_physical(resources, "AWS::CloudWatch::Alarm"))
    pages = stack.client("cloudwatch").get_paginator("describe_alarms").paginate(StateValue="ALARM")
    return sorted(
        alarm["AlarmName"] for page in pages for alarm in page["MetricAlarms"] if alarm["AlarmName"] in ours
    )


def _sweep(stack: Stack, resources: Sequence[dict[str, str]]) -> bool:
    names = _physical(resources, "AWS::Events::Rule")
    rules = [stack.client("events").describe_rule(Name=name.rpartition("/")[2]) for name in names]
    scheduled = [rule for rule in rules if rule.get("ScheduleExpression")]
    return bool(scheduled) and all(rule.get("State", "").startswith("ENABLED") for rule in scheduled)


def _secret(deployment: Deployment, output: str, name: Name) -> SecretFacts:
    arn, client = deployment.arn(output), deployment.secrets
    described = client.describe_secret(SecretId=arn)
    stages = described.get("VersionIdsToStages", {})
    if not any("AWSCURRENT" in names for names in stages.values()):
        return SecretFacts(f"The secret {name} has no value.")
    answer = client.get_secret_value(SecretId=arn)
    try:
        check(name, answer.get("SecretString", "").strip())
    except CliError as error:
        return SecretFacts(f"{error}.")
    unconfirmed = {"AWSCURRENT", UNCONFIRMED} <= set(answer.get("VersionStages", []))
    hours = (datetime.now(UTC) - answer["CreatedDate"]).total_seconds() / 3600 if unconfirmed else None
    return SecretFacts(unconfirmed_hours=hours)


def _model(stack: Stack, resources: Sequence[dict[str, str]]) -> str:
    """Return the model of sessions that name none, as the function that prices them has it."""
    [name] = _physical(resources, "AWS::Lambda::Function", "OpenPullRequestFunction")
    found = stack.client("lambda").get_function_configuration(FunctionName=name)
    return str(found["Environment"]["Variables"]["MODEL_ID"])


def _price(model: Fact[str], prices: str) -> Fact[str]:
    if isinstance(model, Unknown):
        return model
    try:
        known = read_prices(prices).get(model) or list_price(model)
    except PullwrightError as error:
        return error.sentence
    return "" if known else f"The price of the model {model} is not known, so no session can start."


def _model_access(deployment: Deployment, model: Fact[str], *, ask_model: bool) -> Fact[str]:
    if deployment.parameters.get("ModelProvider") == "anthropic":
        return Unknown("only a session uses Anthropic's key.", "Start one: `pullwright run --wait`.")
    if not ask_model:
        return Unknown(
            "the model is asked only with --ask-model.", "`pullwright doctor --ask-model`; it costs a token."
        )
    if isinstance(model, Unknown):
        return model
    answer = attempt(partial(_ask, deployment, model))
    if isinstance(answer, Unknown):
        # New accounts get 403 until Anthropic's form is sent and the model's agreement is made.
        remedy = (
            "Request access to the model in Bedrock's console, with the form of its maker, in this region."
        )
        return replace(answer, remedy=remedy, is_failure=True)
    return model


def _ask(deployment: Deployment, model: str) -> bool:

    body = json.dumps({"anthropic_version": "bedrock-2023-05-31", **_MODEL_QUESTION})
    deployment.stack.client("bedrock-runtime").invoke_model(modelId=model, body=body)
    return True


def _concurrency(stack: Stack) -> int:
    return int(stack.client("lambda").get_account_settings()["AccountLimit"]["ConcurrentExecutions"])


def _quota(stack: Stack, code: str) -> float:
    answer = stack.client("service-quotas").get_service_quota(ServiceCode="fargate", QuotaCode=code)
    return float(answer["Quota"]["Value"])


def _cage(stack: Stack) -> list[str]:
    found: list[tuple[str, str]] = []
    for status in ("SUCCEEDED", "FAILED"):
        answer = stack.client("dynamodb").query(
            TableName=stack.output("SessionsTable"),
            IndexName="by_status",
            KeyConditionExpression="#s = :s",
            ExpressionAttributeNames={"#s": "status"},
            ExpressionAttributeValues={":s": {"S": status}},
            ProjectionExpression="heartbeat_at, egress",
            ScanIndexForward=False,
            Limit=4 * _LAST_TASKS,
        )
        found += [
            (it.get("heartbeat_at", {}).get("S", ""), it["egress"]["S"])
            for it in answer["Items"]
            if it.get("egress", {}).get("S")
        ]
    return [text for _, text in sorted(found, reverse=True)][:_LAST_TASKS]
