"""Not a defect: no metrics of Lambda's own are published.

Each invocation put one into CloudWatch's database, by a call of its own in a thread of its own: a tenth of
the engine's time while functions run. Only alarms read them, and alarms never fire here. What functions
measure themselves is in their logs.
"""

from typing import Any

from localstack.services.lambda_.invocation import version_manager


def _publish_nothing(**_: Any) -> None:
    """Stand in for LocalStack's `record_cw_metric_invocation` and `record_cw_metric_error`."""


def apply() -> None:
    """Publish none; those of SQS are switched off by LocalStack's own setting."""
    version_manager.record_cw_metric_invocation = _publish_nothing
    version_manager.record_cw_metric_error = _publish_nothing
