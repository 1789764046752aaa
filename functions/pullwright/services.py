"""The services that a function works on sessions with."""

from dataclasses import dataclass
from typing import Generic, TypeVar

from pullwright.artifacts import Artifacts
from pullwright.github.app import GitHubApp
from pullwright.settings import StoreSettings
from pullwright.store import Store

SettingsT_co = TypeVar("SettingsT_co", bound=StoreSettings, covariant=True)


@dataclass(frozen=True, slots=True)
class Services(Generic[SettingsT_co]):
    """GitHub, the sessions table, the artifacts bucket, and the function's own settings."""

    app: GitHubApp
    store: Store
    artifacts: Artifacts
    settings: SettingsT_co
