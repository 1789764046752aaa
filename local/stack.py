"""The whole local stack: up, down, status, clean."""

import contextlib
import fcntl
import json
import platform
import shutil
import sys
import time
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from local import app, builds, jira, persistence
from local.edits import DEFINITION, EditError, Publisher, find_substitutions
from local.emulator import renew_images
from local.layout import APP_PERMISSIONS, ROOT, Layout
from local.model_choice import Model
from local.progress import Steps
from local.sam import Sam, client, fingerprint
from local.services import Services
from local.supervise import Process, children, end

STACK = "pullwright-local"
PREVIEW_DOMAIN = "preview.localhost"
"""Whatever ends with it is this machine, to browsers and to curl."""
RUNTIMES = ("python3.11", "python3.12", "python3.13")
STOP_SECONDS = 8.0
OWN = (
    "engine",
    "github",
    "jira",
    "model",
    "logs",
    "build",
    "saved",
    "test",
    "stack.json",
    "up.lock",
    "built",
    "builds",
)
"""What a stack keeps in its folder; `clean` removes these and nothing else."""


@dataclass
class Stack:
    """One stack of this checkout.

    Attributes:
        parameters: template parameters beyond those that this machine decides; `{jira_url}` in a value is
            the address of the Jira stand-in.
    """

    layout: Layout
    model: Model
    parameters: dict[str, str] = field(default_factory=dict)

    # --- up ------------------------------------------------------------------------------------------------

    def up(self) -> dict[str, Any]:
        """Start what does not run, deploy what has changed.

        Returns:
            What `stack.json` says.

        Raises:
            NotReadyError: a process did not start.
            SamError: the template could not be built or deployed.
        """
        self.layout.data.mkdir(parents=True, exist_ok=True)
        with self._lock():
            description = read(self.layout)
            if description and not self._fits(description):
                self._save(description)
                self._end()
                description = None
            if description and _live(description) == self._fingerprint(description):
                return description
            fresh = description is None
            with Steps("starting" if fresh else "updating", 7 if fresh else 2) as steps:
                if description is None:
                    description = self._start(steps)
                self._deploy(description, steps)
            return description

    def _fits(self, description: dict[str, Any]) -> bool:
        """Return whether all processes run, with the same model, from the same code, and as deployed."""
        return (
            all(process.alive for process in processes(description))
            and description["model"] == self.model.label
            and description["code"] == _code()
            # CloudFormation does not know what `make watch` has published, so it could not change it.
            and description.get("edited") in {None, self._fingerprint(description)}
        )

    def _start(self, steps: Steps) -> dict[str, Any]:
        shutil.rmtree(self.layout.edited, ignore_errors=True)
        services = Services(self.layout, self.model)
        description = services.describe() | {"code": _code(), "fingerprint": "", "processes": []}

        def build() -> None:
            with steps.step("sam build"):
                self._build(description)

        def begin(name: str) -> Process:
            with steps.step(name):
                return services.starts[name]()

        with ThreadPoolExecutor(len(services.starts) + 1) as pool:
            built = pool.submit(build)
            running = [pool.submit(begin, name) for name in services.starts]
            for future in running:
                # Each is kept as soon as it runs, so that a failure of another does not lose it.
                with contextlib.suppress(Exception):
                    description["processes"].append(future.result().as_json())
            self._write(description)
            for future in running:
                future.result()
            built.result()
        return description

    # --- deploy --------------------------------------------------------------------------------------------

    def _all_parameters(self, addresses: Mapping[str, Any]) -> dict[str, str]:
        """Return the template's parameters.

        Args:
            addresses: `github_url`, `jira_url` and `preview_port`.
        """
        jira_url = addresses["jira_url"]
        version = f"python3.{sys.version_info.minor}"
        return {
            "GitHubApiUrl": f"{addresses['github_url']}/api/v3",
            "ModelProvider": self.model.provider,
            # Whatever repositories the stand-in holds, they were made on this machine.
            "AllowedOwners": "*",
            # The functions run on this machine, whatever AWS would run them on.
            "Architecture": "arm64" if platform.machine() in {"arm64", "aarch64"} else "x86_64",
            "FunctionsRuntime": version if version in RUNTIMES else RUNTIMES[-1],
            **({} if "AlbListenerArn" in self.parameters else _own_load_balancer(addresses["preview_port"])),
            **{name: value.replace("{jira_url}", jira_url) for name, value in self.parameters.items()},
        }

    def _fingerprint(self, addresses: Mapping[str, Any]) -> str:
        sources = [ROOT / "functions", ROOT / "statemachine", ROOT / "template.yaml"]
        return fingerprint(sources, json.dumps(self._all_parameters(addresses), sort_keys=True))

    def _sam(self, description: dict[str, Any]) -> Sam:
        return Sam(
            ROOT / "template.yaml",
            self.layout.build,
            self.layout.logs,
            description["endpoint_url"],
            STACK,
            self._all_parameters(description),
        )

    def _build(self, description: dict[str, Any]) -> None:
        """Build, unless the same sources were built before with the same parameters, addresses left aside."""
        parameters = self._all_parameters(
            {**dict.fromkeys(("github_url", "jira_url"), "http://127.0.0.1:0"), "preview_port": 0}
        )
        sources = [ROOT / "functions", ROOT / "statemachine", ROOT / "template.yaml"]
        wanted = fingerprint(sources, json.dumps(parameters, sort_keys=True))
        mark = self.layout.data / "built"
        if (
            (self.layout.build / "template.yaml").exists()
            and mark.exists()
            and mark.read_text(encoding="utf-8") == wanted
        ):
            return
        mark.unlink(missing_ok=True)
        sam = self._sam(description)
        builds.provide(wanted, self.layout.build, lambda folder: replace(sam, build_dir=folder).build())
        mark.write_text(wanted, encoding="utf-8")

    def _deploy(self, description: dict[str, Any], steps: Steps) -> None:
        fresh = "outputs" not in description
        if not fresh:
            with steps.step("sam build"):
                self._build(description)
        with steps.step("sam deploy"):
            description["outputs"] = self._sam(description).deploy()
        if fresh:
            with steps.step("secrets, GitHub App, saved sessions"):
                description |= app.install(
                    description["endpoint_url"],
                    description["outputs"],
                    description["github_url"],
                    self.model.key,
                )
                interrupted = persistence.restore(
                    description["endpoint_url"], description["outputs"], self.layout.data / "saved"
                )
                if interrupted:
                    persistence.sweep(description["endpoint_url"], description["outputs"])
        jira_webhook = description["outputs"].get("JiraWebhookUrl")
        if jira_webhook != description.get("jira_webhook_url"):
            if jira_webhook is not None:
                jira.connect(description, self._all_parameters(description))
            description["jira_webhook_url"] = jira_webhook
        description.pop("edited", None)
        description["substitutions"] = self._substitutions(description)
        description["fingerprint"] = self._fingerprint(description)
        self._write(description)

    def _substitutions(self, description: dict[str, Any]) -> dict[str, str]:
        states = client("stepfunctions", description["endpoint_url"])
        machine = description["outputs"]["StateMachineArn"]
        deployed = states.describe_state_machine(stateMachineArn=machine)["definition"]
        # Where the definition was edited meanwhile, the next deployment finds them.
        with contextlib.suppress(EditError):
            return find_substitutions(DEFINITION.read_text(encoding="utf-8"), deployed)
        return {}

    # --- edits ---------------------------------------------------------------------------------------------

    def publish_functions(self) -> None:
        """Make the functions' code live as it stands in the checkout.

        Raises:
            EditError: it cannot be imported, or no stack is up.
        """
        with self._editing() as (publisher, description):
            description["substitutions"] = publisher.publish_functions()

    def publish_machine(self) -> None:
        """Make the state machine's definition live as it stands in the checkout.

        Raises:
            EditError: it is refused, or no stack is up.
        """
        with self._editing() as (publisher, _):
            publisher.publish_machine()

    def publish_runner(self) -> None:
        """Have the next tasks name the runner as it stands in the checkout, from which they run anyway."""
        renew_images(self.layout)

    @contextlib.contextmanager
    def _editing(self) -> Iterator[tuple[Publisher, dict[str, Any]]]:
        with self._lock():
            description = read(self.layout)
            if description is None or "outputs" not in description:
                raise EditError("no local stack is up: run make up")
            # Before anything is read: what is saved meanwhile has yet to be published.
            edited = self._fingerprint(description)
            publisher = Publisher(
                description["endpoint_url"],
                STACK,
                description["outputs"]["StateMachineArn"],
                self.layout.build,
                self.layout.edited,
                description.get("substitutions", {}),
            )
            yield publisher, description
            description["edited"] = edited
            self._write(description)

    def _write(self, description: dict[str, Any]) -> None:
        draft = self.layout.stack_file.with_suffix(".new")
        draft.touch(mode=0o600)
        draft.write_text(json.dumps(description, indent=2) + "\n", encoding="utf-8")
        draft.replace(self.layout.stack_file)

    # --- down ----------------------------------------------------------------------------------------------

    def down(self, *, keep: bool = True) -> list[str]:
        """End everything that this stack started.

        Args:
            keep: whether records and artifacts are put aside for the next `up`.

        Returns:
            Names of processes that did not end by themselves.
        """
        if not self.layout.data.exists():
            return []
        with self._lock():
            description = read(self.layout)
            if keep and description:
                self._save(description)
            return self._end()

    def _save(self, description: dict[str, Any]) -> None:
        # An engine that is gone or stuck has nothing to give.
        with contextlib.suppress(BotoCoreError, ClientError):
            if "outputs" in description:
                persistence.save(
                    description["endpoint_url"], description["outputs"], self.layout.data / "saved"
                )

    def _end(self) -> list[str]:
        process = processes(read(self.layout))
        stubborn = end(process, seconds=STOP_SECONDS)
        left = children(self.layout.children)
        end(left, seconds=0)
        shutil.rmtree(self.layout.children, ignore_errors=True)
        shutil.rmtree(self.layout.shared, ignore_errors=True)
        self.layout.stack_file.unlink(missing_ok=True)
        return stubborn

    def clean(self) -> None:
        """End everything and remove what this stack kept."""
        self.down(keep=False)
        for name in OWN:
            path = self.layout.data / name
            if path.is_dir():
                shutil.rmtree(path)
            else:
                path.unlink(missing_ok=True)

    @contextlib.contextmanager
    def _lock(self) -> Iterator[None]:
        """One `up` or `down` of a stack at a time."""
        with (self.layout.data / "up.lock").open("w", encoding="utf-8") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            yield


def _own_load_balancer(port: int) -> dict[str, str]:
    """Return the parameters with which the deployment has previews, at a port of this machine."""
    return {"PreviewHttpPort": str(port), "PreviewDomainSuffix": PREVIEW_DOMAIN}


def read(layout: Layout) -> dict[str, Any] | None:
    """Return what `stack.json` says.

    Returns:
        `None` if no stack was started there.
    """
    try:
        description: dict[str, Any] = json.loads(layout.stack_file.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None
    return description


def processes(description: dict[str, Any] | None) -> list[Process]:
    """Return the processes that `stack.json` names."""
    return [Process(**entry) for entry in description["processes"]] if description else []


def status(layout: Layout) -> dict[str, Any]:
    """Return what runs."""
    description = read(layout)
    running = {process.name: process.alive for process in processes(description)}
    return {
        "up": bool(running) and all(running.values()) and "outputs" in (description or {}),
        "processes": running,
        "children": [child.name for child in children(layout.children) if child.alive],
        "stack_file": str(layout.stack_file),
        "endpoint_url": description["endpoint_url"] if description else None,
        "github_url": description["github_url"] if description else None,
        "jira_url": description.get("jira_url") if description else None,
    }


def _code() -> str:
    """Return a hash of what the processes run: after a change they are started anew."""
    names = (
        "engine",
        "standin",
        "github_standin",
        "jira_standin",
        "model_standin",
        "emulator.py",
        "services.py",
        "on_demand.py",
    )
    return fingerprint([*(ROOT / "local" / name for name in names), APP_PERMISSIONS])


def _live(description: dict[str, Any]) -> str:
    """Return the fingerprint of the sources that are live: those of the last deployment, or edited ones."""
    return str(description.get("edited") or description["fingerprint"])


def elapsed(began: float) -> str:
    """Seconds since a moment, for people.

    Args:
        began: of `time.monotonic`.
    """
    return f"{time.monotonic() - began:.1f} s"
