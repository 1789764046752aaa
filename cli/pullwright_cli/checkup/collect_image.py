"""Asks ECR for the images that tasks run, and what they are built for."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from botocore.exceptions import ClientError

from pullwright_cli.checkup.facts import ImageFacts

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pullwright_cli.aws import Stack

_TYPES = [
    "application/vnd.oci.image.index.v1+json",
    "application/vnd.docker.distribution.manifest.list.v2+json",
    "application/vnd.oci.image.manifest.v1+json",
    "application/vnd.docker.distribution.manifest.v2+json",
]


def image(stack: Stack, parameters: Mapping[str, str]) -> ImageFacts:
    """Return what is known of the agent's image."""
    digest = parameters.get("AgentImageDigest", "")
    return _image(stack, "AgentRepositoryUri", digest, parameters.get("AgentImageTag", "latest"))


def preview_image(stack: Stack) -> ImageFacts:
    """Return what is known of the image that previews run."""
    return _image(stack, "PreviewRepositoryUri", "", "latest")


def _image(stack: Stack, output: str, digest: str, tag: str) -> ImageFacts:
    """Ask for an image: an index names its platforms, a single manifest does not.

    Args:
        output: of the stack, with the address of the image's repository.
        digest: goes before the tag.
    """
    repository = stack.output(output).partition("/")[2]
    name = digest or tag
    wanted = {"imageDigest": digest} if digest else {"imageTag": tag}
    try:
        answer = stack.client("ecr").batch_get_image(
            repositoryName=repository, imageIds=[wanted], acceptedMediaTypes=_TYPES
        )
    except ClientError as error:
        if error.response.get("Error", {}).get("Code") != "RepositoryNotFoundException":
            raise
        return ImageFacts(name, exists=False)
    if not answer["images"]:
        return ImageFacts(name, exists=False)
    manifest = json.loads(answer["images"][0].get("imageManifest", "{}"))
    platforms = (it.get("platform", {}).get("architecture", "") for it in manifest.get("manifests", []))
    # Builders add attestations for the platform `unknown`.
    return ImageFacts(name, exists=True, architectures=frozenset(platforms) - {"", "unknown"})
