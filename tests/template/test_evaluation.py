"""What holds of the machine of evaluations alone; what holds of both is in `test_statemachine`."""

from __future__ import annotations

from tests.template.kit import EVALUATION, definition, listed, resources, statements, tasks
from tests.template.test_statemachine import LONGEST_SESSION, NAME_TAKEN

SESSION = tasks(EVALUATION)["RunSession"]


def test_a_session_that_ended_is_not_run_again() -> None:
    """A retry finds that its name is taken, which is never retried, and so ends the run."""
    first = SESSION["Retry"][0]
    assert (first["ErrorEquals"], first["MaxAttempts"]) == ([NAME_TAKEN], 0)
    assert SESSION["Arguments"]["Name"] == "{% $states.input.name %}"


def test_a_session_has_all_of_its_time() -> None:
    """The state that waits for a session outlasts the session's own machine, and the evaluation that."""
    assert SESSION["TimeoutSeconds"] > definition()["TimeoutSeconds"] > LONGEST_SESSION
    assert definition(EVALUATION)["TimeoutSeconds"] > SESSION["TimeoutSeconds"]


def test_sessions_are_those_of_the_live_release() -> None:
    """The machine starts the alias, so that a rollback holds for evaluations too."""
    properties = resources("AWS::Serverless::StateMachine")["Evaluation"]["Properties"]
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
