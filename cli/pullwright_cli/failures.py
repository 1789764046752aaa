"""What a failure means for whoever called the command: one of our errors, with what to do about it.

Codes of AWS:
https://docs.aws.amazon.com/STS/latest/APIReference/CommonErrors.html
https://docs.aws.amazon.com/general/latest/gr/api-retries.html
"""

from __future__ import annotations

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
    {"403", "AccessDenied", "AccessDeniedException", "OptInRequired", "UnauthorizedOperation"}
)
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
    if code in _REFUSED:
        return errors.CredentialsRefused(text)
    if code in _FORBIDDEN:
        return errors.RightMissing(text)
    if code in _THROTTLED:
        return errors.AwsThrottled(text)
    return errors.AwsUnavailable(text)


def _of_botocore(error: BotoCoreError, profile: str) -> PullwrightError:
    text = f"{str(error).rstrip('.')}."
    if isinstance(error, _SIGN_IN):
        return errors.CredentialsExpired(
            f"The sign-in to AWS has expired or was never made: {text}",
            remedy=f"Run `{sign_in(profile)}`, then this command again.",
        )
    found = next((ours for theirs, ours in _OF_BOTOCORE if isinstance(error, theirs)), errors.AwsUnavailable)
    return found(text)
