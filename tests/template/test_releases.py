"""A deployment is a release: all of it can be named, kept, gone back to."""

from __future__ import annotations

from typing import Any

import pytest

from tests.template.kit import resources, statements, strings, template

FUNCTIONS = resources("AWS::Serverless::Function")


def parameters_of(value: Any) -> set[str]:
    """Return the parameters that a value depends on, through conditions too."""
    found: set[str] = set()
    if isinstance(value, list):
        return found.union(*(parameters_of(item) for item in value))
    if not isinstance(value, dict):
        return found
    for key, item in value.items():
        names = [item] if key in {"Ref", "Condition"} else item[:1] if key == "Fn::If" else []
        for name in names:
            if not isinstance(name, str):
                continue
            if name in template()["Parameters"]:
                found.add(name)
            found |= parameters_of(template()["Conditions"].get(name))
        found |= parameters_of(item)
    return found


def test_a_changed_parameter_is_a_new_version_of_the_functions() -> None:
    """SAM publishes for changed code only; a description that changes makes CloudFormation do it for more.

    https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-lambda-version.html
    """
    # What Lambda keeps for all versions together, or names their log, is no part of one.
    apart = {"ReservedConcurrentExecutions", "LoggingConfig", "FunctionUrlConfig", "Events"}
    used = parameters_of(template()["Globals"]["Function"])
    for name, function in FUNCTIONS.items():
        properties = function["Properties"]
        assert properties["VersionDescription"] == {"Ref": "Settings"}, name
        used |= parameters_of({key: value for key, value in properties.items() if key not in apart})
    listed = parameters_of(template()["Resources"]["Settings"])
    assert used == listed, "the resource Settings names the parameters that functions depend on, and no other"


@pytest.mark.parametrize("name", sorted(FUNCTIONS))
def test_versions_stay(name: str) -> None:
    """Neither new code nor new settings delete the version that sessions run on and a rollback needs."""
    function = FUNCTIONS[name]
    assert function["UpdateReplacePolicy"] == "Retain"
    # SAM gives its versions DeletionPolicy Retain, unless the function has one of its own.
    assert "DeletionPolicy" not in function


def test_everything_is_called_by_the_live_version() -> None:
    """No address, queue or start goes past the alias: a rollback of the aliases is a rollback of all."""
    assert template()["Globals"]["Function"]["AutoPublishAlias"] == "live"
    machine = resources("AWS::Serverless::StateMachine")["AgentSession"]
    assert machine["Properties"]["AutoPublishAlias"] == "live"
    (url,) = resources("AWS::Lambda::Url").values()
    assert url["Properties"]["Qualifier"] == "live"
    for name in ("WebhookFunction", "JiraWebhookFunction", "EventsFunction"):
        variables = FUNCTIONS[name]["Properties"]["Environment"]["Variables"]
        assert variables["STATE_MACHINE_ARN"] == {"Ref": "AgentSessionAliaslive"}
    starts = [one for _, one in statements() if one["Action"] == "states:StartExecution"]
    assert len(starts) == 7
    sweep = FUNCTIONS["ReconcileFunction"]["Properties"]["Environment"]["Variables"]
    assert sweep["LIVE_STATE_MACHINE_ARN"] == {"Ref": "AgentSessionAliaslive"}
    for name in ("WebhookFunction", "EventsFunction"):
        variables = FUNCTIONS[name]["Properties"]["Environment"]["Variables"]
        previews = {"Fn::If": ["UsePreviews", {"Ref": "PreviewAliaslive"}, ""]}
        assert variables["PREVIEW_STATE_MACHINE_ARN"] == previews
    for one in starts:
        assert one["Condition"] == {"StringEquals": {"states:StateMachineQualifier": "live"}}


def test_the_machine_names_versions() -> None:
    """A version of the machine names versions of functions: a session ends on the code it began with."""
    for machine, functions in (("AgentSession", 2), ("Preview", 3)):
        properties = resources("AWS::Serverless::StateMachine")[machine]["Properties"]
        substitutions = properties["DefinitionSubstitutions"]
        named = {key: value["Ref"] for key, value in substitutions.items() if key.endswith("Function")}
        assert named == {key: f"{key}.Version" for key in named}
        assert len(named) == functions


def test_the_record_of_a_release_names_every_part() -> None:
    """Every function is in the record itself or in the machine's version, which is; it is written last."""
    machines = resources("AWS::Serverless::StateMachine").values()
    (record,) = resources("AWS::SSM::Parameter").values()
    named = {text for text in strings(record["Properties"]["Value"]) if text.endswith(".Version")}
    # SAM's names of the machines' versions.
    written = set(strings(record["Properties"]["Value"]))
    assert any("${AgentSessionVersion}" in text for text in written)
    assert "PreviewVersion" in written
    by_machine = set(strings([it["Properties"]["DefinitionSubstitutions"] for it in machines]))
    assert named == {f"{name}.Version" for name in FUNCTIONS if f"{name}.Version" not in by_machine}
    assert set(record["DependsOn"]) == {
        "AgentSessionAliaslive",
        "PreviewAliaslive",
        *(f"{text.removesuffix('.Version')}Aliaslive" for text in named),
    }
