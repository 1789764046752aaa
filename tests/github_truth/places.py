"""Where `make setup` puts GitHub's descriptions, which come from npm as data."""

from __future__ import annotations

from local.layout import TOOLS

_OCTOKIT = TOOLS / "node/node_modules/@octokit"
REST = _OCTOKIT / "openapi/generated/api.github.com.json"
WEBHOOKS = _OCTOKIT / "openapi-webhooks/generated/api.github.com.json"
GRAPHQL = _OCTOKIT / "graphql-schema/schema.graphql"
EXAMPLES = _OCTOKIT / "webhooks-examples/api.github.com/index.json"
