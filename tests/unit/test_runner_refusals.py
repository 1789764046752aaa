"""What the known errors of the model's services mean for people."""

from __future__ import annotations

from typing import Any

import pytest

from model_standin.known import ANTHROPIC, BEDROCK
from pullwright.models import ResolvedLimits
from runner import exit_codes
from runner.agent.process import Ended
from runner.agent.stream import ResultLine
from runner.agent.verdict import AgentEnd, judge
from runner.gateway import GIVE_UP, Trouble

LIMITS = ResolvedLimits(usd=5.0, turns=20, minutes=30)
MEANT = {
    "no use-case form": ("ModelFormMissing", "use-case form"),
    "no subscription": ("ModelNotSubscribed", "Marketplace"),
    "no access": ("ModelNotSubscribed", "Marketplace"),
    "subscription pending": ("ModelAccessPending", "15 minutes"),
    "no right": ("ModelNotAllowed", "AdditionalModelArns"),
    "legacy": ("ModelNotOffered", "still offers"),
    "end of life": ("ModelNotOffered", "still offers"),
    "profile needed": ("ModelNotOffered", "inference profile"),
    "wrong region": ("ModelNotOffered", "in the region"),
    "data retention": ("ModelNotOffered", "data retention"),
    "account held back": ("ModelRefused", "AWS Support"),
    "daily quota": ("ModelQuotaUsedUp", "Service Quotas"),
    "throttled": ("ModelUnavailable", "a few minutes"),
    "invalid key": ("ModelKeyInvalid", "ModelKeySecretArn"),
    "no credit": ("ModelCreditMissing", "buy credit"),
    "billing": ("ModelCreditMissing", "buy credit"),
    "no such model": ("ModelNotOffered", "ModelId"),
    "overloaded": ("ModelUnavailable", "a few minutes"),
}


def _failure(answer: dict[str, Any], told: int | None) -> Any:
    line = ResultLine.model_validate(
        {"subtype": "success", "is_error": True, "terminal_reason": "api_error", "api_error_status": told}
    )
    trouble = Trouble(answer["status"], answer["type"], answer["message"])
    _, error = judge(AgentEnd(Ended(1, None, ""), line, trouble=trouble), LIMITS, changed=False)
    return error


@pytest.mark.parametrize("name", [*BEDROCK, *ANTHROPIC])
def test_each_known_refusal_has_its_class_and_its_remedy(name: str) -> None:
    """Whether or not the CLI was told the service's own status; and nothing of an account is shown."""
    answer = (BEDROCK | ANTHROPIC)[name]
    error, remedy = MEANT[name]
    for told in (answer["status"], GIVE_UP, None):
        failure = _failure(answer, told)
        assert type(failure).__name__ == error
        assert remedy in failure.remedy
        assert "123456789012" not in failure.sentence
        assert exit_codes.of(error) != exit_codes.SERVICE


def test_another_error_than_the_last_one_is_told_by_its_status() -> None:
    """What ended the agent counts, not an earlier refusal that was overcome."""
    assert type(_failure(BEDROCK["no use-case form"], 503)).__name__ == "ModelUnavailable"
