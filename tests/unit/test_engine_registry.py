"""The engine's image registry, pushed to and pulled from by OCI's distribution protocol, without a socket.

What is held is in https://github.com/opencontainers/distribution-spec/blob/v1.1.1/spec.md and in the API
reference of Amazon ECR; `make image-test` holds it against buildah and podman.
"""

from __future__ import annotations

import base64
import hashlib
import json
from typing import TYPE_CHECKING, Any

import pytest
from werkzeug.test import Client, TestResponse

from pullwright_engine.ecr import registry, repositories
from pullwright_engine.ecr.blobs import Blobs
from pullwright_engine.ecr.images import Images
from pullwright_engine.ecr.refused import RefusedError
from pullwright_engine.settings import parse

if TYPE_CHECKING:
    from pathlib import Path

ACCOUNT, REGION, NAME = "000000000000", "us-east-1", "team/agent"
URI = f"{ACCOUNT}.dkr.ecr.{REGION}.amazonaws.com/{NAME}"
KIND = "application/vnd.oci.image.manifest.v1+json"
INDEX = "application/vnd.oci.image.index.v1+json"


def digest(content: bytes) -> str:
    """Return a content's digest."""
    return f"sha256:{hashlib.sha256(content).hexdigest()}"


def manifest(*layers: bytes, config: bytes = b"{}") -> str:
    """Return a manifest of these contents."""
    parts = [{"mediaType": "x", "digest": digest(part), "size": len(part)} for part in (config, *layers)]
    return json.dumps({"schemaVersion": 2, "mediaType": KIND, "config": parts[0], "layers": parts[1:]})


@pytest.fixture
def images(tmp_path: Path) -> Images:
    """Provide an empty repository."""
    return Images(NAME, ACCOUNT, Blobs(tmp_path / "blobs"))


class Pusher:
    """A client that has logged in."""

    def __init__(self, images: Images) -> None:
        def known(account: str, region: str, name: str) -> Images:
            if (account, region, name) != (ACCOUNT, REGION, NAME):
                raise RefusedError("RepositoryNotFoundException", f"There is no {name}.")
            return images

        served = registry.Registry(known)
        self._client = Client(served)
        self.password = served.grant(ACCOUNT, REGION)

    def call(self, method: str, path: str, data: bytes = b"", user: str = "AWS", **said: Any) -> TestResponse:
        """Send a request."""
        login = base64.b64encode(f"{user}:{self.password}".encode()).decode()
        headers = {"Authorization": f"Basic {login}", **said.pop("headers", {})}
        return self._client.open(path, method=method, data=data, headers=headers, buffered=True, **said)

    def push(self, content: bytes) -> None:
        """Push a blob in two pieces."""
        place = self.call("POST", f"/v2/{NAME}/blobs/uploads/").headers["Location"]
        half = len(content) // 2
        self.call("PATCH", place, content[:half])
        assert self.call("PATCH", place, content[half:]).headers["Range"] == f"0-{len(content) - 1}"
        assert self.call("PUT", f"{place}?digest={digest(content)}").status_code == 201


@pytest.fixture
def pusher(images: Images) -> Pusher:
    """Provide a client of a registry with one repository."""
    return Pusher(images)


def test_what_was_pushed_is_pulled_byte_for_byte(pusher: Pusher, images: Images) -> None:
    """Blobs and manifest come back by tag and by digest, and the repository has the image."""
    layer, text = b"a layer" * 1000, manifest(b"a layer" * 1000)
    pusher.push(layer)
    pusher.push(b"{}")
    put = pusher.call("PUT", f"/v2/{NAME}/manifests/v1", text.encode(), content_type=KIND)
    assert (put.status_code, put.headers["Docker-Content-Digest"]) == (201, digest(text.encode()))
    for reference in ("v1", digest(text.encode())):
        pulled = pusher.call("GET", f"/v2/{NAME}/manifests/{reference}")
        assert (pulled.data.decode(), pulled.mimetype) == (text, KIND)
    assert pusher.call("GET", f"/v2/{NAME}/blobs/{digest(layer)}").data == layer
    head = pusher.call("HEAD", f"/v2/{NAME}/blobs/{digest(layer)}")
    assert (head.status_code, head.content_length, head.data) == (200, len(layer), b"")
    assert pusher.call("GET", f"/v2/{NAME}/tags/list").json == {"name": NAME, "tags": ["v1"]}
    again = pusher.call("PUT", f"/v2/{NAME}/manifests/v1", text.encode(), content_type=KIND)
    assert again.status_code == 201
    found = images.find("v1")
    assert found is not None
    assert images.size(found) == len(layer) + 2


def test_a_push_is_refused_as_the_protocol_says(pusher: Pusher) -> None:
    """Each refusal has its status and code: a stranger, a wrong digest, a gap, missing blobs."""
    place = pusher.call("POST", f"/v2/{NAME}/blobs/uploads/").headers["Location"]
    said = {"Content-Range": "5-9"}
    answers = {
        "UNAUTHORIZED": (401, pusher.call("GET", "/v2/", user="ada")),
        "NAME_UNKNOWN": (404, pusher.call("POST", "/v2/other/blobs/uploads/")),
        "BLOB_UNKNOWN": (404, pusher.call("GET", f"/v2/{NAME}/blobs/{digest(b'x')}")),
        "BLOB_UPLOAD_INVALID": (416, pusher.call("PATCH", place, b"12345", headers=said)),
        "DIGEST_INVALID": (400, pusher.call("PUT", f"{place}?digest={digest(b'x')}", b"y")),
        "BLOB_UPLOAD_UNKNOWN": (404, pusher.call("PATCH", place, b"12345")),
        "MANIFEST_UNKNOWN": (404, pusher.call("GET", f"/v2/{NAME}/manifests/v1")),
        "MANIFEST_BLOB_UNKNOWN": (
            404,
            pusher.call("PUT", f"/v2/{NAME}/manifests/v1", manifest(b"gone").encode(), content_type=KIND),
        ),
        "UNSUPPORTED": (405, pusher.call("DELETE", f"/v2/{NAME}/manifests/v1")),
    }
    for code, (status, answer) in answers.items():
        assert (answer.status_code, json.loads(answer.data)["errors"][0]["code"]) == (status, code)
    assert "Basic" in answers["UNAUTHORIZED"][1].headers["WWW-Authenticate"]
    outside = pusher.call("GET", f"/v2/{NAME}/blobs/uploads/..%2F..%2Fsecret")
    assert outside.status_code == 404


def test_a_tag_that_moves_leaves_the_image_without_it(images: Images) -> None:
    """As on AWS the image stays until it is deleted, and the same push again is said to change nothing."""
    for part in (b"{}", b"1", b"2"):
        images.blobs.put(part)
    old, new = images.put(manifest(b"1"), "latest"), images.put(manifest(b"2"), "latest")
    assert (images.tags(old.digest), images.tags(new.digest)) == ([], ["latest"])
    assert set(images.by_digest) == {old.digest, new.digest}
    for tag in ("latest", ""):
        with pytest.raises(RefusedError) as refused:
            images.put(manifest(b"2"), tag)
        assert refused.value.code == "ImageAlreadyExistsException"
    with pytest.raises(RefusedError) as refused:
        images.put(manifest(b"1"), "latest", fixed=True)
    assert refused.value.code == "ImageTagAlreadyExistsException"
    images.untag("latest")
    assert set(images.by_digest) == {old.digest}


def test_an_index_needs_its_members(images: Images) -> None:
    """It is refused before them, and is as large as the largest of them."""
    images.blobs.put(b"{}")
    images.blobs.put(b"12345")
    text = json.dumps({"mediaType": INDEX, "manifests": [{"digest": digest(manifest(b"12345").encode())}]})
    with pytest.raises(RefusedError) as refused:
        images.put(text, "both")
    assert refused.value.code == "ReferencedImagesNotFoundException"
    images.put(manifest(b"12345"))
    assert images.size(images.put(text, "both")) == 7


def test_a_manifest_is_what_its_digest_says(images: Images) -> None:
    """Another digest, no JSON and no media type are refused by name."""
    images.blobs.put(b"{}")
    for text, said, code in (
        (manifest(), digest(b"x"), "ImageDigestDoesNotMatchException"),
        ("{", "", "InvalidParameterException"),
        ("{}", "", "InvalidParameterException"),
    ):
        with pytest.raises(RefusedError) as refused:
            images.put(text, "v1", digest=said)
        assert refused.value.code == code


def test_what_the_checkout_runs_stands_in_a_new_repository(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Under the tags that are run; whatever is in the repository runs it, and nothing else can be pulled."""
    names, tags = ("*-previews-*", "*"), ("latest", "staging")
    served = {f"*.dkr.ecr.*/{name}:{tag}": {"command": ["run"]} for name in names for tag in tags}
    folders = {name: str(tmp_path) for name in ("children_dir", "tasks_dir", "log_dir")}
    known = parse({**folders, "images": served, "task_path": "/bin", "function_python": "/py"})
    monkeypatch.setattr(repositories, "settings", lambda: known)
    monkeypatch.setattr(repositories, "_folder", lambda: tmp_path / "ecr")
    own = known.images["*.dkr.ecr.*/*:latest"]

    def runs(reference: str) -> tuple[tuple[str, ...], str] | None:
        image = repositories.image_to_run(reference, known)
        return None if image is None else (image.command, image.digest)

    assert runs(f"{URI}:latest") == (own.command, own.digest)
    images = repositories.images_of(ACCOUNT, REGION, NAME)
    stands = images.by_digest[images.served]
    assert sorted(images.tags(stands.digest)) == ["latest", "staging"]
    images.blobs.put(b"{}")
    pushed = images.put(manifest(), "latest").digest
    images.put(stands.manifest, "latest-previous")
    assert {tag: runs(f"{URI}{tag}") for tag in (":latest", f"@{pushed}", f"@{stands.digest}")} == {
        ":latest": (own.command, pushed),
        f"@{pushed}": (own.command, pushed),
        f"@{stands.digest}": (own.command, stands.digest),
    }
    for tag in ("staging", "latest-previous"):
        assert runs(f"{URI}:{tag}") == (own.command, own.digest), tag
    images.remove(pushed)
    for gone in (":gone", ":latest", f"@{pushed}"):
        assert runs(URI + gone) is None, gone
    repositories.forget(ACCOUNT, REGION, NAME)
    assert runs(f"{URI}:latest") == (own.command, own.digest)
    assert runs("shell:1") is None
