"""What Fargate gives a task: variables, credentials of the task role, values of secrets, a log stream."""

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

from botocore.exceptions import ClientError
from localstack import config
from localstack.aws.connect import connect_to

from pullwright_engine.ecs import users
from pullwright_engine.ecs.container import secret_value
from pullwright_engine.ecs.errors import StartError
from pullwright_engine.ecs.logs import LogStream
from pullwright_engine.ecs.shapes import Document, now, task_id
from pullwright_engine.settings import Settings

RENEW_BEFORE = timedelta(minutes=15)


def region_of(task: Document) -> str:
    """Return the region in a task's ARN."""
    return str(task["taskArn"].split(":")[3])


def client(service: str, task: Document) -> Any:
    """Return a client for the engine's own calls on behalf of a task."""
    return getattr(connect_to(region_name=region_of(task)), service)


def credentials(task: Document, role_arn: str) -> Callable[[], Document]:
    """Return a reader of the task role's credentials, whose session carries the task's id as on AWS.

    Returns:
        A function that answers in the credential endpoint's spelling and renews what is about to expire.
    """
    held: Document = {}

    def read() -> Document:
        if not held or held["expires"] - now() < RENEW_BEFORE:
            answer = client("sts", task).assume_role(
                RoleArn=role_arn, RoleSessionName=task_id(task["taskArn"]), DurationSeconds=3600
            )["Credentials"]
            held.update(
                expires=answer["Expiration"],
                body={
                    "RoleArn": role_arn,
                    "AccessKeyId": answer["AccessKeyId"],
                    "SecretAccessKey": answer["SecretAccessKey"],
                    "Token": answer["SessionToken"],
                    "Expiration": answer["Expiration"].strftime("%Y-%m-%dT%H:%M:%SZ"),
                },
            )
        return dict(held["body"])

    return read


def variables(
    task: Document, folder: Path, settings: Settings, *, metadata_uri: str, credentials_uri: str | None
) -> dict[str, str]:
    """Return what the platform sets in every container.

    Args:
        credentials_uri: the task's credentials endpoint, if it has a role.
    """
    region = region_of(task)
    variables = {
        "PATH": settings.task_path,
        "HOME": str(folder / "home"),
        "TMPDIR": str(folder / "tmp"),
        "LANG": "C.UTF-8",
        "AWS_REGION": region,
        "AWS_DEFAULT_REGION": region,
        "AWS_EXECUTION_ENV": "AWS_ECS_FARGATE",
        "AWS_ENDPOINT_URL": f"http://127.0.0.1:{config.GATEWAY_LISTEN[0].port}",
        "ECS_CONTAINER_METADATA_URI_V4": metadata_uri,
    }
    if credentials_uri:
        # On AWS the relative form is set; the SDKs take it only for ECS's own address.
        variables["AWS_CONTAINER_CREDENTIALS_FULL_URI"] = credentials_uri
    for name, value in settings.task_environment.items():
        identity = task_id(task["taskArn"])
        uid = users.take(identity)
        variables[name] = value.format(
            task_dir=folder,
            task_id=identity,
            task_uid=uid,
            checks_uid=users.of_checks(uid),
            browser_uid=users.of_browser(uid),
        )
    return variables


def secrets(task: Document, definition: Document) -> dict[str, str]:
    """Return the values of a container's `secrets`.

    Raises:
        StartError: one of them cannot be read.
    """

    def read(reference: str) -> str:
        if ":ssm:" in reference or ":" not in reference:
            name = reference.partition(":parameter")[2] or reference
            answer = client("ssm", task).get_parameter(Name=name, WithDecryption=True)
            return str(answer["Parameter"]["Value"])
        return str(client("secretsmanager", task).get_secret_value(SecretId=reference)["SecretString"])

    values = {}
    for secret in definition.get("secrets") or []:
        try:
            values[secret["name"]] = secret_value(secret["valueFrom"], read)
        except (ClientError, KeyError, ValueError) as error:
            raise StartError(
                "ResourceInitializationError: unable to pull secrets or registry auth: execution resource "
                f"retrieval failed: unable to retrieve secret {secret['valueFrom']}"
            ) from error
    return values


def log_stream(task: Document, definition: Document, settings: Settings) -> LogStream:
    """Return the open log stream of a container.

    Raises:
        StartError: its group does not exist.
    """
    identity = task_id(task["taskArn"])
    copy = settings.log_dir / "tasks" / f"{identity}-{definition['name']}.log"
    driver = definition.get("logConfiguration") or {}
    if driver.get("logDriver") != "awslogs":
        return LogStream(copy)
    options = driver.get("options") or {}
    stream = LogStream(
        copy,
        client("logs", task),
        options["awslogs-group"],
        f"{options.get('awslogs-stream-prefix', 'ecs')}/{definition['name']}/{identity}",
    )
    stream.open(create_group=options.get("awslogs-create-group") == "true")
    return stream
