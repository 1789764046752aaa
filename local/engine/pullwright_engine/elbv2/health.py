"""How well a target is, by the checks that it passed and failed.

States and reasons: https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_TargetHealth.html
Counts: https://docs.aws.amazon.com/elasticloadbalancing/latest/application/target-group-health-checks.html
"""

from dataclasses import dataclass

from pullwright_engine.elbv2.table import Check


@dataclass(frozen=True)
class Condition:
    """A target's health as the API shows it."""

    state: str
    reason: str = ""
    description: str = ""

    def view(self) -> dict[str, str]:
        """Return it in the API's spelling; a target that is well has no reason."""
        shown = {"State": self.state, "Reason": self.reason, "Description": self.description}
        return {key: value for key, value in shown.items() if value}


HEALTHY = Condition("healthy")
INITIAL = Condition("initial", "Elb.InitialHealthChecking", "Initial health checks in progress")
NOT_IN_USE = Condition(
    "unused", "Target.NotInUse", "Target group is not configured to receive traffic from the load balancer"
)
NOT_REGISTERED = Condition("unused", "Target.NotRegistered", "Target is not registered to the target group")
DRAINING = Condition("draining", "Target.DeregistrationInProgress", "Target deregistration is in progress")
TIMED_OUT = Condition("unhealthy", "Target.Timeout", "Request timed out")
FAILED = Condition("unhealthy", "Target.FailedHealthChecks", "Health checks failed")


def mismatch(status: int) -> Condition:
    """Return the condition of a target that answers with a status that its check does not expect."""
    return Condition(
        "unhealthy", "Target.ResponseCodeMismatch", f"Health checks failed with these codes: [{status}]"
    )


class Health:
    """The condition of one target of a group that is in use: one success makes it healthy at first."""

    def __init__(self) -> None:
        self.condition = INITIAL
        self._successes = 0
        self._failures = 0

    def record(self, failure: Condition | None, check: Check) -> None:
        """Count one check.

        Args:
            failure: what is wrong; None for a check that was passed.
        """
        if failure is None:
            self._successes, self._failures = self._successes + 1, 0
            if self.condition is INITIAL or self._successes >= check.healthy_after:
                self.condition = HEALTHY
            return
        self._successes, self._failures = 0, self._failures + 1
        if self.condition.state == "unhealthy" or self._failures >= check.unhealthy_after:
            self.condition = failure
