"""The engine's Elastic Container Registry, as CloudFormation, the API and a registry's client see it.

Oracles: the API reference of Amazon ECR for calls and refusals, and botocore, which parses them.
"""

from __future__ import annotations

import base64
import hashlib
import json
import urllib.error
import urllib.request
from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ClientError

if TYPE_CHECKING:
    from tests.integration.engine.kit import Engine

KIND = "application/vnd.oci.image.manifest.v1+json"
CONTENT = b"{}"
DIGEST = f"sha256:{hashlib.sha256(CONTENT).hexdigest()}"
TEMPLATE = """
Resources:
  Images:
    Type: AWS::ECR::Repository
    Properties:
      EmptyOnDelete: {empty}
      ImageTagMutability: {mutability}
      LifecyclePolicy:
        LifecyclePolicyText: '{{"rules": [{{"rulePriority": 1, "selection": {{"tagStatus": "untagged",
          "countType": "sinceImagePushed", "countUnit": "days", "countNumber": {days}}},
          "action": {{"type": "expire"}}}}]}}'
Outputs:
  Name: {{Value: !Ref Images}}
"""


def manifest(**annotations: str) -> str:
    """Return a manifest of one blob."""
    part = {"mediaType": "application/vnd.oci.empty.v1+json", "digest": DIGEST, "size": len(CONTENT)}
    document = {"schemaVersion": 2, "mediaType": KIND, "config": part, "layers": [part]}
    return json.dumps({**document, "annotations": annotations})


def push_blob(ecr: Any, name: str) -> None:
    """Upload the one blob as a push through the API does."""
    upload = ecr.initiate_layer_upload(repositoryName=name)["uploadId"]
    place = {"repositoryName": name, "uploadId": upload}
    ecr.upload_layer_part(**place, partFirstByte=0, partLastByte=1, layerPartBlob=CONTENT)
    assert ecr.complete_layer_upload(**place, layerDigests=[DIGEST])["layerDigest"] == DIGEST


def code(error: pytest.ExceptionInfo[ClientError]) -> str:
    """Return the error's code."""
    return str(error.value.response["Error"]["Code"])


def get(url: str, token: str = "") -> int:
    """Return the status of a request, logged in with a token."""
    request = urllib.request.Request(url, headers={"Authorization": f"Basic {token}"} if token else {})  # noqa: S310 - loopback
    try:
        with urllib.request.urlopen(request, timeout=10) as response:  # noqa: S310 - loopback
            return int(response.status)
    except urllib.error.HTTPError as error:
        error.close()
        return error.code


def test_an_image_is_pushed_moved_and_found(engine: Engine) -> None:
    """A manifest needs its layers, a tag moves inside the repository, and what lost it stays untagged."""
    ecr = engine.client("ecr")
    name = engine.outputs["RepositoryUri"].partition("/")[2]
    with pytest.raises(ClientError) as refused:
        ecr.put_image(repositoryName=name, imageManifest=manifest(), imageTag="latest")
    assert code(refused) == "LayersNotFoundException"
    push_blob(ecr, name)
    for number in ("1", "2"):
        put = ecr.put_image(repositoryName=name, imageManifest=manifest(n=number), imageTag="latest")
    digest = f"sha256:{hashlib.sha256(manifest(n='2').encode()).hexdigest()}"
    assert put["image"]["imageId"] == {"imageDigest": digest, "imageTag": "latest"}
    details = ecr.describe_images(repositoryName=name)["imageDetails"]
    assert sorted(len(image.get("imageTags", [])) for image in details) == [0, 1]
    got = ecr.batch_get_image(repositoryName=name, imageIds=[{"imageTag": "latest"}, {"imageTag": "gone"}])
    assert [image["imageManifest"] for image in got["images"]] == [manifest(n="2")]
    assert [failure["failureCode"] for failure in got["failures"]] == ["ImageNotFound"]
    with pytest.raises(ClientError) as refused:
        ecr.describe_images(repositoryName=name, imageIds=[{"imageTag": "gone"}])
    assert code(refused) == "ImageNotFoundException"
    ecr.batch_delete_image(repositoryName=name, imageIds=[{"imageTag": "latest"}])
    [left] = ecr.list_images(repositoryName=name)["imageIds"]
    assert "imageTag" not in left


def test_the_registry_is_where_the_token_says(engine: Engine) -> None:
    """It answers on loopback, with the token alone, and has what the API was given."""
    ecr = engine.client("ecr")
    name = ecr.create_repository(repositoryName="by/hand")["repository"]["repositoryName"]
    push_blob(ecr, name)
    ecr.put_image(repositoryName=name, imageManifest=manifest(), imageTag="v1")
    [grant] = ecr.get_authorization_token()["authorizationData"]
    address, token = grant["proxyEndpoint"], grant["authorizationToken"]
    assert address.startswith("http://127.0.0.1:")
    assert base64.b64decode(token).startswith(b"AWS:")
    assert [get(f"{address}/v2/"), get(f"{address}/v2/", token)] == [401, 200]
    for path, status in (
        (f"{name}/manifests/v1", 200),
        (f"{name}/blobs/{DIGEST}", 200),
        ("x/tags/list", 404),
    ):
        assert get(f"{address}/v2/{path}", token) == status, path


def test_cloudformation_makes_changes_and_deletes_repositories(engine: Engine) -> None:
    """Its properties reach the API; one that holds images goes with EmptyOnDelete alone."""
    stacks, ecr = engine.client("cloudformation"), engine.client("ecr")
    text = TEMPLATE.format(empty="false", mutability="IMMUTABLE", days=1)
    stacks.create_stack(StackName="images", TemplateBody=text)
    stacks.get_waiter("stack_create_complete").wait(StackName="images", WaiterConfig={"Delay": 1})
    [stack] = stacks.describe_stacks(StackName="images")["Stacks"]
    name = stack["Outputs"][0]["OutputValue"]
    push_blob(ecr, name)
    ecr.put_image(repositoryName=name, imageManifest=manifest(), imageTag="v1")
    with pytest.raises(ClientError) as refused:
        ecr.put_image(repositoryName=name, imageManifest=manifest(n="2"), imageTag="v1")
    assert code(refused) == "ImageTagAlreadyExistsException"
    with pytest.raises(ClientError) as refused:
        ecr.delete_repository(repositoryName=name)
    assert code(refused) == "RepositoryNotEmptyException"
    text = TEMPLATE.format(empty="true", mutability="MUTABLE", days=9)
    stacks.update_stack(StackName="images", TemplateBody=text)
    stacks.get_waiter("stack_update_complete").wait(StackName="images", WaiterConfig={"Delay": 1})
    ecr.put_image(repositoryName=name, imageManifest=manifest(n="2"), imageTag="v1")
    assert '"countNumber": 9' in ecr.get_lifecycle_policy(repositoryName=name)["lifecyclePolicyText"]
    stacks.delete_stack(StackName="images")
    stacks.get_waiter("stack_delete_complete").wait(StackName="images", WaiterConfig={"Delay": 1})
    with pytest.raises(ClientError) as refused:
        ecr.describe_repositories(repositoryNames=[name])
    assert code(refused) == "RepositoryNotFoundException"
