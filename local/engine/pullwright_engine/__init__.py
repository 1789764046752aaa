"""What the local stack adds to LocalStack, as one plugin package.

LocalStack (host mode, no Docker, no token) brings Step Functions, the Lambda API, CloudFormation, S3 and
the rest. This package brings what it lacks: an ECS whose tasks are local processes, a Lambda runtime whose
environments are local processes, DynamoDB and JSONata without a JVM, and patches for its defects. Each
module under `patches/` says which defect it mends; `selftest` refuses to start on a LocalStack in which a
patched name is gone.
"""
