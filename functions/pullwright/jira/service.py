"""Jira's webhook: what is its own beside what it has in common with GitHub's."""

from collections.abc import Mapping

from pullwright.aws_json import AwsJson
from pullwright.jira.decision import HEADER, decide, delivery_id, read_projects
from pullwright.jira.settings import Settings
from pullwright.webhook.decision import Decision
from pullwright.webhook.log import DeliveryLog
from pullwright.webhook.request import Request
from pullwright.webhook.secret import WebhookSecret
from pullwright.webhook.service import Receiver
from pullwright.webhook.signature import claimed_signature


class JiraWebhook(Receiver):
    """Answers deliveries of Jira, which repeats what got 408, 409, 425, 429, 5xx or no answer.

    https://developer.atlassian.com/cloud/jira/platform/webhooks/#retry-policy
    """

    def __init__(self, settings: Settings, aws: AwsJson, secret: WebhookSecret) -> None:
        super().__init__(aws, secret, machine=settings.state_machine_arn, queue=settings.events_queue_url)
        self._trigger_label = settings.trigger_label
        self._projects = read_projects(settings.jira_projects)

    def _claim(self, headers: Mapping[str, str]) -> None:
        claimed_signature(headers, header=HEADER)

    def _delivery_id(self, headers: Mapping[str, str]) -> str:
        return delivery_id(headers)

    def _event(self, headers: Mapping[str, str]) -> str:  # noqa: ARG002 - Jira's is in the body
        return "jira"

    def _decide_with(self, request: Request, secret: bytes, log: DeliveryLog) -> Decision:  # noqa: ARG002
        return decide(
            request.headers,
            request.body,
            secret,
            trigger_label=self._trigger_label,
            projects=self._projects,
        )
