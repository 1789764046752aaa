"""The layers and configurations of one repository's images: files, named by their digest."""

import hashlib
import shutil
import uuid
from pathlib import Path
from typing import IO

from pullwright_engine.ecr.refused import RefusedError


def digest_of(content: bytes) -> str:
    """Return the digest that names a content."""
    return f"sha256:{hashlib.sha256(content).hexdigest()}"


class Blobs:
    """Files that are there, and those that are on their way."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._uploads = folder / "uploads"
        self._uploads.mkdir(parents=True)

    def path(self, digest: str) -> Path | None:
        """Return a blob's file; None if there is no such blob."""
        path = self._folder / digest.replace(":", "-")
        return path if path.is_file() else None

    def size(self, digest: str) -> int:
        """Return a blob's length in bytes; 0 if there is no such blob."""
        path = self.path(digest)
        return path.stat().st_size if path else 0

    def put(self, content: bytes) -> str:
        """Keep a content; return its digest."""
        digest = digest_of(content)
        (self._folder / digest.replace(":", "-")).write_bytes(content)
        return digest

    def begin(self) -> str:
        """Begin an upload; return its id."""
        upload = str(uuid.uuid4())
        (self._uploads / upload).touch()
        return upload

    def received(self, upload: str) -> int:
        """Return how many bytes an upload has.

        Raises:
            RefusedError: there is no such upload.
        """
        return self._upload(upload).stat().st_size

    def append(self, upload: str, content: IO[bytes], first: int | None = None) -> int:
        """Add to an upload.

        Args:
            first: place of the first byte, where the client says it.

        Returns:
            How many bytes there are now.

        Raises:
            RefusedError: there is no such upload, or bytes before these are missing.
        """
        path = self._upload(upload)
        length = path.stat().st_size
        if first not in (None, length):
            raise RefusedError(
                "InvalidLayerPartException", f"The part begins at {first}; {length} bytes were received."
            )
        with path.open("ab") as file:
            shutil.copyfileobj(content, file)
        return path.stat().st_size

    def complete(self, upload: str, digest: str) -> None:
        """Make an upload a blob.

        Raises:
            RefusedError: there is no such upload, or its content has another digest.
        """
        path = self._upload(upload)
        with path.open("rb") as file:
            found = f"sha256:{hashlib.file_digest(file, 'sha256').hexdigest()}"
        if found != digest:
            path.unlink()
            raise RefusedError(
                "InvalidLayerException",
                f"The layer's digest is {found}, not {digest} as the request says.",
            )
        path.replace(self._folder / digest.replace(":", "-"))

    def _upload(self, upload: str) -> Path:
        path = self._uploads / upload
        if not upload or path.parent != self._uploads or not path.is_file():
            raise RefusedError("UploadNotFoundException", f"The upload {upload!r} could not be found.")
        return path
