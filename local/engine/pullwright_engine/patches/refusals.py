"""Not a defect: let calls fail when a test orders it.

Either nothing was done (calls of DynamoDB, S3, ECS and Elastic Load Balancing), or the caller never learns
what was done (any call).
"""

import io
import json
from typing import Any

from botocore.exceptions import ConnectionClosedError
from localstack.aws import handlers
from localstack.aws.api import CommonServiceException
from localstack.aws.client import GatewayShortCircuit

from pullwright_engine.connections import hang_up
from pullwright_engine.faults import LOSE_ANSWER, REFUSE_CALL, Faults
from pullwright_engine.settings import faults

_CODES = {
    "dynamodb": ("InternalServerError", 500),
    "s3": ("InternalError", 500),
    "ecs": ("ServerException", 500),
    # What users of controllers and Terraform report: "Throttling: Rate exceeded", with status code 400, as in
    # https://github.com/kubernetes-sigs/aws-load-balancer-controller/issues/1871.
    "elbv2": ("Throttling", 400),
}
_LOST = "pullwright.answer_is_lost"


class Refuser:
    """A request handler that fails what is ordered."""

    def __init__(self, faults: Faults) -> None:
        self._faults = faults

    def __call__(self, _chain: Any, context: Any, _response: Any) -> None:
        """Fail the call if that was ordered.

        Raises:
            CommonServiceException: this one is to fail.
        """
        if context.service is None or context.operation is None or not self._faults.possible:
            return
        text = _text_of(context)
        code, status = _CODES.get(context.service.service_name, ("", 0))
        if code and self._faults.strikes(REFUSE_CALL, text):
            raise CommonServiceException(code, "An order of the tests.", status_code=status)
        if self._faults.strikes(LOSE_ANSWER, text):
            context.request.environ[_LOST] = True


def lose_answer(_chain: Any, context: Any, response: Any) -> None:
    """End the connection of a call whose answer is to be lost, as a response handler."""
    environ = context.request.environ
    if environ.get(_LOST):
        if "REMOTE_PORT" in environ:
            hang_up(int(environ["SERVER_PORT"]), int(environ["REMOTE_PORT"]))
        else:
            # A call of the engine's own has no connection; see `_call_in_process`.
            response.headers[_LOST] = "true"


def _call_in_process(original: Any) -> Any:
    def call(self: Any, event_name: str, request: Any, **more: Any) -> Any:
        answer = original(self, event_name, request, **more)
        if answer is not None and _LOST in answer.headers:
            raise ConnectionClosedError(endpoint_url=request.url)
        return answer

    return call


def _text_of(context: Any) -> str:
    """Return the text that an order is matched with: operation, parameters and a function's event."""
    parameters = context.service_request or {}
    text = f"{context.operation.name} {json.dumps(parameters, default=str)}"
    payload = parameters.get("Payload")
    if context.operation.name == "Invoke" and payload is not None:
        if hasattr(payload, "read"):
            payload = payload.read()
            parameters["Payload"] = io.BytesIO(payload)
        text += payload.decode(errors="replace") if isinstance(payload, bytes) else payload
    return text


def apply() -> None:
    """Install the handlers."""
    handlers.serve_custom_service_request_handlers.append(Refuser(faults()))
    handlers.run_custom_response_handlers.append(lose_answer)
    GatewayShortCircuit.__call__ = _call_in_process(GatewayShortCircuit.__call__)
