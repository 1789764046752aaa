"""What the template sets for the webhook's function.

It has a reader of its own beside `pullwright.settings`, which is pydantic's: importing that takes longer than
all the rest of a cold start here.
"""

from collections.abc import Iterable, Mapping
from typing import NamedTuple, Self

from pullwright.errors import InternalError

_MAY_BE_EMPTY = frozenset({"ALLOWED_APPS", "ALLOWED_OWNERS", "PREVIEW_STATE_MACHINE_ARN"})


class PreviewLabels(NamedTuple):
    """The two labels, as the operator wrote them.

    Attributes:
        latest: runs the image that was promoted.
        staging: runs the image that is tried; where a pull request has both, the other one counts.
    """

    latest: str
    staging: str

    def folded(self) -> frozenset[str]:
        """Return both in small letters: GitHub's labels do not differ by case alone."""
        return frozenset(label.casefold() for label in self)


class Settings(NamedTuple):
    """The environment variables, by their lower-case names; all of them are needed.

    Attributes:
        mention_name: see `pullwright.webhook.follow_ups`.
        allowed_apps: slugs of Apps that may start sessions, separated by commas; empty for none.
        allowed_owners: see `pullwright.owners`; empty leaves the question to OpenPullRequest.
        sessions_table: holds the workers of each repository.
        on_no_match: `hint` tells people why a label that workers know started nothing, `ignore` does not.
        preview_state_machine_arn: empty where no previews are set up; then the labels mean nothing.
        preview_label: see `PreviewLabels`, as for `preview_staging_label`.
    """

    state_machine_arn: str
    webhook_secret_arn: str
    events_queue_url: str
    trigger_label: str
    mention_name: str
    allowed_apps: str
    allowed_owners: str
    sessions_table: str
    on_no_match: str
    preview_state_machine_arn: str
    preview_label: str
    preview_staging_label: str

    @property
    def preview_labels(self) -> PreviewLabels | None:
        """The labels that start previews; None where none are set up."""
        if not self.preview_state_machine_arn:
            return None
        return PreviewLabels(self.preview_label, self.preview_staging_label)

    @classmethod
    def names(cls) -> frozenset[str]:
        """Return the variables that are read."""
        return frozenset(name.upper() for name in cls._fields)

    @classmethod
    def read(cls, environ: Mapping[str, str]) -> Self:
        """Read them.

        Raises:
            InternalError: one is missing or empty; the sentence names it.
        """
        return cls(*read_variables(cls._fields, environ))


def read_variables(fields: Iterable[str], environ: Mapping[str, str]) -> list[str]:
    """Read variables by their lower-case names.

    Raises:
        InternalError: one is missing or empty; the sentence names it.
    """
    names = [field.upper() for field in fields]
    for name in names:
        if not environ.get(name) and not (name in environ and name in _MAY_BE_EMPTY):
            raise InternalError(
                f"This function's settings are wrong. {name} is missing or empty.",
                remedy="Ask the operator to deploy the stack again.",
            )
    return [environ[name] for name in names]
