"""The model gateway: what stands between the agent and the model.

The agent's process holds no credential. Its CLI talks to a loopback server inside the runner (`server`),
which wants the session's token, checks each call (`call`), reserves what it may cost (`budget`), adds the key
or the signature (`provider`), asks a failing service again (`patience`), passes the answer on as it comes
(`relay`) and books the tokens that it reads out of it (`meters`).
"""

from runner.gateway.budget import Usage
from runner.gateway.config import PATIENCE_SECONDS, GatewayConfig
from runner.gateway.gateway import Gateway
from runner.gateway.refusal import GIVE_UP
from runner.gateway.relay import Trouble

__all__ = ["GIVE_UP", "PATIENCE_SECONDS", "Gateway", "GatewayConfig", "Trouble", "Usage"]
