"""What a failure means for whoever called the command: one of our errors, with what to do about it.

Codes of AWS:
https://docs.aws.amazon.com/STS/latest/APIReference/CommonErrors.html
https://docs.aws.amazon.com/general/latest/gr/api-retries.html
"""

from __future__ import annotations

import errno
import os

from botocore import exceptions as botocore_errors
from botocore.exceptions import BotoCoreError, ClientError

from pullwright import errors
from pullwright.errors import PullwrightError

_EXPIRED = frozenset({"ExpiredToken", "ExpiredTokenException", "RequestExpired", "TokenRefreshRequired"})
_REFUSED = frozenset(
    {
        "AuthFailure",
        "IncompleteSignature",
        "InvalidAccessKeyId",
        "InvalidClientTokenId",
        "InvalidSignatureException",
        "MissingAuthenticationToken",
        "NotAuthorized",
        "RequestTimeTooSkewed",
        "SignatureDoesNotMatch",
        "UnrecognizedClientException",
    }
)
# HEAD requests of S3 have a number in place of a code.
_FORBIDDEN = frozenset(
    {
        "403",
        "AccessDenied",
        "AccessDeniedException",
        "DependencyAccessDeniedException",
        "EC2AccessDeniedException",
        "KMSAccessDeniedException",
        "KmsAccessDenied",
        "KmsAccessDeniedException",
        "OpsItemAccessDeniedException",
        "OptInRequired",
        "UnauthorizedOperation",
    }
)
# What an output of the stack names was deleted by other ways than the stack.
_GONE = frozenset(
    {
        "ClusterNotFoundException",
        "NoSuchBucket",
        "RepositoryNotFoundException",
        "ResourceNotFoundException",
        "StateMachineDoesNotExist",
        "TableNotFoundException",
    }
)
# The disk is full, over its quota, or read-only: nothing but writing fails so.
_NO_ROOM = frozenset({errno.EDQUOT, errno.EFBIG, errno.ENOSPC, errno.EROFS})
_THROTTLED = frozenset(
    {
        "BandwidthLimitExceeded",
        "ProvisionedThroughputExceededException",
        "RequestLimitExceeded",
        "RequestThrottled",
        "RequestThrottledException",
        "SlowDown",
        "ThrottledException",
        "Throttling",
        "ThrottlingException",
        "TooManyRequestsException",
    }
)
# The services that the called one calls itself.
_THROTTLED_BEHIND = frozenset({"EC2ThrottledException", "KmsThrottled", "KmsThrottlingException"})
_OF_CODES: tuple[tuple[frozenset[str], type[PullwrightError]], ...] = (
    (_REFUSED, errors.CredentialsRefused),
    (_FORBIDDEN, errors.RightMissing),
    (_THROTTLED | _THROTTLED_BEHIND, errors.AwsThrottled),
    (frozenset({"RegionDisabledException"}), errors.RegionMissing),
)
_SIGN_IN = (
    botocore_errors.LoginRefreshRequired,
    botocore_errors.LoginTokenLoadError,
    botocore_errors.SSOError,
    botocore_errors.TokenRetrievalError,
)
# The first that fits counts.
_OF_BOTOCORE: tuple[tuple[type[BotoCoreError], type[PullwrightError]], ...] = (
    (botocore_errors.ProfileNotFound, errors.CredentialsMissing),
    (botocore_errors.NoCredentialsError, errors.CredentialsMissing),
    (botocore_errors.PartialCredentialsError, errors.CredentialsMissing),
    (botocore_errors.CredentialRetrievalError, errors.CredentialsRefused),
    (botocore_errors.InvalidRegionError, errors.RegionMissing),
    (botocore_errors.NoRegionError, errors.RegionMissing),
    (botocore_errors.UnknownRegionError, errors.RegionMissing),
    (botocore_errors.HTTPClientError, errors.AwsUnreachable),
    (botocore_errors.ConnectionError, errors.AwsUnreachable),
)


def explained(error: BaseException, profile: str = "") -> PullwrightError | None:
    """Return what a failure is for the operator; None for a defect of the command's own.

    Args:
        profile: that was named, for what to sign in to again.
    """
    cause = error.__cause__ if isinstance(error, errors.AwsUnavailable) else error
    if isinstance(cause, ClientError):
        return _of_answer(cause, profile)
    if isinstance(cause, BotoCoreError):
        return _of_botocore(cause, profile)
    if isinstance(cause, OSError) and cause.errno in _NO_ROOM:
        return errors.NotSaved(f"{cause.filename or 'The output'} could not be written: {cause.strerror}.")
    return error if isinstance(error, PullwrightError) else None


def sign_in(profile: str) -> str:
    """Return the command that renews a profile's sign-in."""
    profile = profile or os.environ.get("AWS_PROFILE", "")
    return f"aws sso login --profile {profile}" if profile else "aws sso login"


def _of_answer(error: ClientError, profile: str) -> PullwrightError:
    found = error.response.get("Error", {})
    code, call = found.get("Code", ""), error.operation_name
    text = f"AWS refused {call} ({code}): {found.get('Message', 'without a reason')}"
    if code in _EXPIRED:
        return errors.CredentialsExpired(
            text, remedy=f"Sign in again with `{sign_in(profile)}`, or get new credentials, and run it again."
        )
    if code in _GONE:
        return errors.StackIncomplete(
            f"Something that the stack consists of is gone. {text}",
            remedy="`pullwright doctor` says what is missing; `pullwright deploy` makes it again.",
        )
    found_class = next((ours for codes, ours in _OF_CODES if code in codes), errors.AwsUnavailable)
    return found_class(text)


def _of_botocore(error: BotoCoreError, profile: str) -> PullwrightError:
    text = f"{str(error).rstrip('.')}."
    if isinstance(error, _SIGN_IN):
        return errors.CredentialsExpired(
            f"The sign-in to AWS has expired or was never made: {text}",
            remedy=f"Run `{sign_in(profile)}`, then this command again.",
        )
    found = next((ours for theirs, ours in _OF_BOTOCORE if isinstance(error, theirs)), errors.AwsUnavailable)
    return found(text)
