"""`pullwright deploy` and `canary`: a new release, and whether it works."""

from __future__ import annotations

import os
import sys
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from pullwright_cli.checkout import Checkout
from pullwright_cli.errors import CliError
from pullwright_cli.options import (
    CanaryIssue,
    CanaryMinutes,
    DryRun,
    Json,
    Repository,
    Target,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pullwright_cli.aws import Stack
    from pullwright_cli.deploying.canary import Verdict
    from pullwright_cli.deploying.deployment import Deployed

_DEFAULT = "default"
_ROLE = "PULLWRIGHT_DEPLOYMENT_ROLE"
"""A dev box sets it: its own role may deploy only by this one."""


def _is_assignment(values: list[str]) -> list[str]:
    for value in values:
        if "=" not in value:
            raise typer.BadParameter(f"{value}: write it as NAME=VALUE")
    return values


def deploy(
    *,
    image: Annotated[
        str,
        typer.Option("--image", metavar="TAG|DIGEST", show_default=False, help="The checkout's without it."),
    ] = "",
    parameter: Annotated[
        list[str],
        typer.Option("--parameter", metavar="NAME=VALUE", callback=_is_assignment, help="Of the template."),
    ] = [],  # noqa: B006 - Typer's way to say "none"
    canary: Annotated[
        bool, typer.Option("--canary", help="Have a stub session judge it, and go back if that fails.")
    ] = False,
    repo: Repository = "",
    issue: CanaryIssue = None,
    minutes: CanaryMinutes = 15,
    sync_workers: Annotated[
        bool, typer.Option("--sync-workers", help="Then store the workers of this folder's checkout.")
    ] = False,
    no_doctor: Annotated[
        bool, typer.Option("--no-doctor", help="Deploy whatever the checks before it say.")
    ] = False,
    dry_run: DryRun = False,
    target: Target,
    json: Json = False,
) -> None:
    r"""Build and deploy the checkout as a new release, with its image by digest.

    What can be known before is checked first; a failure ends it before anything is changed (exit code 64).
    What it runs is printed line by line. The image is built unless its content is in the registry already.
    With --canary, a stub session on a repository of yours goes through the whole pipeline, without a model,
    and opens a pull request; if it fails, the release before is live again.

    \b
    Examples:
      pullwright deploy --env staging --canary --repo acme/sandbox --issue 1
      pullwright deploy --env prod --image staging
    """
    from pullwright_cli.deploying import deployment  # noqa: PLC0415 - as above
    from pullwright_cli.deploying.sam import Sam  # noqa: PLC0415 - as above
    from pullwright_cli.git import repository_of  # noqa: PLC0415 - as above
    from pullwright_cli.samconfig import read_overrides  # noqa: PLC0415 - as above
    from pullwright_cli.terminal import print_commands, print_json  # noqa: PLC0415 - as above

    if (repo or issue) and not canary:
        raise CliError("--repo and --issue say where the canary works: say --canary too", 2)
    if any(value.startswith("AgentImageTag=") for value in parameter):
        raise CliError("AgentImageTag: a release has its image by digest; say --image TAG", 2)
    root = Checkout.find(Path.cwd()).root
    stack = target.stack(folder=root)
    wanted = deployment.Wanted(
        Sam(root, target.env or _DEFAULT, stack.name, stack.region, stack.profile, os.environ.get(_ROLE, "")),
        {**read_overrides(root, target.env or _DEFAULT), **dict(value.split("=", 1) for value in parameter)},
        image,
        (repo or repository_of(Path.cwd())) if canary else "",
        issue,
        minutes,
    )
    if dry_run:
        print_commands(deployment.plan(wanted, stack), as_json=json)
        return
    if not no_doctor:
        _check(stack, wanted.parameters)
    deployed = deployment.carry_out(wanted, stack)
    synced = _sync_workers(target) if sync_workers else None
    if json:
        print_json(_as_json(deployed, synced))
        return
    release = deployed.release
    print(f"{stack.name} is deployed." + (f" Release {release.number} is live." if release else ""))
    if deployed.verdict:
        _tell(deployed.verdict)
    if synced:
        print(synced)


def canary(
    *,
    repo: Repository = "",
    issue: CanaryIssue = None,
    minutes: CanaryMinutes = 15,
    dry_run: DryRun = False,
    target: Target,
    json: Json = False,
) -> None:
    r"""Say whether the deployment works: a stub session goes through the whole pipeline, without a model.

    \b
    Examples:
      pullwright canary --repo acme/sandbox --issue 1
      pullwright canary --env prod --json | jq .image_digest
    """
    from pullwright_cli.deploying.canary import asked, planned  # noqa: PLC0415 - as above
    from pullwright_cli.git import repository_of  # noqa: PLC0415 - as above

    start = planned(target.stack(), repo or repository_of(Path.cwd()), issue)
    if verdict := asked(start, minutes, what_became="", dry_run=dry_run, as_json=json):
        _tell(verdict)


def _check(stack: Stack, parameters: Mapping[str, str]) -> None:
    """Say on standard error what the checks before a deployment found.

    Raises:
        NotInOrder: one failed; nothing was changed.
    """
    from pullwright.errors import NotInOrder  # noqa: PLC0415 - as above
    from pullwright_cli.checkup.collect import collect_before  # noqa: PLC0415 - as above
    from pullwright_cli.checkup.report import as_text, examine_before  # noqa: PLC0415 - as above
    from pullwright_cli.deploying.deployment import existing  # noqa: PLC0415 - as above

    checkup = examine_before(collect_before(stack, parameters, is_there=existing(stack)))
    print(as_text(checkup, colours=False), file=sys.stderr, flush=True)
    failed = [it.check for it in checkup.checks if it.status == "fail"]
    if failed:
        raise NotInOrder(
            f"Nothing was built or deployed: {', '.join(failed)} failed.",
            remedy="Do what stands beside each, or deploy all the same with --no-doctor.",
        )


def _tell(verdict: Verdict) -> None:
    print(
        f"The canary {verdict.session} succeeded, on {verdict.image_digest or 'an image without a digest'}."
    )


def _as_json(deployed: Deployed, synced: str | None) -> dict[str, Any]:
    return {
        "release": deployed.release and asdict(deployed.release),
        "canary": deployed.verdict and deployed.verdict._asdict(),
        "workers": synced,
    }


def _sync_workers(target: Target) -> str:
    from pullwright_cli.syncing import read_plan, store  # noqa: PLC0415 - as above

    return store(read_plan(Path.cwd(), ""), target.stack())
