"""AWS credentials that reach one session's folder and record only."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from pullwright.artifacts import session_prefix
from pullwright.aws import calling
from pullwright.brokering.models import AwsCredentials
from pullwright.github.allowance import ATTRIBUTES
from pullwright.log import hide
from pullwright.record import OVER, TASK_ATTRIBUTES
from pullwright.table import allowance_key, session_key

if TYPE_CHECKING:
    from mypy_boto3_sts import STSClient

    from pullwright.brokering.caller import Caller

# A role that assumes another one gets an hour at most:
# https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles.html#iam-term-role-chaining
SECONDS = 3_600


def session_policy(
    caller: Caller, *, region: str, bucket: str, table: str, session_id: str, account: str
) -> str:
    """Return the policy that narrows the session role to one session.

    The request cannot be written with it: it says for which repository the broker gives tokens. Of the record
    only what a runner writes can be written, compared or seen, which leaves out whatever report and sweep
    go by. Of its account's allowance a task may write all: with its token of the same installation it could
    use that up as well. https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/specifying-conditions.html
    """
    records = f"arn:{caller.partition}:dynamodb:{region}:{caller.account}:table/{table}"
    folder = f"arn:{caller.partition}:s3:::{bucket}/{session_prefix(session_id)}"
    statements = [
        {"Effect": "Allow", "Action": ["s3:GetObject", "s3:PutObject"], "Resource": f"{folder}*"},
        {"Effect": "Deny", "Action": "s3:PutObject", "Resource": f"{folder}request.json"},
        {
            "Effect": "Allow",
            "Action": "dynamodb:UpdateItem",
            "Resource": records,
            "Condition": {
                "ForAllValues:StringEquals": {
                    "dynamodb:LeadingKeys": [session_key(session_id)],
                    # The key itself counts as an attribute of the request.
                    "dynamodb:Attributes": ["pk", *TASK_ATTRIBUTES, OVER],
                },
                # An empty set satisfies ForAllValues, and ALL_OLD would show the whole record.
                "Null": {"dynamodb:LeadingKeys": "false", "dynamodb:Attributes": "false"},
                "StringEqualsIfExists": {"dynamodb:ReturnValues": ["NONE", "UPDATED_OLD"]},
            },
        },
        {
            "Effect": "Allow",
            "Action": ["dynamodb:GetItem", "dynamodb:UpdateItem"],
            "Resource": records,
            "Condition": {
                "ForAllValues:StringEquals": {
                    "dynamodb:LeadingKeys": [allowance_key(account)],
                    "dynamodb:Attributes": ["pk", *ATTRIBUTES],
                },
                "Null": {"dynamodb:LeadingKeys": "false", "dynamodb:Attributes": "false"},
            },
        },
    ]
    return json.dumps({"Version": "2012-10-17", "Statement": statements}, separators=(",", ":"))


def assume_session_role(sts: STSClient, *, role_arn: str, name: str, policy: str) -> AwsCredentials:
    """Take the session role, narrowed by a policy.

    Args:
        policy: from `session_policy`.

    Raises:
        AwsUnavailable: STS gave none.
    """
    with calling("give out credentials"):
        credentials = sts.assume_role(
            RoleArn=role_arn, RoleSessionName=name, Policy=policy, DurationSeconds=SECONDS
        )["Credentials"]
    hide(credentials["SecretAccessKey"], credentials["SessionToken"])
    return AwsCredentials(
        access_key_id=credentials["AccessKeyId"],
        secret_access_key=credentials["SecretAccessKey"],
        session_token=credentials["SessionToken"],
        expires_at=credentials["Expiration"],
    )
