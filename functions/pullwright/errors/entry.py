"""What every entry can meet: a request that is wrong, and our own defects.

They are apart because the webhook, which starts cold, needs no others.
"""

from pullwright.errors.base import PullwrightError, _UserError


class InvalidRequest(_UserError):
    """The execution's input is wrong; the sentence names the field."""

    default_remedy = "Correct the named field and start it again."


class InternalError(PullwrightError):
    """A defect of ours."""

    exit_code = 1
