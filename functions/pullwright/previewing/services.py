"""What the functions of previews work with."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Generic, TypeVar

from pullwright.settings import PreviewSettings

if TYPE_CHECKING:
    from pullwright.github.app import GitHubApp
    from pullwright.previewing.store import PreviewStore

SettingsT_co = TypeVar("SettingsT_co", bound=PreviewSettings, covariant=True)


@dataclass(frozen=True, slots=True)
class PreviewServices(Generic[SettingsT_co]):
    """GitHub, the items of previews, and the function's own settings."""

    app: GitHubApp
    store: PreviewStore
    settings: SettingsT_co
