"""What the functions of previews work with."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Generic, TypeVar

from pullwright.settings import PreviewSettings

if TYPE_CHECKING:
    from pullwright.github.app import GitHubApp
    from pullwright.previewing.store import PreviewStore
    from pullwright.previewing.task_log import TaskLog

SettingsT_co = TypeVar("SettingsT_co", bound=PreviewSettings, covariant=True)


@dataclass(frozen=True, slots=True)
class PreviewServices(Generic[SettingsT_co]):
    """GitHub, the items of previews, the function's own settings, and what tasks wrote, if it reads that."""

    app: GitHubApp
    store: PreviewStore
    settings: SettingsT_co
    log: TaskLog | None = None
