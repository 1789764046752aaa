"""What holds of the state machines without running them."""

from __future__ import annotations

import copy
import json
import re
from typing import TYPE_CHECKING, Any

import pytest

from pullwright import errors
from pullwright.github.budget import FIRST_PAUSE_SECONDS, LONGEST_PAUSE_SECONDS
from pullwright.models import Failure, OpenedPullRequest
from pullwright.previewing.models import PreparedPreview, PreviewVerdict
from pullwright.record import SessionRecord
from pullwright.reporting import classify
from pullwright.results import Verdict
from statemachine.graph import BEGIN, END, embed, graph, main
from tests.template.kit import (
    DEFINITION,
    EVALUATION,
    PREVIEW,
    TEMPLATE,
    definition,
    placeholders,
    resources,
    states,
    strings,
    tasks,
    template,
)

if TYPE_CHECKING:
    from pathlib import Path

STATES: dict[str, dict[str, Any]] = definition()["States"]
EVERY_MACHINE = pytest.mark.parametrize("path", [DEFINITION, EVALUATION, PREVIEW], ids=lambda path: path.stem)
AWS_ERRORS = {
    "States.ALL",
    "States.TaskFailed",
    "States.Timeout",
    "Lambda.AWSLambdaException",
    "Lambda.ClientExecutionTimeoutException",
    "Lambda.SdkClientException",
    "Lambda.ServiceException",
    "Lambda.TooManyRequestsException",
    "Lambda.Unknown",
    "Runtime.ExitError",
    "Sandbox.Timedout",
    "DynamoDb.TransactionCanceledException",
    "AmazonECS.Unknown",
    "ECS.AmazonECSException",
    "ECS.ClientException",
    "ECS.InvalidParameterException",
    "ECS.LimitExceededException",
    "ECS.SdkClientException",
    "ECS.ServerException",
    "ECS.ServiceUnavailableException",
    "ECS.ThrottlingException",
}
# https://docs.aws.amazon.com/step-functions/latest/apireference/API_StartExecution.html#API_StartExecution_Errors
NAME_TAKEN = "StepFunctions.ExecutionAlreadyExistsException"
LIMITED = "GitHubRateLimited"
LONGEST_SESSION = (1440 + 15) * 60
"""Seconds: the most minutes that a request may ask for, and what RunAgent adds."""


NO_ROOM = STATES["CheckLaunch"]["Choices"][1]["Condition"]
"""When CheckLaunch lets RunAgent go on waiting for room."""


def _rounds(name: str) -> int:
    """Return how often a state may be entered, with its retries anew each time."""
    return 1 + (int(re.findall(r"\$waits < (\d+)", NO_ROOM)[0]) if name == "RunAgent" else 0)


def _waits(name: str, state: dict[str, Any]) -> int:
    seconds: int = sum(
        one["MaxAttempts"] * one["IntervalSeconds"] for one in state["Retry"] if one["BackoffRate"] == 1
    )
    return _rounds(name) * seconds


def _longest_wait() -> int:
    """Seconds that a session waits at most between two looks for a slot."""
    least, modulus = map(int, re.findall(r"[0-9]+", STATES["WaitForSlot"]["Seconds"]))
    return least + modulus - 1


def _most_looks() -> int:
    (given_up,) = [
        one["Condition"] for one in STATES["CheckSlots"]["Choices"] if "$looks" in one["Condition"]
    ]
    return int(re.findall(r"[0-9]+", given_up)[0])


@EVERY_MACHINE
def test_every_state_says_what_it_is_for(path: Path) -> None:
    """A newcomer reads the machine from its comments."""
    assert all(state["Comment"] for state in states(path).values())


@EVERY_MACHINE
def test_every_task_has_an_end_and_a_second_try(path: Path) -> None:
    """Each task has a timeout and a retry, and every retry has jitter but the one for GitHub's rate limit."""
    for name, state in tasks(path).items():
        assert "TimeoutSeconds" in state, name
        retries = [one for one in state["Retry"] if LIMITED not in one["ErrorEquals"]]
        assert retries, name
        assert all(one["JitterStrategy"] == "FULL" for one in retries), name


def test_a_rate_limit_of_github_is_waited_for_a_minute_at_least() -> None:
    """Never sooner than GitHub asks for where it names no time, and for longer than an hour's limit lasts.

    https://docs.github.com/en/rest/using-the-rest-api/rate-limits-for-the-rest-api#exceeding-the-rate-limit
    That a time which it names is kept is the functions' part: `tests/unit/test_github_pace.py`.
    """
    retries = {
        name: one
        for name, state in tasks().items()
        for one in state["Retry"]
        if LIMITED in one["ErrorEquals"]
    }
    assert set(retries) == {"OpenPullRequest"}
    retrier = retries["OpenPullRequest"]
    assert retrier["JitterStrategy"] == "NONE"
    assert (retrier["IntervalSeconds"], retrier["BackoffRate"]) == (FIRST_PAUSE_SECONDS, 1)
    assert retrier["MaxAttempts"] * FIRST_PAUSE_SECONDS > LONGEST_PAUSE_SECONDS


@EVERY_MACHINE
def test_no_error_passes_for_success(path: Path) -> None:
    """After the record exists every error is caught, and none of them leads straight to success.

    What fails in a branch of a Parallel state fails that state, which catches it.
    """
    parallel = {name: state for name, state in states(path).items() if state["Type"] == "Parallel"}
    inside = {
        name for state in parallel.values() for branch in state["Branches"] for name in branch["States"]
    }
    for name, state in (tasks(path) | parallel).items():
        if name in inside:
            continue
        catches = state.get("Catch", [])
        if name != definition(path)["StartAt"]:
            assert catches[-1]["ErrorEquals"] == ["States.ALL"], name
        assert not [one for one in catches if states(path)[one["Next"]]["Type"] == "Succeed"], name


def test_a_good_session_takes_eight_states() -> None:
    """From the start by way of each state's Next, and the first choice, there are eight states."""
    name, path = definition()["StartAt"], []
    while name:
        path.append(name)
        state = STATES[name]
        name = state.get("Next") or next((one["Next"] for one in state.get("Choices", [])), "")
    assert len(path) == 8
    assert STATES[path[-1]]["Type"] == "Succeed"
    assert sum(STATES[name].get("Resource", "").endswith("lambda:invoke") for name in path) == 2


def test_the_life_of_a_preview_takes_ten_states() -> None:
    """Those of both branches counted, and one more with pictures, of the twelve entries allowed."""
    assert set(states(PREVIEW)) - {"Failed"} == {
        *("RecordPreview", "PreparePreview", "ServePreview", "RunPreview", "RoutePreview"),
        *("WantScreenshots", "ShowScreenshots", "Shown"),
        *("RemovePreview", "Outcome", "Succeeded"),
    }


def test_the_machine_of_previews_reads_fields_that_the_models_have() -> None:
    """Every field of `$prepared` and `$verdict` in an expression is one that the functions answer."""
    text = PREVIEW.read_text(encoding="utf-8")
    assert set(re.findall(r"\$prepared\.(\w+)", text)) <= set(PreparedPreview.model_fields)
    assert set(re.findall(r"\$verdict\.(\w+)", text)) == set(PreviewVerdict.model_fields)
    (catch,) = states(PREVIEW)["RemovePreview"]["Catch"]
    PreviewVerdict.model_validate(catch["Assign"]["verdict"])


def test_a_preview_outlasts_all_its_waits() -> None:
    """The longest preview that may be asked for fits, and the longest start into RoutePreview.

    Full jitter halves the waits; ECS gets ten minutes to start the task.
    """
    waits = sum(_waits("", state) for state in tasks(PREVIEW).values())
    assert definition(PREVIEW)["TimeoutSeconds"] > waits + 168 * 3_600
    ready = states(PREVIEW)["RoutePreview"]["Retry"][0]
    assert ready["ErrorEquals"] == ["PreviewNotReady"]
    assert ready["MaxAttempts"] * ready["IntervalSeconds"] / 2 > 3_600 + 600


def test_a_function_ends_before_its_state_does() -> None:
    """The state waits longer than the function may run."""
    functions = resources("AWS::Serverless::Function")
    invoked = [
        (state["TimeoutSeconds"], functions[state["Arguments"]["FunctionName"].strip("${}")])
        for path in (DEFINITION, PREVIEW)
        for state in tasks(path).values()
        if "FunctionName" in state["Arguments"]
    ]
    assert len(invoked) == 6
    for seconds, function in invoked:
        assert seconds > function["Properties"]["Timeout"]


def test_the_machine_outlasts_all_its_waits() -> None:
    """Waiting for the branch, for a slot and for the longest session fits into the machine's own timeout.

    A task may be taken back just before the session's time is over, and the next one has all of it again.
    """
    waits = sum(_waits(name, state) for name, state in tasks().items())
    waits += _most_looks() * _longest_wait()
    assert waits > 6 * 3600
    assert definition()["TimeoutSeconds"] > waits + 2 * LONGEST_SESSION


def test_room_for_the_task_is_waited_for_as_long_as_a_slot() -> None:
    """The quota of vCPUs and Fargate's capacity get as much time as a slot; full jitter halves the waits."""
    for_room = STATES["RunAgent"]["Retry"][0]
    assert (for_room["BackoffRate"], for_room["JitterStrategy"]) == (1, "FULL")
    for_slot = _most_looks() * (10 + _longest_wait()) / 2
    assert _waits("RunAgent", {"Retry": [for_room]}) / 2 == pytest.approx(for_slot, rel=0.05)


def test_the_machine_and_the_verdict_mean_the_same_reasons() -> None:
    """CheckLaunch waits for room exactly where ReportOutcome says afterwards that there was none."""
    (pattern,) = re.findall(r"\$contains\(.*?, /(.*?)/\)", NO_ROOM)
    assert pattern == classify.NO_ROOM.pattern
    assert f"$task_error.Error = '{classify.QUOTA}'" in NO_ROOM


def test_no_wait_fills_the_history() -> None:
    """A session that waits for everything that can be waited for stays within 25,000 events.

    https://docs.aws.amazon.com/step-functions/latest/dg/service-quotas.html; a retried attempt is scheduled,
    started and failed, a look for a slot enters and leaves three states and is one call, a round of RunAgent
    enters and leaves two.
    """
    attempts = sum(
        _rounds(name) * one["MaxAttempts"] for name, state in tasks().items() for one in state["Retry"]
    )
    assert 3 * attempts + 4 * _rounds("RunAgent") + (2 + 5 + 2) * _most_looks() < 25_000
    # A reclaim is one of these rounds.
    (reclaim,) = [one for one in STATES["CheckLaunch"]["Choices"] if "$reclaims" in one["Condition"]]
    assert re.findall(r"\$waits < (\d+)", reclaim["Condition"]) == [str(_rounds("RunAgent") - 1)]
    assert reclaim["Assign"]["waits"] == "{% $waits + 1 %}"


def test_only_who_found_no_slot_looks_for_one() -> None:
    """Hundreds that wait read; they write only when there is room."""
    cancelled = ["DynamoDb.TransactionCanceledException"]
    assert STATES["AdmitSession"]["Retry"][0]["ErrorEquals"] == cancelled
    assert STATES["AdmitSession"]["Retry"][0]["MaxAttempts"] == 0
    catch = STATES["AdmitSession"]["Catch"][0]
    assert (catch["ErrorEquals"], catch["Next"]) == (cancelled, "WaitForSlot")
    assert [name for name, state in STATES.items() if state.get("Next") == "LookForSlot"] == ["WaitForSlot"]


def test_a_task_that_ran_is_never_retried() -> None:
    """RunAgent retries errors of RunTask by name, nothing that could have run."""
    retried = {name for one in STATES["RunAgent"]["Retry"] for name in one["ErrorEquals"]}
    assert all(name.startswith(("ECS.", "AmazonECS.")) for name in retried)


def test_a_relaunch_that_works_forgets_the_failed_launch() -> None:
    """ReportOutcome is not told of an error that a later launch made good."""
    assert STATES["RunAgent"]["Assign"]["task_error"] is None


def test_every_error_name_exists() -> None:
    """What the machine matches or raises is a class of ours or a name of AWS's."""
    ours = set(errors.error_classes())
    used = {
        name
        for path in (DEFINITION, EVALUATION, PREVIEW)
        for state in states(path).values()
        for one in [*state.get("Retry", []), *state.get("Catch", [])]
        for name in one["ErrorEquals"]
    }
    raised = set(re.findall(r'"[Ee]rror": "(\w+)"', DEFINITION.read_text(encoding="utf-8")))
    assert used <= ours | AWS_ERRORS | {NAME_TAKEN}
    assert used >= AWS_ERRORS | {NAME_TAKEN}
    assert raised == {"NoCapacity", "InternalError"}
    assert raised <= ours


def test_the_machines_own_verdict_is_a_verdict() -> None:
    """The verdict that stands in for a report that failed has the model's fields and its class."""
    (catch,) = STATES["ReportOutcome"]["Catch"]
    verdict = Verdict.model_validate(catch["Assign"]["verdict"])
    assert verdict.failure_class == Failure.of(errors.InternalError("x")).failure_class


def test_the_machine_reads_fields_that_the_models_have() -> None:
    """Every field of `$opened` and `$verdict` in an expression is one that the functions answer."""
    text = DEFINITION.read_text(encoding="utf-8")
    assert set(re.findall(r"\$opened\.(\w+)", text)) <= set(OpenedPullRequest.model_fields)
    assert set(re.findall(r"\$verdict\.(\w+)", text)) == set(Verdict.model_fields)


def test_every_attribute_that_the_machine_writes_is_in_the_record() -> None:
    """What RecordSession, AdmitSession and CloseSession write into a session's record, its model reads."""
    written = set(re.findall(r"'(\w+)': (?:\{'S'|\$type)", STATES["RecordSession"]["Arguments"]["Item"]))
    for state in ("AdmitSession", "CloseSession"):
        items = [item for item in STATES[state]["Arguments"]["TransactItems"] if isinstance(item, dict)]
        updates = [item["Update"] for item in items if "Update" in item]
        [update] = [update for update in updates if "SESSION#" in update["Key"]["pk"]["S"]]
        names = re.findall(r"([#\w]+) = ", update["UpdateExpression"])
        assert len(names) == update["UpdateExpression"].count("=")
        written |= {update["ExpressionAttributeNames"].get(name, name) for name in names}
    assert {"pk", "repository", "admitted_at", "ttl", "is_over"} <= written
    assert written <= {"pk", *SessionRecord.model_fields}


@pytest.mark.parametrize(
    ("name", "path"), [("AgentSession", DEFINITION), ("Evaluation", EVALUATION), ("Preview", PREVIEW)]
)
def test_the_template_fills_every_name_in(name: str, path: Path) -> None:
    """The machine's placeholders and the template's substitutions are the same."""
    machine = resources("AWS::Serverless::StateMachine")[name]
    assert set(machine["Properties"]["DefinitionSubstitutions"]) == placeholders(path)


def test_no_arn_names_a_partition() -> None:
    """Machine and template deploy to GovCloud and China too: the partition is always filled in."""
    for path in (DEFINITION, EVALUATION, PREVIEW, TEMPLATE):
        text = path.read_text(encoding="utf-8")
        assert re.findall(r"arn:aws[\w-]*:", text) == [], path.name
    every = [*tasks().values(), *tasks(EVALUATION).values(), *tasks(PREVIEW).values()]
    assert all(state["Resource"].startswith("arn:${Partition}:states:::") for state in every)


def test_the_machine_runs_a_revision_of_the_release() -> None:
    """What a session began with it ends with: the revision is named, stays, and may be run."""
    machine = resources("AWS::Serverless::StateMachine")["AgentSession"]
    task = template()["Resources"]["AgentTaskDefinition"]
    family = task["Properties"]["Family"]
    assert machine["Properties"]["DefinitionSubstitutions"]["TaskDefinition"] == {
        "Ref": "AgentTaskDefinition"
    }
    assert task["UpdateReplacePolicy"] == "Retain"
    role = template()["Resources"]["AgentSessionRole"]
    assert any(text.endswith(f":task-definition/{family['Fn::Sub']}:*") for text in strings(role))


def test_staging_is_the_releases_task_with_another_image() -> None:
    """A session tries an image, and nothing else; the machine may run it, and it outlives its replacement."""
    found = template()["Resources"]
    release, staging = (
        copy.deepcopy(found[name]) for name in ("AgentTaskDefinition", "StagingTaskDefinition")
    )
    family = staging["Properties"].pop("Family")["Fn::Sub"]
    assert family == f"{release['Properties'].pop('Family')['Fn::Sub']}-staging"
    [ran], [tried] = (it["Properties"]["ContainerDefinitions"] for it in (release, staging))
    image, values = tried.pop("Image")["Fn::Sub"]
    assert (image, values["Repository"]) == (
        "${Repository}:staging",
        ran.pop("Image")["Fn::Sub"][1]["Repository"],
    )
    assert staging == release
    machine = resources("AWS::Serverless::StateMachine")["AgentSession"]
    assert machine["Properties"]["DefinitionSubstitutions"]["StagingTaskDefinition"] == {
        "Ref": "StagingTaskDefinition"
    }
    assert any(text.endswith(f":task-definition/{family}:*") for text in strings(found["AgentSessionRole"]))


@EVERY_MACHINE
@pytest.mark.parametrize("unsupported", ["$uuid", "$hash", "$eval", "$random", "??", "?:", "$$"])
def test_expressions_keep_to_what_both_engines_know(path: Path, unsupported: str) -> None:
    """No expression uses what only one of AWS and the local engine supports."""
    assert not [text for text in strings(definition(path)) if text.startswith("{%") and unsupported in text]


@EVERY_MACHINE
def test_no_variable_stands_in_brackets_alone(path: Path) -> None:
    """The local engine does not see `$states` inside an array of an expression, so none is there."""
    expressions = [text for text in strings(definition(path)) if text.startswith("{%")]
    assert not [text for text in expressions if re.search(r"\[[^\[\]]*\$states", text)]


def test_the_graph_shows_every_state_and_every_way() -> None:
    """Each state is drawn, and each Next, Default and Catch is a line."""
    drawn = graph(definition())
    for name, state in STATES.items():
        assert re.search(rf"^    {name}[\[{{(]", drawn, re.MULTILINE)
        ways = [state.get("Next"), state.get("Default"), *(one["Next"] for one in state.get("Choices", []))]
        for target in filter(None, ways):
            assert re.search(rf"^    {name} -->(\|[^|]+\|)? {target}$", drawn, re.MULTILINE)
        for catch in state.get("Catch", []):
            assert re.search(rf"^    {name} -\.->\|[^|]+\| {catch['Next']}$", drawn, re.MULTILINE)


def test_a_parallel_state_is_drawn_as_a_frame() -> None:
    """Its branches stand in it, and the ways lead to and from the frame."""
    preview = definition(PREVIEW)
    lines = graph(preview).splitlines()
    frame = lines[lines.index("    subgraph ServePreview") + 1 : lines.index("    end")]
    assert [re.split(r"[\[{(]", line.strip())[0] for line in frame] == [
        *("RunPreview", "RoutePreview", "WantScreenshots", "ShowScreenshots", "Shown")
    ]
    assert "    PreparePreview --> ServePreview" in lines
    assert "    ServePreview -.->|any error| RemovePreview" in lines


def test_a_file_with_another_graph_is_found_and_mended(tmp_path: Any) -> None:
    """`--check` fails until `--write` has put the current graph between the markers; the rest stays."""
    readme = tmp_path / "README.md"
    other = json.loads(DEFINITION.read_text(encoding="utf-8"))
    other["StartAt"] = "Outcome"
    readme.write_text(embed(f"# Title\n\n{BEGIN}\n{END}\n\nThe end.\n", graph(other)), encoding="utf-8")

    assert main(["--check", str(readme)]) == 1
    assert main(["--write", str(readme)]) == 0
    assert main(["--check", str(readme)]) == 0
    assert readme.read_text(encoding="utf-8").startswith("# Title\n")
    assert readme.read_text(encoding="utf-8").endswith("\n\nThe end.\n")


def test_a_file_without_a_place_for_the_graph_is_said_so(
    tmp_path: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    """Without the markers nothing is written."""
    readme = tmp_path / "README.md"
    readme.write_text("# Title\n", encoding="utf-8")

    assert main(["--write", str(readme)]) == 1
    assert BEGIN in capsys.readouterr().err
    assert readme.read_text(encoding="utf-8") == "# Title\n"
