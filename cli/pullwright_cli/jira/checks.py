"""What can be wrong between a deployment and Jira."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pullwright_cli.checkup.findings import Finding, Verdict, fail, follows, found, ok, warn
from pullwright_cli.jira.facts import EVENTS, NEEDED

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pullwright_cli.checkup.findings import Fact
    from pullwright_cli.jira.facts import JiraFacts

_SETUP = "Run `pullwright jira setup`."


def check(facts: Fact[JiraFacts] | None) -> Iterator[Finding]:
    """Yield what Jira shows; a deployment without Jira has nothing to be checked."""
    if facts is None:
        return
    yield found("jira-account", facts, lambda it: ok(f"{it.account} signs in at {it.wanted.site}."))
    rest = follows(facts)
    yield found("jira-projects", rest, _projects)
    yield found("jira-groups", rest, _groups)
    yield found("jira-webhook", rest, _webhook)


def _projects(facts: JiraFacts) -> Verdict:
    if not facts.wanted.projects:
        return fail(
            "JiraProjects is empty: an issue of no project starts anything.",
            "Deploy with JiraProjects=KEY=OWNER/NAME.",
        )
    if not facts.lacking:
        return ok(f"The account may work in {', '.join(facts.wanted.projects)}.")
    unseen = [key for key, names in facts.lacking.items() if len(names) == len(NEEDED)]
    if unseen:
        return fail(
            f"The account does not see {', '.join(unseen)}, or there is no such project.",
            "Add the account to the project, or correct JiraProjects.",
        )
    lines = [
        f"{key}: {', '.join(f'{name} ({NEEDED[name]})' for name in names)}"
        for key, names in facts.lacking.items()
    ]
    return fail(
        f"The account lacks permissions: {'; '.join(lines)}.",
        "Give them to the account in the project's permission scheme.",
    )


def _groups(facts: JiraFacts) -> Verdict:
    if not facts.wanted.groups:
        return fail("JiraGroups is empty: nobody may start anything.", "Deploy with JiraGroups=NAME.")
    if not facts.browses_people:
        return fail(
            "The account may not browse users and groups, so it cannot see who is in a group.",
            "Give it the global permission 'Browse users and groups'.",
        )
    if facts.unknown_groups:
        return fail(
            f"Jira has no group {', '.join(facts.unknown_groups)}.",
            "Correct JiraGroups, or create the group.",
        )
    if facts.empty_groups:
        return warn(f"Nobody is in {', '.join(facts.empty_groups)}.", "Add those who may start sessions.")
    return ok(f"Members of {', '.join(facts.wanted.groups)} may start sessions.")


def _webhook(facts: JiraFacts) -> Verdict:
    url = facts.wanted.webhook_url
    if not facts.webhook_was_asked:
        return warn(
            "Could not be checked: only administrators of Jira see webhooks.",
            "Run `pullwright jira test --admin-email ADDRESS` with JIRA_ADMIN_TOKEN.",
        )
    if facts.webhook is None:
        return fail(f"Jira has no webhook for {url}.", _SETUP)
    if not facts.webhook.is_enabled:
        return fail("The webhook is disabled.", _SETUP)
    if not facts.webhook.is_signed:
        return fail("The webhook has no secret, so that each of its deliveries is refused.", _SETUP)
    if missing := [it for it in EVENTS if it not in facts.webhook.events]:
        return fail(f"The webhook does not send {', '.join(missing)}.", _SETUP)
    return ok(f"The webhook sends to {url}.")
