"""The box of a deployment: its stack, its machine, and what it says of itself."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any, NamedTuple

from botocore.exceptions import ClientError

from pullwright import errors
from pullwright.json_object import decode_object

if TYPE_CHECKING:
    from pullwright_cli.aws import Stack

SUFFIX = "-devbox"
HALF = frozenset({"CREATE_FAILED", "ROLLBACK_COMPLETE", "ROLLBACK_FAILED", "REVIEW_IN_PROGRESS"})
"""A creation that failed, which CloudFormation only lets be deleted."""
_GONE = frozenset({"shutting-down", "terminated"})


class Message(NamedTuple):
    """A line of the box's log.

    Attributes:
        at: milliseconds since 1970.
    """

    at: int
    text: str


@dataclass(frozen=True)
class Box:
    """The box of a main stack.

    Attributes:
        main: the stack that it works on.
    """

    main: Stack

    @property
    def name(self) -> str:
        """Of its stack in CloudFormation."""
        return f"{self.main.name}{SUFFIX}"

    @cached_property
    def stack(self) -> Stack:
        """Its stack."""
        return replace(self.main, name=self.name, source="")

    @cached_property
    def status(self) -> str:
        """Status of its stack; empty without one."""
        try:
            found = self.main.client("cloudformation").describe_stacks(StackName=self.name)["Stacks"]
        except ClientError as error:
            # The name has the right form, so that nothing else of the call can be invalid.
            if error.response.get("Error", {}).get("Code") != "ValidationError":
                raise
            return ""
        return str(found[0]["StackStatus"])

    @property
    def is_whole(self) -> bool:
        """Whether there is one that can be changed."""
        return self.status not in {"", *HALF}

    @cached_property
    def instance_id(self) -> str:
        """Id of its machine.

        Raises:
            DevBoxMissing: there is no box.
            StackIncomplete: there is half of one.
        """
        if not self.status:
            raise errors.DevBoxMissing(f"There is no dev box {self.name} in {self.main.place}.")
        return self.stack.output("InstanceId")

    def instance(self) -> dict[str, Any]:
        """Return what EC2 says of its machine now.

        Raises:
            DevBoxMissing: there is none, or it was terminated by hand.
        """
        try:
            found = self.main.client("ec2").describe_instances(InstanceIds=[self.instance_id])
        except ClientError as error:
            if error.response.get("Error", {}).get("Code") != "InvalidInstanceID.NotFound":
                raise
            found = {"Reservations": []}
        instances = [one for group in found["Reservations"] for one in group["Instances"]]
        if not instances or instances[0]["State"]["Name"] in _GONE:
            raise errors.DevBoxMissing(
                f"The machine {self.instance_id} of {self.name} is gone, though its stack is there.",
                remedy="`pullwright devbox down` removes the rest, `pullwright devbox up` makes another.",
            )
        machine: dict[str, Any] = instances[0]
        return machine

    def running(self) -> dict[str, Any]:
        """Return its machine, which has to run.

        Raises:
            DevBoxStopped: it does not.
        """
        machine = self.instance()
        state = machine["State"]["Name"]
        if state != "running":
            raise errors.DevBoxStopped(f"The dev box {self.instance_id} is {state}.")
        return machine

    def last_message(self, kind: str) -> Message | None:
        """Return the newest line of one of its streams; None while there is none.

        Args:
            kind: `bootstrap`, what its set-up says, or `status`, what it says every five minutes.
        """
        return self._message(kind, startFromHead=False)

    def first_message(self, kind: str, since: int) -> Message | None:
        """Return the oldest line of one of its streams since a time; None while there is none.

        Args:
            since: milliseconds since 1970.
        """
        return self._message(kind, startFromHead=True, startTime=since)

    def _message(self, kind: str, **options: Any) -> Message | None:
        place = {
            "logGroupName": f"/pullwright/{self.main.name}/devbox",
            "logStreamName": f"{self.instance_id}/{kind}",
        }
        try:
            events = self.main.client("logs").get_log_events(**place, limit=1, **options)["events"]
        except ClientError as error:
            if error.response.get("Error", {}).get("Code") != "ResourceNotFoundException":
                raise
            return None
        return Message(events[-1]["timestamp"], events[-1]["message"]) if events else None

    def set_up(self, machine: dict[str, Any]) -> str:
        """Return the last word of the set-up since the machine's last start; empty while there is none."""
        message = self.last_message("bootstrap")
        started = machine["LaunchTime"].timestamp() * 1000
        return message.text if message is not None and message.at >= started else ""

    def ready(self) -> dict[str, Any]:
        """Return its machine, which has to be set up.

        Raises:
            DevBoxStopped: it does not run.
            DevBoxNotReady: its set-up goes on, has not begun or has failed.
        """
        machine = self.running()
        text = self.set_up(machine)
        if not text.startswith("READY "):
            raise errors.DevBoxNotReady(
                f"The dev box {self.instance_id} is not ready: {text or 'its set-up has said nothing yet'}."
            )
        return machine

    def last_status(self) -> dict[str, Any]:
        """Return what it said last of its use, its disk and its repositories; empty while it said nothing."""
        message = self.last_message("status")
        return {**decode_object(message.text), "at": message.at} if message is not None else {}


def as_json(box: Box) -> dict[str, Any]:
    """Return what `pullwright devbox status --json` prints."""
    machine = box.instance()
    text = box.set_up(machine)
    said = box.last_status()
    return {
        "stack": box.name,
        "stack_status": box.status,
        "instance": box.instance_id,
        "state": machine["State"]["Name"],
        "type": machine["InstanceType"],
        "spot": "SpotInstanceRequestId" in machine,
        "started_at": machine["LaunchTime"].isoformat(),
        "ready": text.startswith("READY "),
        "set_up": text or None,
        "active": said.get("active"),
        "idle_minutes": said.get("idle_minutes"),
        "disk_percent": said.get("disk_percent"),
        "unpushed": said.get("unpushed"),
        "outputs": box.stack.outputs,
    }
