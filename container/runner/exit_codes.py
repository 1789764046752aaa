"""The runner's exit codes.

They say at a glance, in `describe-tasks`, how a task ended; what happened in words is in `result.json`.

| code | meaning |
|---|---|
| 0 | done: work was pushed, or there was nothing to change |
| 1 | a defect of ours |
| 2 | the task's environment is incomplete |
| 3 | AWS, the broker or GitHub did not answer or refused, before or after the agent's work |
| 4 | the session is closed or belongs to another task; nothing was touched |
| 10 | the agent ended with an error |
| 11 | the agent was denied what it needed and changed nothing |
| 12 | the work could not be pushed |
| 13 | the model's service failed or was overloaded |
| 14 | the model's service refused us |
| 15 | the session's money is used up |
| 16 | the session's turns are used up |
| 17 | the session's time is used up |
| 18 | the agent got nowhere and was ended |
| 19 | the agent filled the disk |
| 143 | SIGTERM: somebody or something stopped the task |
"""

DONE = 0
DEFECT = 1
SETTINGS = 2
SERVICE = 3
NOT_OURS = 4
STOPPED = 143

# Names of classes in pullwright.errors. Whatever is not named is a service that failed us.
BY_ERROR = {
    "InternalError": DEFECT,
    "SessionClosed": NOT_OURS,
    "AgentFailed": 10,
    "NothingUsable": 11,
    "PushRefused": 12,
    "BranchProtected": 12,
    "RepositoryArchived": 12,
    "ModelUnavailable": 13,
    "ModelAccessPending": 13,
    "ModelQuotaUsedUp": 13,
    "ModelRefused": 14,
    "ModelFormMissing": 14,
    "ModelNotSubscribed": 14,
    "ModelNotAllowed": 14,
    "ModelNotOffered": 14,
    "ModelKeyInvalid": 14,
    "ModelCreditMissing": 14,
    "MoneyLimit": 15,
    "TurnLimit": 16,
    "TimeLimit": 17,
    "AgentStuck": 18,
    "DiskLimit": 19,
    "TaskStopped": STOPPED,
}


def of(error: str | None) -> int:
    """The exit code for a failure.

    Args:
        error: class name from `pullwright.errors`, None when nothing failed.
    """
    return DONE if error is None else BY_ERROR.get(error, SERVICE)
