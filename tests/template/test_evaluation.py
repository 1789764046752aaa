"""What holds of the machine of evaluations without running it, beside what holds of every machine."""

from __future__ import annotations

import json
import re
from typing import Any

from pullwright import errors
from tests.template.kit import ROOT, definition, listed, resources, statements, strings
from tests.template.test_statemachine import AWS_ERRORS, LONGEST_SESSION

PATH = ROOT / "statemachine" / "evaluation.asl.json"
MACHINE: dict[str, Any] = json.loads(PATH.read_text(encoding="utf-8"))
RUNS: dict[str, Any] = MACHINE["States"]["RunSessions"]
SESSION: dict[str, Any] = RUNS["ItemProcessor"]["States"]["RunSession"]
STATES = {**MACHINE["States"], **RUNS["ItemProcessor"]["States"]}


def test_every_state_says_what_it_is_for() -> None:
    """A newcomer reads the machine from its comments."""
    assert all(state["Comment"] for state in STATES.values())


def test_every_task_has_an_end_a_second_try_and_no_unseen_error() -> None:
    """One task, with a timeout, jitter on its retries, and a catch of everything that ends in no success."""
    [task] = [state for state in STATES.values() if state["Type"] == "Task"]
    assert task is SESSION
    assert all(one["JitterStrategy"] == "FULL" for one in task["Retry"])
    (catch,) = task["Catch"]
    assert catch["ErrorEquals"] == ["States.ALL"]
    assert STATES[catch["Next"]]["Type"] != "Succeed"
    names = {name for one in task["Retry"] for name in one["ErrorEquals"]}
    assert names <= set(errors.error_classes()) | AWS_ERRORS | {
        # https://docs.aws.amazon.com/step-functions/latest/apireference/API_StartExecution.html#API_StartExecution_Errors
        "StepFunctions.ExecutionAlreadyExistsException"
    }


def test_a_session_that_ended_is_not_run_again() -> None:
    """A retry finds that its name is taken, which is never retried, and so ends the run."""
    first = SESSION["Retry"][0]
    assert first["ErrorEquals"] == ["StepFunctions.ExecutionAlreadyExistsException"]
    assert first["MaxAttempts"] == 0
    assert SESSION["Arguments"]["Name"] == "{% $states.input.name %}"


def test_a_session_has_all_of_its_time() -> None:
    """The state that waits for a session outlasts the session's own machine, and the evaluation that."""
    assert SESSION["TimeoutSeconds"] > definition()["TimeoutSeconds"] > LONGEST_SESSION
    assert MACHINE["TimeoutSeconds"] > SESSION["TimeoutSeconds"]


def test_the_template_fills_every_name_in() -> None:
    """The machine's placeholders and the template's substitutions are the same, and sessions start live."""
    properties = resources("AWS::Serverless::StateMachine")["Evaluation"]["Properties"]
    named = set(re.findall(r"\$\{(\w+)\}", PATH.read_text(encoding="utf-8")))
    assert set(properties["DefinitionSubstitutions"]) == named
    assert properties["DefinitionSubstitutions"]["AgentSessionArn"] == {"Ref": "AgentSessionAliaslive"}


def test_the_role_may_do_what_the_state_does() -> None:
    """Start sessions, follow and stop them, and hear of their ends, as the integration's page lists it.

    https://docs.aws.amazon.com/step-functions/latest/dg/stepfunctions-iam.html, "Synchronous".
    """
    allowed = {
        action for owner, one in statements() if owner == "EvaluationRole" for action in listed(one["Action"])
    }
    assert allowed == {
        "states:StartExecution",
        "states:DescribeExecution",
        "states:StopExecution",
        "events:PutTargets",
        "events:PutRule",
        "events:DescribeRule",
    }


def test_expressions_keep_to_what_both_engines_know() -> None:
    """No ARN names a partition, and no expression uses what only one engine supports."""
    assert re.findall(r"arn:aws[\w-]*:", PATH.read_text(encoding="utf-8")) == []
    expressions = [text for text in strings(MACHINE) if text.startswith("{%")]
    unsupported = ["$uuid", "$hash", "$eval", "$random", "??", "?:", "$$"]
    assert not [text for text in expressions if any(word in text for word in unsupported)]
    assert not [text for text in expressions if re.search(r"\[[^\[\]]*\$states", text)]
