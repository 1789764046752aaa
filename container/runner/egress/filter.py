"""Installs the filter for the calling thread and all processes that it starts from then on."""

from __future__ import annotations

import ctypes
import errno
import os
import struct

from runner.egress import kernel
from runner.egress.program import build, pack


def install(*, is_shared: bool) -> int:
    """Install the filter for the calling thread, for good.

    Only this thread of the process is under it: filters and `no_new_privs` belong to threads, and children
    inherit those of the thread that starts them (https://man7.org/linux/man-pages/man2/seccomp.2.html).

    Returns:
        The descriptor at which the filter's questions arrive.

    Raises:
        OSError: this kernel, or what the container runtime allows of it, has no such filter.
    """
    packed = pack(build(kernel.here(), is_shared=is_shared))
    code = ctypes.create_string_buffer(packed, len(packed))
    description = struct.pack("=H6xQ", len(packed) // 8, ctypes.addressof(code))
    if kernel.libc.prctl(kernel.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0):
        error = ctypes.get_errno()
        raise OSError(error, f"no_new_privs: {os.strerror(error)}")
    flags = kernel.FLAG_NEW_LISTENER | kernel.FLAG_SPEC_ALLOW
    try:
        # From Linux 5.19 on, only a deadly signal ends the wait for an answer.
        return kernel.call("seccomp", kernel.SET_MODE_FILTER, flags | kernel.FLAG_WAIT_KILLABLE, description)
    except OSError as error:
        if error.errno != errno.EINVAL:
            raise
        return kernel.call("seccomp", kernel.SET_MODE_FILTER, flags, description)
