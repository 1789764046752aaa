"""How an execution is called: by its session."""


def execution_arn(machine: str, name: str) -> str:
    """Return the ARN of an execution.

    It is the same whichever version or alias the execution was started through, as LocalStack's tests have it
    recorded from AWS (`test_sfn_api_aliasing.snapshot.json`, "start_execution_response_through_alias").

    Args:
        machine: ARN of the state machine, or of a version or alias of it.
    """
    parts = machine.split(":")
    return ":".join([*parts[:5], "execution", parts[6], name])


def session_of_execution(arn: str) -> str:
    """Return the session whose execution has this ARN: it is the execution's name."""
    return arn.rpartition(":")[2]
