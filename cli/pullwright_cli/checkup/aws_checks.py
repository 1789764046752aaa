"""What can be wrong with credentials, stack, secrets, image, model, quotas."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pullwright_cli.checkup.findings import Finding, Unknown, Verdict, fail, follows, found, ok, warn

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from pullwright_cli.checkup.facts import Facts, ImageFacts, SecretFacts, StackFacts

# https://docs.aws.amazon.com/lambda/latest/dg/urls-configuration.html, as in the template's rule.
WITHOUT_FUNCTION_URLS = frozenset(
    {
        *("ap-east-2", "ap-south-2", "ap-southeast-4", "ap-southeast-5", "ap-southeast-6", "ap-southeast-7"),
        *("ca-west-1", "eu-central-2", "eu-south-2", "il-central-1", "me-central-1"),
    }
)
OUTPUTS = (
    *("WebhookUrl", "StateMachineArn", "EvaluationMachineArn", "SessionsTable", "ArtifactsBucket"),
    "EcsClusterArn",
    *("EcsTaskDefinitionArn", "EcsSecurityGroupId", "EcsSubnetIdsCsv", "AgentRepositoryUri"),
    *("ReconcileFunctionName", "LogGroupName", "ReleaseParameter", "DashboardUrl"),
    *("GitHubAppSecretArn", "WebhookSecretArn", "AlarmTopicArn"),
)
# AWS refuses signatures that are older or newer: https://docs.aws.amazon.com/IAM/latest/UserGuide/signature-v4-troubleshooting.html
_CLOCK_FAILS = 300
# GitHub refuses a token that was issued in its future; ours are dated back by a minute.
_CLOCK_WARNS = 45
_ROTATION_HOURS = 20
_CPU_UNITS = 1024
_SPARE_CONCURRENCY = 10
_GOOD = ("CREATE_COMPLETE", "UPDATE_COMPLETE", "IMPORT_COMPLETE")


def check(facts: Facts) -> Iterator[Finding]:
    """Yield what AWS shows."""
    stack = follows(facts.stack)
    yield found("credentials", facts.identity, lambda identity: ok(f"{identity}."))
    yield found("region", facts.region, _region)
    yield found("clock", facts.clock_seconds, _clock)
    yield found("stack", facts.stack, _status)
    yield found("drift", stack, _drift)
    yield found("outputs", stack, _outputs)
    yield found("intake", stack, _intake)
    yield found("app-secret", facts.app_secret, lambda it: _secret(it, "pullwright github setup"))
    yield found("webhook-secret", facts.webhook_secret, _webhook_secret)
    if not isinstance(stack, Unknown) and stack.parameters.get("ModelProvider") == "anthropic":
        yield found("model-key", facts.model_key, lambda it: _secret(it, "pullwright secrets set model-key"))
    yield found("model-price", facts.price_problem, _price)
    yield found("model-access", facts.model_access, lambda model: ok(f"{model} answers."))
    yield found("image", facts.image, _image, stack)
    yield found("vcpus", facts.vcpus, _vcpus, stack)
    yield found("concurrency", facts.concurrency, _concurrency, stack)
    yield found("dead-letters", facts.dead_letters, _dead_letters)
    yield found("alarms", facts.alarms, _alarms)
    yield found("sweep", facts.sweep_enabled, _sweep)
    yield found("cage", facts.cage, _cage, stack)


def check_before(facts: Facts) -> Iterator[Finding]:
    """Yield what would end a deployment, or leave it unable to work; all else is known only afterwards."""
    stack = follows(facts.stack)
    yield found("credentials", facts.identity, lambda identity: ok(f"{identity}."))
    yield found("region", facts.region, _region)
    yield found("clock", facts.clock_seconds, _clock)
    yield found("stack", facts.stack, _is_deployable)
    yield found("model-price", facts.price_problem, _price)
    if not isinstance(stack, Unknown) and stack.parameters.keys() >= {"TaskCpu", "MaxConcurrentSessions"}:
        yield found("vcpus", facts.vcpus, _vcpus, stack)
        yield found("concurrency", facts.concurrency, _concurrency, stack)


def _is_deployable(stack: StackFacts) -> Verdict:
    if stack.status.endswith("IN_PROGRESS"):
        return fail(f"{stack.status}: CloudFormation is at work.", "Wait for its end, then deploy again.")
    if stack.status.endswith("FAILED"):
        return fail(
            f"{stack.status}: CloudFormation takes no deployment.",
            "`aws cloudformation continue-update-rollback --stack-name <stack>`, then deploy again.",
        )
    return ok(f"{stack.status}." if stack.status else "It is made anew.")


def _region(region: str) -> Verdict:
    if region in WITHOUT_FUNCTION_URLS:
        return fail(f"Lambda has no Function URLs in {region}.", "Deploy to a neighbouring region.")
    return ok(f"{region}.")


def _clock(seconds: float) -> Verdict:
    text = f"This machine's clock is {abs(seconds):.0f} s {'ahead of' if seconds > 0 else 'behind'} AWS's."
    remedy = "Set the clock by NTP: `timedatectl set-ntp true`, or the machine's own way."
    if abs(seconds) > _CLOCK_FAILS:
        return fail(text, remedy)
    return warn(text, remedy) if abs(seconds) > _CLOCK_WARNS else ok(text)


def _status(stack: StackFacts) -> Verdict:
    text = f"{stack.status}."
    if stack.status in _GOOD:
        return ok(text)
    if stack.status.endswith("IN_PROGRESS"):
        return warn(text, "Wait for the end of the deployment.")
    if stack.status == "UPDATE_ROLLBACK_COMPLETE":
        return warn(
            "UPDATE_ROLLBACK_COMPLETE: the last deployment failed; the one before works.",
            "See why with `aws cloudformation describe-stack-events`, then deploy again.",
        )
    return fail(text, "See why with `aws cloudformation describe-stack-events`, then deploy again.")


def _drift(stack: StackFacts) -> Verdict:
    if stack.drift == "IN_SYNC":
        return ok("As deployed when CloudFormation last looked.")
    if stack.drift == "DRIFTED":
        return fail(
            "Something was changed outside CloudFormation.",
            "See what with `aws cloudformation describe-stack-resource-drifts`, then deploy again.",
        )
    return warn(
        "CloudFormation never looked whether something was changed by hand.",
        "`aws cloudformation detect-stack-drift --stack-name <stack>`; it takes a minute or two.",
    )


def _outputs(stack: StackFacts) -> Verdict:
    wanted = [
        *OUTPUTS,
        *(["ModelKeySecretArn"] if stack.parameters.get("ModelProvider") == "anthropic" else []),
    ]
    missing = [name for name in wanted if name not in stack.outputs]
    if missing:
        return fail(f"Missing: {', '.join(missing)}.", "Deploy this release with `sam deploy`.")
    return ok(f"All {len(wanted)} are there.")


def _intake(stack: StackFacts) -> Verdict:
    if stack.parameters.get("MaxConcurrentSessions") == "0":
        return warn("New sessions are switched off.", "Deploy with MaxConcurrentSessions above 0.")
    if stack.parameters.get("StubSessions") == "true":
        return warn("Every session is a stub: no model is asked.", "Deploy with StubSessions=false.")
    return ok("Sessions are taken.")


def _secret(secret: SecretFacts, command: str) -> Verdict:
    if secret.problem:
        return fail(secret.problem, f"`{command}`")
    return ok("Has a value that the functions can read.")


def _webhook_secret(secret: SecretFacts) -> Verdict:
    hours = secret.unconfirmed_hours
    if hours is not None:
        text = f"A rotation of {hours:.0f} hours ago did not end: GitHub may sign with the secret before."
        again = "`pullwright github rotate-secret` goes on with it."
        return fail(text, again) if hours > _ROTATION_HOURS else warn(text, again)
    return _secret(secret, "pullwright github rotate-secret")


def _price(problem: str) -> Verdict:
    if problem:
        return fail(problem, "Give its price in the parameter ModelPrices, or choose a listed model.")
    return ok("Known, so that money limits hold.")


def _image(image: ImageFacts, stack: StackFacts) -> Verdict:
    push = 'make image IMAGE="$AgentRepositoryUri" TAG=latest'
    return judge_image(image, stack.parameters.get("Architecture", ""), push)


def judge_image(image: ImageFacts, architecture: str, push: str) -> Verdict:
    """Say whether an image is there for the tasks' processor.

    Args:
        architecture: as the template calls it.
        push: the command that pushes one.
    """
    if not image.exists:
        return fail(f"There is no image {image.name} in the repository.", f"Push one: `{push}`.")
    wanted = {"arm64": "arm64", "x86_64": "amd64"}.get(architecture, "")
    if image.architectures and wanted and wanted not in image.architectures:
        built = " and ".join(sorted(image.architectures))
        return fail(
            f"The image {image.name} is built for {built}; the tasks run on {wanted}.",
            f"Build it for {wanted}, or deploy with another Architecture.",
        )
    return ok(f"{image.name} is there" + (f" for {wanted}." if image.architectures else "."))


def _number(stack: StackFacts, name: str) -> float:
    try:
        return float(stack.parameters.get(name, ""))
    except ValueError:
        return 0


def _vcpus(quota: float, stack: StackFacts) -> Verdict:
    each, most = _number(stack, "TaskCpu") / _CPU_UNITS, _number(stack, "MaxConcurrentSessions")
    text = (
        f"The account's tasks may have {quota:g} vCPUs; {most:g} sessions of {each:g} need {most * each:g}."
    )
    remedy = "Ask for more in Service Quotas (Fargate), or lower MaxConcurrentSessions."
    if quota < each:
        return fail(text, remedy)
    return warn(text, remedy) if quota < most * each else ok(text)


def _concurrency(limit: int, stack: StackFacts) -> Verdict:
    needed = _number(stack, "MaxConcurrentSessions") + _SPARE_CONCURRENCY
    text = f"The account may run {limit} functions at once."
    if limit < needed:
        return warn(
            f"{text} {needed:g} are advisable for this deployment.",
            "Ask for more in Service Quotas (Lambda); until then webhooks wait and are delivered again.",
        )
    return ok(text)


def _dead_letters(number: int) -> Verdict:
    if number:
        return fail(
            f"{number} events could not be processed.",
            "Read the log of EventsFunction, mend the cause, then `aws sqs start-message-move-task`.",
        )
    return ok("None.")


def _alarms(ringing: Sequence[str]) -> Verdict:
    if ringing:
        return fail(
            f"In alarm: {', '.join(ringing)}.",
            "`aws cloudwatch describe-alarms --state-value ALARM` says since when.",
        )
    return ok("None rings.")


def _sweep(is_enabled: bool) -> Verdict:  # noqa: FBT001 - the fact that it judges
    if not is_enabled:
        return fail(
            "The schedule of the sweep is off: lost webhooks and dead sessions stay so.",
            "Deploy again, or `aws events enable-rule`.",
        )
    return ok("Runs every five minutes.")


def _cage(last: Sequence[str], stack: StackFacts) -> Verdict:
    mode = stack.parameters.get("EgressMode", "")
    if mode == "off":
        return warn(
            "Agents reach everything: EgressMode is off.", "Deploy with EgressMode=preferred or required."
        )
    if not last:
        return ok("No session has told yet what its task found.")
    uncaged = [text for text in last if not text.startswith(("caged", "off"))]
    if uncaged:
        text = f"{len(uncaged)} of the last {len(last)} tasks were not kept from the network: {uncaged[0]}."
        remedy = "See docs/operations.md, What the agent reaches."
        return fail(text, remedy) if mode == "required" else warn(text, remedy)
    return ok(f"The last {len(last)} tasks were caged.")
