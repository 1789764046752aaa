"""The settings by which everyday tools find the proxy: environment variables that they document."""

from __future__ import annotations

_LOCAL = "localhost,127.0.0.1,::1"


def proxy_variables(port: int) -> dict[str, str]:
    """Return the variables that lead to the proxy.

    Args:
        port: of the proxy on 127.0.0.1.
    """
    url = f"http://127.0.0.1:{port}"
    java = [
        f"-D{scheme}.proxy{key}" for scheme in ("http", "https") for key in ("Host=127.0.0.1", f"Port={port}")
    ]
    return {
        # curl, git, pip, uv, cargo, go, gem, most clients written in Python, Go or Rust.
        **dict.fromkeys(("HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy"), url),
        **dict.fromkeys(("NO_PROXY", "no_proxy"), _LOCAL),
        # https://nodejs.org/api/cli.html#node_use_env_proxy1
        "NODE_USE_ENV_PROXY": "1",
        # https://yarnpkg.com/configuration/yarnrc#httpProxy
        "YARN_HTTP_PROXY": url,
        "YARN_HTTPS_PROXY": url,
        # Maven, Gradle and its daemon, sbt: https://docs.oracle.com/en/java/javase/21/core/java-networking.html
        "JAVA_TOOL_OPTIONS": " ".join([*java, "-Dhttp.nonProxyHosts=localhost|127.*|[::1]"]),
    }
