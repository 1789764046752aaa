"""Which stack a command works on, and what it says where there is none, half of one, or several."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from botocore.stub import Stubber

from pullwright import errors
from pullwright_cli.aws import Stack
from pullwright_cli.errors import CliError
from tests.unit import aws_kit

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

SAMCONFIG = """
[default.global.parameters]
stack_name = "from-default"
[prod.global.parameters]
stack_name = "from-prod"
region = "eu-west-1"
[prod.deploy.parameters]
region = "eu-north-1"
profile = "operations"
[silent.deploy.parameters]
resolve_s3 = true
"""
OURS = ("StateMachineArn", "SessionsTable", "AgentRepositoryUri")


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """Provide a folder below one with a `samconfig.toml`."""
    (tmp_path / "samconfig.toml").write_text(SAMCONFIG, encoding="utf-8")
    (tmp_path / "src").mkdir()
    return tmp_path / "src"


@pytest.fixture
def cloudformation(monkeypatch: pytest.MonkeyPatch) -> Iterator[Stubber]:
    """Provide what CloudFormation is made to answer."""
    client = aws_kit.client("cloudformation")
    monkeypatch.setattr(Stack, "client", lambda *_: client)
    monkeypatch.setattr(Stack, "place", "eu-central-1")
    with Stubber(client) as stub:
        yield stub
        stub.assert_no_pending_responses()


def described(name: str, outputs: tuple[str, ...] = OURS, status: str = "UPDATE_COMPLETE") -> dict[str, Any]:
    """Return what CloudFormation says of a stack."""
    return {
        "StackName": name,
        "CreationTime": 1,
        "StackStatus": status,
        "Outputs": [{"OutputKey": key, "OutputValue": f"the {key}"} for key in outputs],
    }


@pytest.mark.parametrize(
    ("named", "stack", "region", "profile"),
    [
        ({"name": "mine", "service": "shop", "environment": "prod"}, "mine", "", ""),
        ({"service": "shop", "environment": "prod"}, "shop-prod", "", ""),
        ({"service": "shop"}, "shop-default", "", ""),
        ({}, "from-default", "", ""),
        ({"environment": "prod"}, "from-prod", "eu-north-1", "operations"),
        ({"environment": "prod", "region": "us-east-1"}, "from-prod", "us-east-1", "operations"),
        ({"environment": "silent"}, "pullwright-silent", "", ""),
        ({"environment": "nowhere"}, "pullwright-nowhere", "", ""),
    ],
)
def test_a_stack_is_named_by_the_first_that_says_it(
    named: dict[str, str], stack: str, region: str, profile: str, checkout: Path
) -> None:
    """The option, then service and environment, then `samconfig.toml`, then the README's name."""
    found = Stack.resolve(**named, folder=checkout)
    assert (found.name, found.region, found.profile) == (stack, region, profile)


def test_settings_beyond_the_checkout_do_not_count(checkout: Path) -> None:
    """A `samconfig.toml` above the root of a git checkout belongs to something else."""
    (checkout / ".git").mkdir()
    assert Stack.resolve(folder=checkout).name == "pullwright-default"


@pytest.mark.parametrize("content", ["[", "default = 1", "[default]\nglobal = []"])
def test_broken_settings_end_in_a_sentence_or_the_default(content: str, checkout: Path) -> None:
    """A file that is no TOML is named with its place; tables of another form say nothing."""
    (checkout.parent / "samconfig.toml").write_text(content, encoding="utf-8")
    if content == "[":
        with pytest.raises(CliError, match=r"samconfig\.toml cannot be read") as caught:
            Stack.resolve(folder=checkout)
        assert caught.value.exit_code == 2
    else:
        assert Stack.resolve(folder=checkout).name == "pullwright-default"


@pytest.mark.parametrize("name", ["a b", "1st", "x" * 129, "a;b"])
def test_a_name_that_no_stack_can_have_is_refused_at_once(name: str) -> None:
    """CloudFormation is not asked for it."""
    with pytest.raises(CliError, match="is no stack's name"):
        Stack.resolve(name)


def test_outputs_are_read_once_and_by_name(cloudformation: Stubber) -> None:
    """One call serves all outputs; one that is missing is named, with its stack and who named that."""
    cloudformation.add_response("describe_stacks", {"Stacks": [described("s", OURS[:2])]}, {"StackName": "s"})
    stack = Stack("s", source=", which a/samconfig.toml names,")
    assert stack.output("StateMachineArn") == "the StateMachineArn"
    assert stack.table()[1] == "the SessionsTable"
    with pytest.raises(errors.OutputMissing, match=r"s, which a/samconfig.toml names, has no output Agent"):
        stack.output("AgentRepositoryUri")


@pytest.mark.parametrize(
    "status", ["DELETE_IN_PROGRESS", "DELETE_FAILED", "ROLLBACK_COMPLETE", "CREATE_FAILED"]
)
def test_half_a_stack_is_named_with_its_state(status: str, cloudformation: Stubber) -> None:
    """Its outputs may name what is gone."""
    cloudformation.add_response("describe_stacks", {"Stacks": [described("s", status=status)]})
    with pytest.raises(errors.StackIncomplete, match=f"s in eu-central-1 is {status}"):
        _ = Stack("s").outputs


@pytest.mark.parametrize(
    ("others", "source", "expected", "words"),
    [
        ((), "", errors.StackMissing, "There is no stack s in eu-central-1."),
        (("a",), "", errors.StackMissing, "there is a."),
        (("a", "b"), "", errors.StackMissing, "there is a, b."),
        (
            ("a",),
            ", which x names,",
            errors.StackMissing,
            "no stack s, which x names, in eu-central-1; there",
        ),
        (("b", "a"), ", which x names,", errors.StackAmbiguous, "there are a, b."),
    ],
)
def test_a_missing_stack_is_told_with_those_that_exist(
    others: tuple[str, ...],
    source: str,
    expected: type[errors.PullwrightError],
    words: str,
    cloudformation: Stubber,
) -> None:
    """None is taken in its place; stacks of other things are not offered."""
    cloudformation.add_client_error("describe_stacks", "ValidationError", "Stack with id s does not exist")
    stacks = [described(name) for name in others]
    cloudformation.add_response("describe_stacks", {"Stacks": [*stacks, described("web", ("Url",))]})
    with pytest.raises(expected) as caught:
        _ = Stack("s", source=source).outputs
    assert words in caught.value.sentence


def test_who_may_not_list_stacks_still_hears_that_one_is_missing(cloudformation: Stubber) -> None:
    """The list is an extra."""
    cloudformation.add_client_error("describe_stacks", "ValidationError")
    cloudformation.add_client_error("describe_stacks", "AccessDenied")
    with pytest.raises(errors.StackMissing):
        _ = Stack("s").outputs
