"""A deployment's side of Jira: the account, what it needs there, and the webhook."""
