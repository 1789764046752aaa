"""Clients of boto3 that call nobody."""

from __future__ import annotations

from typing import Any

import boto3

REGION = "eu-central-1"


def client(service: Any) -> Any:
    """Return a client with made-up credentials, for a Stubber."""
    return boto3.client(
        service, region_name=REGION, aws_access_key_id="AKIDEXAMPLE", aws_secret_access_key="made up"
    )
