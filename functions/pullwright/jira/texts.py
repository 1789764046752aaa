"""Every text that Pullwright writes in Jira."""

from pullwright.figures import duration, money
from pullwright.jira.writing import Node, bold, document, link, paragraph, text
from pullwright.models import Failure, Outcome
from pullwright.results import AgentResult, Verdict

_HEADLINES = {
    Outcome.CHANGED: "✅ Done: ready for review.",
    Outcome.NO_CHANGE: "👌 No change needed.",
    Outcome.PLANNED: "📝 The plan waits for a word on the pull request.",
    Outcome.COMMENTED: "🔎 Read.",
}


def started(pull_request_url: str) -> Node:
    """Return the comment while the session is under way."""
    return document(
        paragraph(bold("🔧 Pullwright works on it:"), link(pull_request_url)),
        paragraph(text("This comment tells how it ends; the pull request tells how far it is.")),
    )


def refused(failure: Failure) -> Node:
    """Return the comment when no pull request could be opened."""
    return document(
        paragraph(bold("✋ Pullwright did not start:"), text(failure.sentence)),
        *([paragraph(bold("What you can do:"), text(failure.remedy))] if failure.remedy else ()),
    )


def ended(verdict: Verdict, result: AgentResult | None, pull_request_url: str) -> Node:
    """Return the comment when the session is over.

    Args:
        result: what the runner left; None if it left nothing.
    """
    blocks = [paragraph(bold(_HEADLINES.get(verdict.outcome, "💥 Not finished.")), link(pull_request_url))]
    if verdict.outcome is not Outcome.CHANGED or (result is not None and not result.checks_passed):
        blocks.append(paragraph(text(verdict.sentence)))
    if verdict.remedy:
        blocks.append(paragraph(bold("What you can do:"), text(verdict.remedy)))
    if result is not None:
        took = duration((result.ended_at - result.started_at).total_seconds())
        blocks.append(
            paragraph(text(f"Cost: {money(result.cost_usd)} · Turns: {result.turns} · Time: {took}"))
        )
    return document(*blocks)
