"""The API of Elastic Container Registry: moto keeps the repositories, images and layers are ours."""

import base64
import time
from collections.abc import Callable, Iterator
from io import BytesIO
from typing import Any

from localstack.aws.api import CommonServiceException
from localstack.aws.skeleton import Skeleton
from localstack.aws.spec import load_service
from localstack.services.moto import call_moto
from localstack.services.plugins import Service, aws_provider
from moto.ecr.models import ecr_backends

from pullwright_engine import selftest
from pullwright_engine.ecr import registry, repositories
from pullwright_engine.ecr.images import Document, Image, Images
from pullwright_engine.ecr.refused import RefusedError

_PART_BYTES = 20 * 1024 * 1024


def images_of(account: str, region: str, name: str) -> Images:
    """Return a repository's images.

    Raises:
        RefusedError: there is no such repository.
    """
    if name not in ecr_backends[account][region].repositories:
        raise RefusedError(
            "RepositoryNotFoundException",
            f"The repository with name '{name}' does not exist in the registry with id '{account}'",
        )
    return repositories.images_of(account, region, name)


def _images(context: Any, request: Document) -> Images:
    account = request.get("registryId") or context.account_id
    return images_of(account, context.region, request["repositoryName"])


def _place(images: Images) -> Document:
    return {"registryId": images.registry_id, "repositoryName": images.name}


def _found(images: Images, key: Document) -> Image | None:
    """Return the image of a digest, a tag or both."""
    image = images.find(key.get("imageDigest") or key.get("imageTag", ""))
    if image and key.get("imageTag") and images.find(key["imageTag"]) is not image:
        return None
    return image


def put_image(context: Any, request: Document) -> Document:
    """PutImage: keep a manifest whose layers are there, or point a tag to it."""
    images = _images(context, request)
    kept = ecr_backends[images.registry_id][context.region].repositories[images.name]
    image = images.put(
        request["imageManifest"],
        request.get("imageTag", ""),
        request.get("imageManifestMediaType", ""),
        request.get("imageDigest", ""),
        fixed=kept.image_tag_mutability == "IMMUTABLE",
    )
    tag = {"imageTag": request["imageTag"]} if request.get("imageTag") else {}
    return {"image": _shown(images, image, tag)}


def _shown(images: Images, image: Image, tag: Document) -> Document:
    return {
        **_place(images),
        "imageId": {"imageDigest": image.digest, **tag},
        "imageManifest": image.manifest,
        "imageManifestMediaType": image.media_type,
    }


def batch_get_image(context: Any, request: Document) -> Document:
    """BatchGetImage: manifests byte for byte; none is converted to another media type."""
    images = _images(context, request)
    answer: Document = {"images": [], "failures": []}
    for key in request["imageIds"]:
        image = _found(images, key)
        if image is None:
            answer["failures"].append(_failure(key))
        else:
            tag = {"imageTag": key["imageTag"]} if "imageTag" in key else {}
            answer["images"].append(_shown(images, image, tag))
    return answer


def _failure(key: Document) -> Document:
    return {
        "imageId": key,
        "failureCode": "ImageNotFound",
        "failureReason": "Requested image not found",
    }


def describe_images(context: Any, request: Document) -> Document:
    """DescribeImages: all, or those that are named, of which each has to be there."""
    images = _images(context, request)
    chosen = [_described(images, key) for key in request.get("imageIds") or []]
    return {
        "imageDetails": [
            _detail(images, image)
            for image in chosen or images.by_digest.values()
            if _selects(request, images.tags(image.digest))
        ]
    }


def _described(images: Images, key: Document) -> Image:
    image = _found(images, key)
    if image is None:
        shown = (
            f"{{imageDigest:'{key.get('imageDigest', 'null')}', imageTag:'{key.get('imageTag', 'null')}'}}"
        )
        raise RefusedError(
            "ImageNotFoundException",
            f"The image with imageId {shown} does not exist within the repository with name '{images.name}' "
            f"in the registry with id '{images.registry_id}'",
        )
    return image


def _detail(images: Images, image: Image) -> Document:
    tags = images.tags(image.digest)
    return {
        **_place(images),
        "imageDigest": image.digest,
        "imageSizeInBytes": images.size(image),
        "imagePushedAt": image.pushed_at,
        "imageManifestMediaType": image.media_type,
        **({"imageTags": tags} if tags else {}),
    }


def _selects(request: Document, tags: list[str]) -> bool:
    wanted = (request.get("filter") or {}).get("tagStatus", "ANY")
    return wanted == "ANY" or (wanted == "TAGGED") is bool(tags)


def list_images(context: Any, request: Document) -> Document:
    """ListImages: an entry for each tag, and one for an image without any."""
    images = _images(context, request)
    return {
        "imageIds": [
            {"imageDigest": digest, **tag}
            for digest in images.by_digest
            if _selects(request, images.tags(digest))
            for tag in [{"imageTag": name} for name in images.tags(digest)] or [{}]
        ]
    }


def batch_delete_image(context: Any, request: Document) -> Document:
    """BatchDeleteImage: by tag the tag goes, and with the last one the image; by digest the image goes."""
    images = _images(context, request)
    answer: Document = {"imageIds": [], "failures": []}
    for key in request["imageIds"]:
        image = _found(images, key)
        if image is None:
            answer["failures"].append(_failure(key))
            continue
        tags = [key["imageTag"]] if "imageTag" in key else images.tags(image.digest)
        answer["imageIds"] += [{"imageDigest": image.digest, "imageTag": tag} for tag in tags] or [
            {"imageDigest": image.digest}
        ]
        if "imageTag" in key:
            images.untag(key["imageTag"])
        else:
            images.remove(image.digest)
    return answer


def delete_repository(context: Any, request: Document) -> Any:
    """DeleteRepository: with `force` also one that holds what somebody pushed."""
    images = _images(context, request)
    if set(images.by_digest) - {images.served} and not request.get("force"):
        raise RefusedError(
            "RepositoryNotEmptyException",
            f"The repository with name '{images.name}' in registry with id '{images.registry_id}' cannot be "
            "deleted because it still contains images",
        )
    answer = call_moto(context)
    repositories.forget(images.registry_id, context.region, images.name)
    return answer


def initiate_layer_upload(context: Any, request: Document) -> Document:
    """InitiateLayerUpload."""
    return {"uploadId": _images(context, request).blobs.begin(), "partSize": _PART_BYTES}


def upload_layer_part(context: Any, request: Document) -> Document:
    """UploadLayerPart: parts come one after the other."""
    images = _images(context, request)
    part = BytesIO(request["layerPartBlob"])
    received = images.blobs.append(request["uploadId"], part, request["partFirstByte"])
    return {**_place(images), "uploadId": request["uploadId"], "lastByteReceived": received - 1}


def complete_layer_upload(context: Any, request: Document) -> Document:
    """CompleteLayerUpload: the content has to have the digest."""
    images = _images(context, request)
    [digest, *_] = request["layerDigests"]
    if images.blobs.path(digest):
        raise RefusedError("LayerAlreadyExistsException", f"The layer {digest} already exists.")
    images.blobs.complete(request["uploadId"], digest)
    return {**_place(images), "uploadId": request["uploadId"], "layerDigest": digest}


def batch_check_layer_availability(context: Any, request: Document) -> Document:
    """BatchCheckLayerAvailability."""
    images = _images(context, request)
    return {
        "layers": [
            {
                "layerDigest": digest,
                "layerAvailability": "AVAILABLE" if images.blobs.path(digest) else "UNAVAILABLE",
                "layerSize": images.blobs.size(digest),
            }
            for digest in request["layerDigests"]
        ],
        "failures": [],
    }


def get_authorization_token(context: Any, request: Document) -> Document:
    """GetAuthorizationToken: what the registry takes for twelve hours, and where it is on this machine."""
    server, address = registry.running(images_of)
    return {
        "authorizationData": [
            {
                "authorizationToken": base64.b64encode(
                    f"AWS:{server.grant(account, context.region)}".encode()
                ).decode(),
                "expiresAt": time.time() + registry.TOKEN_SECONDS,
                "proxyEndpoint": address,
            }
            for account in request.get("registryIds") or [context.account_id]
        ]
    }


def _answered(operation: Callable[[Any, Document], Any]) -> Callable[[Any, Document], Any]:
    """Let what an operation refuses be an error of the API."""

    def answer(context: Any, request: Document) -> Any:
        try:
            return operation(context, request)
        except RefusedError as error:
            raise CommonServiceException(error.code, error.message, 400, sender_fault=True) from error

    return answer


def _own() -> Iterator[tuple[str, Callable[[Any, Document], Any]]]:
    for operation in (
        *(put_image, batch_get_image, describe_images, list_images, batch_delete_image, delete_repository),
        *(initiate_layer_upload, upload_layer_part, complete_layer_upload, batch_check_layer_availability),
        get_authorization_token,
    ):
        yield operation.__name__.title().replace("_", ""), _answered(operation)


@aws_provider(api="ecr")  # type: ignore[untyped-decorator] # LocalStack publishes no types
def ecr() -> Service:
    """Return the whole API."""
    selftest.check(selftest.REPOSITORIES)
    model = load_service("ecr")
    table = dict.fromkeys(model.operation_names, lambda context, _request: call_moto(context))
    return Service(name="ecr", skeleton=Skeleton(model, {**table, **dict(_own())}))
