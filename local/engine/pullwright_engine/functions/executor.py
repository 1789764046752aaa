"""The plugin through which LocalStack starts functions: environments here instead of containers."""

import weakref
from pathlib import Path
from typing import Any

from localstack import config
from localstack.services.lambda_.invocation.executor_endpoint import StatusErrorException
from localstack.services.lambda_.invocation.lambda_models import FunctionVersion, InvocationResult
from localstack.services.lambda_.invocation.plugins import RuntimeExecutorPlugin
from localstack.services.lambda_.invocation.runtime_executor import RuntimeExecutor

from pullwright_engine.functions.environment import Answer, Environment, Function
from pullwright_engine.functions.report import Report, structured, text
from pullwright_engine.functions.runtime_api import InitError
from pullwright_engine.settings import settings

_HIDDEN_PREFIXES = ("LOCALSTACK_", "EDGE_PORT", "_AWS_XRAY", "AWS_XRAY_DAEMON")
_ALIVE: "weakref.WeakSet[Environment]" = weakref.WeakSet()


def kill_all() -> None:
    """End every environment of this engine at once."""
    for environment in list(_ALIVE):
        environment.kill()


def visible(variables: dict[str, Any], runtime: str) -> dict[str, str]:
    """Return the variables that a function sees on AWS too."""
    shown = {
        name: str(value)
        for name, value in variables.items()
        if not name.startswith(_HIDDEN_PREFIXES) and value is not None
    }
    shown["AWS_EXECUTION_ENV"] = f"AWS_Lambda_{runtime}"
    return shown


class ProcessExecutor(RuntimeExecutor):  # type: ignore[misc] # LocalStack publishes no types
    """One environment, as LocalStack drives it."""

    def __init__(self, id: str, function_version: FunctionVersion) -> None:  # noqa: A002 - the base's name
        super().__init__(id, function_version)
        self._environment: Environment | None = None

    def start(self, env_vars: dict[str, Any]) -> None:
        """Start the process; an error that the function itself caused is the invocation's answer."""
        version = self.function_version.config
        own = settings()
        environment = Environment(
            Function(
                name=self.function_version.id.function_name,
                handler=version.handler,
                code=Path(version.code.get_unzipped_code_location()),
                timeout=version.timeout,
                variables=own.function_environment | visible(env_vars, version.runtime),
            ),
            own.function_python,
            own.children_dir,
            self.id,
        )
        self._environment = environment
        _ALIVE.add(environment)
        try:
            environment.start()
        except InitError as error:
            raise StatusErrorException("init failed", payload=error.payload) from error

    def stop(self) -> None:
        """End the environment; an invocation under way is finished first, as on AWS."""
        if self._environment is not None:
            self._environment.stop()

    def invoke(self, payload: dict[str, str]) -> InvocationResult:
        """Run one invocation."""
        if self._environment is None:
            raise StatusErrorException("not started", payload=b"{}")
        request_id = payload["invoke-id"]
        try:
            answer = self._environment.invoke(
                request_id, payload["payload"].encode(), payload["invoked-function-arn"], payload["trace-id"]
            )
        except InitError as error:
            return InvocationResult(request_id, error.payload, is_error=True, logs="")
        return InvocationResult(
            request_id, answer.body, is_error=answer.is_error, logs=self._log(request_id, answer)
        )

    def _log(self, request_id: str, answer: Answer) -> str:
        version = self.function_version.config
        report = Report(
            request_id=request_id,
            version=self.function_version.id.qualifier,
            runtime=version.runtime,
            memory_mb=version.memory_size,
            used_mb=answer.used_mb,
            duration_ms=answer.duration_ms,
            init_ms=answer.init_ms,
            timed_out=float(version.timeout) if answer.timed_out else None,
        )
        render = structured if version.logging_config.get("LogFormat") == "JSON" else text
        return render(report, answer.init_output, answer.output)

    def get_address(self) -> str:
        """Loopback: there is no container."""
        return "127.0.0.1"

    def get_endpoint_from_executor(self) -> str:
        """Return where the function finds the engine."""
        return "127.0.0.1"

    def get_runtime_endpoint(self) -> str:
        """LocalStack's own callback address; nothing calls it here."""
        return f"http://127.0.0.1:{config.GATEWAY_LISTEN[0].port}/_localstack_lambda/{self.id}"

    def get_logs(self) -> str:
        """Nothing: the log of each invocation went to CloudWatch Logs."""
        return ""

    @classmethod
    def prepare_version(cls, function_version: FunctionVersion) -> None:
        """Unpack the function's code."""
        if function_version.config.code:
            function_version.config.code.prepare_for_execution()

    @classmethod
    def cleanup_version(cls, function_version: FunctionVersion) -> None:
        """Keep the unpacked code: after a change of configuration alone, the next version runs on it too."""


class ProcessExecutorPlugin(RuntimeExecutorPlugin):  # type: ignore[misc] # LocalStack publishes no types
    """What `LAMBDA_RUNTIME_EXECUTOR=pullwright` names."""

    name = "pullwright"

    def load(self, *_: Any, **__: Any) -> type[ProcessExecutor]:
        """Return the executor's class."""
        return ProcessExecutor
