"""The cage: what processes of the agent's user can reach, without any capability of the container's.

A seccomp filter (`program`, `filter`) hands each socket(2) of the internet to a supervisor, a process of its
own (`supervisor`). It makes the socket, binds it to the device `lo` and puts it into the process that asked.
To unbind it takes CAP_NET_RAW, which the process has not, so the kernel lets no packet of it out of the
machine. Where on loopback it connects to is decided at connect(2) (`addresses`, `owners`). The only way out
is a proxy for named domains (`proxy`). Each task proves that this holds before the agent starts (`proof`).

`cage` starts processes inside, `egress` is all of it as a session uses it.
"""
