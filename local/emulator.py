"""LocalStack with our plugin: its settings, its environment, its start."""

import compileall
import hashlib
import json
import os
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from local.layout import ENGINE_LIBRARIES, ROOT, Layout, venv_bin
from local.supervise import Process, start, wait_until

BOOT_SECONDS = 60.0
SYSTEM_PATH = "/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin"
_REGISTRY = "*.dkr.ecr.*.amazonaws.com/"
# The first that matches counts; CloudFormation makes a repository's name from that of its resource.
SERVED_IMAGES = {
    f"{_REGISTRY}{repository}:{tag}": module
    for repository, module in (("*-previewrepository-*", "runner.preview"), ("*", "runner"))
    for tag in ("latest", "staging")
}
"""Names of images and the module of this checkout that is run for them; any other cannot be pulled."""


@dataclass(frozen=True)
class Emulator:
    """The settings of one engine.

    Attributes:
        images: image name patterns to what runs for them; see `pullwright_engine.settings`.
        task_path: PATH of tasks.
        max_environments: how many function environments may exist at once.
        queue_seconds: how long an invocation waits for one.
        fargate_vcpus: the account's quota of vCPUs for tasks; None for no quota.
        elb_rules: the account's quota of rules for one load balancer.
        elb_lag: seconds until a change of rules reaches the traffic of a load balancer.
    """

    layout: Layout
    port: int
    images: dict[str, dict[str, Any]]
    task_path: str = SYSTEM_PATH
    task_environment: Mapping[str, str] = field(default_factory=dict)
    function_environment: Mapping[str, str] = field(default_factory=dict)
    max_environments: int = 10
    queue_seconds: float = 20.0
    fargate_vcpus: float | None = None
    elb_rules: int = 100
    elb_lag: float = 0.0

    @property
    def url(self) -> str:
        """Its address."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def log(self) -> Path:
        """Its output."""
        return self.layout.logs / "engine.log"

    def settings(self) -> dict[str, Any]:
        """Return what the plugin reads."""
        return {
            "children_dir": str(self.layout.children),
            "tasks_dir": str(self.layout.shared / "tasks"),
            "log_dir": str(self.layout.logs),
            "calls_file": str(self.layout.logs / "aws-calls.jsonl"),
            "faults_file": str(self.layout.engine / "faults.json"),
            "images": self.images,
            "task_path": self.task_path,
            "task_environment": dict(self.task_environment),
            "function_python": str(venv_bin("lambda") / "python"),
            "function_environment": dict(self.function_environment),
            "max_environments": self.max_environments,
            "queue_seconds": self.queue_seconds,
            "fargate_vcpus": self.fargate_vcpus,
            "elb_rules": self.elb_rules,
            "elb_lag": self.elb_lag,
        }

    def environment(self) -> dict[str, str]:
        """Return the engine's whole environment; nothing of the developer's own AWS settings gets in."""
        engine = self.layout.engine
        variables = {
            "PATH": f"{venv_bin('localstack')}:{SYSTEM_PATH}",
            "HOME": str(engine / "home"),
            "LANG": "C.UTF-8",
            "PYTHONUNBUFFERED": "1",
            "PULLWRIGHT_ENGINE": str(engine / "settings.json"),
            "GATEWAY_LISTEN": f"127.0.0.1:{self.port}",
            "LOCALSTACK_HOST": f"127.0.0.1:{self.port}",
            "SQS_ENDPOINT_STRATEGY": "path",
            "DISABLE_EVENTS": "1",
            "SKIP_SSL_CERT_DOWNLOAD": "1",
            "DNS_ADDRESS": "0",
            "OVERRIDE_IN_DOCKER": "0",
            "FILESYSTEM_ROOT": str(engine / "files"),
            "TMPDIR": str(engine / "tmp"),
            "XDG_CACHE_HOME": str(engine / "cache"),
            "PROVIDER_OVERRIDE_DYNAMODB": "moto",
            "LAMBDA_RUNTIME_EXECUTOR": "pullwright",
            # Ten minutes: a cold start is a second of a processor.
            "LAMBDA_KEEPALIVE_MS": "600000",
            # Metrics of the services' own are read by alarms alone, which never fire here.
            "SQS_DISABLE_CLOUDWATCH_METRICS": "1",
            # Its services call each other in the process, not over HTTP.
            "IN_MEMORY_CLIENT": "1",
        }
        for name in ("SFN_MOCK_CONFIG", "DEBUG"):
            if name in os.environ:
                variables[name] = os.environ[name]
        return variables

    def prepare(self) -> None:
        """Make the folders and write the settings."""
        engine = self.layout.engine
        for part in ("home", "files", "tmp", "cache", "children"):
            (engine / part).mkdir(parents=True, exist_ok=True)
        made, libraries = (
            root / ENGINE_LIBRARIES for root in (venv_bin("localstack").parent, engine / "files")
        )
        if made.exists() and not libraries.exists():
            libraries.parent.mkdir(parents=True, exist_ok=True)
            libraries.symlink_to(made)
        self.layout.shared.mkdir(mode=0o711, parents=True, exist_ok=True)
        (self.layout.shared / "tasks").mkdir(mode=0o711, exist_ok=True)
        settings = engine / "settings.json"
        settings.write_text(json.dumps(self.settings(), indent=2), encoding="utf-8")
        # Task variables may hold an address of the developer's, nothing more; still nobody else's business.
        settings.chmod(0o600)

    def start(self) -> Process:
        """Start the engine and wait until it answers.

        Raises:
            NotReadyError: it did not start.
        """
        self.prepare()
        process = start(
            "engine",
            [str(venv_bin("localstack") / "python"), "-m", "pullwright_engine"],
            environment=self.environment(),
            log=self.log,
            cwd=self.layout.engine,
        )
        wait_until(self.answers, process, log=self.log, seconds=BOOT_SECONDS)
        return process

    def answers(self) -> bool:
        """Return whether it is ready."""
        try:
            with urllib.request.urlopen(f"{self.url}/_localstack/health", timeout=2) as answer:  # noqa: S310 - http
                return bool(answer.status == 200)  # noqa: PLR2004 - HTTP's own
        except OSError:
            return False


def runner_images() -> dict[str, dict[str, Any]]:
    """Return the runner of this checkout in place of the agent's image and of the previews'."""
    digest = hashlib.sha256()
    for path in (ROOT / "container", ROOT / "functions"):
        # As the image is built: tasks write no bytecode, and would compile all of it at each start.
        compileall.compile_dir(path, quiet=2)
        for file in sorted(path.rglob("*.py")):
            digest.update(str(file.relative_to(ROOT)).encode() + b"\0" + file.read_bytes())
    return {
        name: {
            "command": [str(venv_bin("runner") / "python"), "-m", module],
            "environment": {
                "PYTHONUNBUFFERED": "1",
                "PYTHONDONTWRITEBYTECODE": "1",
            },
            "digest": f"sha256:{digest.hexdigest()}",
        }
        for name, module in SERVED_IMAGES.items()
    }


def renew_images(layout: Layout) -> None:
    """Tell a running engine the digest of the runner as it stands in the checkout now."""
    path = layout.engine / "settings.json"
    draft = path.with_suffix(".new")
    draft.touch(mode=0o600)
    settings = json.loads(path.read_text(encoding="utf-8"))
    draft.write_text(json.dumps({**settings, "images": runner_images()}, indent=2), encoding="utf-8")
    draft.replace(path)
