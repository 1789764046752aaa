"""Defects: function environments have no cap, and running out of them is an internal error.

Fifty concurrent cold invocations started 69 processes. Here there are at most as many as the settings say;
an invocation waits for one to come free and is then refused with 429, as AWS does at its own limit. Also: a
function's own log group (`LoggingConfig`) was ignored.
"""

import contextlib
from collections.abc import Iterator
from datetime import datetime
from typing import Any
from weakref import WeakKeyDictionary

from localstack.aws.api.lambda_ import TooManyRequestsException
from localstack.services.lambda_.invocation.assignment import AssignmentService
from localstack.services.lambda_.invocation.execution_environment import (
    ExecutionEnvironment,
    InvalidStatusException,
)
from localstack.services.lambda_.invocation.lambda_models import InitializationType

from pullwright_engine.functions.pool import NoEnvironmentError, Pool
from pullwright_engine.settings import settings

_POOLS: WeakKeyDictionary[Any, Pool[Any]] = WeakKeyDictionary()


def _idle_seconds(environment: Any) -> float:
    now = datetime.now()  # noqa: DTZ005 - LocalStack writes `last_returned` without a zone, too
    return float((now - environment.last_returned).total_seconds())


def _pool(service: Any) -> Pool[Any]:
    if service not in _POOLS:
        own = settings()
        _POOLS[service] = Pool(
            service.environments,
            limit=own.max_environments,
            seconds=own.queue_seconds,
            busy=InvalidStatusException,
            idle_seconds=_idle_seconds,
        )
    return _POOLS[service]


def _acquire(service: Any, version_id: str, version: Any) -> Any:
    def start() -> Any:
        environment = service.start_environment(version_id, version)
        environment.reserve()
        service.environments[version_id][environment.id] = environment
        return environment

    try:
        return _pool(service).acquire(version_id, start, service.stop_environment)
    except NoEnvironmentError as error:
        raise TooManyRequestsException(
            "Rate Exceeded.", Reason="ConcurrentInvocationLimitExceeded", Type="User"
        ) from error


def apply() -> None:
    """Put the pool between invocations and environments."""
    original = AssignmentService.get_environment

    @contextlib.contextmanager
    def get_environment(self: Any, version_id: str, version: Any, kind: Any) -> Iterator[Any]:
        if kind != InitializationType.on_demand:
            with original(self, version_id, version, kind) as environment:
                yield environment
            return
        environment = _acquire(self, version_id, version)
        try:
            yield environment
        except BaseException:
            self.stop_environment(environment)
            raise
        else:
            # It was stopped under the invocation: by a new version of the function, or by the shutdown.
            with contextlib.suppress(InvalidStatusException):
                environment.release()
        finally:
            _pool(self).changed()

    AssignmentService.get_environment = get_environment

    def log_group(self: Any) -> str:
        own = (self.function_version.config.logging_config or {}).get("LogGroup")
        return str(own or f"/aws/lambda/{self.function_version.id.function_name}")

    ExecutionEnvironment.get_log_group_name = log_group
