"""What the gateway answers instead of forwarding."""

FINAL = {"x-should-retry": "false"}
"""Header that tells the CLI not to repeat a call: the gateway has done so for as long as it may help."""
GIVE_UP = 402
"""Status at which the CLI gives up at once, with either provider."""


class Refusal(Exception):  # noqa: N818 - it is an answer, not a defect
    """An error answer of the gateway's own, in the provider's shape.

    Args:
        type_: error type of the Anthropic API, https://docs.claude.com/en/api/errors.
        message: one plain sentence; the CLI repeats it as its result.
    """

    def __init__(self, status: int, type_: str, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.type = type_
        self.message = message


def forbidden(message: str) -> Refusal:
    """Return the refusal of something that the agent may not ask for."""
    return Refusal(403, "permission_error", message)


def malformed(message: str) -> Refusal:
    """Return the refusal of a request that the API would not understand."""
    return Refusal(400, "invalid_request_error", message)


def shown(value: object) -> str:
    """Return a client's value for a sentence: short, and without control characters."""
    return repr(value[:80]) if isinstance(value, str) else f"a value of the type {type(value).__name__}"
