"""Not a defect: calls of DynamoDB and S3 fail when a test orders it, as AWS fails on its bad days."""

import json
from typing import Any

from localstack.aws import handlers
from localstack.aws.api import CommonServiceException

from pullwright_engine.faults import REFUSE_CALL, Faults
from pullwright_engine.settings import faults

_CODES = {"dynamodb": "InternalServerError", "s3": "InternalError"}


class Refuser:
    """A request handler that fails what is ordered.

    Args:
        faults: the orders.
    """

    def __init__(self, faults: Faults) -> None:
        self._faults = faults

    def __call__(self, _chain: Any, context: Any, _response: Any) -> None:
        """Let a call pass, or not.

        Args:
            context: the request.

        Raises:
            CommonServiceException: this one is to fail.
        """
        if context.service is None or context.operation is None or not self._faults.possible:
            return
        code = _CODES.get(context.service.service_name)
        if code is None:
            return
        text = f"{context.operation.name} {json.dumps(context.service_request or {}, default=str)}"
        if self._faults.strikes(REFUSE_CALL, text):
            raise CommonServiceException(code, "An order of the tests.", status_code=500)


def apply() -> None:
    """Look at each call from now on."""
    handlers.serve_custom_service_request_handlers.append(Refuser(faults()))
