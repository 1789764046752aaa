"""What is simulated: the published quotas, what an operator chooses, what a session does, and prices.

Where each of these numbers comes from stands in docs/scaling.md.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import StrEnum

from pullwright.github.budget import A_MINUTE

COUNTED_WRITES = 3
"""What Pullwright counts in a session besides progress: pull request, comment, the comment's last edit."""
# List prices of us-east-1 without free tiers, in US dollars: Fargate on arm64, a public address, Step
# Functions, Lambda on arm64, DynamoDB on demand.
VCPU_HOUR, GB_HOUR, ADDRESS_HOUR, TRANSITION = 0.03238, 0.00356, 0.005, 0.000025
LAMBDA_GB_SECOND, LAMBDA_REQUEST, WRITE_UNIT = 0.0000133334, 0.0000002, 0.000000625


class Limit(StrEnum):
    """What can make a session wait or fail."""

    SLOTS = "MaxConcurrentSessions"
    VCPU = "Fargate vCPU quota"
    GITHUB = "GitHub content limit"
    LAMBDA = "Lambda concurrency"
    RUN_TASK = "RunTask rate"
    START = "StartExecution rate"
    TRANSITIONS = "state transition rate"
    MODEL = "model tokens a minute"


@dataclass(frozen=True)
class Parameters:
    """One deployment in a new AWS account. Rates are per second unless a name says otherwise."""

    # Quotas of the account and of GitHub.
    fargate_vcpu: float = 6
    run_task_burst: float = 20
    run_task_rate: float = 20
    start_burst: float = 1_300
    start_rate: float = 300
    transition_burst: float = 5_000
    transition_rate: float = 1_500
    lambda_concurrency: float = 10
    github_per_minute: float = 80
    github_per_hour: float = 500
    model_tokens_per_minute: float = math.inf
    # What the operator chooses.
    max_sessions: float = 3
    installations: float = 1
    task_vcpu: float = 2
    task_gb: float = 8
    # What one session does.
    work_seconds: float = 720
    work_deviation: float = 540
    work_limit: float = 3_600
    boot_seconds: float = 45
    webhook_seconds: float = 0.3
    open_seconds: float = 5
    broker_seconds: float = 1
    report_seconds: float = 4
    open_writes: float = 2
    report_writes: float = 1
    edits_count: float = 1
    session_tokens: float = 400_000
    model_usd: float = 1.0

    def ceilings(self) -> dict[Limit, float]:
        """Sessions an hour that each limit allows by arithmetic (Little's law), each taken alone."""
        work = self.work_seconds
        hold = self.boot_seconds + self.broker_seconds + work + self.report_seconds
        functions = self.webhook_seconds + self.open_seconds + self.broker_seconds + self.report_seconds
        # What GitHub takes, and what our own count lets through; progress gives way to both.
        theirs = min(self.github_per_hour, 60 * self.github_per_minute)
        content = min(theirs / (self.open_writes + self.report_writes), 60 * A_MINUTE / COUNTED_WRITES)
        return {
            Limit.SLOTS: 3_600 * self.max_sessions / hold,
            Limit.VCPU: 3_600 * (self.fargate_vcpu // self.task_vcpu) / hold,
            Limit.GITHUB: self.installations * content,
            Limit.LAMBDA: 3_600 * self.lambda_concurrency / functions,
            Limit.RUN_TASK: 3_600 * self.run_task_rate,
            Limit.START: 3_600 * self.start_rate,
            Limit.TRANSITIONS: 3_600 * self.transition_rate / 8,
            Limit.MODEL: 60 * self.model_tokens_per_minute / self.session_tokens,
        }
