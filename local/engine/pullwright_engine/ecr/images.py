"""The images and tags of one repository. No API of its own."""

import json
import threading
import time
from dataclasses import dataclass
from typing import Any

from pullwright_engine.ecr.blobs import Blobs, digest_of
from pullwright_engine.ecr.refused import RefusedError

Document = dict[str, Any]

_UNCHANGED = (
    "Image with digest '{digest}' and tag '{tag}' already exists in the repository with name '{name}'"
)
_MANIFEST = "application/vnd.oci.image.manifest.v1+json"


@dataclass(frozen=True)
class Image:
    """An image or an index of images.

    Attributes:
        manifest: byte for byte as it was pushed, as its digest is made from it.
        pushed_at: in seconds since 1970.
    """

    digest: str
    manifest: str
    media_type: str
    pushed_at: float

    @property
    def parts(self) -> list[Document]:
        """Descriptors of the blobs that it consists of; an index has none."""
        document = json.loads(self.manifest)
        return [*([document["config"]] if "config" in document else []), *document.get("layers", [])]

    @property
    def members(self) -> list[str]:
        """Digests of the images that an index names."""
        return [member["digest"] for member in json.loads(self.manifest).get("manifests", [])]


class Images:
    """A repository's images.

    Attributes:
        served: digest of the image that stands for what this checkout runs; empty if there is none.
    """

    def __init__(self, name: str, registry_id: str, blobs: Blobs) -> None:
        self.name = name
        self.registry_id = registry_id
        self.blobs = blobs
        self.served = ""
        self.by_digest: dict[str, Image] = {}
        self._digests: dict[str, str] = {}
        self._lock = threading.RLock()

    def tags(self, digest: str) -> list[str]:
        """Return an image's tags."""
        return [tag for tag, target in self._digests.items() if target == digest]

    def find(self, reference: str) -> Image | None:
        """Return the image of a tag or digest; None if there is no such image."""
        return self.by_digest.get(self._digests.get(reference, reference))

    def size(self, image: Image) -> int:
        """Return what an image takes, compressed, in bytes; of an index, what its largest member takes."""
        members = [found for digest in image.members if (found := self.by_digest.get(digest))]
        return max(
            [sum(int(part["size"]) for part in image.parts), *(self.size(member) for member in members)]
        )

    def put(
        self, manifest: str, tag: str = "", media_type: str = "", digest: str = "", *, fixed: bool = False
    ) -> Image:
        """Keep an image, or give one that is there a tag; the one that had the tag stays without it.

        Args:
            digest: what the client expects it to be.
            fixed: no tag may move.

        Raises:
            RefusedError: it is no manifest, names what is not there, or nothing would change.
        """
        image = self._checked(manifest, media_type, digest)
        with self._lock:
            is_known = image.digest in self.by_digest
            if is_known and (not tag or self._digests.get(tag) == image.digest):
                text = _UNCHANGED.format(digest=image.digest, tag=tag or "null", name=self.name)
                raise RefusedError("ImageAlreadyExistsException", f"{text} in registry {self.registry_id}")
            if fixed and tag in self._digests:
                raise RefusedError(
                    "ImageTagAlreadyExistsException",
                    f"The image tag '{tag}' already exists in the '{self.name}' repository and cannot be "
                    "overwritten because the repository is immutable.",
                )
            if not is_known:
                self.by_digest[image.digest] = image
            if tag:
                self._digests[tag] = image.digest
        return self.by_digest[image.digest]

    def untag(self, tag: str) -> None:
        """Take a tag away; an image without any goes with its last one."""
        with self._lock:
            digest = self._digests.pop(tag)
            if not self.tags(digest):
                del self.by_digest[digest]

    def remove(self, digest: str) -> list[str]:
        """Delete an image; return the tags that it had."""
        with self._lock:
            tags = self.tags(digest)
            for tag in tags:
                del self._digests[tag]
            del self.by_digest[digest]
        return tags

    def serve(self, tags: list[str]) -> None:
        """Have an image without content stand under these tags for what this checkout runs instead of one."""
        said = "It stands for the runner of the checkout, which the local stack starts without an image."
        configuration = {
            "architecture": "unknown",
            "os": "linux",
            "config": {"Labels": {"org.opencontainers.image.description": said}},
            "rootfs": {"type": "layers", "diff_ids": []},
        }
        content = json.dumps(configuration).encode()
        config = {
            "mediaType": "application/vnd.oci.image.config.v1+json",
            "digest": self.blobs.put(content),
            "size": len(content),
        }
        manifest = {"schemaVersion": 2, "mediaType": _MANIFEST, "config": config, "layers": []}
        for tag in tags:
            self.served = self.put(json.dumps(manifest), tag).digest

    def _checked(self, manifest: str, media_type: str, digest: str) -> Image:
        try:
            document = json.loads(manifest)
            kind = media_type or document["mediaType"]
        except (ValueError, KeyError, TypeError):
            raise RefusedError(
                "InvalidParameterException",
                "Invalid parameter at 'ImageManifest' failed to satisfy constraint: 'Invalid JSON syntax', "
                "or its media type is given neither in it nor beside it",
            ) from None
        found = digest_of(manifest.encode())
        if digest not in ("", found):
            raise RefusedError(
                "ImageDigestDoesNotMatchException",
                f"The digest of the manifest is {found}, and not {digest} as the request says.",
            )
        image = Image(found, manifest, kind, time.time())
        if missing := [part["digest"] for part in image.parts if self.blobs.path(part["digest"]) is None]:
            raise RefusedError(
                "LayersNotFoundException",
                f"Layers with digests '{', '.join(missing)}' required for pushing image into repository with "
                f"name '{self.name}' in the registry with id '{self.registry_id}' do not exist",
            )
        if missing := [member for member in image.members if member not in self.by_digest]:
            raise RefusedError(
                "ReferencedImagesNotFoundException",
                f"Images with digests '{', '.join(missing)}' required for pushing image into repository with "
                f"name '{self.name}' in the registry with id '{self.registry_id}' do not exist",
            )
        return image
