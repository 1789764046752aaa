"""Each way in which a command can be refused: its message, its exit code, and that nothing is begun.

Answers are what AWS sends, byte by byte, and botocore reads them. The table of all cases is in
docs/command-failures.md.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
from functools import cache
from pathlib import Path
from typing import Any

import botocore.session
import pytest

from pullwright import errors
from pullwright_cli.aws import Stack
from pullwright_cli.failures import explained
from tests.unit.cli_kit import run
from tests.unit.wire_kit import Answer, Wire, connected, refused, stacks

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "command-failures.md"
ROW = re.compile(r"\| .+ \| (?:`(\w+)`|wrong usage|interrupted|none) \| (\d+|none) \| .+ \| `(test_\w+)` \|")
ID = "implement-42-7d4a0d8e-9bb2-11f0-8de9-0242ac120002"
SERVICES = (
    *("acm", "bedrock-runtime", "cloudformation", "cloudwatch", "dynamodb", "ec2", "ecr", "ecs", "elbv2"),
    *("events", "lambda", "logs", "s3", "secretsmanager", "service-quotas", "sqs", "ssm", "stepfunctions"),
    "sts",
)
"""Those that the command asks."""


@pytest.fixture
def wire(monkeypatch: pytest.MonkeyPatch) -> Wire:
    """Provide AWS, with a stack `s`; no retry waits."""
    made, wires = connected()
    wires[:] = [Wire()]
    wires[0].answers["DescribeStacks"] = stacks("s")
    monkeypatch.setattr(Stack, "session", made)
    monkeypatch.setattr("time.sleep", lambda _: None)
    return wires[0]


MISSING = refused("ValidationError", "Stack with id s does not exist")
DENIED = "User: arn:aws:iam::123456789012:user/u is not authorized to perform: cloudformation:DescribeStacks"
LIST, SHOW, RUN = ("sessions",), ("artifacts", ID), ("run", "--repo", "o/r", "Mend it")
# Case, answers, command, exit code, what is said.
CASES: list[tuple[str, dict[str, Answer], tuple[str, ...], int, tuple[str, ...]]] = [
    (
        "missing stack",
        {"DescribeStacks": MISSING, "DescribeStacks all": stacks()},
        (*LIST, "--stack-name", "s"),
        30,
        ("There is no stack s in eu-central-1.", "--stack-name", "--region", "--profile"),
    ),
    (
        "missing stack, another one",
        {"DescribeStacks": MISSING, "DescribeStacks all": stacks("other")},
        (*RUN, "--stack-name", "s"),
        30,
        ("no stack s in eu-central-1; there is other.", "--stack-name other"),
    ),
    (
        "two stacks",
        {"DescribeStacks": MISSING, "DescribeStacks all": stacks("a", "b")},
        LIST,
        31,
        ("pullwright-default", "there are a, b.", "Name one of them with --stack-name."),
    ),
    (
        "half-deleted stack",
        {"DescribeStacks": stacks("s", status="DELETE_FAILED")},
        (*RUN, "--stack-name", "s"),
        32,
        ("The stack s in eu-central-1 is DELETE_FAILED.", "sam delete"),
    ),
    (
        "the table is gone",
        {"Query": refused("ResourceNotFoundException", "Requested resource not found", as_json=True)},
        LIST,
        32,
        ("Query (ResourceNotFoundException)", "pullwright doctor"),
    ),
    (
        "the bucket is gone",
        {"ListObjectsV2": refused("NoSuchBucket", "The specified bucket does not exist", 404)},
        SHOW,
        32,
        ("ListObjectsV2 (NoSuchBucket)", "pullwright doctor"),
    ),
    (
        "the state machine is gone",
        {"StartExecution": refused("StateMachineDoesNotExist", "State Machine Does Not Exist", as_json=True)},
        RUN,
        32,
        ("StartExecution (StateMachineDoesNotExist)", "pullwright doctor"),
    ),
    (
        "missing output",
        {"DescribeStacks": stacks("s", without="SessionsTable")},
        (*RUN, "--stack-name", "s"),
        33,
        ("The stack s has no output SessionsTable.", "sam deploy"),
    ),
    (
        "expired credentials",
        {
            "DescribeStacks": refused(
                "ExpiredToken", "The security token included in the request is expired", 403
            )
        },
        (*LIST, "--profile", "team"),
        35,
        ("DescribeStacks (ExpiredToken)", "aws sso login --profile team"),
    ),
    (
        "wrong key",
        {
            "DescribeStacks": refused(
                "InvalidClientTokenId", "The security token included in the request is invalid.", 403
            )
        },
        LIST,
        36,
        # AWS says the same of a right key in a region that the account has not enabled.
        ("(InvalidClientTokenId)", "aws sts get-caller-identity", "enabled"),
    ),
    (
        "wrong secret",
        {"DescribeStacks": refused("SignatureDoesNotMatch", "Signature not yet current", 403)},
        RUN,
        36,
        ("(SignatureDoesNotMatch)", "clock"),
    ),
    (
        "missing right",
        {"DescribeStacks": refused("AccessDenied", DENIED, 403)},
        RUN,
        37,
        ("not authorized to perform: cloudformation:DescribeStacks", "Have the named action allowed"),
    ),
    (
        "throttling",
        {"DescribeStacks": refused("Throttling", "Rate exceeded")},
        RUN,
        39,
        ("(Throttling): Rate exceeded", "in a minute"),
    ),
]


@pytest.mark.parametrize(
    ("answers", "command", "code", "words"), [case[1:] for case in CASES], ids=[case[0] for case in CASES]
)
def test_what_aws_refuses_is_told(
    *,
    answers: dict[str, Answer],
    command: tuple[str, ...],
    code: int,
    words: tuple[str, ...],
    wire: Wire,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    """One sentence names the thing and the problem, another the remedy; nothing is printed for programs."""
    monkeypatch.chdir(tmp_path)
    wire.answers |= answers
    assert run(*command) == code
    printed = capsys.readouterr()
    assert printed.out == ""
    assert [word for word in words if word not in printed.err] == []
    assert len(printed.err.splitlines()) == 1
    assert list(tmp_path.iterdir()) == []
    if code == errors.AwsThrottled.exit_code:
        assert wire.calls == ["DescribeStacks"] * 5


def test_a_stack_of_another_region_is_missed_in_the_one_that_was_asked(
    wire: Wire, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The region stands in the sentence whoever named it, and the remedy names the option."""
    monkeypatch.setattr(Stack, "place", "us-east-1")
    wire.answers |= {"DescribeStacks": MISSING, "DescribeStacks all": stacks()}
    assert run("sessions", "--stack-name", "s", "--region", "us-east-1") == errors.StackMissing.exit_code
    said = capsys.readouterr().err
    assert "There is no stack s in us-east-1." in said
    assert "its place with --region and --profile" in said


@pytest.mark.parametrize(
    ("variables", "options", "code", "words"),
    [
        ({"AWS_DEFAULT_REGION": "eu-central-1"}, (), 34, "--profile"),
        ({"AWS_DEFAULT_REGION": "eu-central-1"}, ("--profile", "nowhere"), 34, "nowhere"),
        ({"AWS_ACCESS_KEY_ID": "AKIDEXAMPLE"}, ("--region", "eu-central-1"), 34, "--profile"),
        ({"AWS_ACCESS_KEY_ID": "AKIDEXAMPLE", "AWS_SECRET_ACCESS_KEY": "x"}, (), 38, "AWS_REGION"),
        ({}, ("--region", "eu central"), 38, "--region"),
    ],
)
def test_settings_that_lack_something_are_told(
    variables: dict[str, str],
    options: tuple[str, ...],
    code: int,
    words: str,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """No credentials, half of them, an unknown profile, no region, or a name that no region can have."""
    for name in (
        "AWS_REGION",
        "AWS_DEFAULT_REGION",
        "AWS_PROFILE",
        "AWS_ACCESS_KEY_ID",
        "AWS_SECRET_ACCESS_KEY",
    ):
        monkeypatch.delenv(name, raising=False)
    for name in ("AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE"):
        monkeypatch.setenv(name, "/dev/null")
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    assert run("sessions", "--stack-name", "s", *options) == code
    assert words in capsys.readouterr().err


@cache
def _codes() -> frozenset[str]:
    """Return the codes of all errors that botocore's models of the services describe."""
    loaded = botocore.session.get_session()
    shapes = [shape for name in SERVICES for shape in loaded.get_service_model(name).error_shapes]
    return frozenset(shape.metadata.get("error", {}).get("code", shape.name) for shape in shapes)


@pytest.mark.parametrize(
    ("pattern", "expected"),
    [
        ("AccessDenied|AccessForbidden", errors.RightMissing),
        ("Throttl|TooManyRequests|SlowDown|^RequestLimit", errors.AwsThrottled),
        ("^ExpiredToken", errors.CredentialsExpired),
        ("^UnrecognizedClient", errors.CredentialsRefused),
        ("^RegionDisabled", errors.RegionMissing),
        (
            "^(NoSuchBucket|(Table|Resource|Cluster|Repository)NotFoundExc|StateMachineDoesNotExist)",
            errors.StackIncomplete,
        ),
    ],
)
def test_all_errors_of_a_kind_that_services_describe_are_taken_for_it(
    pattern: str, expected: type[errors.PullwrightError]
) -> None:
    """The services' own models in botocore name them, so that a new one is noticed."""
    codes = {code for code in _codes() if re.search(pattern, code)}
    assert codes
    for code in codes:
        refusal = botocore.exceptions.ClientError({"Error": {"Code": code, "Message": "no"}}, "Call")
        assert type(explained(refusal)) is expected, code


def test_the_services_are_those_that_the_command_asks() -> None:
    """A command that asks another one adds it to the list."""
    source = "".join(path.read_text(encoding="utf-8") for path in (ROOT / "cli").rglob("*.py"))
    assert set(re.findall(r"client\(\"([a-z0-9-]+)\"\)", source)) == set(SERVICES)


def test_a_full_disk_behind_the_output_is_no_defect(
    wire: Wire, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The kernel's /dev/full takes nothing: what was printed and what waits in the buffer is lost."""
    wire.answers["Query"] = Answer(200, {"Items": [], "Count": 0, "ScannedCount": 0})
    with open("/dev/full", "w", encoding="utf-8") as full, monkeypatch.context() as patch:  # noqa: PTH123 - a device
        patch.setattr("sys.stdout", full)
        assert run("sessions", "--json") == errors.NotSaved.exit_code
        full.flush()
    said = json.loads(capsys.readouterr().err)
    assert said["sentence"] == "The output could not be written: No space left on device."


# The signal comes when a module is looked for, which is a place that every run passes.
SIGNALLED = """
import os, signal, sys
class Finder:
    def find_spec(self, name, path=None, target=None):
        if name == module:
            os.kill(os.getpid(), signal.SIGINT)
module = sys.argv.pop(1)
sys.meta_path.insert(0, Finder())
from pullwright_cli.__main__ import main
main()
"""


@pytest.mark.parametrize("module", ["typer", "pullwright_cli.aws", "pullwright_cli.failures"])
def test_ctrl_c_leaves_no_traceback(module: str) -> None:
    """While it is imported, while it begins, and while it says what is wrong: 130, as of all programs."""
    variables = {"AWS_EC2_METADATA_DISABLED": "true", "AWS_CONFIG_FILE": "/dev/null", "HOME": "/nonexistent"}
    options = ("sessions", "--stack-name", "s", "--region", "eu-central-1")
    ended = subprocess.run(
        [sys.executable, "-c", SIGNALLED, module, *options],
        capture_output=True,
        text=True,
        env=variables,
        check=False,
    )
    assert (ended.returncode, ended.stdout, ended.stderr) == (130, "", "")


def test_ctrl_c_while_aws_is_asked_begins_nothing(wire: Wire, monkeypatch: pytest.MonkeyPatch) -> None:
    """The call for the stack is under way; no session is started."""

    def interrupt(_: Any, **event: Any) -> None:
        wire.calls.append(event["event_name"].rpartition(".")[2])
        raise KeyboardInterrupt

    monkeypatch.setattr(Wire, "answer", interrupt)
    assert run(*RUN) == 130
    assert wire.calls == ["DescribeStacks"]


@pytest.mark.parametrize("command", [("show",), ("show", "--watch"), ("retry",), ("artifacts",), ("logs",)])
def test_a_record_of_a_later_release_is_not_guessed_at(
    command: tuple[str, ...], wire: Wire, capsys: pytest.CaptureFixture[str]
) -> None:
    """Every command that reads one says so, in place of a status that it does not know."""
    item = {"pk": {"S": f"SESSION#{ID}"}, "status": {"S": "PAUSED"}}
    listed = "<ListBucketResult><IsTruncated>false</IsTruncated></ListBucketResult>"
    wire.answers |= {
        "GetItem": Answer(200, {"Item": item}),
        "ListObjectsV2": Answer(200, listed),
        "DescribeExecution": Answer(200, {"status": "SUCCEEDED", "input": "{}", "startDate": 1}),
        "GetExecutionHistory": Answer(200, {"events": []}),
    }
    assert run(*command, ID) == errors.RecordTooNew.exit_code
    assert "'PAUSED', which this release does not know. Install the release" in capsys.readouterr().err
    assert "StartExecution" not in wire.calls


FORGOTTEN = refused("ExecutionDoesNotExist", "Execution Does Not Exist", as_json=True)


@pytest.mark.parametrize(
    ("command", "code"),
    [
        (("show",), 41),
        (("show", "--watch"), 42),
        (("retry",), 41),
        (("stop",), 41),
        (("artifacts",), 41),
        (("logs",), 41),
    ],
)
def test_a_session_that_neither_table_nor_step_functions_know_is_told(
    command: tuple[str, ...], code: int, wire: Wire, capsys: pytest.CaptureFixture[str]
) -> None:
    """Its id stands in the sentence, and the remedy lists those that there are."""
    listed = "<ListBucketResult><IsTruncated>false</IsTruncated></ListBucketResult>"
    wire.answers |= {
        "GetItem": Answer(200, {}),
        "ListObjectsV2": Answer(200, listed),
        "DescribeExecution": FORGOTTEN,
        "GetExecutionHistory": FORGOTTEN,
    }
    assert run(*command, ID) == code
    said = capsys.readouterr().err
    assert ID in said
    assert "pullwright sessions" in said or code == errors.ExecutionForgotten.exit_code


def test_the_page_has_each_case_with_its_code_and_a_test() -> None:
    """The codes are those of the classes, and the tests exist."""
    rows = [line for line in PAGE.read_text(encoding="utf-8").splitlines() if line.startswith("| ")][2:]
    found = [ROW.fullmatch(row) for row in rows]
    assert [row for row, match in zip(rows, found, strict=True) if match is None] == []
    tests = "".join(path.read_text(encoding="utf-8") for path in Path(__file__).parent.rglob("test_*.py"))
    classes = errors.error_classes()
    for match in found:
        assert match is not None
        name, code, test = match.groups()
        assert f"def {test}(" in tests, test
        assert name is None or str(classes[name].exit_code) == code, name
    assert len(found) >= len(CASES)
