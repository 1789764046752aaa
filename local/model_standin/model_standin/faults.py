"""Error answers in the shapes of both APIs.

Anthropic: https://docs.claude.com/en/api/errors. Bedrock:
https://docs.aws.amazon.com/bedrock/latest/APIReference/CommonErrors.html and the pages of the two operations.
"""

from typing import Any, Literal

Api = Literal["anthropic", "bedrock"]

_ANTHROPIC = {
    400: "invalid_request_error",
    401: "authentication_error",
    402: "billing_error",
    403: "permission_error",
    404: "not_found_error",
    405: "invalid_request_error",
    413: "request_too_large",
    429: "rate_limit_error",
    504: "timeout_error",
    529: "overloaded_error",
}
_BEDROCK = {
    400: "ValidationException",
    403: "AccessDeniedException",
    404: "ResourceNotFoundException",
    408: "ModelTimeoutException",
    424: "ModelErrorException",
    429: "ThrottlingException",
    500: "InternalServerException",
    503: "ServiceUnavailableException",
}


class Refused(Exception):  # noqa: N818 - it is an answer, not a defect
    """A request that gets an error answer.

    Args:
        status: HTTP status.
        type_: error type or exception name; the API's usual one for the status by default.
    """

    def __init__(self, status: int, message: str, type_: str | None = None) -> None:
        super().__init__(message)
        self.status = status
        self.message = message
        self.type = type_


def body_and_headers(api: Api, refused: Refused) -> tuple[dict[str, Any], dict[str, str]]:
    """Return the JSON body and the headers with which that API reports the error."""
    if api == "bedrock":
        name = refused.type or _BEDROCK.get(refused.status, "UnknownException")
        return {"message": refused.message}, {"x-amzn-errortype": name}
    kind = refused.type or _ANTHROPIC.get(refused.status, "api_error")
    return {"type": "error", "error": {"type": kind, "message": refused.message}}, {}
