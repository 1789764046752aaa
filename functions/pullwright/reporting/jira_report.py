"""Reports the outcome in Jira, where a session was asked for there."""

from pydantic import ValidationError

from pullwright.errors import AlreadyRunning, InvalidRequest, JiraIssueNotFound, PullwrightError
from pullwright.jira.telling import pull_request_link, put_comment
from pullwright.jira.texts import ended, refused
from pullwright.log import logger
from pullwright.models import Failure, JiraIssue, OpenedPullRequest
from pullwright.record import SessionRecord
from pullwright.results import AgentResult, Verdict
from pullwright.services import Services
from pullwright.settings import ReportOutcomeSettings


def report_to_jira(
    services: Services[ReportOutcomeSettings],
    record: SessionRecord,
    opened: OpenedPullRequest | None,
    verdict: Verdict,
    *,
    result: AgentResult | None,
    failure: Failure | None,
) -> bool:
    """Put the outcome into the issue's comment and link; False if it has to be done again later."""
    try:
        key = JiraIssue.model_validate(record.request.get("jira")).key
    except ValidationError:
        # The execution's input may be wrong in any way: there is no place to tell it then.
        return True
    if failure is not None and failure.error == AlreadyRunning.__name__:
        # The other session tells it, in the same comment.
        return True
    repository = opened.repository if opened is not None else record.repository or ""
    try:
        client = services.jira()
        if opened is not None:
            url, is_done = opened.pull_request_url, failure is None
            client.put_link(key, pull_request_link(repository, opened.pull_request, url, is_done=is_done))
            put_comment(client, key, repository, ended(verdict, result, url))
        elif failure is not None:
            put_comment(client, key, repository, refused(failure))
    except (InvalidRequest, JiraIssueNotFound) as error:
        logger.info("there is no place in Jira to report to", error=error.sentence)
    except PullwrightError as error:
        logger.warning("Jira did not take the report", error=error.sentence)
        return False
    return True
