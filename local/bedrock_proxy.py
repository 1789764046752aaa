"""`python -m local.bedrock_proxy --port N`: the real Bedrock for local tasks, signed for by the developer.

A local task's own credentials are the engine's inventions, which the real Bedrock would refuse. This process
holds the developer's, and signs what comes in anew. It answers only under a path that nobody can guess
(`PULLWRIGHT_PROXY_TOKEN`), so that the agent, another user on the same machine, cannot go round the runner.
"""

import argparse
import os
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import boto3
import urllib3
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest

FORWARDED = ("Content-Type", "Accept", "X-Amzn-Bedrock-Accept")
TOKEN = "PULLWRIGHT_PROXY_TOKEN"  # noqa: S105 - the variable's name


class Signer:
    """Sends requests to Bedrock.

    Args:
        session: where credentials and region come from; both are renewed by it.
        upstream: another address than Bedrock's own, for tests.
    """

    def __init__(self, session: Any, upstream: str | None = None) -> None:
        self._session = session
        region = session.region_name or "us-east-1"
        self._region = region
        self._upstream = upstream or session.client("bedrock-runtime", region_name=region).meta.endpoint_url
        self._pool = urllib3.PoolManager(retries=False, timeout=urllib3.Timeout(connect=10, read=900))

    def send(self, path: str, headers: dict[str, str], body: bytes) -> Any:
        """Sign one POST and send it.

        Args:
            path: below Bedrock's address, encoded as it came.

        Returns:
            The open answer.
        """
        url = self._upstream.rstrip("/") + path
        request = AWSRequest("POST", url, headers, data=body)
        credentials = self._session.get_credentials().get_frozen_credentials()
        SigV4Auth(credentials, "bedrock", self._region).add_auth(request)
        return self._pool.request(
            "POST", url, body=body, headers=dict(request.headers.items()), preload_content=False
        )


def serve(port: int, token: str, signer: Signer) -> ThreadingHTTPServer:
    """Return a server on loopback; the caller runs it.

    Args:
        port: 0 takes a free one.
    """

    class Handler(BaseHTTPRequestHandler):
        """Passes POSTs on and answers back as they come."""

        protocol_version = "HTTP/1.1"
        # Head and body are two writes: the second would wait 40 ms for the first to be confirmed.
        disable_nagle_algorithm = True

        def do_GET(self) -> None:
            self._refuse()

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            prefix = f"/{token}/"
            if not self.path.startswith(prefix):
                self._refuse()
                return
            headers = {name: self.headers[name] for name in FORWARDED if name in self.headers}
            answer = signer.send(self.path[len(prefix) - 1 :], headers, body)
            try:
                self.send_response(answer.status)
                for name, value in answer.headers.items():
                    if name.lower().startswith("x-amzn") or name.lower() == "content-type":
                        self.send_header(name, value)
                self.send_header("Transfer-Encoding", "chunked")
                self.end_headers()
                for chunk in answer.stream(1 << 16, decode_content=False):
                    self.wfile.write(b"%x\r\n%s\r\n" % (len(chunk), chunk))
                    self.wfile.flush()
                self.wfile.write(b"0\r\n\r\n")
            finally:
                # The runner may hang up in the middle: then Bedrock should stop too.
                answer.close()

        def _refuse(self) -> None:
            self.send_response(404)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: Any) -> None:
            """Nothing: paths hold the token."""

    return ThreadingHTTPServer(("127.0.0.1", port), Handler)


def main() -> None:
    """Serve until a signal comes."""
    parser = argparse.ArgumentParser(prog="python -m local.bedrock_proxy", description=__doc__)
    parser.add_argument("--port", type=int, required=True)
    arguments = parser.parse_args()
    serve(arguments.port, os.environ[TOKEN], Signer(boto3.Session())).serve_forever()


if __name__ == "__main__":
    main()
