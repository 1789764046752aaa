"""What the template sets for the function of Jira's webhook."""

from collections.abc import Mapping
from typing import NamedTuple, Self

from pullwright.webhook.settings import read_variables


class Settings(NamedTuple):
    """The environment variables, by their lower-case names; all of them are needed.

    Attributes:
        jira_projects: see `pullwright.jira.decision.read_projects`.
    """

    state_machine_arn: str
    jira_webhook_secret_arn: str
    events_queue_url: str
    trigger_label: str
    jira_projects: str

    @classmethod
    def read(cls, environ: Mapping[str, str]) -> Self:
        """Read them.

        Raises:
            InternalError: one is missing or empty; the sentence names it.
        """
        return cls(*read_variables(cls._fields, environ))
