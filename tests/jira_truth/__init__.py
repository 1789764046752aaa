"""What Atlassian publishes about Jira's interfaces, and values made from it.

`adf.json` is `dist/json-schema/v1/full.json` of npm's @atlaskit/adf-schema 57.7.22, without its white space:
copyright Atlassian Pty Ltd, under the Apache License 2.0.
"""
