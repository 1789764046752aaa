"""The REST API, one module per resource."""

from github_standin.rest import (
    actions,
    app,
    app_setup,
    assignees,
    checks,
    comments,
    commit_comments,
    commits,
    deliveries,
    forks,
    git_data,
    issues,
    labels,
    markdown,
    merges,
    pulls,
    reactions,
    refs,
    repositories,
    review_comments,
    reviews,
    statuses,
    teams,
    users,
)
from github_standin.routing import Router

ROUTER = Router()
for _module in (
    app,
    app_setup,
    deliveries,
    users,
    teams,
    repositories,
    forks,
    refs,
    git_data,
    # Before `commits`, whose route takes all the rest of a path.
    checks,
    statuses,
    commit_comments,
    commits,
    comments,
    labels,
    reactions,
    assignees,
    issues,
    merges,
    pulls,
    reviews,
    review_comments,
    markdown,
    actions,
):
    ROUTER.include(_module.ROUTER)
