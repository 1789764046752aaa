"""What ECR refuses, with the codes of its API."""


class RefusedError(Exception):
    """A request is refused.

    Attributes:
        code: as the API's model has it.
    """

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
