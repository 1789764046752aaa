"""The registry that images are pushed to and pulled from: OCI's distribution API on a port of this machine.

It starts with the first GetAuthorizationToken, whose `proxyEndpoint` is its address, and has the images that
the API shows. https://github.com/opencontainers/distribution-spec/blob/v1.1.1/spec.md
"""

import base64
import json
import re
import secrets
import threading
import time
from collections.abc import Callable, Iterable
from functools import cache
from typing import Any, NamedTuple

from werkzeug import Request, Response
from werkzeug.exceptions import HTTPException
from werkzeug.routing import Map, Rule
from werkzeug.serving import WSGIRequestHandler, make_server
from werkzeug.wsgi import FileWrapper

from pullwright_engine.ecr.images import Images
from pullwright_engine.ecr.refused import RefusedError

HOST = "127.0.0.1"
TOKEN_SECONDS = 12 * 3600
"""https://docs.aws.amazon.com/AmazonECR/latest/APIReference/API_GetAuthorizationToken.html"""

_STATUS = {
    "ImageDigestDoesNotMatchException": (400, "DIGEST_INVALID"),
    "ImageNotFoundException": (404, "MANIFEST_UNKNOWN"),
    "ImageTagAlreadyExistsException": (400, "TAG_INVALID"),
    "InvalidLayerException": (400, "DIGEST_INVALID"),
    "InvalidLayerPartException": (416, "BLOB_UPLOAD_INVALID"),
    "LayersNotFoundException": (404, "MANIFEST_BLOB_UNKNOWN"),
    "MissingLayerException": (404, "BLOB_UNKNOWN"),
    "ReferencedImagesNotFoundException": (404, "MANIFEST_BLOB_UNKNOWN"),
    "RepositoryNotFoundException": (404, "NAME_UNKNOWN"),
    "UploadNotFoundException": (404, "BLOB_UPLOAD_UNKNOWN"),
}
_UPLOADS = "/v2/<path:name>/blobs/uploads/"
_ROUTES = Map(
    [
        Rule("/v2/", endpoint="version", methods=["GET"]),
        Rule(_UPLOADS, endpoint="begin", methods=["POST"]),
        Rule(f"{_UPLOADS}<upload>", endpoint="status", methods=["GET"]),
        Rule(f"{_UPLOADS}<upload>", endpoint="append", methods=["PATCH"]),
        Rule(f"{_UPLOADS}<upload>", endpoint="complete", methods=["PUT"]),
        Rule("/v2/<path:name>/blobs/<digest>", endpoint="blob", methods=["GET"]),
        Rule("/v2/<path:name>/manifests/<reference>", endpoint="manifest", methods=["GET"]),
        Rule("/v2/<path:name>/manifests/<reference>", endpoint="put_manifest", methods=["PUT"]),
        Rule("/v2/<path:name>/tags/list", endpoint="tags", methods=["GET"]),
    ]
)


class Grant(NamedTuple):
    """What a password opens.

    Attributes:
        ends: in seconds of the monotonic clock.
    """

    account: str
    region: str
    ends: float


class Registry:
    """A WSGI application.

    Args:
        images: returns a repository's images, by account, region and name; RefusedError if there is none.
    """

    def __init__(self, images: Callable[[str, str, str], Images]) -> None:
        self._images = images
        self._grants: dict[str, Grant] = {}

    def grant(self, account: str, region: str) -> str:
        """Return a password of the user `AWS` for all repositories of an account in a region."""
        password = secrets.token_urlsafe(32)
        self._grants[password] = Grant(account, region, time.monotonic() + TOKEN_SECONDS)
        return password

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        """Answer a request as WSGI wants it."""
        return self._answer(Request(environ))(environ, start_response)

    def _answer(self, request: Request) -> Response:
        try:
            grant = self._granted(request)
            if grant is None:
                challenge = {"WWW-Authenticate": 'Basic realm="ECR",service="ecr.amazonaws.com"'}
                return _error(
                    401, "UNAUTHORIZED", "Log in with the token of GetAuthorizationToken.", challenge
                )
            endpoint, found = _ROUTES.bind_to_environ(request.environ).match()
            values = dict(found)
            if endpoint == "version":
                return Response("{}", headers={"Docker-Distribution-API-Version": "registry/2.0"})
            images = self._images(grant.account, grant.region, values.pop("name"))
            answer: Response = getattr(self, f"_{endpoint}")(images, request, **values)
        except RefusedError as error:
            status, code = _STATUS.get(error.code, (400, "MANIFEST_INVALID"))
            return _error(status, code, error.message)
        except HTTPException as error:
            return _error(error.code or 500, "UNSUPPORTED", error.description or error.name)
        return answer

    def _granted(self, request: Request) -> Grant | None:
        word, _, encoded = request.headers.get("Authorization", "").partition(" ")
        try:
            user, _, password = base64.b64decode(encoded).decode().partition(":")
        except ValueError:
            return None
        grant = self._grants.get(password) if (word.lower(), user) == ("basic", "AWS") else None
        return grant if grant and grant.ends > time.monotonic() else None

    def _begin(self, images: Images, request: Request) -> Response:
        upload = images.blobs.begin()
        if "digest" in request.args:
            return self._complete(images, request, upload)
        return _uploaded(images, upload, 0, 202)

    def _status(self, images: Images, _request: Request, upload: str) -> Response:
        return _uploaded(images, upload, images.blobs.received(upload), 204)

    def _append(self, images: Images, request: Request, upload: str) -> Response:
        said = re.match(r"(?:bytes )?(\d+)-", request.headers.get("Content-Range", ""))
        received = images.blobs.append(upload, request.stream, int(said[1]) if said else None)
        return _uploaded(images, upload, received, 202)

    def _complete(self, images: Images, request: Request, upload: str) -> Response:
        images.blobs.append(upload, request.stream)
        digest = request.args.get("digest", "")
        images.blobs.complete(upload, digest)
        return _created(f"/v2/{images.name}/blobs/{digest}", digest)

    def _blob(self, images: Images, request: Request, digest: str) -> Response:
        path = images.blobs.path(digest)
        if path is None:
            raise RefusedError("MissingLayerException", f"{images.name} has no blob {digest}.")
        headers = {"Docker-Content-Digest": digest, "Content-Length": str(path.stat().st_size)}
        # The file is closed by the response's iterable, when the server is done with it.
        content = FileWrapper(path.open("rb")) if request.method == "GET" else None
        return Response(
            content, headers=headers, content_type="application/octet-stream", direct_passthrough=True
        )

    def _manifest(self, images: Images, _request: Request, reference: str) -> Response:
        image = images.find(reference)
        if image is None:
            raise RefusedError("ImageNotFoundException", f"{images.name} has no image {reference}.")
        headers = {"Docker-Content-Digest": image.digest}
        return Response(image.manifest, headers=headers, content_type=image.media_type)

    def _put_manifest(self, images: Images, request: Request, reference: str) -> Response:
        digest = reference if reference.startswith("sha256:") else ""
        tag = "" if digest else reference
        manifest = request.get_data().decode()
        try:
            image = images.put(manifest, tag, request.mimetype, digest)
        except RefusedError as error:
            # What is pushed again is there, which is all that the client wants.
            found = images.find(reference)
            if error.code != "ImageAlreadyExistsException" or found is None:
                raise
            image = found
        return _created(f"/v2/{images.name}/manifests/{image.digest}", image.digest)

    def _tags(self, images: Images, _request: Request) -> Response:
        tags = sorted(tag for digest in images.by_digest for tag in images.tags(digest))
        return _json({"name": images.name, "tags": tags})


def _json(document: object, status: int = 200, headers: dict[str, str] | None = None) -> Response:
    response = Response(status=status, headers=headers or {}, content_type="application/json")
    response.set_data(json.dumps(document))
    return response


def _error(status: int, code: str, message: str, headers: dict[str, str] | None = None) -> Response:
    return _json({"errors": [{"code": code, "message": message}]}, status, headers)


def _created(location: str, digest: str) -> Response:
    return Response(status=201, headers={"Location": location, "Docker-Content-Digest": digest})


def _uploaded(images: Images, upload: str, received: int, status: int) -> Response:
    return Response(
        status=status,
        headers={
            "Location": f"/v2/{images.name}/blobs/uploads/{upload}",
            "Docker-Upload-UUID": upload,
            "Range": f"0-{max(received - 1, 0)}",
        },
    )


class Quiet(WSGIRequestHandler):
    """Clients try TLS first, and push in dozens of requests: neither is worth a line of the engine's log."""

    protocol_version = "HTTP/1.1"

    def log(self, type: str, message: str, *args: object) -> None:  # noqa: A002 - the base class calls it so
        """Write nothing."""


def start(registry: Registry) -> str:
    """Serve a registry in a thread of its own; return its address."""
    server = make_server(HOST, 0, registry, threaded=True, request_handler=Quiet)
    threading.Thread(target=server.serve_forever, name="ecr-registry", daemon=True).start()
    return f"http://{HOST}:{server.server_port}"


@cache
def running(images: Callable[[str, str, str], Images]) -> tuple[Registry, str]:
    """Return the engine's registry and its address; it starts when this is called first."""
    registry = Registry(images)
    return registry, start(registry)
