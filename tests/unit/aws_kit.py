"""Clients of boto3 that call nobody."""

from __future__ import annotations

from functools import cache
from typing import Any

import boto3

REGION = "eu-central-1"


@cache
def session() -> boto3.Session:
    """Return one for all tests; within moto, boto3's own would read AWS's descriptions anew for each."""
    return boto3.Session("AKIDEXAMPLE", "made up", region_name=REGION)


def client(service: Any) -> Any:
    """Return a client with made-up credentials, for a Stubber or within moto."""
    return session().client(service)
