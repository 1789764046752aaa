"""A strict stand-in for GitHub: REST, GraphQL, App authentication, git over HTTP, webhooks, a web view.

It exists so that the local stack and the tests meet GitHub's rules and refusals without an account.
`README.md` beside this file says how to use it and what it does not do.
"""
