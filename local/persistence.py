"""Records and artifacts, saved by `down` and restored by the next `up`.

LocalStack's free build keeps nothing on disk. Executions cannot be put back: a session that was open when the
stack was stopped has lost its own, so the deployment's sweep is called at once: it tells the pull request,
closes the session and frees its lock and slot, as for any execution that is gone.
"""

import json
import shutil
import time
from base64 import b64decode, b64encode
from pathlib import Path
from typing import Any

from local.sam import client
from pullwright.record import SessionRecord
from pullwright.table import decoded, session_key, session_of

TABLE_FILE = "table.json"
OBJECTS = "objects"
SWEEPS = 10

Item = dict[str, dict[str, Any]]


def save(endpoint: str, outputs: dict[str, str], folder: Path) -> int:
    """Write table and bucket to disk.

    Args:
        folder: where to; what is there is replaced.

    Returns:
        How many sessions were open.
    """
    items = _items(endpoint, outputs)
    shutil.rmtree(folder, ignore_errors=True)
    (folder / OBJECTS).mkdir(parents=True)
    (folder / TABLE_FILE).write_text(encode(items), encoding="utf-8")
    s3, bucket = client("s3", endpoint), outputs["ArtifactsBucket"]
    for page in s3.get_paginator("list_objects_v2").paginate(Bucket=bucket):
        for entry in page.get("Contents", []):
            target = folder / OBJECTS / entry["Key"]
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(s3.get_object(Bucket=bucket, Key=entry["Key"])["Body"].read())
    return sum(_is_open(item) for item in items)


def encode(items: list[Item]) -> str:
    """Return items as JSON; what is binary stands in base64, as DynamoDB's own JSON has it."""
    return json.dumps(items, default=lambda content: b64encode(content).decode())


def decode(text: str) -> list[Item]:
    """Return the items that `encode` wrote."""
    items: list[Item] = json.loads(text, object_hook=_with_bytes)
    return items


def _with_bytes(table: dict[str, Any]) -> dict[str, Any]:
    content = table.get("B")
    return {"B": b64decode(content)} if len(table) == 1 and isinstance(content, str) else table


def restore(endpoint: str, outputs: dict[str, str], folder: Path) -> int:
    """Restore what `save` wrote, and delete the files.

    Returns:
        How many sessions were open.
    """
    if not (folder / TABLE_FILE).exists():
        return 0
    dynamodb = client("dynamodb", endpoint)
    items = decode((folder / TABLE_FILE).read_text(encoding="utf-8"))
    for item in items:
        dynamodb.put_item(TableName=outputs["SessionsTable"], Item=item)
    s3 = client("s3", endpoint)
    for file in sorted((folder / OBJECTS).rglob("*")):
        if file.is_file():
            key = str(file.relative_to(folder / OBJECTS))
            s3.put_object(Bucket=outputs["ArtifactsBucket"], Key=key, Body=file.read_bytes())
    shutil.rmtree(folder)
    return sum(_is_open(item) for item in items)


def sweep(endpoint: str, outputs: dict[str, str]) -> None:
    """Call the deployment's reconcile function until no session is open that has no execution.

    Raises:
        RuntimeError: the function failed, or sessions are still open.
    """
    functions = client("lambda", endpoint)
    # Not those that the sweep starts itself, because their schedule was due meanwhile.
    interrupted = [item["pk"] for item in _items(endpoint, outputs) if _is_open(item)]
    for _ in range(SWEEPS):
        response = functions.invoke(FunctionName=outputs["ReconcileFunctionName"], Payload=b"{}")
        result = response["Payload"].read().decode()
        if "FunctionError" in response:
            raise RuntimeError(f"the sweep over interrupted sessions failed: {result}")
        if not any(_is_open(item) for item in _items(endpoint, outputs) if item["pk"] in interrupted):
            return
        time.sleep(1)
    raise RuntimeError(
        f"interrupted sessions are still open after {SWEEPS} sweeps; the last result: {result}"
    )


def _items(endpoint: str, outputs: dict[str, str]) -> list[Item]:
    pages = client("dynamodb", endpoint).get_paginator("scan").paginate(TableName=outputs["SessionsTable"])
    return [item for page in pages for item in page["Items"]]


def _is_open(item: Item) -> bool:
    key = item["pk"]["S"]
    return key.startswith(session_key("")) and SessionRecord.of(session_of(key), decoded(item)).is_open
