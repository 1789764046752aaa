"""What the functions work with, made from their settings: the GitHub App, the table and the bucket."""

from functools import partial

from pullwright import aws
from pullwright.artifacts import Artifacts
from pullwright.github.allowance import TableAllowance
from pullwright.github.app import GitHubApp
from pullwright.secret_values import read_app_secret
from pullwright.settings import GitHubSettings, StoreSettings
from pullwright.store import Store


def github_app(given: GitHubSettings) -> GitHubApp:
    """Return the App, whose secret is read when it is needed."""
    read_secret = partial(read_app_secret, aws.secretsmanager(), given.github_app_secret_arn)
    allowance_of = partial(TableAllowance, aws.dynamodb(), given.sessions_table)
    return GitHubApp(given.github_api_url, read_secret, allowance_of=allowance_of)


def store(given: GitHubSettings) -> Store:
    """Return the sessions table."""
    return Store(aws.dynamodb(), given.sessions_table)


def artifacts(given: StoreSettings) -> Artifacts:
    """Return the artifacts' bucket."""
    return Artifacts(aws.s3(), given.artifacts_bucket)
