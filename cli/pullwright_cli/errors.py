"""What ends a command without a traceback."""


class CliError(Exception):
    """A command that cannot go on.

    Args:
        message: what is wrong, and what to do about it.
    """

    def __init__(self, message: str, exit_code: int = 1) -> None:
        super().__init__(message)
        self.exit_code = exit_code
