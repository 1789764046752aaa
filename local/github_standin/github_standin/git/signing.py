"""Signatures on the commits that the stand-in makes for Apps.

GitHub signs with an OpenPGP key of its own; this signs in git's other format, which `ssh-keygen` verifies:
https://github.com/openssh/openssh-portable/blob/master/PROTOCOL.sshsig.

Run as a program it reads a commit and ends with 0 if the key in the folder that it is given has signed it.
"""

from __future__ import annotations

import base64
import hashlib
import struct
import sys
import textwrap
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

_MAGIC = b"SSHSIG"
_KIND = b"ssh-ed25519"
_BEGIN, _END = "-----BEGIN SSH SIGNATURE-----", "-----END SSH SIGNATURE-----"
_FIELD = b"gpgsig "
_KEY = "signing-key"


def _text(value: bytes) -> bytes:
    return struct.pack(">I", len(value)) + value


class Signer:
    """The key that signs for the stand-in, the same for as long as its data folder lives."""

    def __init__(self, folder: Path) -> None:
        path = folder / _KEY
        if not path.exists():
            made = Ed25519PrivateKey.generate()
            path.touch(mode=0o600)
            path.write_bytes(made.private_bytes(Encoding.Raw, PrivateFormat.Raw, NoEncryption()))
        self._key = Ed25519PrivateKey.from_private_bytes(path.read_bytes())
        public = self._key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
        self._public = _text(_KIND) + _text(public)

    @property
    def public_key(self) -> str:
        """The public key as OpenSSH writes it."""
        return f"{_KIND.decode()} {base64.b64encode(self._public).decode()}"

    def sign(self, payload: bytes) -> str:
        """Return the armored signature of a commit without one."""
        about = _text(b"git") + _text(b"") + _text(b"sha512")
        signed = _MAGIC + about + _text(hashlib.sha512(payload).digest())
        made = _text(_KIND) + _text(self._key.sign(signed))
        blob = _MAGIC + struct.pack(">I", 1) + _text(self._public) + about + _text(made)
        lines = textwrap.wrap(base64.b64encode(blob).decode(), 70)
        return "\n".join([_BEGIN, *lines, _END])

    def signed(self, payload: bytes) -> bytes:
        """Return a commit with its signature in the header where git looks for it."""
        head, separator, message = payload.partition(b"\n\n")
        field = _FIELD + self.sign(payload).replace("\n", "\n ").encode()
        return head + b"\n" + field + separator + message

    def verified(self, commit: bytes) -> tuple[str, str] | None:
        """Return signature and payload of a commit that this key has signed, else None."""
        signature, payload = split(commit)
        # Ed25519 gives one signature for one text, so making it again is as good as verifying.
        return (signature, payload.decode(errors="replace")) if signature == self.sign(payload) else None


def split(commit: bytes) -> tuple[str, bytes]:
    """Return the signature in a raw commit, empty if there is none, and the commit without it."""
    head, separator, message = commit.partition(b"\n\n")
    kept: list[bytes] = []
    found: list[bytes] = []
    inside = False
    for line in head.split(b"\n"):
        inside = line.startswith(_FIELD) or (inside and line.startswith(b" "))
        if inside:
            found.append(line.removeprefix(_FIELD if not found else b" "))
        else:
            kept.append(line)
    return b"\n".join(found).decode(errors="replace"), b"\n".join(kept) + separator + message


if __name__ == "__main__":
    sys.exit(Signer(Path(sys.argv[1])).verified(sys.stdin.buffer.read()) is None)
