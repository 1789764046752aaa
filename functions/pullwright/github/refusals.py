"""Turns a failed answer of GitHub's into one of our errors, by status, header and field."""

import re
import time
from collections.abc import Mapping
from typing import Any

from pullwright.errors import (
    BranchProtected,
    GitHubRateLimited,
    GitHubRefused,
    GitHubUnavailable,
    PermissionMissing,
    PullwrightError,
    PushRefused,
    RepositoryNotFound,
)
from pullwright.github.budget import FIRST_PAUSE_SECONDS
from pullwright.github.reasons import setting_refusal
from pullwright.github.transport import Response
from pullwright.json_object import as_object
from pullwright.text import one_line

UNAUTHORIZED, FORBIDDEN, NOT_FOUND, GONE, UNPROCESSABLE, TOO_MANY = 401, 403, 404, 410, 422, 429
SERVER_ERROR = 500
_ERROR = 400
_LONGEST_REASON = 300
# What a rule says follows this heading: https://docs.github.com/en/rest/git/refs, and in a push
# `GH006: Protected branch update failed` or `GH013: Repository rule violations found`.
_HEADING = re.compile(
    r"^(?:error: )?(?:GH\d+: )?(?:Repository rule violations found|Protected branch[^.:]*?failed)"
    r"(?: for \S+?)?[.:]?(?=\s|$)\s*"
)
_RULE = re.compile(
    r"rule violations|protected branch|protected ref|required status check|changes must be made|"
    r"verified signatures|being restricted|not authorized",
    re.IGNORECASE,
)
# Of hashes that GitHub gave itself or was just pushed.
_NOT_KNOWN_YET = re.compile(r": (?:(?:Tree SHA|Parent SHA|Object) does not exist|No commit found for SHA)")
_LIMIT_WORDS = re.compile(r"\b(?:secondary rate|API rate) limit\b|abuse detection", re.IGNORECASE)
_LIMIT_TYPES = frozenset({"RATE_LIMITED", "RATE_LIMIT"})
_SETTINGS = frozenset({FORBIDDEN, GONE, UNPROCESSABLE})
_LEVELS = ("none", "read", "write", "admin")


def refusal(what: str, response: Response, granted: Mapping[str, str] | None = None) -> PullwrightError:
    """Return the error that an answer stands for.

    https://docs.github.com/en/rest/using-the-rest-api/troubleshooting-the-rest-api

    Args:
        what: what was asked for, as it stands in "GitHub refused to …".
        response: an answer with a status of 400 or more.
        granted: the permissions the token is known to have, if that is known.
    """
    status = response.status
    is_unknown = status == UNPROCESSABLE and _NOT_KNOWN_YET.match(_message(response.decoded))
    if status >= SERVER_ERROR or is_unknown:
        told_ = _message(response.decoded) if is_unknown else ""
        return GitHubUnavailable(f"GitHub answered {status}{told_} when asked to {what}.")
    if status in {FORBIDDEN, TOO_MANY} and _is_limit(response):
        return _limited(response)
    if status == UNAUTHORIZED:
        return GitHubRefused(
            f"GitHub did not accept our credentials when asked to {what}.",
            remedy="Ask the operator to check the GitHub App's id and private key.",
        )
    if status in _SETTINGS and (error := setting_refusal(message_of(response))) is not None:
        return error
    # GitHub answers 410 about issues that were deleted.
    if status in {NOT_FOUND, GONE}:
        return RepositoryNotFound(f"GitHub found nothing when asked to {what}.")
    return _refused(what, response, granted)


def _refused(what: str, response: Response, granted: Mapping[str, str] | None) -> PullwrightError:
    status = response.status
    if status == FORBIDDEN and (missing := _missing_permission(response, granted)):
        return PermissionMissing(f"The GitHub App may not {what}: it lacks the permission {missing}.")
    words = f": {validation_words(response)}" if status == UNPROCESSABLE else _message(response.decoded)
    return GitHubRefused(f"GitHub refused to {what} ({status}{words}).")


def write_refusal(response: Response) -> str | None:
    """Return why GitHub did not write a ref; None if it did."""
    if response.status < _ERROR:
        return None
    words = "; ".join(part for part in (message_of(response), *_details(response)) if part)
    return words or f"GitHub answered {response.status}"


def message_of(response: Response) -> str:
    """GitHub's own sentence; empty if there is none."""
    message = as_object(response.decoded).get("message")
    return message if isinstance(message, str) else ""


def validation_words(response: Response) -> str:
    """Return what GitHub says about an invalid request, with the fields, on one line.

    https://docs.github.com/en/rest/using-the-rest-api/troubleshooting-the-rest-api#validation-failed
    """
    words = "; ".join(_details(response)) or message_of(response)
    return one_line(words or "no reason given", _LONGEST_REASON)


def _details(response: Response) -> list[str]:
    errors = as_object(response.decoded).get("errors")
    details = []
    for error in errors if isinstance(errors, list) else []:
        if isinstance(error, dict):
            named = " ".join(str(error[key]) for key in ("field", "code") if error.get(key))
            details.append(str(error.get("message") or named))
        else:
            details.append(str(error))
    return [detail for detail in details if detail]


def ref_refusal(branch: str, message: str) -> PullwrightError:
    """Return why a branch was not written.

    Args:
        message: GitHub's words, from the API or from a push.
    """
    words = " ".join(message.split())
    if "fast forward" in words:
        return PushRefused(
            f"Somebody else pushed to {branch} while the session ran, so its work could not be added.",
            remedy="Start it again: it goes on from the branch as it stands now.",
        )
    if words.startswith(("Reference does not exist", "Not Found")):
        return GitHubRefused(
            f"The branch {branch} does not exist any more.",
            remedy="Start it again: a new branch will be made.",
        )
    if words.startswith("Reference already exists"):
        # Whoever asks has looked for it: another of GitHub's servers knows it.
        return GitHubUnavailable(f"GitHub does not show the branch {branch} yet, which exists.")
    if words.startswith("Object does not exist"):
        return GitHubUnavailable(f"GitHub does not know the commit for {branch} yet.")
    if _RULE.search(words):
        reason = _HEADING.sub("", words).rstrip(" .")
        colon = f": {one_line(reason, _LONGEST_REASON)}" if reason else ""
        return BranchProtected(f"The repository's rules do not let the App write the branch {branch}{colon}.")
    return PushRefused(f"GitHub refused to write the branch {branch}: {one_line(words, _LONGEST_REASON)}.")


def graphql_limit(response: Response) -> GitHubRateLimited | None:
    """Return the rate limit in the `errors` of a GraphQL answer with status 200, or None.

    https://docs.github.com/en/graphql/overview/rate-limits-and-query-limits-for-the-graphql-api#exceeding-the-rate-limit
    The type is `RATE_LIMITED` or `RATE_LIMIT`, and then `x-ratelimit-remaining` need not be 0
    (https://github.com/octokit/plugin-throttling.js/pull/636, https://github.com/yanyongyu/githubkit/issues/271);
    a secondary limit has a message alone.
    """
    errors = [error for error in graphql_errors(response.decoded) if isinstance(error, dict)]
    is_limit = any(
        error.get("type") in _LIMIT_TYPES or _LIMIT_WORDS.search(_message(error)) for error in errors
    )
    return _limited(response) if is_limit else None


def graphql_refusal(what: str, response: Response) -> PullwrightError:
    """Return the error of a GraphQL answer, which has status 200 and names it in `errors[].type`."""
    errors = graphql_errors(response.decoded)
    if "FORBIDDEN" in {error.get("type") for error in errors if isinstance(error, dict)}:
        return PermissionMissing(f"The GitHub App may not {what}: it lacks a permission.")
    first = errors[0] if errors else None
    return GitHubRefused(f"GitHub refused to {what} (GraphQL{_message(first)}).")


def graphql_errors(decoded: Any) -> list[Any]:
    """Return the `errors` of a GraphQL answer."""
    errors = decoded.get("errors") if isinstance(decoded, dict) else None
    return errors if isinstance(errors, list) else []


def _is_limit(response: Response) -> bool:
    """Return whether a refusal is one of a rate limit.

    https://docs.github.com/en/rest/using-the-rest-api/rate-limits-for-the-rest-api#exceeding-the-rate-limit
    """
    return (
        response.status == TOO_MANY
        or _number(response.headers.get("retry-after")) is not None
        or response.headers.get("x-ratelimit-remaining") == "0"
        or _LIMIT_WORDS.search(_message(response.decoded)) is not None
    )


def _limited(response: Response) -> GitHubRateLimited:
    """Return the limit of an answer, with the time that GitHub names, if any."""
    named = _number(response.headers.get("retry-after"))
    reset = _number(response.headers.get("x-ratelimit-reset"))
    if named is None and response.headers.get("x-ratelimit-remaining") == "0" and reset is not None:
        # A second more: the time is in whole seconds.
        named = reset - time.time() + 1.0
    # A secondary limit may come without any header; GitHub then asks for a minute at least.
    wait = FIRST_PAUSE_SECONDS if named is None else max(named, 1.0)
    return GitHubRateLimited(limit_sentence(wait), retry_after=wait, is_named=named is not None)


def limit_sentence(seconds: float) -> str:
    """Return a rate limit in words for people."""
    return f"GitHub's rate limit is used up; it answers again in {seconds:.0f} seconds."


def _number(text: str | None) -> float | None:
    try:
        return None if text is None else float(text)
    except ValueError:
        return None


def _missing_permission(response: Response, granted: Mapping[str, str] | None) -> str:
    """Return the permission that was missing; empty if the token has one that should do.

    The header lists sets separated by `;`, each a list of `name=level` separated by `,`; any one set is
    enough: https://github.blog/changelog/2023-08-10-x-accepted-github-permissions-header-for-fine-grained-permission-actors/
    """
    accepted = [
        [tuple(item.strip().partition("=")[::2]) for item in alternative.split(",") if "=" in item]
        for alternative in response.headers.get("x-accepted-github-permissions", "").split(";")
    ]
    sets = [permissions for permissions in accepted if permissions]
    if granted is not None and any(
        all(reaches(granted.get(name, "none"), level) for name, level in permissions) for permissions in sets
    ):
        return ""
    return " or ".join(
        " with ".join(f"{name}: {level}" for name, level in permissions) for permissions in sets
    )


def reaches(have: str, need: str) -> bool:
    """Return whether one permission level includes another."""
    return have in _LEVELS and need in _LEVELS and _LEVELS.index(have) >= _LEVELS.index(need)


def _message(decoded: Any) -> str:
    message = decoded.get("message") if isinstance(decoded, dict) else None
    return f": {message[:200]}" if isinstance(message, str) and message else ""
