"""DynamoDB from moto: LocalStack's own would download and start a JVM."""

from localstack.aws.skeleton import Skeleton
from localstack.aws.spec import load_service
from localstack.services.moto import _proxy_moto
from localstack.services.plugins import Service, aws_provider


@aws_provider(api="dynamodb", name="moto")  # type: ignore[untyped-decorator] # LocalStack publishes no types
def dynamodb() -> Service:
    """Return the whole API, answered by moto."""
    model = load_service("dynamodb")
    return Service(
        name="dynamodb",
        skeleton=Skeleton(model, dict.fromkeys(model.operation_names, _proxy_moto)),
    )
