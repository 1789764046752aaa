"""The webhooks: decide, start the execution or queue the request, answer."""

import contextlib
import json
from collections.abc import Mapping
from typing import Any

from pullwright.aws_json import SQS, STATES, AwsCallError, AwsJson
from pullwright.executions import execution_arn
from pullwright.webhook.answers import (
    ALREADY,
    FAILED,
    QUEUED,
    STARTED,
    Answer,
    Refused,
    WrongSignature,
    answer,
)
from pullwright.webhook.decision import Decision, Starts, decide, delivery_id
from pullwright.webhook.log import DeliveryLog
from pullwright.webhook.message import Message
from pullwright.webhook.payload import refuse_form
from pullwright.webhook.request import Request, read_request
from pullwright.webhook.secret import SecretUnusable, WebhookSecret
from pullwright.webhook.settings import Settings
from pullwright.webhook.signature import claimed_signature
from pullwright.webhook.start import Start
from pullwright.webhook.workers import StoredWorkers
from pullwright.workers.routing import PATHS, TEAMS

# GitHub waits ten seconds (https://docs.github.com/en/webhooks/using-webhooks/best-practices-for-using-webhooks);
# with the secret's 2.5 seconds these leave one for the way.
_START_SECONDS = 4.0
_QUEUE_SECONDS = 2.0
_BY_IMPORTANCE = (FAILED, STARTED, QUEUED, ALREADY)


class Receiver:
    """What the webhooks of GitHub and Jira have in common.

    Args:
        machine: ARN of the state machine that sessions are started by.
        queue: URL of the queue for what is more than a start.
        previews: ARN of the state machine of previews, empty where there are none.
    """

    def __init__(
        self, aws: AwsJson, secret: WebhookSecret, *, machine: str, queue: str, previews: str = ""
    ) -> None:
        self._aws = aws
        self._secret = secret
        self._machine = machine
        self._previews = previews
        self._queue_url = queue

    def answer(self, event: Mapping[str, Any], log: DeliveryLog) -> Answer:
        """Answer one request of the Function URL.

        Args:
            event: payload format 2.0.
            log: collects what may be said about it.
        """
        try:
            request = read_request(event)
            log.add(delivery_id=self._delivery_id(request.headers))
            decision = self._decide(request, log)
            log.add(event=self._event(request.headers))
        except Refused as refused:
            return refused.answer
        except SecretUnusable as error:
            log.add(error="SecretUnusable")
            return answer(FAILED, error.sentence)
        except AwsCallError as error:
            log.add(error=str(error))
            return answer(FAILED, "The webhook's secret, or the workers, cannot be read just now.")
        if isinstance(decision, Answer):
            log.add(unmatched=decision.unmatched or {})
            return decision
        if isinstance(decision, Message):
            return self._pass_on(decision, log)
        return self._start_all(decision, log)

    def _start_all(self, decision: Starts, log: DeliveryLog) -> Answer:
        """Start an execution for each worker; what fails is told, so that GitHub can deliver it again."""
        starts = decision.starts
        if decision.besides is not None and not self._send(decision.besides.message, log):
            return answer(FAILED, "The queue did not take the delivery; redeliver it later.")
        log.add(
            correlation_id=starts[0].name,
            repository=starts[0].repository,
            issue=starts[0].number,
            matched=[start.match.worker.id for start in starts],
            unmatched=decision.reasons,
        )
        answers = [self._start(start, log) for start in starts]
        first = min(answers, key=lambda each: _BY_IMPORTANCE.index(each.status))
        if len(answers) == 1:
            return first
        what = ", ".join(
            f"{start.match.worker.id}: {each.status}" for start, each in zip(starts, answers, strict=True)
        )
        return first._replace(reason=f"{first.reason} ({what})")

    def _decide(self, request: Request, log: DeliveryLog) -> Decision:
        self._claim(request.headers)
        refuse_form(request.headers)
        try:
            return self._decide_with(request, self._secret.current(), log)
        except WrongSignature as refused:
            for secret in self._secret.others():
                with contextlib.suppress(WrongSignature):
                    return self._decide_with(request, secret, log)
            raise refused from None

    def _claim(self, headers: Mapping[str, str]) -> None:
        """Refuse a request that bears no signature which could be right."""
        raise NotImplementedError

    def _delivery_id(self, headers: Mapping[str, str]) -> str:
        raise NotImplementedError

    def _event(self, headers: Mapping[str, str]) -> str:
        """Return the event's name for the log."""
        raise NotImplementedError

    def _decide_with(self, request: Request, secret: bytes, log: DeliveryLog) -> Decision:
        raise NotImplementedError

    def _start(self, start: Start, log: DeliveryLog) -> Answer:
        if start.match.asks:
            return self._queue(start, log, "GitHub is asked first whether the worker starts.")
        try:
            output = self._aws.call(
                STATES,
                "StartExecution",
                {
                    "stateMachineArn": self._machine_of(start),
                    "name": start.name,
                    "input": start.input,
                },
                seconds=_START_SECONDS,
            )
        except AwsCallError as error:
            if error.code == "ExecutionAlreadyExists":
                return answer(
                    ALREADY,
                    f"This delivery started a {_kind(start)} before.",
                    execution_arn=self._execution_arn(start),
                )
            log.add(error=str(error))
            if error.transient:
                return self._queue(
                    start, log, f"Step Functions is busy; the {_kind(start)} starts as soon as it can."
                )
            return answer(FAILED, f"Step Functions refused to start the {_kind(start)}.")
        return answer(
            STARTED,
            f"A {_kind(start)} {'is made of' if start.is_preview else 'works on'} {start.subject}.",
            execution_arn=str(output.get("executionArn") or self._execution_arn(start)),
        )

    def _queue(self, start: Start, log: DeliveryLog, reason: str) -> Answer:
        trigger, asks = start.match.trigger, start.match.asks
        message = {
            "kind": "start",
            "name": start.name,
            "input": start.input,
            **({"machine": "preview"} if start.is_preview else {}),
            **({"paths": trigger.paths} if PATHS in asks else {}),
            **({"teams": trigger.teams} if TEAMS in asks else {}),
        }
        if not self._send(json.dumps(message), log):
            return answer(FAILED, "Neither Step Functions nor the queue took it; redeliver it later.")
        return answer(QUEUED, reason, execution_arn=self._execution_arn(start))

    def _pass_on(self, message: Message, log: DeliveryLog) -> Answer:
        if not self._send(message.message, log):
            return answer(FAILED, "The queue did not take the delivery; redeliver it later.")
        if message.number:
            log.add(issue=message.number)
        log.add(repository=message.repository, matched=message.matched, unmatched=message.unmatched or {})
        return answer(QUEUED, message.reason)

    def _send(self, message: str, log: DeliveryLog) -> bool:
        try:
            self._aws.call(
                SQS,
                "SendMessage",
                {"QueueUrl": self._queue_url, "MessageBody": message},
                seconds=_QUEUE_SECONDS,
            )
        except AwsCallError as error:
            log.add(queue_error=str(error))
            return False
        return True

    def _machine_of(self, start: Start) -> str:
        return self._previews if start.is_preview else self._machine

    def _execution_arn(self, start: Start) -> str:
        return execution_arn(self._machine_of(start), start.name)


def _kind(start: Start) -> str:
    return "preview" if start.is_preview else "session"


class Webhook(Receiver):
    """Answers deliveries of GitHub."""

    def __init__(
        self, settings: Settings, aws: AwsJson, secret: WebhookSecret, workers: StoredWorkers
    ) -> None:
        super().__init__(
            *(aws, secret),
            machine=settings.state_machine_arn,
            queue=settings.events_queue_url,
            previews=settings.preview_state_machine_arn,
        )
        self._settings = settings
        self._workers = workers

    def _claim(self, headers: Mapping[str, str]) -> None:
        claimed_signature(headers)

    def _delivery_id(self, headers: Mapping[str, str]) -> str:
        return delivery_id(headers)

    def _event(self, headers: Mapping[str, str]) -> str:
        return headers.get("x-github-event", "")

    def _decide_with(self, request: Request, secret: bytes, log: DeliveryLog) -> Decision:
        settings = self._settings
        return decide(
            request.headers,
            request.body,
            secret,
            trigger_label=settings.trigger_label,
            mention_name=settings.mention_name,
            allowed_apps=settings.allowed_apps,
            allowed_owners=settings.allowed_owners,
            on_no_match=settings.on_no_match,
            preview_labels=settings.preview_labels,
            workers_of=lambda repository: self._workers.of(repository, log),
        )
