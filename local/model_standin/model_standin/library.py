"""The scripts that the stand-in knows, and how often their faults were played."""

import re
from collections import Counter
from pathlib import Path

from model_standin.scripts import Fault, Script


class Library:
    """Named scripts; where several match, the one stored last wins."""

    def __init__(self) -> None:
        self._scripts: dict[str, Script] = {}
        self._faults: Counter[tuple[str, int]] = Counter()

    @property
    def names(self) -> list[str]:
        """Names of all scripts, in the order in which they are tried."""
        return list(reversed(self._scripts))

    def load(self, folder: Path) -> None:
        """Store every `*.json` of a folder under its file name.

        Raises:
            pydantic.ValidationError: a file is not a script.
        """
        for path in sorted(folder.glob("*.json")):
            self.put(path.stem, Script.model_validate_json(path.read_bytes()))

    def put(self, name: str, script: Script) -> bool:
        """Store a script in place of an earlier one of its name; return whether the name is new."""
        existed = self.delete(name)
        self._scripts[name] = script
        return not existed

    def get(self, name: str) -> Script | None:
        """Return the script of that name, if there is one."""
        return self._scripts.get(name)

    def delete(self, name: str) -> bool:
        """Remove a script; return whether there was one."""
        for key in [key for key in self._faults if key[0] == name]:
            del self._faults[key]
        return self._scripts.pop(name, None) is not None

    def find(self, text: str) -> tuple[str, Script] | None:
        """Return the newest script that matches the text of a request."""
        for name in self.names:
            if re.search(self._scripts[name].match, text, re.DOTALL):
                return name, self._scripts[name]
        return None

    def fails(self, name: str, turn: int, fault: Fault | None) -> bool:
        """Return whether this request gets the step's fault, and count it."""
        if fault is None:
            return False
        if fault.times is not None and self._faults[name, turn] >= fault.times:
            return False
        self._faults[name, turn] += 1
        return True
