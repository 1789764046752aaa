"""How a branch is built and served: by the configuration, else by what the branch itself says.

The configuration is that of the default branch, as everywhere. Commands that are found are the branch's own,
which runs in any case.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pullwright.errors import PreviewConfigurationInvalid, PreviewNotConfigured
from pullwright.previewing.found import Server, find_server
from pullwright.repository.configuration import PATH, read_configuration
from pullwright.repository.document import MAX_BYTES, ConfigurationError
from pullwright.repository.preview import Preview
from pullwright.workers.source import Kind, find_entry

if TYPE_CHECKING:
    from pullwright.workers.source import Source


def read_preview(source: Source) -> Preview:
    """Read `preview` of the configuration; its defaults hold if there is none.

    Args:
        source: the default branch.

    Raises:
        PreviewConfigurationInvalid: the file cannot be read; the sentence names the field.
    """
    try:
        content = _configuration(source)
        return Preview() if content is None else read_configuration(content).preview or Preview()
    except ConfigurationError as error:
        raise PreviewConfigurationInvalid(f"{PATH} on the default branch cannot be used: {error}.") from None


def asks_after_session(source: Source) -> bool:
    """Return whether a configuration that cannot be read speaks of previews after a session."""
    try:
        return b"after_session" in (_configuration(source) or b"")
    except ConfigurationError:
        return False


def _configuration(source: Source) -> bytes | None:
    """Return the file's content; None if there is no file."""
    entry = find_entry(source, PATH)
    if entry is None or (entry.path != PATH and entry.kind is Kind.FILE):
        # A file stands where the folder would.
        return None
    if entry.kind is not Kind.FILE:
        raise ConfigurationError(f"{entry.path} is {entry.kind}")
    if entry.size > MAX_BYTES:
        raise ConfigurationError(f"it is larger than {MAX_BYTES >> 10} KiB")
    return source.read(entry)


def server_of(preview: Preview, source: Source) -> Server:
    """Return the commands of a branch.

    Args:
        source: the branch.

    Raises:
        PreviewNotConfigured: neither the configuration nor the branch says what is to be started.
    """
    if preview.start is not None:
        return Server(preview.build or "", preview.start)
    try:
        root = source.entries(source.root())
    except ConfigurationError:
        root = {}
    files = {name: entry for name, entry in root.items() if entry.kind is Kind.FILE}

    def read(name: str) -> str:
        entry = files[name]
        return source.read(entry).decode(errors="replace") if entry.size <= MAX_BYTES else ""

    found = find_server(files, read)
    if found is None:
        raise PreviewNotConfigured(
            "Nothing says how this branch is served: no `preview` in .pullwright/config.yaml, no `web:` in a "
            "Procfile, and no `start` script in package.json."
        )
    return found if preview.build is None else Server(preview.build, found.start)
