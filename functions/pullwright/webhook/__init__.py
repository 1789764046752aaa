"""What the webhooks answer to a delivery of GitHub or Jira.

| status | body's `status` | when |
|---|---|---|
| 202 | `started` | an execution was started, or the same delivery's execution still runs |
| 202 | `already` | the same delivery was worked on before |
| 202 | `queued` | Step Functions had no room; the request waits in the queue |
| 200 | `pong` | `ping` |
| 200 | `ignored` | a signed event that is none of our business; `reason` says why |
| 400 | `refused` | signed, but a form, not JSON, or not what GitHub documents; `field` names what is wrong |
| 401 | `refused` | signature missing, SHA-1 only, or wrong |
| 405 | `refused` | not a POST |
| 413 | `refused` | larger than 6 MB |
| 503 | `failed` | the secret cannot be read or is empty, or neither Step Functions nor the queue took it |

A 503 shows as a failed delivery on GitHub, where it can be redelivered; Jira repeats it by itself. What runs
in these functions talks to neither, and imports neither pydantic nor botocore. GitHub's webhook runs for each
event of every repository, mostly cold.
"""
