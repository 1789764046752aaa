"""EC2 machines as a template describes them: LocalStack lacks launch templates and most of an instance."""

import base64
from typing import Any

from localstack.services.cloudformation.resource_provider import ProgressEvent, ResourceProvider

from pullwright_engine.cloudformation import Document, done, plugin

_NUMBERS = frozenset({"DeviceIndex", "HttpPutResponseHopLimit", "Iops", "VolumeSize"})
_BOOLEANS = frozenset({"AssociatePublicIpAddress", "DeleteOnTermination", "Encrypted"})
_NAMES = {"GroupSet": "Groups"}
_FROM_PARAMETER = "resolve:ssm:"
# A launch template gives what the instance does not say: both have these under one name.
_OF_BOTH = (
    *(
        "BlockDeviceMappings",
        "ImageId",
        "InstanceInitiatedShutdownBehavior",
        "InstanceMarketOptions",
        "InstanceType",
    ),
    *("KeyName", "MetadataOptions", "NetworkInterfaces", "SecurityGroupIds"),
)


def api_values(value: Any, name: str = "") -> Any:
    """CloudFormation's properties as the EC2 API takes them: names, and numbers that may be text."""
    if isinstance(value, list):
        return [api_values(item) for item in value]
    if isinstance(value, dict):
        return {_NAMES.get(key, key): api_values(item, key) for key, item in value.items()}
    if name in _NUMBERS:
        return int(value)
    return str(value).lower() == "true" if name in _BOOLEANS else value


def launch_request(model: Document, data: Document) -> Document:
    """Return the RunInstances request for an instance's properties.

    Args:
        data: of its launch template, empty without one.
    """
    request: Document = {"MinCount": 1, "MaxCount": 1}
    request |= {name: api_values(data[name]) for name in _OF_BOTH if name in data}
    request |= {name: api_values(model[name]) for name in (*_OF_BOTH, "SubnetId") if model.get(name)}
    if model.get("UserData"):
        request["UserData"] = base64.b64decode(model["UserData"]).decode()
    if model.get("IamInstanceProfile"):
        request["IamInstanceProfile"] = {"Name": model["IamInstanceProfile"]}
    tags = [{"Key": tag["Key"], "Value": str(tag["Value"])} for tag in model.get("Tags") or []]
    if tags:
        kinds = ["instance"]
        if str(model.get("PropagateTagsToVolumeOnCreation")).lower() == "true":
            kinds.append("volume")
        request["TagSpecifications"] = [{"ResourceType": kind, "Tags": tags} for kind in kinds]
    return request


def create_instance(request: Any) -> ProgressEvent:
    """Make `AWS::EC2::Instance`."""
    model, ec2 = request.desired_state, request.aws_client_factory.ec2
    wanted = launch_request(model, _template_data(ec2, model.get("LaunchTemplate") or {}))
    image = wanted.get("ImageId", "")
    if image.startswith(_FROM_PARAMETER):
        name = image.removeprefix(_FROM_PARAMETER)
        wanted["ImageId"] = request.aws_client_factory.ssm.get_parameter(Name=name)["Parameter"]["Value"]
    machine = ec2.run_instances(**wanted)["Instances"][0]
    model["Id"] = machine["InstanceId"]
    model["PrivateIp"] = machine["PrivateIpAddress"]
    model["PrivateDnsName"] = machine["PrivateDnsName"]
    model["AvailabilityZone"] = machine["Placement"]["AvailabilityZone"]
    for name, told in (("PublicIp", "PublicIpAddress"), ("PublicDnsName", "PublicDnsName")):
        if machine.get(told):
            model[name] = machine[told]
    return done(model)


def update_instance(request: Any) -> ProgressEvent:
    """Change an instance's type, which stops and starts it; no other change has an effect here."""
    ec2 = request.aws_client_factory.ec2
    model = request.previous_state | request.desired_state
    ids = [model["Id"]]
    if model["InstanceType"] != request.previous_state["InstanceType"]:
        ec2.stop_instances(InstanceIds=ids)
        ec2.modify_instance_attribute(InstanceId=ids[0], InstanceType={"Value": model["InstanceType"]})
        ec2.start_instances(InstanceIds=ids)
    return done(model)


def _template_data(ec2: Any, template: Document) -> Document:
    if not template:
        return {}
    found = ec2.describe_launch_template_versions(
        LaunchTemplateId=template["LaunchTemplateId"], Versions=[str(template["Version"])]
    )
    data: Document = found["LaunchTemplateVersions"][0]["LaunchTemplateData"]
    return data


class LaunchTemplate(ResourceProvider):  # type: ignore[misc] # LocalStack publishes no types
    """`AWS::EC2::LaunchTemplate`; every change is a new version."""

    TYPE = "AWS::EC2::LaunchTemplate"
    SCHEMA: Document = {  # noqa: RUF012 - the base class has it so
        "typeName": TYPE,
        "properties": {"LaunchTemplateId": {}, "LatestVersionNumber": {}, "DefaultVersionNumber": {}},
        "createOnlyProperties": ["/properties/LaunchTemplateName"],
        "primaryIdentifier": ["/properties/LaunchTemplateId"],
        "readOnlyProperties": [
            f"/properties/{name}"
            for name in ("LaunchTemplateId", "LatestVersionNumber", "DefaultVersionNumber")
        ],
    }

    def create(self, request: Any) -> ProgressEvent:
        """Make the template with its first version."""
        model = request.desired_state
        model.setdefault("LaunchTemplateName", f"{request.stack_name}-{request.logical_resource_id}")
        made = request.aws_client_factory.ec2.create_launch_template(
            LaunchTemplateName=model["LaunchTemplateName"],
            LaunchTemplateData=api_values(model["LaunchTemplateData"]),
        )["LaunchTemplate"]
        return done(model | _numbers(made["LaunchTemplateId"], 1))

    def update(self, request: Any) -> ProgressEvent:
        """Make another version."""
        model = request.previous_state | request.desired_state
        made = request.aws_client_factory.ec2.create_launch_template_version(
            LaunchTemplateId=model["LaunchTemplateId"],
            LaunchTemplateData=api_values(model["LaunchTemplateData"]),
        )["LaunchTemplateVersion"]
        return done(model | _numbers(model["LaunchTemplateId"], made["VersionNumber"]))

    def delete(self, request: Any) -> ProgressEvent:
        """Remove it with all of its versions."""
        ec2 = request.aws_client_factory.ec2
        ec2.delete_launch_template(LaunchTemplateId=request.desired_state["LaunchTemplateId"])
        return done({})


def _numbers(template: str, latest: int) -> Document:
    return {"LaunchTemplateId": template, "LatestVersionNumber": str(latest), "DefaultVersionNumber": "1"}


LaunchTemplatePlugin = plugin(LaunchTemplate)
