"""A repository of Amazon ECR: which images there are, and what its tags point to.

A tag is moved as AWS says to, without the image being transferred:
https://docs.aws.amazon.com/AmazonECR/latest/userguide/image-retag.html
"""

from __future__ import annotations

import base64
import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, NamedTuple, Self

from botocore.exceptions import ClientError

from pullwright import errors
from pullwright.aws import code_of
from pullwright_cli.starting import aws_line

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pullwright_cli.aws import Stack

_URI = re.compile(
    r"(?P<account>\d{12})\.dkr\.ecr\.(?P<region>[a-z0-9-]+)\.[a-z0-9.]+/(?P<name>[a-z0-9._/-]+)"
)
_OUTPUTS = {"agent": "AgentRepositoryUri", "preview": "PreviewRepositoryUri"}
_MANIFESTS = (
    "application/vnd.oci.image.index.v1+json",
    "application/vnd.oci.image.manifest.v1+json",
    "application/vnd.docker.distribution.manifest.list.v2+json",
    "application/vnd.docker.distribution.manifest.v2+json",
)
_SHOWN = 8


class Image(NamedTuple):
    """An image of a repository.

    Attributes:
        size: in bytes, compressed.
        pushed_at: in ISO 8601.
    """

    digest: str
    tags: tuple[str, ...]
    size: int
    pushed_at: str


@dataclass(frozen=True)
class Registry:
    """A repository, and the stack whose credentials reach it.

    Attributes:
        uri: as the stack's outputs have it.
        target: which image it holds, `agent` or `preview`.
    """

    stack: Stack
    uri: str
    account: str
    name: str
    target: str

    @classmethod
    def of(cls, stack: Stack, target: str = "agent") -> Self:
        """Return the repository that a stack's tasks take their image from.

        Args:
            target: which image, `agent` or `preview`.

        Raises:
            OutputMissing: the stack does not say, or not in ECR's form.
        """
        output = _OUTPUTS[target]
        uri = stack.output(output)
        found = _URI.fullmatch(uri)
        if found is None:
            raise errors.OutputMissing(f"The stack's output {output} is {uri}, no address of ECR.")
        # One repository can serve the stacks of several regions.
        return cls(replace(stack, region=found["region"]), uri, found["account"], found["name"], target)

    @property
    def pinned(self) -> str:
        """The digest that the stack stays with, whatever its tags mean; empty if it has none."""
        return self.stack.parameter("AgentImageDigest") if self.target == "agent" else ""

    @property
    def run_tag(self) -> str:
        """The tag that is run where no digest is named."""
        return self.stack.parameter("AgentImageTag") if self.target == "agent" else "latest"

    def images(self) -> list[Image]:
        """Return all images, the newest first."""
        pages = self._client.get_paginator("describe_images").paginate(**self._place)
        found = [_image(detail) for page in pages for detail in page["imageDetails"]]
        return sorted(found, key=lambda image: image.pushed_at, reverse=True)

    def find(self, reference: str) -> str | None:
        """Return the digest of a tag or digest; None if there is no such image."""
        try:
            details = self._client.describe_images(**self._place, imageIds=[_key(reference)])["imageDetails"]
        except ClientError as error:
            if code_of(error) == "ImageNotFoundException":
                return None
            raise
        return str(details[0]["imageDigest"]) if details else None

    def digest(self, reference: str) -> str:
        """Return the digest of a tag or digest.

        Raises:
            ImageMissing: there is no such image.
        """
        found = self.find(reference)
        if found is None:
            tags = [tag for image in self.images() for tag in image.tags]
            known = ", ".join(tags[:_SHOWN]) or "no tag at all"
            raise errors.ImageMissing(f"{self.uri} has no image {reference}. There is {known}.")
        return found

    def manifest(self, digest: str) -> dict[str, str]:
        """Return an image's manifest, as `put_image` takes it.

        Raises:
            ImageMissing: there is no such image, or not any more.
        """
        images = self._client.batch_get_image(
            **self._place, imageIds=[{"imageDigest": digest}], acceptedMediaTypes=list(_MANIFESTS)
        )["images"]
        if not images:
            raise errors.ImageMissing(f"{self.uri} has no image {digest}.")
        kind = images[0].get("imageManifestMediaType")
        return {
            "imageManifest": images[0]["imageManifest"],
            **({"imageManifestMediaType": kind} if kind else {}),
        }

    def tag(self, manifest: Mapping[str, str], tag: str) -> None:
        """Point a tag to an image; it may point to it already.

        Args:
            manifest: the image's own.
        """
        try:
            self._client.put_image(**self._place, **manifest, imageTag=tag)
        except ClientError as error:
            if code_of(error) != "ImageAlreadyExistsException":
                raise

    def tag_line(self, digest: str, tag: str) -> str:
        """Return what does the same, for a shell."""
        place = ("--registry-id", self.account, "--repository-name", self.name)
        read = aws_line(
            self.stack,
            *("ecr", "batch-get-image", *place, "--image-ids", f"imageDigest={digest}"),
            *("--accepted-media-types", *_MANIFESTS),
            *("--query", "images[0].imageManifest", "--output", "text"),
        )
        write = aws_line(self.stack, "ecr", "put-image", *place, "--image-tag", tag, "--image-manifest")
        return f'{write} "$({read})"'

    def password(self) -> str:
        """Return what Docker logs in with, for twelve hours."""
        [grant] = self._client.get_authorization_token()["authorizationData"]
        return base64.b64decode(grant["authorizationToken"]).decode().partition(":")[2]

    @property
    def _client(self) -> Any:
        return self.stack.client("ecr")

    @property
    def _place(self) -> dict[str, str]:
        return {"registryId": self.account, "repositoryName": self.name}


def _key(reference: str) -> dict[str, str]:
    return {"imageDigest" if reference.startswith("sha256:") else "imageTag": reference}


def _image(detail: dict[str, Any]) -> Image:
    return Image(
        digest=detail["imageDigest"],
        tags=tuple(sorted(detail.get("imageTags", ()))),
        size=detail.get("imageSizeInBytes", 0),
        pushed_at=detail["imagePushedAt"].isoformat(),
    )
