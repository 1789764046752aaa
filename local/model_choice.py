"""Which model a stack talks to: the scripted stand-in unless the person says otherwise.

Nothing is ever spent by surprise: a key in the environment alone changes nothing; `--model auto` (or
`PULLWRIGHT_MODEL=auto`) uses what is there.
"""

import os
from collections.abc import Mapping
from dataclasses import dataclass

CHOICES = ("scripted", "anthropic", "bedrock", "auto")


class ChoiceError(Exception):
    """What was asked for cannot be had; the text says why and what to do."""


@dataclass(frozen=True)
class Model:
    """The model of one stack.

    Attributes:
        provider: `ModelProvider` of the template.
        key: for the model key's secret; never shown.
        same_user: whether the agent must run as the runner's own user.
    """

    scripted: bool
    provider: str
    key: str | None
    same_user: bool

    @property
    def label(self) -> str:
        """What people are shown: `scripted`, or the provider's name."""
        return "scripted" if self.scripted else self.provider


def choose(wanted: str, environment: Mapping[str, str], *, is_root: bool) -> Model:
    """Choose the model.

    Args:
        is_root: whether a second user can be had for the agent.

    Raises:
        ChoiceError: no key for the model that was asked for, or no second user to protect the runner from a
            real agent and no explicit consent to that.
    """
    if wanted not in CHOICES:
        raise ChoiceError(f"there is no model {wanted!r}: choose one of {', '.join(CHOICES)}")
    key = environment.get("ANTHROPIC_API_KEY") or None
    has_aws = any(environment.get(name) for name in ("AWS_ACCESS_KEY_ID", "AWS_PROFILE"))
    if wanted == "anthropic" and key is None:
        raise ChoiceError("the model anthropic needs a key: set ANTHROPIC_API_KEY")
    if wanted == "bedrock" and not has_aws:
        raise ChoiceError("the model bedrock needs AWS credentials: set AWS_PROFILE or AWS_ACCESS_KEY_ID")
    if wanted == "auto":
        wanted = "anthropic" if key else "bedrock" if has_aws else "scripted"
    if wanted == "scripted":
        return Model(scripted=True, provider="bedrock", key=None, same_user=not is_root)
    if not is_root and environment.get("PULLWRIGHT_ALLOW_SAME_USER") != "1":
        raise ChoiceError(
            "without root there is no second user for the agent, so it could read whatever you can: run as "
            "root (in a container, for example), or say PULLWRIGHT_ALLOW_SAME_USER=1 if you accept that"
        )
    return Model(
        scripted=False, provider=wanted, key=key if wanted == "anthropic" else None, same_user=not is_root
    )


def of_environment(wanted: str | None = None) -> Model:
    """Choose the model by the command line and this process's environment.

    Args:
        wanted: from the command line; `PULLWRIGHT_MODEL` otherwise.

    Raises:
        ChoiceError: see `choose`.
    """
    return choose(
        wanted or os.environ.get("PULLWRIGHT_MODEL") or "scripted", os.environ, is_root=os.geteuid() == 0
    )
