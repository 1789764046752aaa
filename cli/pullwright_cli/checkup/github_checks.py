"""What can be wrong with the GitHub App, its webhook and its installations."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pullwright.owners import has_any
from pullwright_cli.checkup.findings import Finding, Verdict, fail, follows, found, ok, warn

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from pullwright_cli.checkup.facts import (
        AppFacts,
        DeliveryFacts,
        Facts,
        HookFacts,
        InstallationFacts,
        StackFacts,
    )

_LEVELS = {"read": 1, "write": 2, "admin": 3}
# Accounts of persons have no such permission to grant.
_OF_ORGANIZATIONS = frozenset({"members"})
_ON_PAGE = "Change it on the App's settings page; each account that has it installed then accepts the change."


def check(facts: Facts) -> Iterator[Finding]:
    """Yield what GitHub shows."""
    needed, stack, app = facts.needed_permissions, follows(facts.stack), follows(facts.app)
    yield found("github-app", facts.app, _app, stack)
    yield found("permissions", app, _permissions, needed)
    yield found("events", app, _events, facts.needed_events)
    yield found("webhook-url", follows(facts.hook), _hook, stack)
    yield found("installations", follows(facts.installations), _installed)
    yield found("granted", follows(facts.installations), _granted, needed)
    yield found("owners", follows(facts.installations), _owners, stack, app)
    yield found("deliveries", follows(facts.deliveries), _deliveries)
    yield found("names", facts.hosts, _hosts)


def lacking(granted: Mapping[str, str], needed: Mapping[str, str]) -> list[str]:
    """Return the permissions that are missing or too low, as `name: level`."""
    return [
        f"{name}: {level}"
        for name, level in sorted(needed.items())
        if _LEVELS.get(granted.get(name, ""), 0) < _LEVELS[level]
    ]


def _app(app: AppFacts, stack: StackFacts) -> Verdict:
    mention = stack.parameters.get("MentionName", "")
    if mention and mention.lower() != app.slug.lower():
        return warn(
            f"The App is {app.slug}, but comments mention @{mention}, which may be somebody else.",
            f"Deploy with MentionName={app.slug}.",
        )
    return ok(f"{app.slug} answers.")


def _permissions(app: AppFacts, needed: Mapping[str, str]) -> Verdict:
    if missing := lacking(app.permissions, needed):
        return fail(f"The App does not ask for {', '.join(missing)}.", _ON_PAGE)
    if more := lacking(needed, {name: it for name, it in app.permissions.items() if it in _LEVELS}):
        return warn(f"The App asks for more than it needs: {', '.join(more)}.", _ON_PAGE)
    return ok("Exactly those that are needed.")


def _events(app: AppFacts, needed: frozenset[str]) -> Verdict:
    if missing := sorted(needed - app.events):
        return fail(f"The App does not hear of {', '.join(missing)}.", _ON_PAGE)
    return ok("All that are needed.")


def _hook(hook: HookFacts, stack: StackFacts) -> Verdict:
    expected = stack.webhook_url
    if hook.url.rstrip("/") != expected.rstrip("/"):
        return fail(
            f"GitHub delivers to {hook.url or 'nowhere'}.", f"Set the App's webhook URL to {expected}"
        )
    if hook.content_type != "json":
        return fail(
            f"GitHub delivers as {hook.content_type}, which the webhook refuses.",
            "Set the webhook's content type to application/json.",
        )
    if hook.insecure_ssl not in ("0", ""):
        return fail(
            "GitHub does not verify the webhook's certificate.", "Enable SSL verification on the App's page."
        )
    return ok("The stack's own.")


def _installed(installations: Sequence[InstallationFacts]) -> Verdict:
    if not installations:
        return fail(
            "The App is installed nowhere.", "Install it from its page: `pullwright github setup` names it."
        )
    suspended = [it.account for it in installations if it.is_suspended]
    if suspended:
        return warn(
            f"Suspended at {', '.join(suspended)}.",
            "An owner there unsuspends it under Settings ▸ GitHub Apps.",
        )
    return ok(f"At {', '.join(it.account for it in installations[:10])}.")


def _granted(installations: Sequence[InstallationFacts], needed: Mapping[str, str]) -> Verdict:
    problems = []
    for it in installations:
        wanted = {
            name: level
            for name, level in needed.items()
            if it.is_organization or name not in _OF_ORGANIZATIONS
        }
        if missing := lacking(it.permissions, wanted):
            problems.append(f"{it.account} has not granted {', '.join(missing)}")
    if problems:
        return fail(
            f"{'; '.join(problems)}.",
            "An owner there accepts them under Settings ▸ GitHub Apps.",
        )
    return ok("All that are needed, everywhere.")


def _owners(installations: Sequence[InstallationFacts], stack: StackFacts, app: AppFacts) -> Verdict:
    allowed = stack.parameters.get("AllowedOwners") or app.owner
    if not allowed:
        return fail(
            "The App belongs to no account that has repositories, and AllowedOwners is empty.",
            "Deploy with AllowedOwners=<account>.",
        )
    strangers = [it.account for it in installations if not has_any(it.account, allowed)]
    if strangers:
        return warn(
            f"Installed at {', '.join(strangers)}, for whom this deployment does nothing.",
            "Add them to AllowedOwners, or uninstall the App there.",
        )
    return ok(f"{allowed}.")


def _deliveries(deliveries: DeliveryFacts) -> Verdict:
    if deliveries.refused:
        return fail(
            f"{deliveries.refused} of {deliveries.made} webhooks of the last day were refused: GitHub signs "
            "with another secret.",
            "`pullwright github rotate-secret`; the sweep has them delivered again.",
        )
    if deliveries.lost:
        return warn(
            f"{deliveries.lost} of {deliveries.made} webhooks of the last day did not arrive.",
            "The sweep has them delivered again; see the log of WebhookFunction if it goes on.",
        )
    return ok(f"All {deliveries.made} of the last day arrived.")


def _hosts(hosts: Mapping[str, bool]) -> Verdict:
    unknown = sorted(name for name, resolves in hosts.items() if not resolves)
    if unknown:
        return fail(
            f"Not found in the DNS from here: {', '.join(unknown)}.", "Check the name and this machine's DNS."
        )
    return ok(f"{', '.join(sorted(hosts))} found.")
