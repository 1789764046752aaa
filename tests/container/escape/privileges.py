"""Becoming somebody else, and hurting the runner without reading it."""

from __future__ import annotations

ATTEMPTS = {
    "su": "su -c true",
    "setuid_calls": "python3 $TOOLS become_root 0",
    "setpriv_to_root": "setpriv --reuid=0 id -u | grep -x 0",
    "setuid_copy_of_a_shell": "cp /bin/sh ~/s && chmod 6755 ~/s && ~/s -p -c 'id -u' | grep -x 0",
    "setuid_programs_of_the_system": "passwd -S root && chsh -s /bin/sh root",
    "device": "mknod disk b 8 0",
    "mount": "mount -t tmpfs none $WORK/agent",
    "capabilities": "grep -E '^Cap(Inh|Prm|Eff|Bnd|Amb):' /proc/self/status | grep -v '0000000000000000'",
    "new_privileges": "grep -E '^NoNewPrivs:.*0' /proc/self/status",
    "groups": "id -G | grep -vx $(id -u)",
    "limits": "python3 $TOOLS raise_limits 0",
    "core_files": "ulimit -c | grep -vx 0",
    "protected_from_the_memory_killer": "echo -500 > /proc/self/oom_score_adj",
    "runner_given_to_the_memory_killer": "echo 1000 > /proc/$RUNNER/oom_score_adj",
    "kill_the_runner": "kill -KILL $RUNNER",
    "stop_the_runner": "kill -STOP $RUNNER",
    "end_the_runner": "kill -TERM $RUNNER",
    "slow_the_runner_down": "renice -n 19 -p $RUNNER",
    "limit_the_runner": "prlimit --pid $RUNNER --nofile=3",
    "bind_the_runner": "taskset -p 1 $RUNNER",
    "runner_cgroup": "find /sys/fs/cgroup -name cgroup.procs -writable 2>/dev/null | grep .",
}
