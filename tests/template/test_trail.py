"""CloudTrail by parameter: who reads and writes the data, in a bucket that only the trail writes to."""

from __future__ import annotations

from typing import Any

from tests.template.kit import template

TRAIL = {
    "Fn::Sub": "arn:${AWS::Partition}:cloudtrail:${AWS::Region}:${AWS::AccountId}:trail/${AWS::StackName}"
}


def _resource(name: str) -> dict[str, Any]:
    found: dict[str, Any] = template()["Resources"][name]
    return found


def test_without_the_parameter_there_is_none() -> None:
    """It costs by the event, which its description says; all of it hangs on one condition."""
    parameter = template()["Parameters"]["CloudTrail"]
    assert parameter["Default"] == "off"
    assert "$0.10 for 100,000 events" in parameter["Description"]
    for name in ("Trail", "TrailBucket", "TrailBucketPolicy"):
        assert _resource(name)["Condition"] == "HasTrail"


def test_the_trail_can_be_proved_and_watches_the_data_alone() -> None:
    """Files are validated by digests; table and artifacts are watched, reads and writes.

    https://docs.aws.amazon.com/awscloudtrail/latest/APIReference/API_AdvancedFieldSelector.html
    """
    trail = _resource("Trail")
    assert trail["DependsOn"] == "TrailBucketPolicy"
    assert trail["Properties"]["EnableLogFileValidation"] is True
    watched = set()
    for selector in trail["Properties"]["AdvancedEventSelectors"]:
        fields = {field["Field"]: field for field in selector["FieldSelectors"]}
        assert set(fields) == {"eventCategory", "resources.type", "resources.ARN"}
        assert fields["eventCategory"]["Equals"] == ["Data"]
        watched.add(fields["resources.type"]["Equals"][0])
    assert watched == {"AWS::S3::Object", "AWS::DynamoDB::Table"}


def test_only_the_trail_itself_writes_to_its_bucket() -> None:
    """CloudTrail may look and write for this one trail, below the account's own prefix.

    https://docs.aws.amazon.com/awscloudtrail/latest/userguide/create-s3-bucket-policy-for-cloudtrail.html
    """
    statements = _resource("TrailBucketPolicy")["Properties"]["PolicyDocument"]["Statement"]
    allowed = {it["Action"]: it for it in statements if it["Effect"] == "Allow"}
    assert set(allowed) == {"s3:GetBucketAcl", "s3:PutObject"}
    for statement in allowed.values():
        assert statement["Principal"] == {"Service": "cloudtrail.amazonaws.com"}
        assert statement["Condition"] == {"StringEquals": {"aws:SourceArn": TRAIL}}
    prefix = {"Fn::Sub": "${TrailBucket.Arn}/AWSLogs/${AWS::AccountId}/*"}
    assert allowed["s3:PutObject"]["Resource"] == prefix


def test_what_it_wrote_outlives_the_stack_for_as_long_as_is_said() -> None:
    """An audit that goes with what it audits proves nothing."""
    bucket = _resource("TrailBucket")
    assert bucket["DeletionPolicy"] == "RetainExceptOnCreate"
    [rule] = bucket["Properties"]["LifecycleConfiguration"]["Rules"]
    assert rule["ExpirationInDays"] == {"Ref": "CloudTrailRetentionDays"}
    assert all(bucket["Properties"]["PublicAccessBlockConfiguration"].values())
