"""How a command ends when AWS does not answer, or not as hoped: a sentence, a remedy and an exit code."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from botocore import exceptions as botocore_errors
from botocore.exceptions import ClientError
from botocore.retries.standard import ThrottledRetryableChecker

from pullwright import errors
from pullwright.aws import calling
from pullwright_cli import options
from pullwright_cli.app import main
from pullwright_cli.aws import Stack
from pullwright_cli.errors import CliError
from pullwright_cli.failures import _THROTTLED, explained

if TYPE_CHECKING:
    from collections.abc import Callable

    from pullwright.errors import PullwrightError

LIST = ("workers", "list", "--repo", "acme/app")


def answer(code: str, message: str = "no") -> ClientError:
    """Return a call that AWS refused."""
    return ClientError({"Error": {"Code": code, "Message": message}}, "Query")


CASES: list[tuple[BaseException, type[PullwrightError], str]] = [
    # Codes and texts as users report them.
    (answer("ExpiredToken"), errors.CredentialsExpired, "aws sso login --profile team"),
    (answer("ExpiredTokenException"), errors.CredentialsExpired, "aws sso login"),
    (answer("InvalidClientTokenId"), errors.CredentialsRefused, "aws sts get-caller-identity"),
    (answer("UnrecognizedClientException"), errors.CredentialsRefused, "clock"),
    (answer("SignatureDoesNotMatch"), errors.CredentialsRefused, "clock"),
    (
        answer("AccessDeniedException", "User: u is not authorized to perform: dynamodb:Query"),
        errors.RightMissing,
        "dynamodb:Query",
    ),
    (answer("AccessDenied"), errors.RightMissing, "Query (AccessDenied)"),
    (answer("ThrottlingException"), errors.AwsThrottled, "in a minute"),
    (answer("ProvisionedThroughputExceededException"), errors.AwsThrottled, "in a minute"),
    (answer("InternalServerError"), errors.AwsUnavailable, "InternalServerError"),
    (botocore_errors.NoCredentialsError(), errors.CredentialsMissing, "--profile"),
    (botocore_errors.ProfileNotFound(profile="x"), errors.CredentialsMissing, "list-profiles"),
    (botocore_errors.NoRegionError(), errors.RegionMissing, "AWS_REGION"),
    (botocore_errors.InvalidRegionError(region_name="e u"), errors.RegionMissing, "--region"),
    (botocore_errors.UnauthorizedSSOTokenError(), errors.CredentialsExpired, "aws sso login --profile team"),
    (botocore_errors.SSOTokenLoadError(error_msg="x"), errors.CredentialsExpired, "aws sso login"),
    (
        botocore_errors.TokenRetrievalError(provider="sso", error_msg="Token has expired"),
        errors.CredentialsExpired,
        "aws sso login",
    ),
    (
        botocore_errors.CredentialRetrievalError(provider="process", error_msg="x"),
        errors.CredentialsRefused,
        "process",
    ),
    (
        botocore_errors.EndpointConnectionError(endpoint_url="https://x"),
        errors.AwsUnreachable,
        "AWS_ENDPOINT_URL",
    ),
    (botocore_errors.ReadTimeoutError(endpoint_url="https://x"), errors.AwsUnreachable, "network"),
    (errors.ArtifactsExpired("They are gone."), errors.ArtifactsExpired, "They are gone."),
]


@pytest.mark.parametrize(("error", "expected", "words"), CASES)
def test_every_failure_of_aws_has_a_class_and_a_remedy(
    error: BaseException, expected: type[PullwrightError], words: str
) -> None:
    """Exceptions of botocore and AWS's codes, as they are raised."""
    found = explained(error, "team")
    assert type(found) is expected
    assert words in f"{found.sentence} {found.remedy}"


@pytest.mark.parametrize(("error", "expected", "_words"), CASES[:10])
def test_what_the_functions_made_of_a_failure_is_looked_through(
    error: BaseException, expected: type[PullwrightError], _words: str
) -> None:
    """`calling` keeps the cause, which says more."""
    with pytest.raises(errors.AwsUnavailable) as caught, calling("read the table"):
        raise error
    assert type(explained(caught.value)) is expected


def test_all_that_botocore_takes_for_throttling_is_told_as_such() -> None:
    """The list is botocore's, without the two codes that DynamoDB and Step Functions use otherwise."""
    theirs = set(ThrottledRetryableChecker._THROTTLED_ERROR_CODES)  # type: ignore[attr-defined] # private
    other = {"TransactionInProgressException", "LimitExceededException", "PriorRequestNotComplete"}
    assert theirs - other - {"EC2ThrottledException"} == _THROTTLED


def test_exit_codes_of_the_commands_own_are_told_apart() -> None:
    """No two share one, and none is that of a session's end, of a shell, or of a signal."""
    names = {name: found for name, found in errors.error_classes().items() if "commands" in found.__module__}
    codes = [found.exit_code for found in names.values()]
    assert len(set(codes)) == len(codes) >= 18
    assert all(30 <= code < 126 for code in codes)
    others = {found.exit_code for name, found in errors.error_classes().items() if name not in names}
    assert not others & set(codes)


@pytest.fixture
def failing(monkeypatch: pytest.MonkeyPatch) -> Callable[[BaseException], None]:
    """Provide what makes the table's reader fail."""

    def fail(error: BaseException) -> None:
        def raise_it(_: Stack) -> None:
            raise error

        monkeypatch.setattr(Stack, "table", raise_it)

    return fail


def run(*arguments: str) -> int:
    """Exit code of a command in this process."""
    with pytest.raises(SystemExit) as ended:
        main(list(arguments))
    return int(ended.value.code or 0)


def test_a_failure_is_one_sentence_with_its_remedy(
    failing: Callable[[BaseException], None], capsys: pytest.CaptureFixture[str]
) -> None:
    """On standard error, and nothing on standard output."""
    failing(botocore_errors.UnauthorizedSSOTokenError())
    assert run(*LIST, "--profile", "team") == 35
    printed = capsys.readouterr()
    assert printed.out == ""
    assert "Run `aws sso login --profile team`, then this command again." in printed.err
    assert run(*LIST, "--profile=team") == 35
    assert "--profile team`" in capsys.readouterr().err


def test_with_json_the_failure_is_json_too(
    failing: Callable[[BaseException], None], capsys: pytest.CaptureFixture[str]
) -> None:
    """A script reads the class from standard error."""
    failing(answer("ThrottlingException"))
    assert run(*LIST, "--json") == 39
    printed = capsys.readouterr()
    assert printed.out == ""
    assert json.loads(printed.err)["error"] == "AwsThrottled"


def test_a_defect_has_no_traceback_unless_asked_for(
    failing: Callable[[BaseException], None],
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """It is called a defect, with its type, and how to see more."""
    failing(KeyError("x"))
    monkeypatch.delenv("PULLWRIGHT_TRACEBACK", raising=False)
    assert run(*LIST) == 1
    assert "a defect of this command: KeyError: 'x' Set PULLWRIGHT_TRACEBACK=1" in capsys.readouterr().err
    monkeypatch.setenv("PULLWRIGHT_TRACEBACK", "1")
    with pytest.raises(KeyError):
        main(list(LIST))


def test_an_interrupt_is_130(failing: Callable[[BaseException], None]) -> None:
    """As of every program that Ctrl-C ends."""
    failing(KeyboardInterrupt())
    assert run(*LIST) == 130


class Answering:
    """A standard input.

    Args:
        is_terminal: whether somebody sits there.
    """

    def __init__(self, text: str, *, is_terminal: bool) -> None:
        self.readline = lambda: text
        self.isatty = lambda: is_terminal


@pytest.mark.parametrize(
    ("stdin", "yes", "words"),
    [
        (Answering("", is_terminal=False), True, None),
        (Answering("y\n", is_terminal=True), False, None),
        (Answering("YES\n", is_terminal=True), False, None),
        (Answering("\n", is_terminal=True), False, "nothing was changed"),
        (Answering("", is_terminal=True), False, "nothing was changed"),
        (Answering("y\n", is_terminal=False), False, "say --yes"),
    ],
)
def test_what_cannot_be_undone_is_asked_for(
    *, stdin: Any, yes: bool, words: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without a terminal the answer is never taken from what happens to stand in the input."""
    monkeypatch.setattr("sys.stdin", stdin)
    if words is None:
        options.confirm("Stop it?", yes=yes)
    else:
        with pytest.raises(CliError, match=words):
            options.confirm("Stop it?", yes=yes)
