"""GitHub's answers and refusals, in its own words."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from standin.answers import Refusal, Reply

if TYPE_CHECKING:
    from standin.faults import Fault

DOCS = "https://docs.github.com/rest"


class ApiError(Refusal):
    """A refusal in GitHub's shape."""

    def __init__(
        self,
        status: int,
        message: str,
        *,
        errors: list[Any] | None = None,
        headers: dict[str, str] | None = None,
        docs: str = DOCS,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.message = message
        self.errors = errors
        self.headers = headers or {}
        self.docs = docs

    def reply(self) -> Reply:
        """Return the answer to send."""
        body: dict[str, Any] = {"message": self.message}
        if self.errors is not None:
            body["errors"] = self.errors
        body |= {"documentation_url": self.docs, "status": str(self.status)}
        return Reply(self.status, body, dict(self.headers))


def not_found() -> ApiError:
    """Return the answer for what is not there, or must not be seen."""
    return ApiError(404, "Not Found")


def forbidden(message: str, **headers: str) -> ApiError:
    """Return a 403 with GitHub's sentence."""
    return ApiError(403, message, headers={name.replace("_", "-"): value for name, value in headers.items()})


def not_accessible(accepted: str) -> ApiError:
    """Return the refusal of a token that lacks a permission.

    Args:
        accepted: the permissions that would do, as GitHub names them in the header.
    """
    return forbidden("Resource not accessible by integration", X_Accepted_GitHub_Permissions=accepted)


def issues_disabled() -> ApiError:
    """Return the answer about issues where the repository has none.

    https://docs.github.com/en/rest/issues/issues#create-an-issue
    """
    return ApiError(410, "Issues has been disabled in this repository.")


def suspended() -> ApiError:
    """Return the refusal of a suspended installation: https://github.com/octokit/octokit.rb/pull/1307."""
    return forbidden("This installation has been suspended")


def unprocessable(message: str) -> ApiError:
    """Return a 422 that says no more than its sentence."""
    return ApiError(422, message)


def not_processable(*reasons: str) -> ApiError:
    """Return a 422 with its reasons in one sentence, as reviews are refused.

    The form is as in https://github.com/parkerbxyz/suggest-changes/issues/64.
    """
    last = reasons[-1]
    if len(reasons) > 1:
        comma = "," if len(reasons) > 2 else ""  # noqa: PLR2004 - a comma before the last of three
        last = f"{', '.join(reasons[:-1])}{comma} and {last}"
    return ApiError(422, "Unprocessable Entity", errors=[last])


def invalid(resource: str, code: str, *, field: str | None = None, message: str | None = None) -> ApiError:
    """Return a failed validation with one detail.

    Args:
        resource: GitHub's name of the kind, such as `PullRequest`.
        code: `invalid`, `missing_field`, `already_exists`, `unprocessable` or `custom`.
        message: more, for `custom`.
    """
    detail = {"resource": resource, "code": code, "field": field, "message": message}
    return ApiError(
        422,
        "Validation Failed",
        errors=[{key: value for key, value in detail.items() if value is not None}],
    )


def canned(fault: Fault) -> Reply:
    """Return the answer of a failure, as GitHub's front end gives it."""
    messages = {500: "Server Error", 502: "Server Error", 503: "Service Unavailable", 504: "Gateway Timeout"}
    if fault.body is not None:
        return Reply(fault.status or 500, fault.body, dict(fault.headers))
    status = fault.status or 500
    body = {"message": messages.get(status, "Error"), "documentation_url": DOCS, "status": str(status)}
    return Reply(status, body, dict(fault.headers))
