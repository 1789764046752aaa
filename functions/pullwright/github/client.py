"""What Pullwright does on GitHub with an installation token, one method per call."""

from urllib.parse import quote, urlencode

from pullwright.errors import (
    GitHubUnavailable,
    IssueNotFound,
    PullRequestNotFound,
    RepositoryEmpty,
    RepositoryNotFound,
)
from pullwright.github.connection import RENDERED, Connection, parse
from pullwright.github.payloads import (
    CheckRun,
    CheckRuns,
    Comment,
    Commit,
    Issue,
    IssueHistory,
    PullRequest,
    RepositoryInfo,
    Review,
    ReviewComment,
    User,
)
from pullwright.github.reasons import setting_refusal
from pullwright.github.refusals import message_of, validation_words, write_refusal
from pullwright.log import scrub

_GONE = frozenset({404, 410})
_CONFLICT = 409
_UNPROCESSABLE = 422
_NOT_WRITTEN = frozenset({404, _CONFLICT, _UNPROCESSABLE})
_MAX_COMMENTS = 1_000

_MARK_READY = """
mutation($id: ID!) {
  markPullRequestReadyForReview(input: {pullRequestId: $id}) { pullRequest { isDraft } }
}
"""

# Of a description each version's whole text; of a title its changes.
_HISTORY = """
query($owner: String!, $name: String!, $number: Int!) {
  repository(owner: $owner, name: $name) {
    issue(number: $number) {
      userContentEdits(first: 100) { nodes { diff } }
      timelineItems(last: 100, itemTypes: [RENAMED_TITLE_EVENT]) {
        nodes { ... on RenamedTitleEvent { previousTitle currentTitle } }
      }
    }
  }
}
"""


class GitHubClient(Connection):
    """Pullwright's view of GitHub. `repository` is always `owner/name`.

    Every method raises a `PullwrightError` when GitHub does not do what was asked.
    """

    def get_repository(self, repository: str) -> RepositoryInfo:
        """Read a repository, also under a name it had before."""
        found = self.find(f"/repos/{repository}", "read the repository", RepositoryInfo)
        if found is None:
            raise RepositoryNotFound(f"The repository {repository} does not exist, or the App cannot see it.")
        return found

    def permission_of(self, repository: str, login: str) -> str:
        """Return a person's permission: `admin`, `write`, `read` or `none`, also for unknown people."""
        response = self.call(
            "GET",
            f"/repos/{repository}/collaborators/{quote(login, safe='')}/permission",
            "read a collaborator's permission",
            allow=(404,),
            may_be_absent=True,
        )
        decoded = response.decoded if isinstance(response.decoded, dict) else {}
        return str(decoded.get("permission", "none"))

    def get_user(self, login: str) -> User:
        """Read an account."""
        return self.get(f"/users/{quote(login, safe='')}", "read an account", User)

    def find_user(self, login: str) -> User | None:
        """Read an account that may not be there."""
        return self.find(f"/users/{quote(login, safe='')}", "read an account", User, may_be_absent=True)

    def find_branch(self, repository: str, branch: str) -> str | None:
        """Return the commit that a branch points to, or None if there is no such branch.

        Raises:
            RepositoryEmpty: the repository has no commit at all.
        """
        response = self.call(
            "GET",
            f"/repos/{repository}/git/ref/heads/{quote(branch)}",
            "read a branch",
            allow=(404, _CONFLICT),
            about=[f"branch:{branch}"],
            may_be_absent=True,
        )
        if response.status == _CONFLICT:
            raise RepositoryEmpty(f"The repository {repository} has no commit yet.")
        decoded = response.decoded if isinstance(response.decoded, dict) else {}
        return decoded["object"]["sha"] if "object" in decoded else None

    def create_branch(self, repository: str, branch: str, commit: str) -> str | None:
        """Create a branch.

        Returns:
            Why GitHub would not, in its words; None if it did.
        """
        body = {"ref": f"refs/heads/{branch}", "sha": commit}
        path = f"/repos/{repository}/git/refs"
        what = "create a branch"
        refused = write_refusal(self.call("POST", path, what, body=body, allow=_NOT_WRITTEN, about=[commit]))
        if refused is None:
            self.fresh.made(f"branch:{branch}")
        return refused

    def forward_branch(self, repository: str, branch: str, commit: str) -> str | None:
        """Move a branch forward, never by force.

        Returns:
            Why GitHub would not, in its words; None if it did.
        """
        path = f"/repos/{repository}/git/refs/heads/{quote(branch)}"
        body = {"sha": commit, "force": False}
        about = [f"branch:{branch}", commit]
        return write_refusal(
            self.call("PATCH", path, "move a branch", body=body, allow=_NOT_WRITTEN, about=about)
        )

    def get_commit(self, repository: str, commit: str) -> Commit:
        """Read a commit by its hash.

        Raises:
            GitHubUnavailable: GitHub does not know yet a commit that it has named itself.
        """
        path, what = f"/repos/{repository}/git/commits/{commit}", "read a commit"
        found = self.find(path, what, Commit, about=[commit])
        if found is None:
            raise GitHubUnavailable(f"GitHub does not know the commit {commit} yet.")
        return found

    def create_commit(
        self, repository: str, *, tree: str, parent: str, message: str, merged: str | None = None
    ) -> str:
        """Make a commit that belongs to no branch yet.

        It names neither author nor committer: only then does GitHub sign it for the App.
        https://docs.github.com/en/authentication/managing-commit-signature-verification/about-commit-signature-verification#signature-verification-for-bots

        Args:
            merged: a second parent.

        Returns:
            Its hash.
        """
        what = "create a commit"
        body = {"message": message, "tree": tree, "parents": [parent, merged] if merged else [parent]}
        response = self.call(
            "POST", f"/repos/{repository}/git/commits", what, body=body, about=[tree, parent]
        )
        made = parse(Commit, response.decoded, what).sha
        self.fresh.made(made)
        return made

    def commits_ahead(self, repository: str, base: str, branch: str) -> int:
        """Return how many commits a branch has that its base lacks."""
        span = f"{quote(base, safe='')}...{quote(branch, safe='')}"
        path = f"/repos/{repository}/compare/{span}?per_page=1"
        what = "compare two branches"
        return int(self.call("GET", path, what, about=[f"branch:{branch}"]).decoded["ahead_by"])

    def contains(self, repository: str, branch: str, commit: str) -> bool:
        """Return whether a commit is part of a branch; one that is unknown is not."""
        path = f"/repos/{repository}/compare/{commit}...{quote(branch, safe='')}?per_page=1"
        what, about = "compare a commit with a branch", [f"branch:{branch}", commit]
        response = self.call("GET", path, what, allow=(404,), about=about, may_be_absent=True)
        return isinstance(response.decoded, dict) and response.decoded.get("behind_by") == 0

    def get_issue(self, repository: str, number: int) -> Issue:
        """Read an issue, with its description as GitHub renders it."""
        path, what = f"/repos/{repository}/issues/{number}", "read the issue"
        response = self.call("GET", path, what, allow=_GONE, accept=RENDERED)
        if response.status in _GONE:
            absent = IssueNotFound(f"There is no issue #{number} in {repository}.")
            raise setting_refusal(message_of(response)) or absent
        found = parse(Issue, response.decoded, what)
        if found.repository_url and not found.repository_url.lower().endswith(f"/{repository.lower()}"):
            raise IssueNotFound(f"The issue #{number} was moved to another repository.")
        return found

    def issue_history(self, repository: str, number: int) -> IssueHistory:
        """Return the texts that an issue had: its last hundred edits and renamings.

        https://docs.github.com/en/graphql/reference/objects#usercontentedit
        """
        what = "read the issue's history"
        owner, _, name = repository.partition("/")
        found = self.graphql(_HISTORY, {"owner": owner, "name": name, "number": number}, what)
        return parse(IssueHistory, ((found or {}).get("repository") or {}).get("issue"), what)

    def comments(self, repository: str, number: int) -> list[Comment]:
        """Return the comments of an issue or pull request, oldest first."""
        path = f"/repos/{repository}/issues/{number}/comments"
        about = [f"number:{number}"]
        return list(self.pages(path, "read the comments", Comment, limit=_MAX_COMMENTS, about=about))

    def get_comment(self, repository: str, comment_id: int) -> Comment | None:
        """Read a comment as GitHub renders it; None if it was deleted."""
        path = f"/repos/{repository}/issues/comments/{comment_id}"
        about = [f"comment:{comment_id}"]
        return self.find(path, "read a comment", Comment, absent=_GONE, accept=RENDERED, about=about)

    def get_review(self, repository: str, number: int, review_id: int) -> Review | None:
        """Read a review as GitHub renders it; None if there is none.

        https://docs.github.com/en/rest/pulls/reviews#get-a-review-for-a-pull-request
        """
        path = f"/repos/{repository}/pulls/{number}/reviews/{review_id}"
        about = [f"review:{review_id}"]
        return self.find(path, "read a review", Review, absent=_GONE, accept=RENDERED, about=about)

    def review_comments_of(self, repository: str, number: int, review_id: int) -> list[ReviewComment]:
        """Return the comments of one review, as GitHub renders them.

        Of all the pull request's: the list of a single review's does not say at which lines they stand.
        https://docs.github.com/en/rest/pulls/comments#list-review-comments-on-a-pull-request
        """
        path = f"/repos/{repository}/pulls/{number}/comments"
        what, about = "read the comments of a review", [f"review:{review_id}"]
        found = self.pages(path, what, ReviewComment, limit=_MAX_COMMENTS, accept=RENDERED, about=about)
        return [comment for comment in found if comment.pull_request_review_id == review_id]

    def render(self, repository: str, text: str) -> str:
        """Let GitHub render a text as it does comments of a repository; return HTML.

        https://docs.github.com/en/rest/markdown/markdown#render-a-markdown-document

        Raises:
            GitHubUnavailable: no HTML came.
        """
        body = {"text": text, "mode": "gfm", "context": repository}
        response = self.call("POST", "/markdown", "render a text", body=body, changes_nothing=True)
        if not isinstance(response.decoded, str):
            raise GitHubUnavailable("GitHub did not answer with HTML when asked to render a text.")
        return response.decoded

    def create_comment(self, repository: str, number: int, body: str) -> Comment:
        """Write a comment on an issue or pull request."""
        what = "write a comment"
        path = f"/repos/{repository}/issues/{number}/comments"
        about = [f"number:{number}"]
        fields = {"body": scrub(body)}
        response = self.call("POST", path, what, body=fields, about=about, is_content=True)
        comment = parse(Comment, response.decoded, what)
        self.fresh.made(f"comment:{comment.id}")
        return comment

    def update_comment(self, repository: str, comment_id: int, body: str) -> bool:
        """Rewrite a comment of ours; return False if it was deleted."""
        path = f"/repos/{repository}/issues/comments/{comment_id}"
        what, about = "edit a comment", [f"comment:{comment_id}"]
        fields = {"body": scrub(body)}
        response = self.call("PATCH", path, what, body=fields, allow=_GONE, about=about, is_content=True)
        return response.status not in _GONE

    def react(self, repository: str, number: int, content: str) -> None:
        """Put a reaction on an issue; doing it twice does nothing."""
        path = f"/repos/{repository}/issues/{number}/reactions"
        self.call("POST", path, "react to the issue", body={"content": content})

    def react_to_comment(self, repository: str, comment_id: int, content: str) -> None:
        """Put a reaction on a comment; doing it twice does nothing."""
        path = f"/repos/{repository}/issues/comments/{comment_id}/reactions"
        self.call("POST", path, "react to a comment", body={"content": content})

    def get_pull_request(self, repository: str, number: int) -> PullRequest:
        """Read a pull request, with its description as GitHub renders it."""
        path, what = f"/repos/{repository}/pulls/{number}", "read the pull request"
        about = [f"number:{number}"]
        found = self.find(path, what, PullRequest, absent=_GONE, accept=RENDERED, about=about)
        if found is None:
            raise PullRequestNotFound(f"There is no pull request #{number} in {repository}.")
        return found

    def pull_requests_of(self, repository: str, branch: str) -> list[PullRequest]:
        """Return every pull request from a branch of the same repository, newest first, closed ones too."""
        owner = repository.partition("/")[0]
        query = urlencode({"head": f"{owner}:{branch}", "state": "all"})
        path = f"/repos/{repository}/pulls?{query}"
        found = self.pages(path, "list pull requests", PullRequest, limit=100)
        return [pull for pull in found if pull.head.ref == branch]

    def create_pull_request(
        self, repository: str, *, branch: str, base: str, title: str, body: str, draft: bool
    ) -> PullRequest | str:
        """Open a pull request.

        Returns:
            It, or in GitHub's words why it would not.
        """
        what = "open a pull request"
        fields = {"head": branch, "base": base, "title": title, "body": body, "draft": draft}
        path = f"/repos/{repository}/pulls"
        about = [f"branch:{branch}"]
        response = self.call(
            "POST", path, what, body=fields, allow=(_UNPROCESSABLE,), about=about, is_content=True
        )
        if response.status == _UNPROCESSABLE:
            return validation_words(response)
        made = parse(PullRequest, response.decoded, what)
        self.fresh.made(f"number:{made.number}")
        return made

    def put_check_run(self, repository: str, check: CheckRun) -> None:
        """Put a finished check run on a commit, once for each `external_id`.

        https://docs.github.com/en/rest/checks/runs#create-a-check-run
        """
        what = "put a check run on the commit"
        query = urlencode({"check_name": check.name, "per_page": 100})
        path = f"/repos/{repository}/commits/{check.head_sha}/check-runs?{query}"
        about = [check.head_sha]
        found = self.get(path, "read the check runs of the commit", CheckRuns, about)
        if not any(known_run.external_id == check.external_id for known_run in found.check_runs):
            shown = check.model_copy(update={"summary": scrub(check.summary)})
            self.call("POST", f"/repos/{repository}/check-runs", what, body=shown.body(), about=about)

    def mark_ready(self, pull_request: PullRequest) -> None:
        """Take a pull request out of draft; only GraphQL can."""
        what, about = "mark the pull request ready for review", [f"number:{pull_request.number}"]
        self.graphql(_MARK_READY, {"id": pull_request.node_id}, what, about)
