"""A strict stand-in for Jira Cloud: REST v3, Basic authentication, signed webhooks, pages to look at.

It exists so that the local stack and the tests meet Jira's rules and refusals without an account.
`README.md` beside this folder says how to use it and what it does not do.
"""
