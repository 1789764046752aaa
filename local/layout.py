"""Where everything of the local stack lives. Standard library only: the bootstrap reads it too."""

import hashlib
import os
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
"""The checkout."""

TOOLS = ROOT / ".local"
"""What `make setup` installs; every stack of this checkout shares it."""

ENGINE_LIBRARIES = Path("usr/lib/localstack")
"""Where LocalStack looks for what was made at its installation, below the root of its files."""

APP_PERMISSIONS = ROOT / "functions" / "pullwright" / "github" / "app_permissions.json"
"""The permissions and events that the App asks for."""


@dataclass(frozen=True)
class Layout:
    """The folders of one stack."""

    data: Path

    @classmethod
    def of_environment(cls) -> "Layout":
        """Return the stack that `PULLWRIGHT_LOCAL` names; `.local` of the checkout without it."""
        return cls(Path(os.environ.get("PULLWRIGHT_LOCAL") or TOOLS).resolve())

    @property
    def stack_file(self) -> Path:
        """What others read to find the running stack."""
        return self.data / "stack.json"

    @property
    def logs(self) -> Path:
        """One file per process, and the tasks' output."""
        return self.data / "logs"

    @property
    def engine(self) -> Path:
        """The engine's own files."""
        return self.data / "engine"

    @property
    def children(self) -> Path:
        """Notes about processes that the engine started."""
        return self.engine / "children"

    @property
    def build(self) -> Path:
        """The deployment as SAM built it; SAM keeps a note of its own beside this folder."""
        return self.data / "build" / "app"

    @property
    def edited(self) -> Path:
        """The functions' code as it was at each edit that `make watch` has made live."""
        return self.data / "build" / "edited"

    @property
    def shared(self) -> Path:
        """A folder that another user can reach, unlike the developer's home."""
        name = hashlib.sha256(str(self.data).encode()).hexdigest()[:12]
        base = Path("/var/tmp").resolve()  # noqa: S108 - what is made there is 0711 and ours
        return base / f"pullwright-{os.getuid()}-{name}"


def venv_bin(name: str) -> Path:
    """Return the programs of one of the tools' virtual environments.

    Args:
        name: `localstack`, `sam`, `lambda` or `runner`.
    """
    return TOOLS / "venvs" / name / "bin"
