"""What takes more than a shell to leave for a check: `python3 plant.py NAME ARGUMENT…`.

Plain Python of any version, without imports of ours. `has_…` and `asks…` are the checks' side of it: they exit
with 0 if what was planted is there.
"""

import ctypes
import importlib.util
import os
import py_compile
import socket
import sys
import tempfile
from pathlib import Path

LIBC = ctypes.CDLL(None, use_errno=True)
CREATE, SIZE, IPC_SET, READABLE = 0o1000, 4096, 1, 0o666
CREATED = 0x100
SHARED_MEMORY = "/dev/shm"  # noqa: S108
ATTRIBUTE = "user.judged"


class Permissions(ctypes.Structure):
    """`struct ipc_perm` and room for what follows it in `shmid_ds`."""

    _fields_ = (
        ("key", ctypes.c_int),
        ("uid", ctypes.c_uint),
        ("gid", ctypes.c_uint),
        ("cuid", ctypes.c_uint),
        ("cgid", ctypes.c_uint),
        ("mode", ctypes.c_uint),
        ("rest", ctypes.c_char * 256),
    )


def wanted(value: int) -> None:
    """Exit with what a call of the kernel's answered."""
    sys.exit(0 if value >= 0 else os.strerror(ctypes.get_errno()))


def shm(key: str) -> None:
    """Make shared memory."""
    wanted(LIBC.shmget(int(key), SIZE, CREATE | READABLE))


def has_shm(key: str) -> None:
    """Look for it."""
    wanted(LIBC.shmget(int(key), 0, 0))


def give_away(key: str) -> None:
    """Make shared memory and give it to the user of the checks."""
    made = LIBC.shmget(int(key), SIZE, CREATE | READABLE)
    status = Permissions(uid=os.getuid() + 1, gid=os.getgid() + 1, mode=READABLE)
    wanted(LIBC.shmctl(made, IPC_SET, ctypes.byref(status)))


def sem(key: str) -> None:
    """Make a semaphore."""
    wanted(LIBC.semget(int(key), 1, CREATE | READABLE))


def has_sem(key: str) -> None:
    """Look for it."""
    wanted(LIBC.semget(int(key), 0, 0))


def msg(key: str) -> None:
    """Make a message queue."""
    wanted(LIBC.msgget(int(key), CREATE | READABLE))


def has_msg(key: str) -> None:
    """Look for it."""
    wanted(LIBC.msgget(int(key), 0))


def posix_shm(key: str) -> None:
    """Make POSIX shared memory."""
    os.umask(0)
    Path(SHARED_MEMORY, f"judged-{key}").write_text("passed")


def has_posix_shm(key: str) -> None:
    """Look for it."""
    sys.exit(not Path(SHARED_MEMORY, f"judged-{key}").exists())


def posix_queue(key: str) -> None:
    """Make a POSIX message queue."""
    os.umask(0)
    wanted(LIBC.mq_open(f"/judged-{key}".encode(), os.O_CREAT | os.O_RDWR, READABLE, None))


def has_posix_queue(key: str) -> None:
    """Look for it."""
    wanted(LIBC.mq_open(f"/judged-{key}".encode(), os.O_RDONLY))


def xattr(path: str) -> None:
    """Mark a file in a way that git does not see."""
    os.setxattr(path, ATTRIBUTE, b"passed")


def has_xattr(path: str) -> None:
    """Look for it."""
    sys.exit(ATTRIBUTE not in os.listxattr(path))


def stale_bytecode(path: str, good: str) -> None:
    """Leave compiled code that does not match its source, and is not compared with it."""
    with tempfile.NamedTemporaryFile("w", suffix=".py") as source:
        source.write(Path(good).read_text())
        source.flush()
        mode = py_compile.PycInvalidationMode.UNCHECKED_HASH
        cache = Path(importlib.util.cache_from_source(path))
        py_compile.compile(source.name, str(cache), doraise=True, invalidation_mode=mode)


def listen(port: str) -> None:
    """Answer on a port."""
    serve(socket.create_server(("127.0.0.1", int(port))))


def listen_abstract(name: str) -> None:
    """Answer on a name without a file."""
    server = socket.socket(socket.AF_UNIX)
    server.bind(f"\0{name}")
    server.listen()
    serve(server)


def serve(server: socket.socket) -> None:
    """Tell everybody that it passed."""
    while True:
        connection, _ = server.accept()
        connection.sendall(b"passed")
        connection.close()


def asks(port: str) -> None:
    """Ask whoever listens on a port."""
    sys.exit(socket.create_connection(("127.0.0.1", int(port)), 5).recv(6) != b"passed")


def asks_abstract(name: str) -> None:
    """Ask whoever listens on a name without a file."""
    client = socket.socket(socket.AF_UNIX)
    client.connect(f"\0{name}")
    sys.exit(client.recv(6) != b"passed")


def race(work: str, good: str) -> None:
    """Wait for a checkout and replace its test the moment that it appears."""
    descriptor = LIBC.inotify_init()
    LIBC.inotify_add_watch(descriptor, work.encode(), CREATED)
    while True:
        os.read(descriptor, 4096)
        for _ in range(2000):
            for test in Path(work).glob("checks/*/tests/test_it.py"):
                test.write_text(Path(good).read_text())


if __name__ == "__main__":
    globals()[sys.argv[1]](*sys.argv[2:])
