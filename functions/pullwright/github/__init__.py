"""GitHub as Pullwright uses it: a small typed client, the App's tokens, and every permission it asks for."""

from pullwright.github.client import GitHubClient
from pullwright.github.connection import TokenProvider
from pullwright.github.urls import GitHubUrls

__all__ = ["GitHubClient", "GitHubUrls", "TokenProvider"]
