"""The REST API, one module per resource."""

from local.github.rest import (
    app,
    checks,
    comments,
    commits,
    deliveries,
    git_data,
    issues,
    labels,
    markdown,
    pulls,
    reactions,
    refs,
    repositories,
    users,
)
from local.github.routing import Router

ROUTER = Router()
for _module in (
    app,
    deliveries,
    users,
    repositories,
    refs,
    git_data,
    # Before `commits`, whose route takes all the rest of a path.
    checks,
    commits,
    comments,
    labels,
    reactions,
    issues,
    pulls,
    markdown,
):
    ROUTER.include(_module.ROUTER)
