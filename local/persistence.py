"""What survives `down`: records and artifacts, put back by the next `up`.

LocalStack's free build keeps nothing on disk. Executions cannot be put back; a session that was open when
the stack was stopped is closed as failed, and its lock and slot are given back.
"""

import json
import shutil
from pathlib import Path
from typing import Any

from boto3.dynamodb.types import Binary

from local.sam import client

TABLE_FILE = "table.json"
OBJECTS = "objects"
OPEN = ("QUEUED", "RUNNING")
SENTENCE = "The local stack was stopped while this session was open."

Item = dict[str, dict[str, Any]]


def _plain(value: Any) -> Any:
    if isinstance(value, (bytes, Binary)):
        raise TypeError("the table holds no binary values")
    raise TypeError(type(value).__name__)


def save(endpoint: str, outputs: dict[str, str], folder: Path) -> int:
    """Write table and bucket to disk.

    Args:
        endpoint: the engine's address.
        outputs: of the CloudFormation stack.
        folder: where to; what is there is replaced.

    Returns:
        How many sessions were open.
    """
    pages = client("dynamodb", endpoint).get_paginator("scan").paginate(TableName=outputs["SessionsTable"])
    items: list[Item] = [item for page in pages for item in page["Items"]]
    shutil.rmtree(folder, ignore_errors=True)
    (folder / OBJECTS).mkdir(parents=True)
    (folder / TABLE_FILE).write_text(json.dumps(items, default=_plain), encoding="utf-8")
    s3, bucket = client("s3", endpoint), outputs["ArtifactsBucket"]
    for page in s3.get_paginator("list_objects_v2").paginate(Bucket=bucket):
        for entry in page.get("Contents", []):
            target = folder / OBJECTS / entry["Key"]
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(s3.get_object(Bucket=bucket, Key=entry["Key"])["Body"].read())
    return sum(_is_open(item) for item in items)


def restore(endpoint: str, outputs: dict[str, str], folder: Path) -> int:
    """Put back what `save` wrote, and forget the files.

    Args:
        endpoint: the engine's address.
        outputs: of the CloudFormation stack.
        folder: where `save` wrote.

    Returns:
        How many records there were.
    """
    if not (folder / TABLE_FILE).exists():
        return 0
    dynamodb = client("dynamodb", endpoint)
    items: list[Item] = json.loads((folder / TABLE_FILE).read_text(encoding="utf-8"))
    kept = settled(items)
    for item in kept:
        dynamodb.put_item(TableName=outputs["SessionsTable"], Item=item)
    s3 = client("s3", endpoint)
    for file in sorted((folder / OBJECTS).rglob("*")):
        if file.is_file():
            key = str(file.relative_to(folder / OBJECTS))
            s3.put_object(Bucket=outputs["ArtifactsBucket"], Key=key, Body=file.read_bytes())
    shutil.rmtree(folder)
    return len(kept)


def settled(items: list[Item]) -> list[Item]:
    """The table's items once every execution is gone: no lock, no slot, no open session.

    Args:
        items: as they were.
    """
    return [
        _closed(item) if _is_open(item) else item
        for item in items
        if not item["pk"]["S"].startswith("LOCK#") and not item["pk"]["S"].startswith("SLOTS")
    ]


def _is_open(item: Item) -> bool:
    return item["pk"]["S"].startswith("SESSION#") and item.get("status", {}).get("S") in OPEN


def _closed(item: Item) -> Item:
    return {
        **item,
        "status": {"S": "FAILED"},
        "outcome": {"S": "failed"},
        "error": {"S": "TaskStopped"},
        "failure_class": {"S": "service"},
        "sentence": {"S": SENTENCE},
        "remedy": {"S": "Start it again to go on from the last push."},
        "closed_at": item["heartbeat_at"],
    }
