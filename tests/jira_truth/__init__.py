"""What Atlassian publishes about Jira's interfaces, and values made from it."""
