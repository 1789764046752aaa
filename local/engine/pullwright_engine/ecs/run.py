"""The life of one task, in a thread of its own: pull, start, watch, stop."""

import contextlib
import json
import logging
import shutil
import signal
import subprocess
import threading
import time
from pathlib import Path

import psutil

from pullwright_engine.ecr.repositories import image_to_run
from pullwright_engine.ecs import container as containers
from pullwright_engine.ecs import metadata, platform, users
from pullwright_engine.ecs.endpoint import endpoint
from pullwright_engine.ecs.errors import StartError
from pullwright_engine.ecs.shapes import SPOT, Document, exit_code, now, task_id
from pullwright_engine.faults import EXHAUST_TASK, RECLAIM_TASK, REFUSE_TASK
from pullwright_engine.settings import Image, Settings, faults

LOG = logging.getLogger(__name__)

KILLED = 137
"""Exit code of a container that got SIGKILL."""

RECLAIMED = "Your Spot Task was interrupted."
"""`stoppedReason` of a task that is taken back; it gets SIGTERM, and two minutes unless its `stopTimeout` is
shorter: https://docs.aws.amazon.com/AmazonECS/latest/developerguide/fargate-capacity-providers.html"""

RECLAIM_SECONDS = 0.2
"""Between two looks at whether a running task is to be taken back."""

DRAIN_SECONDS = 5.0
"""How long the output of a container that has ended may take to be read."""


class TaskRun:
    """A task and the processes that are it.

    Args:
        task: as the API shows it; changed as the task lives.
    """

    def __init__(self, task: Document, definition: Document, settings: Settings) -> None:
        self.task = task
        self._definition = definition
        self._settings = settings
        self._folder = settings.tasks_dir / task_id(task["taskArn"])
        self._changed = threading.Condition()
        self._stopping = False
        self._running: list[containers.Container] = []
        self._streams: dict[str, str] = {}
        self._published: list[str] = []
        self._thread = threading.Thread(target=self._live, name=f"task-{self._folder.name}", daemon=True)

    def begin(self) -> None:
        """Start the task's life."""
        self._thread.start()

    def stop(self, reason: str, code: str = "UserInitiated") -> None:
        """Ask the task to end, as StopTask does; what has ended stays as it is."""
        with self._changed:
            if self.task["desiredStatus"] != "STOPPED":
                self.task.update(desiredStatus="STOPPED", stopCode=code, stoppedReason=reason)
            self._stopping = True
            self._changed.notify_all()

    def kill(self) -> None:
        """End every process at once: the engine is going down."""
        for container in self._running:
            container.child.kill_group()

    def join(self, seconds: float) -> bool:
        """Wait until the task has ended.

        Args:
            seconds: at most.

        Returns:
            Whether it has.
        """
        self._thread.join(seconds)
        return not self._thread.is_alive()

    def _live(self) -> None:
        try:
            self._start()
            self._watch()
        except StartError as failure:
            self.task.update(stopCode="TaskFailedToStart", stoppedReason=failure.reason)
        except Exception as error:
            LOG.exception("task %s", self.task["taskArn"])
            self.task.update(stopCode="TaskFailedToStart", stoppedReason=f"InternalError: {error}")
        finally:
            self._end()

    # --- start -----------------------------------------------------------------------------------------

    def _start(self) -> None:
        self._status("PENDING")
        for part in ("", "home", "tmp"):
            (self._folder / part).mkdir(parents=True, exist_ok=True)
        self._folder.chmod(0o711)
        (self._folder / "home").chmod(0o700)
        (self._folder / "tmp").chmod(0o1777)
        overrides = {override["name"]: override for override in self.task["overrides"]["containerOverrides"]}
        images = self._pull()
        uri = self._credentials_uri()
        definitions = self._definition["containerDefinitions"]
        for shown, definition in zip(self.task["containers"], definitions, strict=True):
            override = overrides.get(definition["name"], {})
            try:
                self._start_container(shown, definition, override, images[definition["name"]], uri)
            except StartError as failure:
                shown["reason"] = failure.reason
                raise
        self.task.update(startedAt=now(), connectivity="CONNECTED", connectivityAt=now())
        self._status("RUNNING")

    def _pull(self) -> dict[str, Image]:
        self.task["pullStartedAt"] = now()
        images = {}
        for shown in self.task["containers"]:
            image = image_to_run(shown["image"], self._settings)
            if image is None or faults().strikes(REFUSE_TASK, json.dumps(self.task["overrides"])):
                shown["reason"] = (
                    "CannotPullContainerError: pull image manifest has been retried 1 time(s): "
                    f"failed to resolve ref {shown['image']}: {shown['image']}: not found"
                )
                raise StartError(shown["reason"])
            shown["imageDigest"] = image.digest
            images[shown["name"]] = image
        self.task["pullStoppedAt"] = now()
        return images

    def _credentials_uri(self) -> str | None:
        role = self.task["overrides"].get("taskRoleArn") or self._definition.get("taskRoleArn")
        if not role:
            return None
        path = endpoint().publish_credentials(platform.credentials(self.task, role))
        self._published.append(path)
        return endpoint().root + path

    def _start_container(
        self, shown: Document, definition: Document, override: Document, image: Image, uri: str | None
    ) -> None:
        secrets = platform.secrets(self.task, definition)
        stream = platform.log_stream(self.task, definition, self._settings)
        if stream.name:
            self._streams[definition["name"]] = stream.name
        path = endpoint().publish_metadata(
            lambda: metadata.container_metadata(shown, self.task, self._definition, self._streams),
            lambda: metadata.task_metadata(self.task, self._definition, self._streams),
        )
        self._published.append(path)
        variables = containers.environment(
            definition,
            override,
            platform=platform.variables(
                self.task,
                self._folder,
                self._settings,
                metadata_uri=endpoint().root + path,
                credentials_uri=uri,
            ),
            image=image,
            secrets=secrets,
        )
        container = containers.start(
            definition,
            override,
            image=image,
            variables=variables,
            folder=self._folder,
            stream=stream,
            settings=self._settings,
        )
        self._running.append(container)
        shown.update(lastStatus="RUNNING", runtimeId=f"{self._folder.name}-{container.child.process.pid}")

    # --- watch and end ---------------------------------------------------------------------------------

    def _watch(self) -> None:
        for container in self._running:
            threading.Thread(target=self._await_exit, args=(container,), daemon=True).start()
        with self._changed:
            while not self._changed.wait_for(
                lambda: self._stopping or self._essential_ended(), RECLAIM_SECONDS
            ):
                if self._is_reclaimed():
                    self.stop(RECLAIMED, "SpotInterruption")
        if self.task["desiredStatus"] != "STOPPED":
            self.task.update(
                stopCode="EssentialContainerExited", stoppedReason="Essential container in task exited"
            )

    def _await_exit(self, container: containers.Container) -> None:
        container.child.process.wait()
        with self._changed:
            self._changed.notify_all()

    def _is_reclaimed(self) -> bool:
        """Return whether AWS wants the capacity back; only what runs on spare capacity is ever taken back."""
        return self.task.get("capacityProviderName") == SPOT and faults().strikes(
            RECLAIM_TASK, json.dumps(self.task["overrides"])
        )

    def _essential_ended(self) -> bool:
        return any(
            container.essential and container.child.process.poll() is not None for container in self._running
        )

    def _end(self) -> None:
        self.task.update(desiredStatus="STOPPED", stoppingAt=now())
        self._status("STOPPING")
        began = time.monotonic()
        for container in self._running:
            if container.child.process.poll() is None:
                container.child.signal_main(signal.SIGTERM)
        for container in sorted(self._running, key=lambda running: running.stop_seconds):
            remaining = container.stop_seconds - (time.monotonic() - began)
            with contextlib.suppress(subprocess.TimeoutExpired):
                container.child.process.wait(max(remaining, 0))
            container.child.kill_group()
        self._kill_strays()
        self.task["executionStoppedAt"] = now()
        codes = {}
        for container in self._running:
            container.pump.join(DRAIN_SECONDS)
            codes[container.name] = exit_code(container.child.process.returncode)
        for shown in self.task["containers"]:
            shown["lastStatus"] = "STOPPED"
            if shown["name"] in codes:
                shown["exitCode"] = codes[shown["name"]]
                if shown["exitCode"] == KILLED and faults().strikes(
                    EXHAUST_TASK, json.dumps(self.task["overrides"])
                ):
                    shown["reason"] = "OutOfMemoryError: Container killed due to memory usage"
        for path in self._published:
            endpoint().withdraw(path)
        shutil.rmtree(self._folder, ignore_errors=True)
        users.give_back(self._folder.name)
        self.task["stoppedAt"] = now()
        self._status("STOPPED")

    def _kill_strays(self) -> None:
        """End processes that left the container's process group and still work in the task's folder."""
        for process in psutil.process_iter():
            with contextlib.suppress(psutil.Error, OSError):
                if Path(process.cwd()).is_relative_to(self._folder):
                    process.kill()

    def _status(self, status: str) -> None:
        self.task["version"] += 1
        self.task["lastStatus"] = status
