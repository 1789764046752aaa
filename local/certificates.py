"""Certificates: let set-up work behind a company's TLS proxy whose certificate this machine trusts.

Standard library only: the bootstrap reads it too.
"""

import os
import ssl


def trust() -> dict[str, str]:
    """Name the variables by which pip, uv and npm trust what this machine trusts.

    Returns:
        Variables that the person has not set; none if the machine has no list of certificates in one file.
    """
    bundle = ssl.get_default_verify_paths().cafile
    if not bundle:
        return {}
    variables = {"PIP_CERT": bundle, "UV_SYSTEM_CERTS": "1", "NODE_EXTRA_CA_CERTS": bundle}
    return {name: value for name, value in variables.items() if name not in os.environ}
