"""Registries that tools ask, played behind the wire: `python -m tests.container.egress.registry <folder>`.

Real names, real protocols, and packages of their own, over TLS by an authority of this test's.
"""

from __future__ import annotations

import base64
import hashlib
import io
import json
import ssl
import subprocess
import sys
import tarfile
import threading
import zipfile
from datetime import UTC, datetime, timedelta
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

if TYPE_CHECKING:
    from collections.abc import Sequence

NAMES = (
    *("pypi.org", "files.pythonhosted.org", "registry.npmjs.org", "github.com", "repo.maven.apache.org"),
    "proxy.golang.org",
)
COUNT = 12
PORT = 443
_BYTES = 40_000


def package(number: int) -> str:
    """Return a package's name."""
    return f"pullwright-cage-{number}"


def make(folder: Path) -> None:
    """Make everything that is served."""
    certificates(folder, NAMES)
    for number in range(COUNT):
        _wheel(folder, number)
        _tarball(folder, number)
    (folder / "lock.json").write_text(json.dumps(_lock(folder)))
    _git(folder)


def certificates(folder: Path, names: Sequence[str]) -> None:
    """Write an authority, and a certificate for these names (https://cryptography.io/en/latest/x509/tutorial/)."""
    now = datetime.now(UTC)
    root_key, key = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
    issuer = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "An authority of a test's")])

    def builder(name: x509.Name, public: ec.EllipticCurvePublicKey) -> x509.CertificateBuilder:
        made = x509.CertificateBuilder().subject_name(name).issuer_name(issuer).public_key(public)
        made = made.serial_number(x509.random_serial_number())
        return made.not_valid_before(now - timedelta(days=1)).not_valid_after(now + timedelta(days=2))

    usage = x509.KeyUsage(
        digital_signature=True,
        key_cert_sign=True,
        crl_sign=True,
        **dict.fromkeys(
            ("content_commitment", "key_encipherment", "data_encipherment", "key_agreement"), False
        ),
        encipher_only=False,
        decipher_only=False,
    )
    authority = (
        builder(issuer, root_key.public_key())
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(usage, critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(root_key.public_key()), critical=False)
        .sign(root_key, hashes.SHA256())
    )
    leaf = (
        builder(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, names[0])]), key.public_key())
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name) for name in names]), critical=False)
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key(root_key.public_key()), critical=False
        )
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .sign(root_key, hashes.SHA256())
    )
    (folder / "authority.pem").write_bytes(authority.public_bytes(serialization.Encoding.PEM))
    secret = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    (folder / "server.pem").write_bytes(secret + leaf.public_bytes(serialization.Encoding.PEM))


def _content(number: int) -> bytes:
    return hashlib.shake_128(bytes([number])).hexdigest(_BYTES).encode()


def _wheel(folder: Path, number: int) -> None:
    """Write a wheel (https://packaging.python.org/en/latest/specifications/binary-distribution-format/)."""
    name = package(number).replace("-", "_")
    info = f"{name}-1.0.dist-info"
    files = {
        f"{name}/__init__.py": b"X = '" + _content(number) + b"'\n",
        f"{info}/METADATA": f"Metadata-Version: 2.1\nName: {package(number)}\nVersion: 1.0\n".encode(),
        f"{info}/WHEEL": b"Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    files[f"{info}/RECORD"] = "".join(f"{path},,\n" for path in (*files, f"{info}/RECORD")).encode()
    target = folder / "packages" / f"{name}-1.0-py3-none-any.whl"
    target.parent.mkdir(exist_ok=True)
    with zipfile.ZipFile(target, "w") as archive:
        for path, content in files.items():
            archive.writestr(path, content)
    index = folder / "simple" / package(number)
    index.mkdir(parents=True)
    link = f"https://files.pythonhosted.org/packages/{target.name}"
    (index / "index.html").write_text(f'<!DOCTYPE html><a href="{link}">{target.name}</a>')


def _tarball(folder: Path, number: int) -> None:
    target = folder / package(number) / "-" / f"{package(number)}-1.0.0.tgz"
    target.parent.mkdir(parents=True)
    manifest = json.dumps({"name": package(number), "version": "1.0.0", "main": "index.js"}).encode()
    with tarfile.open(target, "w:gz") as archive:
        code = b"module.exports = '" + _content(number) + b"'\n"
        for path, content in (("package/package.json", manifest), ("package/index.js", code)):
            member = tarfile.TarInfo(path)
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))


def _lock(folder: Path) -> dict[str, Any]:
    """Return what `npm ci` installs from (https://docs.npmjs.com/cli/v11/configuring-npm/package-lock-json)."""
    packages: dict[str, Any] = {"": {"dependencies": {package(n): "1.0.0" for n in range(COUNT)}}}
    for number in range(COUNT):
        name = package(number)
        content = (folder / name / "-" / f"{name}-1.0.0.tgz").read_bytes()
        packages[f"node_modules/{name}"] = {
            "version": "1.0.0",
            "resolved": f"https://registry.npmjs.org/{name}/-/{name}-1.0.0.tgz",
            "integrity": "sha512-" + base64.b64encode(hashlib.sha512(content).digest()).decode(),
        }
    return {"name": "work", "lockfileVersion": 3, "requires": True, "packages": packages}


def _git(folder: Path) -> None:
    """Make a repository that can be cloned without a program on the server's side."""
    repository, seed = folder / "acme" / "shop.git", folder / "seed"
    commit = "-c user.name=x -c user.email=x@example.invalid commit -q --allow-empty -m x"
    for command in (
        f"git init -q --bare -b main {repository}",
        f"git clone -q {repository} {seed}",
        f"git -C {seed} {commit}",
        f"git -C {seed} push -q origin HEAD:main",
        f"git -C {repository} update-server-info",
    ):
        subprocess.run(command.split(), check=True, capture_output=True)


class _Handler(SimpleHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_: object) -> None:
        """Say nothing."""


class _Server(ThreadingHTTPServer):
    # Python's default of five is less than npm opens at once through a proxy. Who finds no room tries again a
    # second later.
    request_queue_size = 128


def main() -> None:
    """Serve a folder that was made before."""
    folder = sys.argv[1]
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(Path(folder) / "server.pem")
    servers = [_Server(("", port), lambda *given: _Handler(*given, directory=folder)) for port in (PORT, 80)]
    servers[0].socket = context.wrap_socket(
        # The handshake is the connection's own thread's: nobody waits for another's.
        servers[0].socket,
        server_side=True,
        do_handshake_on_connect=False,
    )
    threading.Thread(target=servers[1].serve_forever, daemon=True).start()
    servers[0].serve_forever()


if __name__ == "__main__":
    main()
