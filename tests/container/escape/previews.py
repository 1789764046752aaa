"""What an application tries that has variables of its own choice, and no repository."""

from __future__ import annotations

# https://man7.org/linux/man-pages/man8/ld.so.8.html: whatever is started with them writes such a file.
VARIABLES = {"LD_DEBUG": "statistics", "LD_DEBUG_OUTPUT": "{spot}/loaded"}

ATTEMPTS = {
    "loader_of_roots_programs": "find $WORK/../spot -name 'loaded.*' -user 0 | grep .",
    "git_of_the_runner": "find $WORK -name .git -o -name '*.pack' -o -name '*.idx' | grep .",
    "clone_again": "git clone $(cat $WORK/../url)/git/acme/shop.git ~/clone",
    # Of what stands open: an empty input, pipes of its own, and the folder that is read.
    "inherited_descriptors": "ls -l /proc/$$/fd | grep -E 'deleted|memfd|anon_inode|/runner'",
    "variables_of_the_other_programs": "cat /proc/$PPID/environ | tr '\\0' '\\n' | grep -E '^(BROKER|ECS|GITHUB)'",
    "shared_memory_of_root": "ipcs -m -q -s | awk '$3 == \"root\"' | grep .",
    "keyrings": "awk '$6 == 0' /proc/keys | grep -E ' (user|logon|big_key) '",
    "program_for_core_files": "echo '|/bin/true' > /proc/sys/kernel/core_pattern",
    "list_the_runners_objects": "ls $WORK/objects || ls $WORK/checkout",
}
