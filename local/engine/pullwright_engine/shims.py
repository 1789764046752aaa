"""Python 3.11 and LocalStack 4.13.1: two places that only work on newer interpreters."""

import hashlib
import importlib
import sys
import threading
import uuid
from typing import Any


class _LockType:
    """`threading.Lock` as the class that it became in Python 3.13: callable, and usable in `X | None`."""

    def __init__(self, factory: Any) -> None:
        self._factory = factory

    def __call__(self) -> Any:
        return self._factory()

    def __or__(self, other: object) -> type[object]:
        return object

    __ror__ = __or__


def lock_annotation() -> None:
    """`localstack.packages.api` evaluates `Lock | None` as an annotation: import it with a stand-in."""
    if sys.version_info >= (3, 13):
        return
    real = threading.Lock
    threading.Lock = _LockType(real)  # type: ignore[assignment] # for one import only
    try:
        importlib.import_module("localstack.packages.api")
    finally:
        threading.Lock = real


def uuid5_of_bytes() -> None:
    """KMS calls `uuid.uuid5` with bytes, which Python accepts only from 3.12 on."""
    if sys.version_info >= (3, 12):
        return
    real = uuid.uuid5

    def uuid5(namespace: uuid.UUID, name: str | bytes) -> uuid.UUID:
        if isinstance(name, str):
            return real(namespace, name)
        digest = hashlib.sha1(namespace.bytes + name, usedforsecurity=False).digest()
        return uuid.UUID(bytes=digest[:16], version=5)

    uuid.uuid5 = uuid5
