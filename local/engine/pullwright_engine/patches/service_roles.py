"""Not a defect, as nothing is enforced: CloudFormation calls with the role that a change set names.

https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/using-iam-servicerole.html
"""

from typing import Any

from localstack.aws.connect import connect_to
from localstack.services.cloudformation.engine.v2.change_set_model_executor import ChangeSetModelExecutor
from localstack.services.cloudformation.v2.entities import ChangeSet

_SESSION = "AWSCloudFormation"


def apply() -> None:
    """Keep a change set's role, and give its credentials to what makes resources."""
    prepare = ChangeSet.__init__
    make_payload = ChangeSetModelExecutor.create_resource_provider_payload

    def initialize(self: Any, stack: Any, request_payload: Any, *args: Any, **kwargs: Any) -> None:
        prepare(self, stack, request_payload, *args, **kwargs)
        self.role_arn = request_payload.get("RoleARN")

    def create_payload(self: Any, *args: Any, **kwargs: Any) -> Any:
        payload = make_payload(self, *args, **kwargs)
        role = getattr(self._change_set, "role_arn", None)
        if payload is not None and role:
            if not hasattr(self, "role_credentials"):
                self.role_credentials = _credentials(role, self._change_set.stack)
            payload["requestData"]["callerCredentials"] = self.role_credentials
        return payload

    ChangeSet.__init__ = initialize
    ChangeSetModelExecutor.create_resource_provider_payload = create_payload


def _credentials(role: str, stack: Any) -> dict[str, str]:
    sts = connect_to(aws_access_key_id=stack.account_id, region_name=stack.region_name).sts
    assumed = sts.assume_role(RoleArn=role, RoleSessionName=_SESSION)["Credentials"]
    return {
        "accessKeyId": assumed["AccessKeyId"],
        "secretAccessKey": assumed["SecretAccessKey"],
        "sessionToken": assumed["SessionToken"],
    }
