"""The steps of `pullwright deploy`."""

from __future__ import annotations

import shlex
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from pullwright import errors
from pullwright_cli.deploying import canary
from pullwright_cli.deploying.sam import Sam, show
from pullwright_cli.errors import CliError
from pullwright_cli.imaging.building import Builder
from pullwright_cli.imaging.registry import Registry
from pullwright_cli.releasing.aliases import known, lines, move

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pullwright_cli.aws import Stack
    from pullwright_cli.releasing.records import Release

_INTERRUPTED = 130
_DIGEST = "AgentImageDigest"
_LATER = "<digest of what is pushed>"


@dataclass(frozen=True)
class Wanted:
    """A deployment as it is asked for.

    Attributes:
        parameters: of the template; samconfig.toml's and those of the command.
        image: tag or digest to run; empty for the image of the checkout.
        repository: where the canary works; empty for none.
        minutes: how long the canary may take.
    """

    sam: Sam
    parameters: Mapping[str, str]
    image: str = ""
    repository: str = ""
    issue: int | None = None
    minutes: float = 15.0

    @property
    def names_image(self) -> bool:
        """Whether the parameters say which image it is, by its digest."""
        return _DIGEST in self.parameters and not self.image


@dataclass(frozen=True)
class Deployed:
    """What came of it.

    Attributes:
        release: that is live now; None for a stack of before releases.
    """

    release: Release | None
    verdict: canary.Verdict | None


def existing(stack: Stack) -> bool:
    """Return whether there is the stack already.

    Raises:
        StackIncomplete: there is half of it.
    """
    try:
        _ = stack.description
    except (errors.StackMissing, errors.StackAmbiguous):
        return False
    return True


def plan(wanted: Wanted, stack: Stack) -> list[str]:
    """Return the plain lines that a deployment would run; what is not known before is in angle brackets."""
    deploy = shlex.join(wanted.sam.deploy(_with(wanted, wanted.image or _LATER)))
    found = [shlex.join(wanted.sam.build())]
    is_there = existing(stack)
    if not is_there:
        found.append(shlex.join(wanted.sam.deploy(wanted.parameters)))
    if is_there and not wanted.names_image:
        registry = Registry.of(stack)
        builder = _builder(wanted, stack)
        digest = registry.digest(wanted.image) if wanted.image else registry.find(builder.content)
        if digest is None:
            found.append(builder.line(builder.push_variables(registry, ())))
        deploy = shlex.join(wanted.sam.deploy(_with(wanted, digest or _LATER)))
    if is_there or not wanted.names_image:
        found.append(deploy)
    if wanted.repository and is_there:
        found.append(canary.planned(stack, wanted.repository, wanted.issue).as_line())
    return found


def carry_out(wanted: Wanted, stack: Stack) -> Deployed:
    """Build, deploy, have the image there, and let a session judge the release.

    Raises:
        NotDeployed: the SAM CLI failed; CloudFormation keeps or restores what was there.
        ImageMissing: there is no image as named; nothing was deployed.
        ImageNotBuilt: the image failed; the release before is live.
        CanaryFailed: the session did not succeed; the release before is live again.
    """
    is_there = existing(stack)
    before = _live(stack) if is_there else None
    if is_there and wanted.image:
        Registry.of(stack).digest(wanted.image)
    wanted.sam.run(wanted.sam.build())
    if not is_there:
        # The registry is the stack's own, so that the image comes after the first deployment.
        wanted.sam.run(wanted.sam.deploy(wanted.parameters))
        stack = replace(stack)
    if is_there or not wanted.names_image:
        wanted.sam.run(wanted.sam.deploy(_with(wanted, _digest(wanted, stack))))
    stack = replace(stack)  # What is known of it is of before.
    release = _live(stack)
    if not wanted.repository:
        return Deployed(release, None)
    return Deployed(release, _judged(wanted, stack, before, release))


def _judged(wanted: Wanted, stack: Stack, before: Release | None, release: Release | None) -> canary.Verdict:
    try:
        verdict = canary.judge(canary.planned(stack, wanted.repository, wanted.issue), wanted.minutes)
    except KeyboardInterrupt:
        raise CliError(
            "interrupted: the new release is live and was not judged. `pullwright canary` judges it, "
            "`pullwright rollback` goes back",
            _INTERRUPTED,
        ) from None
    if verdict.succeeded:
        return verdict
    if before is None:
        raise canary.failed(verdict, "There is no release before this one, so that it stays live.")
    if release is not None and release.parts == before.parts:
        raise canary.failed(verdict, "The deployment had changed nothing, so that it stays as it was.")
    for line in lines(stack, before):
        show(line)
    move(stack.client, before)
    raise canary.failed(verdict, f"Release {before.number} of {before.at} is live again.")


def _live(stack: Stack) -> Release | None:
    """Return the release that is live; None where none is whole."""
    if not stack.outputs.get("ReleaseParameter"):
        return None
    releases, parts = known(stack)
    return next((release for release in reversed(releases) if release.is_live(parts)), None)


def _digest(wanted: Wanted, stack: Stack) -> str:
    if wanted.names_image:
        return ""
    registry = Registry.of(stack)
    if wanted.image:
        return registry.digest(wanted.image)
    builder = _builder(wanted, stack)
    show(builder.line(builder.push_variables(registry, ())))
    return builder.push(registry, ())[0]


def _builder(wanted: Wanted, stack: Stack) -> Builder:
    chosen = wanted.parameters.get("Architecture") or stack.parameter("Architecture") or "arm64"
    return Builder(wanted.sam.root, chosen)


def _with(wanted: Wanted, digest: str) -> dict[str, str]:
    """Return the parameters, with the image's digest: so the release keeps it whatever its tag becomes."""
    return {**wanted.parameters, **({_DIGEST: digest} if digest and not wanted.names_image else {})}
