"""Every text that Pullwright writes on GitHub. The runner uses it too."""

import re
from collections.abc import Mapping

from pullwright.check_texts import failing, render_checks
from pullwright.effects import committed, fitting, without_effect
from pullwright.egress import is_domain, is_entry
from pullwright.errors import FailureClass
from pullwright.figures import duration, money
from pullwright.markdown import code, code_span, details, inline, plain, sentence, table
from pullwright.models import AgentRequest, Failure, Outcome, ResolvedLimits
from pullwright.quotation import quote
from pullwright.results import AgentResult, EgressResult, Progress, Todo, Verdict
from pullwright.text import one_line

TRACKING_MARKER = "<!-- pullwright:tracking -->"
REFUSAL_MARKER = "<!-- pullwright:refusal -->"
RELEASE_MARKER = "<!-- pullwright:release -->"
HINT_MARKER = "<!-- pullwright:hint -->"
HOLD_BEGIN, HOLD_END = "<!-- pullwright:ci -->", "<!-- /pullwright:ci -->"
RELEASE_COMMAND = "/ci"
PULL_REQUEST_MARKER = "<!-- pullwright:pull-request -->"
_LONGEST_TARGET, _MOST_REFUSED, _MOST_ENTRIES = 260, 20, 100
LONGEST_BODY = 65_536

_LONGEST_SUMMARY = 30_000
_LONGEST_PROMPT = 5_000
_LONGEST_TITLE = 200
_LONGEST_NAME = 60
_LONGEST_NOTICE = 400
_LOGIN = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,38}(\[bot\])?")
_MOST_TODOS = 40
_MOST_NOTICES = 10
_SIGNS = {
    FailureClass.USER: "✋",
    FailureClass.TRANSIENT: "🌩️",
    FailureClass.SERVICE: "💥",
    FailureClass.AGENT: "🤔",
    FailureClass.LIMIT: "⏳",
}


_TITLES = {Outcome.CHANGED: "What was done", Outcome.PLANNED: "The plan"}
_SAID_BY_HEADLINE = frozenset({Outcome.CHANGED, Outcome.COMMENTED})


def render_progress(request: AgentRequest, progress: Progress) -> str:
    """Return the tracking comment while the session is under way."""
    limits = request.limits
    figures = {
        "Cost so far": f"{money(progress.cost_usd)} of {money(limits.usd)}",
        "Turns": f"{progress.turns} of {limits.turns}",
        "Time": f"{duration(progress.elapsed_seconds)} of {duration(limits.minutes * 60)}",
    }
    return _join(
        TRACKING_MARKER,
        "### 🔧 Working on it",
        f"**Now:** {inline(progress.activity)}",
        _todo_list(progress.todos),
        details("The plan", quote(progress.plan, _LONGEST_SUMMARY), is_open=True) if progress.plan else "",
        table(figures),
        f"<sub>{_about(request)}</sub>",
    )


def render_outcome(
    request: AgentRequest | None,
    result: AgentResult | None,
    verdict: Verdict,
    *,
    session_id: str,
    seconds: float | None = None,
    artifacts: str = "",
    log: str = "",
    marker: str = TRACKING_MARKER,
    findings: str = "",
) -> str:
    """Return the tracking comment when the session is over.

    Args:
        request: what was worked on; None if it cannot be read.
        result: what the runner left; None if it left nothing.
        seconds: how long the task ran, where there is no result to say it.
        findings: of a session that only comments, Markdown of ours.
    """
    places = {"Session": session_id, "Artifacts": artifacts, "Log": log}
    facts = [f"- {name}: {code(place)}" for name, place in places.items() if place]
    if request is not None:
        facts.append(f"- Model: {_model(request)}, limits: {_limits(request.limits)}")
    ours = (
        marker,
        f"### {_headline(verdict, result)}",
        "" if verdict.outcome in _SAID_BY_HEADLINE else _what_happened(verdict.sentence),
        _what_you_can_do(verdict.remedy) if verdict.remedy else "",
        findings,
        table(_figures(result, seconds)),
        render_hold() if result is not None and result.ci == "hold" and result.commit else "",
        render_checks(result) if result is not None else "",
        _notices(result) if result is not None else "",
        render_steering(result) if result is not None else "",
        render_egress(result.egress) if result is not None and result.egress is not None else "",
    )
    session = details("Session", "\n".join(facts))
    summary = result.summary if result is not None else ""
    title = _TITLES.get(verdict.outcome, "What the agent says")
    # The agent's words take the room that is left, so that they never cut off what is ours.
    room = LONGEST_BODY - len(_join(*ours, details(title, "", is_open=True), session))
    quoted = quote(summary, min(_LONGEST_SUMMARY, room))
    return _join(*ours, details(title, quoted, is_open=True) if quoted else "", session)


def render_hold() -> str:
    """Return what the comment says while CI is held: who may release it, and how."""
    return (
        # Markdown is not read in a line that begins with a comment: https://spec.commonmark.org/0.31.2/#html-blocks
        f"{HOLD_BEGIN}\n🔒 **CI is held**: GitHub Actions has not run on this work. Somebody with write "
        f"permission reads it first, then comments `{RELEASE_COMMAND}` or approves the pull request. "
        f"Release it before you merge by rebasing.\n\n{HOLD_END}"
    )


def render_released(text: str, login: str) -> str:
    """Return the tracking comment when CI has been released."""
    begin, found, rest = text.partition(HOLD_BEGIN)
    _, ended, after = rest.partition(HOLD_END)
    if not found or not ended:
        return text
    return f"{begin}🔓 CI was released by {inline(login)}.{after}"


def render_not_released(reason: str) -> str:
    """Return the answer to a request to release CI that is not carried out."""
    return _join(RELEASE_MARKER, f"### 🔒 CI is still held\n\n{sentence(reason)}")


def render_released_after_all(login: str) -> str:
    """Return what replaces the answer of `render_not_released` once CI was released."""
    return _join(RELEASE_MARKER, f"### 🔓 CI was released by {inline(login)}")


def render_steering(result: AgentResult) -> str:
    """Return the changed files that other programs obey, each group with its reason."""
    lines = []
    for group in result.steering:
        more = f" and {group.count - len(group.paths)} more" if group.count > len(group.paths) else ""
        lines.append(f"- {', '.join(map(code, group.paths))}{more}: {inline(group.reason)}")
    if not lines:
        return ""
    return _join(
        "#### Files that steer other programs",
        "Nobody has to run these for them to have an effect: "
        "read them before you merge, check out or open the branch.",
        "\n".join(lines),
    )


def render_egress(egress: EgressResult) -> str:
    """Return what the session's processes could not reach, and what would let them."""
    if egress.state == "unavailable":
        return (
            "⚠️ Agent, setup and checks were not kept from the network, for it was not possible here: "
            f"{sentence(egress.reason or '')}"
        )
    broken = f"⚠️ Nothing could be reached any more: {sentence(egress.reason)}" if egress.reason else ""
    if not egress.refused:
        return broken
    lines = [
        f"- {inline(refused.step, _LONGEST_NAME)}: {refused.count} x {code(refused.target[:_LONGEST_TARGET])}"
        for refused in egress.refused[:_MOST_REFUSED]
    ]
    return _join(
        broken,
        "#### Not reachable",
        "Setup, agent and checks reach allowed domains only, through a proxy. These were refused:",
        "\n".join(lines),
        _egress_remedy(egress),
    )


def _egress_remedy(egress: EgressResult) -> str:
    targets = dict.fromkeys(refused.target for refused in egress.refused[:_MOST_REFUSED])
    domains = [target for target in targets if is_domain(target)]
    parts = []
    if domains and egress.entries is not None:
        entries = [entry for entry in egress.entries[:_MOST_ENTRIES] if is_entry(entry)]
        line = f"egress: [{', '.join((*entries, *domains))}]"
        parts.append(
            "If they are needed, this line of `.pullwright/config.yaml` on the default branch allows them, "
            "as far as the operator lets repositories add domains:"
        )
        parts.append(f"```yaml\n{line}\n```")
    if len(domains) < len(targets):
        parts.append(
            "Addresses and other ports cannot be allowed. A tool that asks for an address, or for port 53, "
            "ignores the proxy settings (`HTTPS_PROXY`): it needs a setting of its own."
        )
    return _join(*parts)


def _notices(result: AgentResult) -> str:
    lines = [f"⚠️ {sentence(notice, _LONGEST_NOTICE)}" for notice in result.notices[:_MOST_NOTICES]]
    more = len(result.notices) - len(lines)
    return "\n".join((*lines, f"⚠️ … and {more} more, in the session's result") if more > 0 else lines)


def _what_happened(text: str) -> str:
    # No line of a comment's source begins with words that may be others': tools take commands from there.
    return f"**What happened:** {sentence(text)}"


def _what_you_can_do(remedy: str) -> str:
    return f"**What you can do:** {sentence(remedy)}"


def render_refusal(failure: Failure) -> str:
    """Return the comment on an issue for which no pull request could be opened."""
    return _join(
        REFUSAL_MARKER,
        f"### {_SIGNS[failure.failure_class]} Not started",
        _what_happened(failure.sentence),
        _what_you_can_do(failure.remedy),
    )


def render_withdrawn_refusal(link: str) -> str:
    """Return what replaces the refusal when a later session has begun.

    Args:
        link: to the comment that tells how far it is.
    """
    return _join(REFUSAL_MARKER, "### 🔧 Started after all", f"The work has begun: {link}")


def render_hint(label: str, reasons: Mapping[str, str]) -> str:
    """Return what people are told about a label that started no worker.

    Args:
        reasons: by worker, the rest of a sentence that begins with its name.
    """
    lines = "\n".join(f"- {code_span(worker)} {sentence(reason)}" for worker, reason in reasons.items())
    return _join(HINT_MARKER, f"### 💡 The label {code_span(label)} started nothing here", lines)


def pull_request_title(title: str, jira: str | None = None) -> str:
    """Return the title of the pull request, from the issue's title or the prompt.

    GitHub puts it into the message of the merge, where it must close nothing but what the description says,
    and have no other effect either: whoever opened the issue chose it.

    Args:
        jira: key of the issue in Jira, by which Jira finds the pull request too.
    """
    line = one_line(title, _LONGEST_TITLE)
    harmless = fitting(without_effect, line, _LONGEST_TITLE) or "Pullwright"
    return f"{jira}: {harmless}" if jira else harmless


def pull_request_body(
    *,
    issue: int | None,
    prompt: str | None,
    requested_by: str | None,
    jira: tuple[str, str] | None = None,
) -> str:
    """Return the description of the pull request.

    Args:
        prompt: shown when there is no issue that says what is wanted.
        jira: key and address of the issue in Jira.
    """
    login = plain(requested_by, committed) if requested_by and _LOGIN.fullmatch(requested_by) else ""
    asked = f"Asked for by {login}. " if login else ""
    return _join(
        PULL_REQUEST_MARKER,
        f"Closes #{issue}" if issue is not None else "",
        f"For [{jira[0]}]({jira[1]})" if jira is not None else "",
        # A squashed merge may take the description for the commit's message, where code is text as any other.
        quote(prompt, _LONGEST_PROMPT, committed) if issue is None and prompt else "",
        f"{asked}Pullwright works on this branch; the comment below says how far it is. "
        "The pull request stays a draft until there is something to review.",
    )


def first_commit_message(issue: int | None) -> str:
    """Return the message of the empty commit that a branch begins with.

    Nothing in it keeps workflows from running: a squash merge would carry it to the default branch.
    """
    subject = f"Begin work on #{issue}" if issue is not None else "Begin work"
    return f"{subject}\n\nGitHub opens no pull request for a branch without a commit of its own."


def _headline(verdict: Verdict, result: AgentResult | None) -> str:
    if verdict.outcome is Outcome.CHANGED:
        if result is not None and not result.checks_passed:
            return f"⚠️ Done, but {failing(result)}: ready for review"
        return "✅ Done: ready for review"
    if verdict.outcome is Outcome.COMMENTED:
        return "🔎 Read"
    if verdict.outcome is Outcome.PLANNED:
        return "📝 The plan waits for your word"
    if verdict.outcome is Outcome.NO_CHANGE:
        return "👌 No change needed"
    sign = _SIGNS[FailureClass(verdict.failure_class)] if verdict.failure_class else "💥"
    return f"{sign} Not finished"


def _figures(result: AgentResult | None, seconds: float | None) -> dict[str, str]:
    if result is None:
        time = "not known" if seconds is None else duration(seconds)
        return {"Cost": "not known", "Turns": "not known", "Time": time, "Commit": "none"}
    figures = {
        "Cost": money(result.cost_usd),
        "Turns": str(result.turns),
        "Time": duration((result.ended_at - result.started_at).total_seconds()),
        "Commit": result.commit or "none",
    }
    if result.outcome is Outcome.COMMENTED:
        del figures["Commit"]
    if result.files_changed:
        files = "1 file" if result.files_changed == 1 else f"{result.files_changed} files"
        figures["Change"] = f"{files}, +{result.additions} -{result.deletions}"
    return figures


def _todo_list(todos: tuple[Todo, ...]) -> str:
    lines = []
    for todo in todos[:_MOST_TODOS]:
        mark = "x" if todo.status == "completed" else " "
        text = inline(todo.text)
        lines.append(f"- [{mark}] {f'**{text}**' if todo.status == 'in_progress' else text}")
    if len(todos) > _MOST_TODOS:
        lines.append(f"- … and {len(todos) - _MOST_TODOS} more")
    return "\n".join(lines)


def _about(request: AgentRequest) -> str:
    return f"Session {code(request.session_id)} · {_model(request)}"


def _model(request: AgentRequest) -> str:
    return "stub, no model is asked" if request.stub else code(request.model)


def _limits(limits: ResolvedLimits) -> str:
    return f"{money(limits.usd)}, {limits.turns} turns, {limits.minutes:g} minutes"


def _join(*parts: str) -> str:
    return "\n\n".join(part for part in parts if part)
