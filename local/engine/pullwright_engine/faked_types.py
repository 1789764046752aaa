"""CloudFormation types that LocalStack does not have and that a deployment may do without on one machine.

They become `CREATE_COMPLETE` and nothing happens. Every other unknown type fails the deployment, so that a
template cannot quietly lose a resource that matters here.
"""

FAKED_TYPES = frozenset(
    {
        "AWS::Budgets::Budget",
        "AWS::CloudTrail::Trail",
        "AWS::CloudWatch::Dashboard",
        "AWS::EC2::FlowLog",
        "AWS::EC2::SecurityGroupEgress",
        "AWS::EC2::SecurityGroupIngress",
        "AWS::ECS::ClusterCapacityProviderAssociations",
        "AWS::Logs::MetricFilter",
        "AWS::Logs::QueryDefinition",
    }
)
