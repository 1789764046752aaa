"""The screenshots of previews in S3: `previews/<id>/screenshots/<number>.png`, and the list of them beside.

The list is written last. Pages are numbered from 1, in the order of the configuration.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from botocore.exceptions import ClientError
from pydantic import Field, StringConstraints, TypeAdapter, ValidationError

from pullwright.aws import calling, code_of
from pullwright.fields import Stored

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

MOST = 10
"""Pages of which pictures are taken at most."""
_LARGEST_LIST = 100_000
_MISSING = "NoSuchKey"
# Nothing else ever stands at the address.
_CACHE = "max-age=31536000, immutable"


class Screenshot(Stored):
    """One page of a preview.

    Attributes:
        path: as the configuration says it.
        problem: why there is no picture of it; empty if there is one.
    """

    path: Annotated[str, StringConstraints(max_length=1_024)]
    problem: Annotated[str, StringConstraints(max_length=300)] = ""


class Picture(Stored):
    """One picture on its way from the task to S3.

    Attributes:
        number: place of its page in the configuration, from 1.
        png: the picture in base64.
    """

    number: int = Field(ge=1, le=MOST)
    png: str


_LIST = TypeAdapter(tuple[Screenshot, ...])


def folder_of(preview_id: str) -> str:
    """Return the prefix of a preview's objects."""
    return f"previews/{preview_id}/"


def picture_key(preview_id: str, number: int) -> str:
    """Return the key of one picture."""
    return f"{folder_of(preview_id)}screenshots/{number}.png"


def list_key(preview_id: str) -> str:
    """Return the key of the list."""
    return f"{folder_of(preview_id)}screenshots.json"


def read_list(content: bytes) -> tuple[Screenshot, ...]:
    """Return what a list says; nothing if it is none."""
    try:
        return _LIST.validate_json(content)
    except ValidationError:
        return ()


class Screenshots:
    """The screenshots in the artifacts bucket."""

    def __init__(self, client: S3Client, bucket: str) -> None:
        self._client = client
        self._bucket = bucket

    def keep(self, preview_id: str, number: int, png: bytes) -> None:
        """Store a picture.

        Raises:
            AwsUnavailable: S3 did not take it.
        """
        with calling("store a screenshot"):
            self._client.put_object(
                Bucket=self._bucket,
                Key=picture_key(preview_id, number),
                Body=png,
                ContentType="image/png",
                CacheControl=_CACHE,
            )

    def finish(self, preview_id: str, pages: tuple[Screenshot, ...]) -> None:
        """Store the list, after which nothing more comes.

        Raises:
            AwsUnavailable: S3 did not take it.
        """
        with calling("store the list of screenshots"):
            self._client.put_object(
                Bucket=self._bucket,
                Key=list_key(preview_id),
                Body=_LIST.dump_json(pages, indent=2),
                ContentType="application/json",
            )

    def read(self, preview_id: str) -> tuple[Screenshot, ...] | None:
        """Return the pages of a preview; None as long as there is no list.

        Raises:
            AwsUnavailable: S3 did not give it.
        """
        with calling("read the list of screenshots"):
            try:
                answer = self._client.get_object(Bucket=self._bucket, Key=list_key(preview_id))
                return read_list(answer["Body"].read(_LARGEST_LIST))
            except ClientError as error:
                if code_of(error) == _MISSING:
                    return None
                raise

    def address(self, preview_id: str, number: int, *, seconds: int) -> str:
        """Return an address at which a picture can be read without credentials.

        Args:
            seconds: that it holds at most; it ends with the credentials that sign it, which is sooner.
        """
        place = {"Bucket": self._bucket, "Key": picture_key(preview_id, number)}
        return self._client.generate_presigned_url("get_object", Params=place, ExpiresIn=seconds)
