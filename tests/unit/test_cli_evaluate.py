"""`pullwright evaluate`: what is begun, what is read of it, and how it ends."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING, Any

import boto3
import pytest
from botocore.exceptions import ClientError
from hypothesis import given
from hypothesis import strategies as st

from pullwright.evaluation import EvaluationTask
from pullwright.github.client import GitHubClient
from pullwright.models import SessionRequest
from pullwright_cli.aws import Stack
from pullwright_cli.errors import CliError
from pullwright_cli.evaluating import finding
from pullwright_cli.evaluating.plan import MOST_RUNS, make_plan
from pullwright_cli.evaluating.tasks import write_tasks
from tests.unit.cli_kit import BUCKET, OUTPUTS, Cloud, States, cloud, matches, printed, run
from tests.unit.test_evaluation_judging import TASK
from tests.unit.test_evaluation_tasks import Answers, issue, pull

if TYPE_CHECKING:
    from collections.abc import Iterator

TASKS = [EvaluationTask.model_validate({**TASK, "tests": ("t.py",), "id": name}) for name in ("1", "2")]
NEW = ("evaluate", "--tasks", "tasks.jsonl", "--budget", "20", "--id", "ev-1")


class Machines(States):
    """Step Functions that gives a name once."""

    def start_execution(self, **call: Any) -> dict[str, Any]:
        """See AWS."""
        if self.executions.get(call["name"], ("RUNNING",))[0] != "RUNNING":
            raise ClientError({"Error": {"Code": "ExecutionAlreadyExists", "Message": ""}}, "StartExecution")
        return super().start_execution(**call)


@pytest.fixture
def stack(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Cloud]:
    """Provide the stack that commands find, and a file of two tasks in the current folder."""
    monkeypatch.chdir(tmp_path)
    write_tasks(tmp_path / "tasks.jsonl", TASKS)
    with cloud() as made:
        made.states = Machines()
        monkeypatch.setattr(Stack, "client", lambda _, service: made.client(service))
        monkeypatch.setattr(Stack, "outputs", OUTPUTS)
        monkeypatch.setattr(Stack, "parameter", lambda _, name: {"LimitUsd": "5"}.get(name, ""))
        monkeypatch.setattr(Stack, "session", boto3.Session(region_name="eu-central-1"))
        yield made


def end(stack: Cloud, number: int, judgement: str | None, **fields: Any) -> None:
    """Write the record of a session that has ended."""
    found: dict[str, Any] = {} if judgement is None else {"judgement": judgement}
    stack.record(f"ev-1-{number:03d}", cost_usd=0.5, turns=7, agent_seconds=60, **found, **fields)


def over(stack: Cloud) -> None:
    """Let the evaluation's machine have ended."""
    for name, (_, text) in stack.states.executions.items():
        stack.states.executions[name] = ("SUCCEEDED", text)


def test_each_run_is_a_session_with_its_task_beside_it(
    stack: Cloud, capsys: pytest.CaptureFixture[str]
) -> None:
    """One execution of the machine; its input names the sessions, whose requests a session takes."""
    assert (
        run(*NEW, "--model", "us.anthropic.a", "--model", "us.anthropic.b", "--repeat", "2", "--no-wait") == 0
    )
    assert "evaluation ev-1: 8 runs." in capsys.readouterr().err
    [(_, call)] = stack.states.calls
    assert call["name"] == "ev-1"
    assert call["stateMachineArn"] == OUTPUTS["EvaluationMachineArn"]
    document = json.loads(call["input"])
    assert document["concurrency"] == 2
    for started in document["runs"]:
        request = SessionRequest.model_validate_json(json.dumps(started["request"]))
        assert request.evaluation is not None
        assert request.evaluation.budget_usd == 20
        task = stack.s3.get_object(Bucket=BUCKET, Key=f"sessions/{started['name']}/task.json")["Body"].read()
        assert EvaluationTask.model_validate_json(task) in TASKS


def test_a_report_is_made_of_the_sessions_records(
    stack: Cloud, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    """One solved, one not: half, as table, JSON and page."""
    assert run(*NEW, "--no-wait") == 0
    end(stack, 1, "solved", egress="caged")
    end(stack, 2, "unsolved", judgement_reason="tests failed.", egress="off")
    over(stack)
    capsys.readouterr()
    assert run("evaluate", "ev-1", "--json", "--html", "report.html") == 0
    document = json.loads(capsys.readouterr().out)
    assert matches("EvaluationReport", document)
    [variant] = document["variants"]
    assert (variant["solved"], variant["tasks"], document["cost_usd"]) == (0.5, 2, 1.0)
    assert [found["uncaged"] for found in document["runs"]] == [False, True]
    assert "tests failed." in (tmp_path / "report.html").read_text()
    assert run("evaluate", "ev-1") == 0
    assert "50% of 2" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("fields", "state"),
    [
        ({"judgement": "invalid"}, "invalid"),
        ({"judgement": "not_judged"}, "error"),
        ({"judgement": None}, "error"),
        ({"judgement": "unsolved", "failure_class": "transient", "error": "ModelUnavailable"}, "error"),
        ({"judgement": "unsolved", "failure_class": "limit", "error": "MoneyLimit"}, "unsolved"),
        ({"judgement": "solved", "failure_class": "agent", "error": "AgentFailed"}, "solved"),
        ({"judgement": None, "failure_class": "limit", "error": "EvaluationBudget"}, "not_run"),
        ({"judgement": None, "status": "RUNNING"}, "open"),
    ],
)
def test_what_a_record_says_of_its_run(
    stack: Cloud, capsys: pytest.CaptureFixture[str], fields: dict[str, Any], state: str
) -> None:
    """The agent answers for its own limits and failures, and for nothing else."""
    assert run(*NEW, "--no-wait") == 0
    end(stack, 1, **fields)
    over(stack)
    capsys.readouterr()
    code = run("evaluate", "ev-1", "--json", "--no-wait")
    assert code == 48
    found = json.loads(capsys.readouterr().out)["runs"]
    assert [one["state"] for one in found] == [state, "not_run"]


def test_begun_again_only_what_was_not_begun_runs(stack: Cloud, capsys: pytest.CaptureFixture[str]) -> None:
    """The same name, tasks and options: the machine starts again with the same sessions."""
    assert run(*NEW, "--no-wait") == 0
    assert run(*NEW, "--no-wait") == 0
    assert len(stack.states.calls) == 1
    end(stack, 1, "solved")
    over(stack)
    assert run(*NEW, "--no-wait") == 0
    calls = [call for _, call in stack.states.calls]
    assert [call["name"] for call in calls] == ["ev-1", "ev-1-again-2"]
    assert calls[0]["input"] == calls[1]["input"]
    capsys.readouterr()
    assert run(*NEW, "--no-wait", "--repeat", "2") == 2
    assert "there is another evaluation ev-1" in capsys.readouterr().err


def test_what_found_no_room_runs_again_under_a_name_of_its_own(
    stack: Cloud, capsys: pytest.CaptureFixture[str]
) -> None:
    """A name is used up with its execution, also where the session was refused; each time takes another."""
    refused: dict[str, Any] = {"failure_class": "limit", "error": "DailyLimit"}
    assert run(*NEW, "--no-wait") == 0
    end(stack, 1, "solved")
    end(stack, 2, None, **refused)
    for name in ("ev-1-002-2", "ev-1-002-3"):
        over(stack)
        assert run(*NEW, "--no-wait") == 0
        [*_, (_, call)] = stack.states.calls
        assert [found["name"] for found in json.loads(call["input"])["runs"]] == ["ev-1-001", name]
        assert stack.s3.get_object(Bucket=BUCKET, Key=f"sessions/{name}/task.json")
        stack.record(name, **refused)
    stack.record("ev-1-002-3", judgement="solved", cost_usd=0.5)
    over(stack)
    capsys.readouterr()
    assert run("evaluate", "ev-1", "--json") == 0
    assert [found["state"] for found in json.loads(capsys.readouterr().out)["runs"]] == ["solved", "solved"]


def test_waiting_ends_with_the_last_session(
    stack: Cloud, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Progress on standard error, each change once; then the report."""
    left = iter([1, 2])

    def sleep(_: float) -> None:
        number = next(left)
        end(stack, number, "solved")
        if number == 2:
            over(stack)

    monkeypatch.setattr("time.sleep", sleep)
    assert run(*NEW) == 0
    captured = capsys.readouterr()
    assert "1 of 2 ended: 1 solved; $0.50" in captured.err
    assert "100% of 2" in captured.out


def test_an_end_to_waiting_leaves_it_running(
    stack: Cloud, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Ctrl-C and --timeout-minutes: it goes on, and how to follow and stop it is said."""

    def interrupt(_: float) -> None:
        raise KeyboardInterrupt

    assert run(*NEW, "--timeout-minutes", "0.00001") == 46
    monkeypatch.setattr("time.sleep", interrupt)
    assert run("evaluate", "ev-1") == 130
    assert "pullwright evaluate ev-1 --stop" in capsys.readouterr().err
    assert [kind for kind, _ in stack.states.calls] == ["start"]


def test_stopping_it_stops_its_sessions(stack: Cloud, capsys: pytest.CaptureFixture[str]) -> None:
    """The machine first, so that it starts no other; a session that has ended stays as it is."""
    assert run(*NEW, "--no-wait") == 0
    end(stack, 1, "solved")
    end(stack, 2, None, status="RUNNING")
    capsys.readouterr()
    stop = ("evaluate", "ev-1", "--stop")
    planned = printed(capsys, "EvaluationStopped", *stop, "--dry-run")
    assert planned == {"evaluation": "ev-1", "sessions": None}
    assert printed(capsys, "EvaluationStopped", *stop, "--yes")["sessions"] == 1
    stopped = [call["executionArn"].rpartition(":")[2] for kind, call in stack.states.calls if kind == "stop"]
    assert stopped == ["ev-1", "ev-1-002"]
    assert run(*stop, "--yes") == 0
    assert "Stopped, with 1 sessions." in capsys.readouterr().out


def test_a_dry_run_shows_tasks_or_the_exact_call(stack: Cloud, capsys: pytest.CaptureFixture[str]) -> None:
    """Without a budget the tasks, with one what would be started; nothing is."""
    assert run("evaluate", "--tasks", "tasks.jsonl", "--dry-run", "--json") == 0
    assert matches("EvaluationTasks", json.loads(capsys.readouterr().out))
    assert run("evaluate", "--tasks", "tasks.jsonl", "--dry-run") == 0
    assert "Totals are wrong" in capsys.readouterr().out
    assert run(*NEW, "--dry-run", "--json") == 0
    document = json.loads(capsys.readouterr().out)
    assert matches("EvaluationStart", document)
    assert json.loads(document["request"]["input"])["runs"][0]["name"] == "ev-1-001"
    assert run(*NEW, "--dry-run") == 0
    assert "ev-1-002  2" in capsys.readouterr().out
    assert stack.states.calls == []


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["evaluate"], "--from-closed-prs N, or --tasks FILE"),
        (["evaluate", "--tasks", "tasks.jsonl"], "--budget: say how many dollars"),
        ([*NEW[:-1], "Ev 1"], "--id: Ev 1: a small letter"),
        ([*NEW[:3], "--budget", "4"], "one session may cost 5 dollars, and all together 4"),
        ([*NEW, "--repeat", "20", *(["--model", "m"] * 13)], "520 runs"),
        (["evaluate", "ev-1", "--tasks", "tasks.jsonl"], "not both"),
        (["evaluate", "--stop"], "name the evaluation to stop"),
    ],
)
def test_what_cannot_be_evaluated_is_refused_before_anything_starts(
    stack: Cloud, capsys: pytest.CaptureFixture[str], arguments: list[str], words: str
) -> None:
    """With the option, the problem and the remedy."""
    assert run(*arguments) == 2
    assert words in capsys.readouterr().err
    assert stack.states.calls == []


def test_an_evaluation_that_nobody_began_is_missing(stack: Cloud, capsys: pytest.CaptureFixture[str]) -> None:
    """So is one that another release wrote in a form that cannot be read."""
    assert run("evaluate", "ev-2") == 41
    assert "no evaluation ev-2" in capsys.readouterr().err
    stack.s3.put_object(Bucket=BUCKET, Key="evaluations/ev-2/plan.json", Body=b"{}")
    assert run("evaluate", "ev-2") == 44


def test_tasks_are_found_with_the_operators_token(
    stack: Cloud, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """They are written to a file, with what was left out on standard error."""
    assert stack.states.calls == []
    answers = Answers([pull(9, issue()), pull(8)])
    monkeypatch.setattr(
        finding, "GitHubClient", lambda url, token: GitHubClient(url, token, transport=answers)
    )
    monkeypatch.setenv("GITHUB_TOKEN", "t")
    found = ("evaluate", "--from-closed-prs", "2", "--repo", "octo/widgets", "--write-tasks", "found.jsonl")
    assert run(*found, "--dry-run") == 0
    captured = capsys.readouterr()
    assert "#8 is no task: it closed no issue." in captured.err
    assert "1 tasks were found, not 2." in captured.err
    assert len(Path("found.jsonl").read_text().splitlines()) == 1
    answers = Answers([pull(8)])
    assert run(*found, "--dry-run") == 47


def test_a_token_comes_from_the_environment_or_from_gh(monkeypatch: pytest.MonkeyPatch) -> None:
    """GH_TOKEN before GITHUB_TOKEN, as gh itself has it; then the sign-in for the host."""
    assert finding.find_token({"GH_TOKEN": "a", "GITHUB_TOKEN": "b"}, "https://api.github.com") == "a"
    seen: list[list[str]] = []

    def gh(command: list[str], **_: Any) -> subprocess.CompletedProcess[str]:
        seen.append(command)
        return subprocess.CompletedProcess(command, 0, stdout="c\n")

    monkeypatch.setattr("subprocess.run", gh)
    assert finding.find_token({}, "https://ghe.example/api/v3") == "c"
    assert finding.find_token({}, "https://api.github.com") == "c"
    assert [command[-1] for command in seen] == ["ghe.example", "github.com"]

    def missing(*_: Any, **__: Any) -> None:
        raise FileNotFoundError

    monkeypatch.setattr("subprocess.run", missing)
    with pytest.raises(CliError, match="set GITHUB_TOKEN"):
        finding.find_token({}, "https://api.github.com")


@given(
    tasks=st.integers(1, 20),
    models=st.lists(st.sampled_from(["a", "b", "c"]), unique=True),
    repeat=st.integers(1, 5),
)
def test_every_task_runs_once_in_each_variant_and_repeat(tasks: int, models: list[str], repeat: int) -> None:
    """Sessions have different names; repeats come after all that is done once."""
    made = [TASKS[0].model_copy(update={"id": str(number)}) for number in range(tasks)]
    plan = make_plan(
        "ev-1",
        made,
        models=models,
        workers=[],
        repeat=repeat,
        budget_usd=1,
        limits={},
        concurrency=1,
        stub=True,
    )
    count = tasks * max(len(models), 1) * repeat
    assert count <= MOST_RUNS
    assert len({found.session for found in plan.runs}) == len(plan.runs) == count
    assert len({(found.task, found.variant, found.repeat) for found in plan.runs}) == count
    assert [found.repeat for found in plan.runs] == sorted(found.repeat for found in plan.runs)
