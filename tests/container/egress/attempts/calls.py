"""Other ways into the kernel."""

from __future__ import annotations

import ctypes
import errno
import mmap
import os
import signal
import socket
import struct
from typing import Any

from .base import ARM, ATTEMPTS, SECONDS, attempt, call, connects, libc, need


@attempt("io_uring_setup")
def _(_places: dict[str, Any]) -> None:
    call(425, 8, ctypes.create_string_buffer(120))


@attempt("io_uring_enter")
def _(_places: dict[str, Any]) -> None:
    try:
        call(426, 0, 0, 0, 0, None, 0)
    except OSError as error:
        need(error.errno != errno.ENOSYS)


@attempt("io_uring_register")
def _(_places: dict[str, Any]) -> None:
    try:
        call(427, 0, 0, None, 0)
    except OSError as error:
        need(error.errno != errno.ENOSYS)


@attempt("x32_s_socket")
def _(_places: dict[str, Any]) -> None:
    call(0x40000000 | 41, socket.AF_INET, socket.SOCK_STREAM, 0)


@attempt("i386_s_socket")
def _(_places: dict[str, Any]) -> None:
    need(not ARM)
    # mov eax, 359; mov ebx, 2; mov ecx, 1; xor edx, edx; int 0x80; ret
    code = bytes.fromhex("53b867010000bb02000000b90100000031d2cd805bc3")
    memory = mmap.mmap(-1, 4096, prot=mmap.PROT_READ | mmap.PROT_WRITE | mmap.PROT_EXEC)
    memory.write(code)
    address = ctypes.addressof(ctypes.c_char.from_buffer(memory))
    need(ctypes.CFUNCTYPE(ctypes.c_int)(address)() >= 0)


@attempt("bpf")
def _(_places: dict[str, Any]) -> None:
    try:
        call(280 if ARM else 321, 0, ctypes.create_string_buffer(128), 128)
    except OSError as error:
        need(error.errno != errno.ENOSYS)


for _name, _numbers in {"add_key": (217, 248), "request_key": (218, 249), "keyctl": (219, 250)}.items():

    def _key(_places: dict[str, Any], numbers: tuple[int, int] = _numbers) -> None:
        try:
            call(numbers[0] if ARM else numbers[1], 0, 0, 0, 0, 0)
        except OSError as error:
            need(error.errno != errno.ENOSYS)

    ATTEMPTS[f"keys_by_{_name}"] = _key


def _filter(action: int, flags: int) -> int:
    """Install a filter of one's own that says the same to every call of socket(2)."""
    code = struct.pack("=HBBI", 0x20, 0, 0, 0) + struct.pack("=HBBI", 0x15, 0, 1, 198 if ARM else 41)
    code += struct.pack("=HBBI", 6, 0, 0, action) + struct.pack("=HBBI", 6, 0, 0, 0x7FFF0000)
    program = ctypes.create_string_buffer(code, len(code))
    description = struct.pack("=H6xQ", len(code) // 8, ctypes.addressof(program))
    libc.prctl(38, 1, 0, 0, 0)
    return call(277 if ARM else 317, 1, flags, description)


def _answer_oneself(places: dict[str, Any]) -> None:
    listener = _filter(0x7FC00000, 8)
    if not os.fork():
        try:
            connects(socket.AF_INET, places["public"], 443)
        finally:
            os._exit(0)
    question = ctypes.create_string_buffer(80)
    while libc.ioctl(listener, ctypes.c_ulong(0xC0502100), question) == 0:
        answer = struct.pack("=QqiI", struct.unpack_from("=Q", question.raw)[0], 0, 0, 1)
        libc.ioctl(listener, ctypes.c_ulong(0xC0182101), answer)


ATTEMPTS["a_listener_of_one_s_own"] = _answer_oneself


@attempt("a_filter_of_one_s_own_that_allows")
def _(places: dict[str, Any]) -> None:
    _filter(0x7FFF0000, 0)
    connects(socket.AF_INET, places["public"], 443)


@attempt("a_filter_of_one_s_own_for_a_tracer")
def _(places: dict[str, Any]) -> None:
    child = os.fork()
    if not child:
        libc.ptrace(0, 0, 0, 0)
        os.kill(os.getpid(), signal.SIGSTOP)
        _filter(0x7FF00000, 0)
        connects(socket.AF_INET, places["public"], 443)
        os._exit(0)
    os.waitpid(child, 0)
    libc.ptrace(0x4200, child, 0, ctypes.c_void_p(0x80))
    while True:
        libc.ptrace(7, child, 0, 0)
        _, status = os.waitpid(child, 0)
        if os.WIFEXITED(status):
            need(os.WEXITSTATUS(status) == 0)
            return
        need(os.WIFSTOPPED(status))


@attempt("the_same_without_filters_for_a_tracee")
def _(_places: dict[str, Any]) -> None:
    child = os.fork()
    if not child:
        libc.ptrace(0, 0, 0, 0)
        os.kill(os.getpid(), signal.SIGSTOP)
        os._exit(0)
    os.waitpid(child, 0)
    done = libc.ptrace(0x4200, child, 0, ctypes.c_void_p(0x200000))  # PTRACE_O_SUSPEND_SECCOMP
    os.kill(child, signal.SIGKILL)
    need(done == 0)


@attempt("strict_mode_instead")
def _(places: dict[str, Any]) -> None:
    need(libc.prctl(22, 0, 0, 0, 0) == 0)
    connects(socket.AF_INET, places["public"], 443)


@attempt("namespaces_of_one_s_own")
def _(places: dict[str, Any]) -> None:
    need(libc.unshare(0x10000000 | 0x40000000) == 0)
    connects(socket.AF_INET, places["public"], 443)


@attempt("unbinding_in_a_user_namespace")
def _(places: dict[str, Any]) -> None:
    need(libc.unshare(0x10000000) == 0)
    client = socket.socket()
    client.setsockopt(socket.SOL_SOCKET, 25, b"")
    client.settimeout(SECONDS)
    client.connect((places["public"], 443))
