"""Not a defect: a state machine's definition is parsed once, not for each of its executions.

The parser takes 50 ms, most of what the engine does for an execution; the components of an execution are
made anew from the same tree, since they are not meant to be shared.
"""

from functools import lru_cache
from typing import Any

from localstack.services.stepfunctions.asl.parse.asl_parser import AmazonStateLanguageParser
from localstack.services.stepfunctions.asl.parse.preprocessor import Preprocessor


def apply() -> None:
    """Remember the trees of the latest definitions."""
    original = AmazonStateLanguageParser.parse

    @lru_cache(maxsize=32)
    def tree_of(definition: str) -> Any:
        return original(definition)[1]

    def parse(definition: str) -> tuple[Any, Any]:
        tree = tree_of(definition)
        return Preprocessor().visit(tree), tree

    AmazonStateLanguageParser.parse = staticmethod(parse)
