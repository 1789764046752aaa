"""One execution environment: a process of the real runtime interface client, restarted when it dies."""

import json
import shutil
import signal
import tempfile
import threading
import time
from concurrent.futures import TimeoutError as FutureTimeoutError
from dataclasses import dataclass
from pathlib import Path

import psutil

from pullwright_engine.faults import KILL_FUNCTION, NOTE_END
from pullwright_engine.functions.runtime_api import InitError, Job, RuntimeApi
from pullwright_engine.processes import Child, spawn
from pullwright_engine.settings import faults

FAULT_SECONDS = 0.1
"""How often a running invocation looks whether its end was ordered."""
INIT_SECONDS = 20.0
"""How long an environment may take to start. AWS gives 10; a laptop under load is not AWS."""


@dataclass(frozen=True)
class Function:
    """What an environment runs.

    Attributes:
        handler: `module.function`.
        timeout: seconds an invocation may take.
        variables: the environment that Lambda and the function's configuration give.
    """

    name: str
    handler: str
    code: Path
    timeout: int
    variables: dict[str, str]


@dataclass(frozen=True)
class Answer:
    """The result of an invocation.

    Attributes:
        body: result or error, encoded.
        used_mb: memory of the process at the end.
        init_output: what was written while the process started, if this invocation caused that.
    """

    body: bytes
    is_error: bool
    output: str
    duration_ms: float
    used_mb: int
    init_output: str = ""
    init_ms: float | None = None
    timed_out: bool = False


class Environment:
    """A place where one invocation at a time runs.

    Args:
        python: interpreter that has `awslambdaric` and the SDK.
    """

    def __init__(self, function: Function, python: str, notes: Path, identity: str) -> None:
        self._function = function
        self._python = python
        self._notes = notes
        self._identity = identity
        self._folder = Path(tempfile.mkdtemp(prefix=f"function-{identity[:8]}-"))
        self._output = self._folder / "output.log"
        self._api: RuntimeApi | None = None
        self._child: Child | None = None
        self._init_ms: float | None = None
        self._position = 0
        self._state = threading.Lock()
        self._busy = False
        self._stopped = False

    def start(self) -> None:
        """Start the process and wait until it asks for work.

        Raises:
            InitError: it did not get that far.
        """
        began = time.perf_counter()
        api = RuntimeApi()
        self._api = api
        with self._output.open("ab") as output:
            self._child = spawn(
                [self._python, "-m", "awslambdaric", self._function.handler],
                kind=f"function {self._function.name} {self._identity}",
                notes=self._notes,
                cwd=self._function.code,
                environment=self._variables(api),
                output=output,
            )
        threading.Thread(target=self._watch, args=(self._child, api), daemon=True).start()
        try:
            api.ready.result(INIT_SECONDS)
        except FutureTimeoutError as error:
            self._discard()
            raise InitError(
                _error("Sandbox.Timedout", f"Error: Init timed out after {INIT_SECONDS:.2f} seconds")
            ) from error
        except InitError:
            self._discard()
            raise
        self._init_ms = (time.perf_counter() - began) * 1000

    def _variables(self, api: RuntimeApi) -> dict[str, str]:
        code = str(self._function.code)
        return {
            "PATH": "/usr/local/bin:/usr/bin:/bin",
            "LANG": "en_US.UTF-8",
            "HOME": str(self._folder),
            "TMPDIR": str(self._folder),
            **self._function.variables,
            "TZ": ":UTC",
            "LAMBDA_TASK_ROOT": code,
            "PYTHONPATH": code,
            "AWS_LAMBDA_RUNTIME_API": api.address,
        }

    def _watch(self, child: Child, api: RuntimeApi) -> None:
        status = child.process.wait()
        ending = f"exit status {status}" if status >= 0 else f"signal: {-status}"
        api.exited(
            _error(
                "Runtime.ExitError", f"RequestId: {self._identity} Error: Runtime exited with error: {ending}"
            )
        )

    def _discard(self) -> None:
        if self._child is not None:
            self._child.kill_group()
            self._child = None
        if self._api is not None:
            self._api.close()

    def invoke(self, request_id: str, payload: bytes, function_arn: str, trace_id: str) -> Answer:
        """Run one invocation.

        A process that timed out or died is replaced by the next invocation, as on AWS.

        Args:
            payload: the event, encoded.

        Raises:
            InitError: the process had to be replaced and the new one did not start.
        """
        with self._state:
            self._busy = True
        try:
            return self._invoke(request_id, payload, function_arn, trace_id)
        finally:
            with self._state:
                self._busy = False
                if self._stopped:
                    self._clean()
            if faults().possible:
                faults().strikes(NOTE_END, payload.decode("utf-8", "replace"))

    def _invoke(self, request_id: str, payload: bytes, function_arn: str, trace_id: str) -> Answer:
        if self._child is None or self._child.process.poll() is not None:
            self._discard()
            self.start()
        if self._child is None or self._api is None:
            raise InitError(_error("Runtime.ExitError", "the environment was stopped"))
        timeout = self._function.timeout
        init_ms, self._init_ms = self._init_ms, None
        init_output = self._read()
        began = time.perf_counter()
        job = Job(request_id, payload, function_arn, trace_id, int((time.time() + timeout) * 1000))
        self._api.submit(job)
        if faults().possible:
            threading.Thread(target=_strike, args=(self._child, job), daemon=True).start()
        timed_out = False
        try:
            body, is_error = job.answer.result(timeout)
        except FutureTimeoutError:
            timed_out = is_error = True
            body = _error(
                "Sandbox.Timedout",
                f"RequestId: {request_id} Error: Task timed out after {timeout:.2f} seconds",
            )
        duration = (time.perf_counter() - began) * 1000
        used = _memory_mb(self._child.process.pid)
        if timed_out:
            self._discard()
        return Answer(
            body=body,
            is_error=is_error,
            output=self._read(),
            duration_ms=duration,
            used_mb=used,
            init_output=init_output,
            init_ms=init_ms,
            timed_out=timed_out,
        )

    def _read(self) -> str:
        with self._output.open("rb") as output:
            output.seek(self._position)
            found = output.read()
        self._position += len(found)
        return found.decode("utf-8", "replace")

    def stop(self) -> None:
        """End the environment: at once, or after the invocation that it is running."""
        with self._state:
            self._stopped = True
            if not self._busy:
                self._clean()

    def kill(self) -> None:
        """End the environment at once, whatever it is doing."""
        with self._state:
            self._stopped = True
            self._clean()

    def _clean(self) -> None:
        self._discard()
        shutil.rmtree(self._folder, ignore_errors=True)


def _strike(child: Child, job: Job) -> None:
    """Kill the process in the middle of an invocation, if and when a test asks for it."""
    event = job.payload.decode("utf-8", "replace")
    while not job.answer.done() and child.process.poll() is None:
        if faults().strikes(KILL_FUNCTION, event):
            child.signal_main(signal.SIGKILL)
            return
        time.sleep(FAULT_SECONDS)


def _error(kind: str, message: str) -> bytes:
    return json.dumps({"errorType": kind, "errorMessage": message}).encode()


def _memory_mb(pid: int) -> int:
    try:
        return int(psutil.Process(pid).memory_info().rss // 2**20)
    except psutil.Error:
        return 0
