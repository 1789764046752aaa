"""`pullwright run`, `retry` and `stop`: what is asked of Step Functions, and what is refused before."""

from __future__ import annotations

import json
import shlex
from typing import TYPE_CHECKING, Any

import boto3
import pytest

from pullwright import errors
from pullwright_cli import running, waiting
from pullwright_cli.aws import Stack
from pullwright_cli.errors import CliError
from tests.unit.cli_kit import EXECUTION, MACHINE, OUTPUTS, Cloud, cloud, matches, run

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

REPOSITORY = ("--repo", "octo/widgets")


@pytest.fixture
def stack(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Cloud]:
    """Provide the stack that commands find, and stand in a folder without a checkout."""
    monkeypatch.chdir(tmp_path)
    with cloud() as made:
        monkeypatch.setattr(Stack, "client", lambda _, service: made.client(service))
        monkeypatch.setattr(Stack, "outputs", OUTPUTS)
        monkeypatch.setattr(Stack, "session", boto3.Session(region_name="eu-central-1"))
        yield made


def planned(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return what a dry run prints, and the input in it."""
    assert run(*arguments, "--dry-run") == 0
    document = json.loads(capsys.readouterr().out)
    assert matches("StartPlan", document)
    return document, json.loads(document["request"]["input"])


def test_a_dry_run_is_the_exact_call_and_starts_nothing(
    stack: Cloud, capsys: pytest.CaptureFixture[str]
) -> None:
    """Pure JSON, with the line that does the same; the line's words are the call's."""
    document, request = planned(
        capsys, "run", "Say 'good bye'", *REPOSITORY, "--usd", "2", "--plan", "--region", "eu-west-1"
    )
    assert request == {
        "repository": "octo/widgets",
        "prompt": "Say 'good bye'",
        "worker": "implement",
        "limits": {"usd": 2.0},
        "plan": True,
    }
    assert document["resolved"]["subnets"] == ["subnet-1", "subnet-2"]
    assert document["resolved"]["task_definition"] == "the definition"
    words = shlex.split(document["command"])
    assert words[:5] == ["aws", "stepfunctions", "start-execution", "--state-machine-arn", MACHINE]
    assert words[words.index("--input") + 1] == document["request"]["input"]
    assert words[-2:] == ["--region", "eu-west-1"]
    assert stack.states.calls == []


def test_the_image_of_staging_has_a_task_definition_of_its_own(
    stack: Cloud, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The request says so, and a stack that is older than that is said to lack it before anything starts."""
    document, request = planned(capsys, "run", "x", *REPOSITORY, "--image", "staging")
    assert request["image"] == "staging"
    assert document["resolved"]["task_definition"] == "the staging definition"
    older = {name: value for name, value in OUTPUTS.items() if name != "EcsStagingTaskDefinitionArn"}
    monkeypatch.setattr(Stack, "outputs", older)
    assert run("run", "x", *REPOSITORY, "--image", "staging") == errors.OutputMissing.exit_code
    assert "EcsStagingTaskDefinitionArn" in capsys.readouterr().err
    assert stack.states.calls == []


@pytest.mark.parametrize(
    ("words", "subject", "expected"),
    [
        (["Do it"], False, ("", "", "Do it")),
        (["shop", "Do it"], False, ("shop", "", "Do it")),
        (["shop", "prod", "Do it"], False, ("shop", "prod", "Do it")),
        ([], True, ("", "", "")),
        (["shop", "prod"], True, ("shop", "prod", "")),
        ([], False, ("", "", "")),
    ],
)
def test_words_are_service_environment_and_prompt(
    words: list[str],
    subject: bool,  # noqa: FBT001 - a parameter of the test
    expected: tuple[str, str, str],
) -> None:
    """With an issue or a pull request there is no prompt among them."""
    assert running._words(words, has_subject=subject, prompt="") == expected


@pytest.mark.parametrize(("words", "subject"), [(["a", "b", "c", "d"], False), (["a", "b", "c"], True)])
def test_too_many_words_want_quotes(words: list[str], subject: bool) -> None:  # noqa: FBT001 - as above
    """A prompt without quotes is the usual slip."""
    with pytest.raises(CliError, match="put the prompt in quotes"):
        running._words(words, has_subject=subject, prompt="")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ((), "names a repository: say --repo"),
        (REPOSITORY, "one of issue, pull_request, jira and prompt is needed"),
        ((*REPOSITORY, "--issue", "1", "--pr", "2"), "exclude each other"),
        ((*REPOSITORY, "x", "--usd", "0"), "--usd: "),
        ((*REPOSITORY, "x", "--minutes", "9999"), "--minutes: "),
        ((*REPOSITORY, "x", "--worker", "Not a name"), "--worker: "),
        ((*REPOSITORY, "x", "--base", "-x"), "--base: "),
        ((*REPOSITORY, "x", "--image", "mine"), "--image: Input should be 'latest' or 'staging'"),
        ((*REPOSITORY, "--issue", "0"), "--issue"),
        ((*REPOSITORY, "x", "--stack-name", "a b"), "no stack's name"),
    ],
)
def test_what_is_missing_or_wrong_is_named_before_anything_starts(
    arguments: tuple[str, ...], words: str, stack: Cloud, capsys: pytest.CaptureFixture[str]
) -> None:
    """Exit code 2, and the option's name."""
    assert run("run", *arguments) == 2
    assert words in capsys.readouterr().err
    assert stack.states.calls == []


def test_a_missing_output_is_named_before_anything_starts(
    stack: Cloud, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also one that StartExecution itself would not need."""
    monkeypatch.setattr(
        Stack, "outputs", {name: OUTPUTS[name] for name in OUTPUTS if name != "EcsSubnetIdsCsv"}
    )
    assert run("run", "x", *REPOSITORY, "--stack-name", "mine") == 33
    assert "The stack mine has no output EcsSubnetIdsCsv." in capsys.readouterr().err
    assert stack.states.calls == []


def test_it_starts_once_and_says_how_to_follow(stack: Cloud, capsys: pytest.CaptureFixture[str]) -> None:
    """The session's name has worker and number, as a webhook's."""
    assert run("run", "--issue", "42", *REPOSITORY, "--json") == 0
    document = json.loads(capsys.readouterr().out)
    assert matches("Started", document)
    [(_, call)] = stack.states.calls
    assert document["session"] == call["name"]
    assert call["name"].startswith("implement-42-")
    assert run("run", "--issue", "42", *REPOSITORY) == 0
    assert "follow     pullwright show --watch implement-42-" in capsys.readouterr().out


def test_a_long_name_still_fits(stack: Cloud, capsys: pytest.CaptureFixture[str]) -> None:
    """80 characters are the most that Step Functions takes."""
    assert stack
    document, _ = planned(capsys, "run", "--issue", "123456789012", "--worker", "w" * 32, *REPOSITORY)
    assert len(document["request"]["name"]) <= 80


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({"repository": "octo/widgets", "issue": 4, "title_sha256": "a" * 64}, None),
        (
            {"repository": "octo/widgets", "prompt": "x"},
            {"repository": "octo/widgets", "prompt": "x", "pull_request": 9},
        ),
        ({"repository": "octo/widgets", "jira": {"key": "SHOP-7"}}, None),
    ],
)
def test_a_retry_has_the_same_input(
    given: dict[str, Any], expected: dict[str, Any] | None, stack: Cloud, capsys: pytest.CaptureFixture[str]
) -> None:
    """A prompt's goes on with its pull request; one that Step Functions forgot comes from the record."""
    stack.record("s1", input=json.dumps(given), pull_request=9)
    stack.states.executions["s1"] = ("FAILED", json.dumps(given))
    assert planned(capsys, "retry", "s1")[1] == (expected or given)
    stack.states.executions.clear()
    assert planned(capsys, "retry", "s1")[1] == (expected or given)


def test_what_cannot_be_retried_says_why(stack: Cloud, capsys: pytest.CaptureFixture[str]) -> None:
    """It still runs, nobody knows it, or what was asked for is not kept."""
    stack.record("cut", input="x" * 80_000)
    stack.states.executions["busy"] = ("RUNNING", "{}")
    for session, code, words in (
        ("busy", 47, "is still at work"),
        ("nope", 41, "There is no session nope"),
        ("cut", 42, "does not know an execution cut"),
    ):
        assert run("retry", session) == code
        assert words in capsys.readouterr().err
    assert stack.states.calls == []


def test_stopping_names_the_error_that_the_sweep_reads(
    stack: Cloud, capsys: pytest.CaptureFixture[str]
) -> None:
    """As `/stop` does; a dry run prints the lines alone."""
    stack.states.executions["s1"] = ("RUNNING", "{}")
    assert run("stop", "s1", "--dry-run") == 0
    assert capsys.readouterr().out.startswith("aws stepfunctions stop-execution --execution-arn")
    assert stack.states.calls == []
    assert run("stop", "s1", "--json") == 0
    assert matches("Stopped", json.loads(capsys.readouterr().out))
    [(_, call)] = stack.states.calls
    assert (call["executionArn"], call["error"]) == (f"{EXECUTION}s1", "SessionStopped")


def test_what_cannot_be_stopped_stops_nothing(stack: Cloud, capsys: pytest.CaptureFixture[str]) -> None:
    """One that has ended, or that nobody knows, is told before the others are stopped."""
    stack.states.executions |= {"s1": ("RUNNING", "{}"), "over": ("SUCCEEDED", "{}")}
    stack.record("old")
    for arguments, code, words in (
        (("s1", "over"), 47, "over has ended: its execution is SUCCEEDED"),
        (("s1", "old"), 47, "old has ended: its execution is forgotten"),
        (("s1", "nope"), 41, "There is no session nope"),
        ((), 2, "name the sessions to stop, or say --all"),
        (("s1", "--all"), 2, "name the sessions to stop, or say --all"),
    ):
        assert run("stop", *arguments) == code
        assert words in capsys.readouterr().err
    assert stack.states.calls == []


def test_all_are_stopped_only_after_an_answer(stack: Cloud, capsys: pytest.CaptureFixture[str]) -> None:
    """Sessions that wait or run; without a terminal --yes has to be said."""
    for number, status in enumerate(("QUEUED", "RUNNING", "FAILED")):
        stack.record(f"s{number}", status=status)
    assert run("stop", "--all", "--stack-name", "mine") == 2
    assert (
        "Stop 2 sessions of mine? There is no terminal to answer from: say --yes" in capsys.readouterr().err
    )
    assert run("stop", "--all", "--yes") == 0
    assert sorted(call["executionArn"] for _, call in stack.states.calls) == [
        f"{EXECUTION}s0",
        f"{EXECUTION}s1",
    ]


@pytest.mark.parametrize(
    ("record", "execution", "status", "code"),
    [
        ({"status": "SUCCEEDED", "error": ""}, {}, "SUCCEEDED", 0),
        # A sweep closed it well after its execution was stopped.
        ({"status": "SUCCEEDED"}, {}, "ABORTED", 0),
        ({"status": "FAILED", "error": "MoneyLimit"}, {}, "FAILED", 15),
        ({"status": "FAILED", "error": "ModelRefused"}, {}, "FAILED", 14),
        ({"status": "FAILED", "error": "AppNotInstalled"}, {}, "FAILED", 3),
        ({"status": "FAILED", "error": "OfALaterRelease"}, {}, "FAILED", 3),
        (None, {"error": "InternalError"}, "FAILED", 1),
        (None, {"error": "States.Timeout"}, "TIMED_OUT", 3),
        (None, None, "ABORTED", 3),
    ],
)
def test_the_exit_code_is_that_of_the_sessions_end(
    record: dict[str, Any] | None, execution: dict[str, Any] | None, status: str, code: int
) -> None:
    """The classes of pullwright.errors, as the runner ends with them."""
    assert waiting.exit_code({"record": record, "execution": execution}, status) == code


def test_ctrl_c_while_it_starts_says_how_to_find_it(
    stack: Cloud, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody knows whether Step Functions heard of it; its name was ours to choose."""
    names = []

    def interrupted(**call: Any) -> None:
        names.append(call["name"])
        raise KeyboardInterrupt

    monkeypatch.setattr(stack.states, "start_execution", interrupted)
    assert run("run", "x", *REPOSITORY) == 130
    assert f"may have begun: pullwright show {names[0]}" in capsys.readouterr().err
