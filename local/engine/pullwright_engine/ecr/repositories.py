"""All repositories' images, by account, region and name; which repositories there are, moto knows."""

import re
import shutil
import tempfile
import threading
from dataclasses import replace
from functools import cache
from pathlib import Path

from pullwright_engine.ecr.blobs import Blobs
from pullwright_engine.ecr.images import Images
from pullwright_engine.settings import Image, Settings, settings

Key = tuple[str, str, str]

_REFERENCE = re.compile(
    r"(?P<account>\d{12})\.dkr\.ecr\.(?P<region>[a-z0-9-]+)\.amazonaws\.com(?:\.cn)?/(?P<name>[^:@]+)"
    r"(?:@(?P<digest>sha256:[0-9a-f]{64})|:(?P<tag>[\w.-]+))"
)
_KNOWN: dict[Key, Images] = {}
_LOCK = threading.Lock()


@cache
def _folder() -> Path:
    # Within the engine's own TMPDIR, which it keeps nothing in from one start to the next.
    root = Path(tempfile.gettempdir()) / "ecr"
    shutil.rmtree(root, ignore_errors=True)
    return root


def images_of(account: str, region: str, name: str) -> Images:
    """Return a repository's images; a new one has what this checkout runs, under the tags that do."""
    with _LOCK:
        known = _KNOWN.get((account, region, name))
        if known is None:
            blobs = Blobs(_folder() / account / region / name.replace("/", ":"))
            known = _KNOWN[account, region, name] = Images(name, account, blobs)
            if tags := _served_tags(f"{account}.dkr.ecr.{region}.amazonaws.com/{name}"):
                known.serve(tags)
    return known


def forget(account: str, region: str, name: str) -> None:
    """Remove a repository's images."""
    with _LOCK:
        _KNOWN.pop((account, region, name), None)
        shutil.rmtree(_folder() / account / region / name.replace("/", ":"), ignore_errors=True)


def image_to_run(reference: str, known: Settings) -> Image | None:
    """Return what runs instead of an image: for whatever is in a repository, what runs for the tag `latest`.

    Args:
        reference: an image's name with tag or digest, as a task definition has it.

    Returns:
        It, with the digest of what was pushed; None if there is no such image.
    """
    found = _REFERENCE.fullmatch(reference)
    images = found and _KNOWN.get((found["account"], found["region"], found["name"]))
    if not found or images is None:
        return known.image(reference)
    image = images.find(found["digest"] or found["tag"])
    served = known.image(f"{re.split('[:@]', reference)[0]}:latest")
    if image is None or served is None:
        return None
    stands = found["tag"] and image.digest == images.served
    return served if stands else replace(served, digest=image.digest)


def _served_tags(uri: str) -> list[str]:
    # Several patterns may name a tag: those of previews come before those of all repositories.
    tags = dict.fromkeys(pattern.rpartition(":")[2] for pattern in settings().images)
    return [tag for tag in tags if re.fullmatch(r"[\w.-]+", tag) and settings().image(f"{uri}:{tag}")]
