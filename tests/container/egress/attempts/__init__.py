"""Attempts at getting out of the cage, by name; those whose names begin with MUST have to succeed."""

from . import around, calls, families, needed, races, tcp, udp
from .base import ATTEMPTS as ATTEMPTS

__all__ = ["ATTEMPTS", "around", "calls", "families", "needed", "races", "tcp", "udp"]
