"""What `devbox` prints with `--json`; see `documents`."""

from pullwright.fields import Model


class DevBoxStatus(Model):
    """`devbox status`, and `devbox up` at its end.

    What the box itself tells is null until it has.

    Attributes:
        stack_status: as CloudFormation calls it.
        state: as EC2 calls it.
        set_up: last word of its set-up since the last start.
        active: why it counts as in use, such as `load`; empty while it is idle.
        unpushed: work on it, a line each.
    """

    stack: str
    stack_status: str
    instance: str
    state: str
    type: str
    spot: bool
    started_at: str
    ready: bool
    set_up: str | None
    active: tuple[str, ...] | None
    idle_minutes: float | None
    disk_percent: float | None
    unpushed: tuple[str, ...] | None
    outputs: dict[str, str]


class DevBoxState(Model):
    """`devbox start` and `devbox stop`.

    Attributes:
        state: as EC2 calls it.
    """

    instance: str
    state: str


class DevBoxMeasurement(Model):
    """One of `devbox measure`.

    Attributes:
        value: the figure with its unit, as the terminal shows it.
        holds: whether it is as promised.
    """

    name: str
    value: str
    holds: bool


class DevBoxMeasured(Model):
    """`devbox measure`."""

    measured: tuple[DevBoxMeasurement, ...]


class DevBoxRemoved(Model):
    """`devbox down`.

    Attributes:
        removed: name of the box's stack.
        unpushed: work that was lost with it, a line each.
    """

    removed: str
    unpushed: tuple[str, ...]
