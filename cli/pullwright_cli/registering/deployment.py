"""What of a stack concerns its GitHub App: where GitHub is, where the secrets are, whom they serve."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from pullwright.github.app import GitHubApp
from pullwright.github.urls import GitHubUrls
from pullwright.secret_values import read_app_secret

if TYPE_CHECKING:
    from mypy_boto3_secretsmanager import SecretsManagerClient

    from pullwright_cli.aws import Stack

APP_SECRET = "GitHubAppSecretArn"  # noqa: S105 - the name of an output
WEBHOOK_SECRET = "WebhookSecretArn"  # noqa: S105 - as above


@dataclass(frozen=True)
class Deployment:
    """A stack, seen from its GitHub App."""

    stack: Stack

    @cached_property
    def parameters(self) -> dict[str, str]:
        """The stack's parameters by name."""
        found = self.stack.description.get("Parameters", [])
        return {it.get("ParameterKey", ""): it.get("ParameterValue", "") for it in found}

    @property
    def urls(self) -> GitHubUrls:
        """The addresses of its GitHub."""
        return GitHubUrls.of(self.parameters["GitHubApiUrl"])

    @property
    def secrets(self) -> SecretsManagerClient:
        """Secrets Manager."""
        client: SecretsManagerClient = self.stack.client("secretsmanager")
        return client

    def arn(self, output: str) -> str:
        """Return the address of a secret, by the name of the output."""
        return self.stack.output(output)

    @cached_property
    def app(self) -> GitHubApp:
        """The App, with the key that is stored."""
        return GitHubApp(self.urls.rest, lambda: read_app_secret(self.secrets, self.arn(APP_SECRET)))
