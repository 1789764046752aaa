"""The processes of a stack: engine, stand-ins, and the proxy to a real model."""

import os
import secrets
import sys
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from local import agent_tools, bedrock_proxy
from local.emulator import SYSTEM_PATH, Emulator, runner_images
from local.layout import APP_PERMISSIONS, ROOT, Layout
from local.model_choice import Model
from local.sam import REGION
from local.supervise import Process, free_port, start, start_on_demand, wait_until

START_SECONDS = 30.0
_ELB_LAG = 2.0
"""Seconds; https://github.com/kubernetes-sigs/aws-load-balancer-controller/issues/3739 shows some."""
EXCHANGES = "PULLWRIGHT_EXCHANGES"
"""Names the folder that gets every request to the GitHub stand-in with its answer; the tests set it."""


class Services:
    """The processes to start, on ports that are free now."""

    def __init__(self, layout: Layout, model: Model) -> None:
        self._layout = layout
        self._model = model
        self._github_port, self._model_port, self._jira_port = free_port(), free_port(), free_port()
        self._preview_port = free_port()
        self._token = secrets.token_urlsafe(24)
        self._emulator = Emulator(
            layout,
            free_port(),
            runner_images(),
            task_path=agent_tools.place(layout),
            task_environment=self._task_environment(),
            elb_lag=_ELB_LAG,
        )

    @property
    def starts(self) -> dict[str, Callable[[], Process]]:
        """The functions that start the processes, by the name that people see; all can run at once."""
        found: dict[str, Callable[[], Process]] = {
            "GitHub stand-in": self._github,
            "Jira stand-in": self._jira,
            "LocalStack": self._emulator.start,
        }
        if self._model.scripted:
            found["model stand-in"] = lambda: self._standin("model", self._model_port)
        elif self._model.provider == "bedrock":
            found["way to Bedrock"] = self._proxy
        return found

    def describe(self) -> dict[str, Any]:
        """Return what `stack.json` says about them."""
        return {
            "endpoint_url": self._emulator.url,
            "region": REGION,
            "github_url": f"http://127.0.0.1:{self._github_port}",
            "jira_url": f"http://127.0.0.1:{self._jira_port}",
            "preview_port": self._preview_port,
            "model_url": f"http://127.0.0.1:{self._model_port}" if self._model.scripted else None,
            "model": self._model.label,
            "log_dir": str(self._layout.logs),
        }

    def _task_environment(self) -> dict[str, str]:
        variables = {
            "WORK_DIR": "{task_dir}/workspace",
            "AGENT_UID": "{task_uid}",
            "CHECKS_UID": "{checks_uid}",
            "BROWSER_UID": "{browser_uid}",
        }
        if self._model.provider == "bedrock":
            path = "" if self._model.scripted else f"/{self._token}"
            variables["AWS_ENDPOINT_URL_BEDROCK_RUNTIME"] = f"http://127.0.0.1:{self._model_port}{path}"
        if self._model.same_user:
            variables["AGENT_ISOLATION"] = "none"
        return variables

    def _github(self) -> Process:
        arguments: list[object] = ["--data", self._layout.data / "github", "--permissions", APP_PERMISSIONS]
        if folder := os.environ.get(EXCHANGES):
            arguments += ["--exchanges", folder]
        return self._standin("github", self._github_port, *arguments)

    def _jira(self) -> Process:
        """Have it started by the first request: most sessions are about nothing in Jira."""
        command = [sys.executable, "-m", "jira_standin", "--data", str(self._layout.data / "jira")]
        if folder := os.environ.get(EXCHANGES):
            command += ["--exchanges", folder]
        return start_on_demand(
            "jira",
            self._jira_port,
            command,
            environment=self._environment,
            log=self._layout.logs / "jira.log",
            cwd=ROOT,
        )

    @property
    def _environment(self) -> dict[str, str]:
        return {
            "PATH": f"{Path(sys.executable).parent}:{SYSTEM_PATH}",
            "HOME": str(self._layout.data),
            "LANG": "C.UTF-8",
            "PYTHONUNBUFFERED": "1",
        }

    def _standin(self, name: str, port: int, *arguments: object) -> Process:
        return self._module(name, f"{name}_standin", port, *arguments, environment=self._environment)

    def _proxy(self) -> Process:
        # The one process that may see the developer's own AWS settings.
        environment = {**os.environ, bedrock_proxy.TOKEN: self._token}
        return self._module("bedrock_proxy", "local.bedrock_proxy", self._model_port, environment=environment)

    def _module(
        self, name: str, module: str, port: int, *arguments: object, environment: Mapping[str, str]
    ) -> Process:
        log = self._layout.logs / f"{name}.log"
        process = start(
            name,
            [sys.executable, "-m", module, "--port", str(port), *map(str, arguments)],
            environment=environment,
            log=log,
            cwd=ROOT,
        )
        wait_until(lambda: _answers(f"http://127.0.0.1:{port}/"), process, log=log, seconds=START_SECONDS)
        return process


def _answers(url: str) -> bool:
    try:
        urllib.request.urlopen(url, timeout=2).close()  # noqa: S310 - loopback
    except urllib.error.HTTPError as error:
        error.close()
        return True
    except OSError:
        return False
    return True
