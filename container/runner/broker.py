"""The broker: it knows our task and gives this session's credentials, and renews them.

The request is signed with the task's own role (https://docs.aws.amazon.com/lambda/latest/dg/urls-auth.html);
what the broker answers exists in this process's memory only.
"""

from __future__ import annotations

import json
import math
import random
import threading
import time
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Protocol

import botocore.session
import urllib3
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.exceptions import BotoCoreError

from pullwright import errors
from pullwright.brokering.models import BrokerGrant
from pullwright.errors import AwsUnavailable, FailureClass, PullwrightError, SessionClosed, TaskStopped
from pullwright.json_object import decode_object
from pullwright.log import hide
from runner.log import logger

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

RENEW_BEFORE = timedelta(minutes=10)
PATIENCE_SECONDS = 600.0
"""For the first credentials: hundreds of tasks that start at once share ten functions in a new account.

RunAgent's state outlasts the session's minutes by fifteen."""
_RENEWAL_SECONDS = 15.0
"""While the old credentials are good, and where asking again will hardly help."""
_AWS_SECONDS = 60.0
"""Where the broker itself says that AWS failed it: its own calls were repeated already."""
_RENEW_AGAIN_AFTER = timedelta(seconds=30)
_FIRST_WAIT = 0.5
_LONGEST_WAIT = 20.0
_OK = 200
_CONFLICT = 409
_TOO_MANY = 429
_SERVER_ERROR = 500


class Signer(Protocol):
    """Gives the headers that sign one POST request."""

    def __call__(self, url: str, body: bytes) -> dict[str, str]:
        """Sign.

        Raises:
            AwsUnavailable: there are no credentials to sign with.
        """


def task_role_signer(region: str) -> Signer:
    """Return a signer with the task role, whose credentials botocore finds and renews."""
    session = botocore.session.Session()

    def sign(url: str, body: bytes) -> dict[str, str]:
        try:
            credentials = session.get_credentials()
            if credentials is None:
                raise AwsUnavailable("The task has no AWS credentials.")
            request = AWSRequest("POST", url, data=body, headers={"Content-Type": "application/json"})
            SigV4Auth(credentials.get_frozen_credentials(), "lambda", region).add_auth(request)
        except BotoCoreError as error:
            raise AwsUnavailable(f"The task's AWS credentials failed ({type(error).__name__}).") from error
        return {name: str(value) for name, value in request.headers.items()}

    return sign


def waits(seconds: float) -> Iterator[float]:
    """Wait between attempts, longer each time and random, until together they make up so many seconds.

    Random over their whole length, so that tasks that were refused together do not come back together:
    https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/
    """
    left, longest = seconds, _FIRST_WAIT
    while left > 0:
        wait = min(left, random.uniform(0, longest))  # noqa: S311 - jitter, not a secret
        yield wait
        left -= wait
        longest = min(_LONGEST_WAIT, 2 * longest)


class Broker:
    """Asks the broker.

    Args:
        sleep: waits between attempts to renew credentials, which is short even if the task is stopped.
    """

    def __init__(
        self,
        url: str,
        sign: Signer,
        *,
        terminated: threading.Event | None = None,
        sleep: Callable[[float], object] = time.sleep,
    ) -> None:
        self._url = url
        self._sign = sign
        self._terminated = terminated or threading.Event()
        self._sleep = sleep
        self._pool = urllib3.PoolManager(retries=False, timeout=urllib3.Timeout(connect=5, read=20))

    def ask(self, patience: float = _RENEWAL_SECONDS) -> BrokerGrant:
        """Ask for this session's credentials; see `answer`.

        Raises:
            PullwrightError: as `answer` does.
        """
        return self._grant(self.answer(patience))

    def answer(
        self, patience: float = _RENEWAL_SECONDS, message: Mapping[str, object] | None = None
    ) -> dict[str, Any]:
        """Return what the broker gives this task; ask again while it is busy or fails.

        Args:
            message: what it is told; nothing asks for credentials.
            patience: seconds to wait in all. Waits for the first credentials end when the task is stopped.

        Raises:
            SessionClosed: the session is over, or is not this task's.
            TaskStopped: the task is being stopped, and has nothing to save yet.
            AwsUnavailable: no usable answer came.
            PullwrightError: of the class that the broker named.
        """
        if self._terminated.is_set():
            # There are two minutes at most, and what there is to save needs some of them.
            patience = min(patience, _RENEWAL_SECONDS)
        waited, schedule = 0.0, waits(patience)
        body = json.dumps(message or {}).encode()
        while True:
            status, content = self._once(body)
            if status == _OK:
                return content
            if status == _CONFLICT:
                raise SessionClosed(str(content.get("message") or "The session is closed."))
            refusal = _refusal(status, content)
            if status and status != _TOO_MANY and status < _SERVER_ERROR:
                raise refusal
            wait = next(schedule, None)
            # What is not transient needs somebody to mend it, who will not do it within minutes.
            is_lasting = refusal.failure_class is not FailureClass.TRANSIENT and waited >= _RENEWAL_SECONDS
            is_of_aws = content.get("error") == AwsUnavailable.__name__ and waited >= _AWS_SECONDS
            if wait is None or is_lasting or is_of_aws:
                raise refusal
            logger.warning("the broker failed and is asked again", status=status, seconds=round(wait, 1))
            if patience <= _RENEWAL_SECONDS:
                self._sleep(wait)
            elif self._terminated.wait(wait):
                raise TaskStopped("The task was stopped while it waited for its credentials.")
            waited += wait

    def tell(self, message: Mapping[str, object]) -> None:
        """Say something to the broker; see `answer`.

        Raises:
            PullwrightError: it was not taken.
        """
        self.answer(message=message)

    def _once(self, body: bytes) -> tuple[int, dict[str, Any]]:
        try:
            answer = self._pool.request("POST", self._url, body=body, headers=self._sign(self._url, body))
        except (urllib3.exceptions.HTTPError, OSError) as error:
            return 0, {"message": f"The broker did not answer ({type(error).__name__})."}
        return answer.status, decode_object(answer.data)

    @staticmethod
    def _grant(content: dict[str, Any]) -> BrokerGrant:
        try:
            grant = BrokerGrant.model_validate(content)
        except ValueError:
            # Its own text would repeat the answer, which holds credentials.
            raise AwsUnavailable("The broker's answer is not what this runner knows.") from None
        hide(grant.github_token, grant.aws.secret_access_key, grant.aws.session_token)
        if grant.model_api_key:
            hide(grant.model_api_key)
        return grant


def _refusal(status: int, content: dict[str, Any]) -> PullwrightError:
    kind = getattr(errors, str(content.get("error")), None)
    sentence = str(content.get("message") or f"The broker answered with status {status}.")
    if isinstance(kind, type) and issubclass(kind, PullwrightError):
        return kind(sentence)
    return AwsUnavailable(sentence)


class Grants:
    """The session's credentials, always valid for a while: asked for once, renewed before they end.

    Args:
        patience: seconds to wait for credentials when there are none.
        now: the time in UTC.
    """

    def __init__(
        self,
        broker: Broker,
        *,
        patience: float = PATIENCE_SECONDS,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._broker = broker
        self._patience = patience
        self._now = now
        self._lock = threading.Lock()
        self._grant: BrokerGrant | None = None
        self._refused = False
        self._granted_at: datetime | None = None
        self._not_before: datetime | None = None

    def current(self) -> BrokerGrant:
        """Return the credentials, renewed if they end soon.

        Raises:
            SessionClosed: the session is over.
            PullwrightError: the broker gave none and the old ones have ended.
        """
        with self._lock:
            held, now = self._grant, self._now()
            if held is None or _end(held) <= now:
                self._renew(self._patience)
            elif (self._refused or _end(held) - now < RENEW_BEFORE) and self._may_ask(now):
                try:
                    self._renew(_RENEWAL_SECONDS)
                except SessionClosed:
                    raise
                except PullwrightError:
                    # Everybody who needs credentials waits here, so it is not asked again at once.
                    self._not_before = self._now() + _RENEW_AGAIN_AFTER
                    logger.warning("credentials could not be renewed yet")
            if self._grant is None:
                raise AwsUnavailable("The broker gave no credentials.")
            return self._grant

    def renew(self) -> None:
        """Ask the broker anew, whatever is held: it refuses a task that a newer one has followed.

        Raises:
            SessionClosed: a newer task has the session, or the session is over.
            PullwrightError: the broker gave none.
        """
        with self._lock:
            self._renew(self._patience)

    def _may_ask(self, now: datetime) -> bool:
        return self._not_before is None or now >= self._not_before

    def _renew(self, patience: float) -> None:
        self._refused = False
        self._grant = self._broker.ask(patience)
        self._granted_at = self._now()

    def github_token(self) -> str:
        """Return the installation token to use for the next request or git command."""
        return self.current().github_token

    def github_token_age(self) -> float:
        """Seconds since the token was made: the broker makes one each time it is asked."""
        self.current()
        return math.inf if self._granted_at is None else (self._now() - self._granted_at).total_seconds()

    def forget_github_token(self, refused: str | None = None) -> None:
        """Ask for new credentials before the next use, because GitHub refused a token.

        Args:
            refused: that token, if the caller knows it; one that was renewed meanwhile is not renewed again.
        """
        with self._lock:
            if self._grant is not None and refused in {None, self._grant.github_token}:
                self._refused = True

    def aws_metadata(self) -> dict[str, str]:
        """Return the AWS credentials in the form that botocore's refreshing credentials want."""
        aws = self.current().aws
        return {
            "access_key": aws.access_key_id,
            "secret_key": aws.secret_access_key,
            "token": aws.session_token,
            "expiry_time": aws.expires_at.isoformat(),
        }


def _end(grant: BrokerGrant) -> datetime:
    return min(grant.github_expires_at, grant.aws.expires_at)
