"""Stand-in for the model: scripted answers over the Anthropic Messages API and the Bedrock runtime API.

The real Claude Code CLI works against it. What it does not do is written in README.md beside this file.
"""
