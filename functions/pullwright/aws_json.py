"""The few AWS calls of the webhook, over AWS's JSON protocols and without botocore.

Everything else uses boto3. Credentials and region come from the variables that Lambda sets; addresses can be
overridden as in every AWS SDK (https://docs.aws.amazon.com/sdkref/latest/guide/feature-ss-endpoints.html).
"""

import json
import time
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from pullwright.aws_transport import Endpoint, HttpTransport, Transport, parse_endpoint
from pullwright.json_object import decode_object
from pullwright.sigv4 import Credentials, sign

_ATTEMPTS = 3
_ATTEMPT_SECONDS = 2.5
_BACKOFF_SECONDS = 0.2
# https://docs.aws.amazon.com/sdkref/latest/guide/feature-retry-behavior.html, plus Step Functions' own limit.
_THROTTLING = frozenset(
    (
        "Throttling",
        "ThrottlingException",
        "ThrottledException",
        "RequestThrottled",
        "RequestThrottledException",
        "TooManyRequestsException",
        "RequestLimitExceeded",
        "SlowDown",
        "ExecutionLimitExceeded",
    )
)
_SERVER_ERROR = 500
_TOO_MANY = 429
_OK = 200


class Service(NamedTuple):
    """How to address one service: its name for signing and host, and its names in the protocol."""

    name: str
    target: str
    version: str
    variable: str


STATES = Service("states", "AWSStepFunctions", "1.0", "AWS_ENDPOINT_URL_SFN")
SECRETS_MANAGER = Service("secretsmanager", "secretsmanager", "1.1", "AWS_ENDPOINT_URL_SECRETS_MANAGER")
DYNAMODB = Service("dynamodb", "DynamoDB_20120810", "1.0", "AWS_ENDPOINT_URL_DYNAMODB")
SQS = Service("sqs", "AmazonSQS", "1.0", "AWS_ENDPOINT_URL_SQS")


class AwsCallError(Exception):
    """An AWS call failed.

    Args:
        operation: for example `states.StartExecution`.
        code: AWS's error code, or the class of the network error.
        status: HTTP status, 0 when there was no answer.
    """

    def __init__(self, operation: str, code: str, status: int) -> None:
        super().__init__(f"{operation}: {code or 'no error code'} ({status or 'no answer'})")
        self.operation = operation
        self.code = code
        self.status = status

    @property
    def transient(self) -> bool:
        """Whether the same call may succeed later."""
        no_answer = self.status == 0
        return (
            no_answer or self.status >= _SERVER_ERROR or self.status == _TOO_MANY or self.code in _THROTTLING
        )


def endpoint_of(service: Service, environ: Mapping[str, str]) -> Endpoint:
    """Return the endpoint of a service.

    Raises:
        KeyError: `AWS_REGION` is missing.
        ValueError: an override is not an address.
    """
    if environ.get("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS", "").lower() != "true":
        override = environ.get(service.variable) or environ.get("AWS_ENDPOINT_URL")
        if override:
            return parse_endpoint(override)
    region = environ["AWS_REGION"]
    suffix = "amazonaws.com.cn" if region.startswith("cn-") else "amazonaws.com"
    return Endpoint("https", f"{service.name}.{region}.{suffix}", 443, "/")


class AwsJson:
    """Calls AWS with bounded time.

    Args:
        environ: the process's environment; credentials are read at every call.
        now: Unix seconds, for the signature.
        monotonic: seconds, for deadlines.
    """

    def __init__(
        self,
        environ: Mapping[str, str],
        *,
        transport: Transport | None = None,
        now: Callable[[], float] = time.time,
        monotonic: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._environ = environ
        self._transport = transport if transport is not None else HttpTransport()
        self._now = now
        self._monotonic = monotonic
        self._sleep = sleep

    def call(
        self, service: Service, operation: str, payload: Mapping[str, Any], *, seconds: float
    ) -> dict[str, Any]:
        """Make one call, again when it was throttled, failed at the other end, or got no answer.

        Args:
            operation: for example `StartExecution`. Only operations that may be repeated.
            seconds: no attempt starts later than this, and none lasts longer than what is left of it.

        Returns:
            The operation's output.

        Raises:
            AwsCallError: refused, or all attempts failed.
        """
        body = json.dumps(payload, separators=(",", ":")).encode()
        end = self._monotonic() + seconds
        for attempt in range(1, _ATTEMPTS + 1):
            try:
                return self._once(service, operation, body, min(_ATTEMPT_SECONDS, end - self._monotonic()))
            except AwsCallError as error:
                # Full jitter, so that deliveries which arrive together do not come back together.
                from random import uniform  # noqa: PLC0415 - needed in trouble only

                wait = uniform(0, _BACKOFF_SECONDS * 2**attempt)  # noqa: S311 - not a secret
                if not error.transient or attempt == _ATTEMPTS or self._monotonic() + wait >= end:
                    raise
            self._sleep(wait)
        raise AssertionError("the last attempt returns or raises")

    def _once(self, service: Service, operation: str, body: bytes, seconds: float) -> dict[str, Any]:
        name = f"{service.name}.{operation}"
        endpoint = endpoint_of(service, self._environ)
        headers = sign(
            credentials=Credentials(
                self._environ["AWS_ACCESS_KEY_ID"],
                self._environ["AWS_SECRET_ACCESS_KEY"],
                self._environ.get("AWS_SESSION_TOKEN", ""),
            ),
            region=self._environ["AWS_REGION"],
            service=service.name,
            host=endpoint.host_header,
            path=endpoint.path,
            headers={
                "Content-Type": f"application/x-amz-json-{service.version}",
                "X-Amz-Target": f"{service.target}.{operation}",
            },
            body=body,
            at=self._now(),
        )
        try:
            status, answer = self._transport.post(endpoint, headers, body, max(seconds, 0.1))
        except OSError as error:
            raise AwsCallError(name, type(error).__name__, 0) from error
        # Anything but an object, such as a proxy's page, holds nothing for us.
        content = decode_object(answer)
        if status != _OK:
            raise AwsCallError(name, _error_code(content), status)
        return content


def _error_code(content: Mapping[str, Any]) -> str:
    """Find the error's name, which may follow a namespace.

    https://smithy.io/2.0/aws/protocols/aws-json-1_0-protocol.html#operation-error-serialization
    """
    kind = content.get("__type") or content.get("code") or ""
    return kind.partition(":")[0].rpartition("#")[2] if isinstance(kind, str) else ""
