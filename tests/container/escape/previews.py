"""What an application tries that has variables of its own choice, and no repository."""

from __future__ import annotations

# https://man7.org/linux/man-pages/man8/ld.so.8.html: whatever is started with them writes such a file.
VARIABLES = {"LD_DEBUG": "statistics", "LD_DEBUG_OUTPUT": "{spot}/loaded"}

ATTEMPTS = {
    "loader_of_roots_programs": "find $WORK/../spot -name 'loaded.*' -user 0 | grep .",
    "git_of_the_runner": "find $WORK -name .git -o -name '*.pack' -o -name '*.idx' | grep .",
    "clone_again": "git clone $(cat $WORK/../url)/git/acme/shop.git ~/clone",
    "list_the_runners_objects": "ls $WORK/objects || ls $WORK/checkout",
}
