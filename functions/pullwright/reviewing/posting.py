"""Brings findings onto the pull request: one review at most, and nothing that stands there already."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pullwright.errors import ConversationLocked, GitHubRefused, PermissionMissing
from pullwright.github.permissions import RESOLVING, REVIEW
from pullwright.github.reviews import MadeReview, Reviews
from pullwright.log import logger
from pullwright.reviewing.marks import finding_of
from pullwright.reviewing.places import Places
from pullwright.reviewing.texts import render_finding, render_places, render_review

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pullwright.github.app import GitHubApp
    from pullwright.github.reviews import ReviewThread
    from pullwright.models import AgentRequest
    from pullwright.reviewing.models import Finding, Findings


@dataclass(frozen=True, slots=True)
class Posted:
    """What became of a session's findings.

    Attributes:
        made: how many are in the new review.
        url: of that review, if there is one.
        known: how many stood there before.
        resolved: how many earlier ones were resolved.
        elsewhere: those that no line can bear, which stand in the session's comment.
        left_out: how many more the agent had.
    """

    made: int = 0
    url: str = ""
    known: int = 0
    resolved: int = 0
    elsewhere: tuple[Finding, ...] = ()
    left_out: int = 0
    is_about_lines: bool = True

    def text(self) -> str:
        """Return it for people; nothing where there are no lines to find anything about."""
        if not self.is_about_lines:
            return ""
        return render_places(
            made=self.made,
            url=self.url,
            known=self.known,
            resolved=self.resolved,
            elsewhere=self.elsewhere,
            left_out=self.left_out,
        )


@dataclass(frozen=True, slots=True)
class Posting:
    """The posting of one session's findings.

    Args:
        installation_id: of the App on the repository, if it is known.
    """

    app: GitHubApp
    request: AgentRequest
    findings: Findings
    installation_id: int | None = None

    def post(self) -> Posted:
        """Submit a review of what is new, and resolve what has been dealt with.

        Done again, it adds nothing: what it finds there is not new any more.

        Raises:
            PullwrightError: GitHub does not answer; it can be done again later.
        """
        request, commit = self.request, self.request.head_commit or ""
        if request.issue is not None:
            # An issue has no lines; what is said about it stands in the session's comment.
            return Posted(is_about_lines=False)
        client = self.app.client(request.repository, REVIEW, self.installation_id)
        reviews = Reviews(client, request.repository, request.pull_request)
        threads = self._ours(reviews.threads())
        known = {name for name, thread in threads.items() if _counts(thread)}
        new = [finding for finding in self.findings.findings if finding.id not in known]
        inline: list[Finding] = []
        elsewhere: list[Finding] = []
        url = ""
        if new:
            pull = client.get_pull_request(request.repository, request.pull_request)
            places = Places(reviews.changed_files(pull, commit))
            for finding in new:
                fitting = places.fitting(finding)
                (elsewhere if fitting is None else inline).append(fitting or finding)
        if inline:
            url = self._submit(reviews, commit, inline)
            if not url:
                inline, elsewhere = [], new
        return Posted(
            made=len(inline),
            url=url,
            known=len(self.findings.findings) - len(new),
            resolved=self._resolve(threads),
            elsewhere=tuple(elsewhere),
            left_out=self.findings.left_out,
        )

    def _ours(self, threads: Sequence[ReviewThread]) -> dict[str, ReviewThread]:
        """Return the newest of our threads for each finding."""
        slug = self.app.app().slug
        begun = [(thread.comments[0], thread) for thread in threads if thread.comments]
        mine = [(finding_of(first.body), thread) for first, thread in begun if first.is_by_app(slug)]
        return {name: thread for name, thread in mine if name is not None}

    def _submit(self, reviews: Reviews, commit: str, findings: Sequence[Finding]) -> str:
        """Submit the review and return its address; empty if GitHub does not take it."""
        comments = [_as_comment(finding) for finding in findings]
        try:
            made = reviews.submit(commit, render_review(self.request, findings), comments)
        except (ConversationLocked, GitHubRefused) as error:
            made = error.sentence
        if isinstance(made, MadeReview):
            return made.html_url
        logger.warning("GitHub does not take the review", reason=made)
        return ""

    def _resolve(self, threads: dict[str, ReviewThread]) -> int:
        """Resolve our threads that the commit has dealt with, unless people have answered there.

        For that, GitHub wants of an App write permission to contents as well. The token for it is made here,
        after the task has ended, and leaves this function nowhere.
        """
        slug = self.app.app().slug
        found = {finding.id for finding in self.findings.findings}
        done = [
            threads[name].id
            for name in self.findings.resolved
            if name in threads
            and name not in found
            and not threads[name].is_resolved
            and all(comment.is_by_app(slug) for comment in threads[name].comments)
        ]
        if not done:
            return 0
        request = self.request
        try:
            client = self.app.client(request.repository, RESOLVING, self.installation_id)
            Reviews(client, request.repository, request.pull_request).resolve(done)
        except (GitHubRefused, PermissionMissing, ConversationLocked) as error:
            logger.warning("threads could not be resolved", error=error.sentence)
            return 0
        return len(done)


def _counts(thread: ReviewThread) -> bool:
    """Return whether a finding needs no second comment.

    One that we have resolved ourselves may come back; a person who resolves it has decided.
    """
    return not thread.is_resolved or thread.resolver is not None


def _as_comment(finding: Finding) -> dict[str, Any]:
    place: dict[str, Any] = {"path": finding.path, "line": finding.line, "side": finding.side}
    if finding.start_line is not None:
        place |= {"start_line": finding.start_line, "start_side": finding.side}
    return {**place, "body": render_finding(finding)}
