"""Reading what the runner holds: environment, `/proc`, endpoints, git's credentials, files, gateway."""

from __future__ import annotations

from tests.container.escape.tools import ASKED, TARGETS

# Names that only the runner's environment has, and how keys begin.
_NAMES = "^(BROKER_URL|AWS_CONTAINER|AWS_SECRET|AWS_SESSION|ECS_|GITHUB_|ARTIFACTS|SESSIONS_TABLE|SESSION_ID)"
_KEYS = "ghs_|sk-ant-|ASIA[A-Z]|AKIA[A-Z]"
_FAIL_EMPTY = "| grep -a ."


def _proc(name: str) -> str:
    return f"head -c 64 /proc/$RUNNER/{name} {_FAIL_EMPTY}"


# Of the runner and of everything below it: others on this machine are none of a test's business.
_TASK = "for p in $RUNNER $(ps -o pid= --ppid $RUNNER) $$ $PPID; do cat /proc/$p/{0}; done 2>/dev/null"

ENVIRONMENT = {
    "own_environment": f"env | grep -E '{_NAMES}|{_KEYS}'",
    "environments_in_the_task": (
        f"{{ {_TASK.format('environ')}; }} | tr '\\0' '\\n' | grep -aE '{_NAMES}|{_KEYS}'"
    ),
    # A key is matched with what follows it, so that the attempt does not find its own pattern.
    "command_lines_in_the_task": f"{{ {_TASK.format('cmdline')}; }} | grep -aE '({_KEYS})[A-Za-z0-9]{{8}}'",
}

PROC = {
    **{
        f"runner_{name}": _proc(name)
        for name in ("environ", "mem", "maps", "smaps", "auxv", "stack", "syscall")
    },
    "runner_threads_environ": "cat /proc/$RUNNER/task/*/environ | grep -a .",
    "runner_open_files": "ls /proc/$RUNNER/fd/ | grep .",
    "runner_working_directory": "ls /proc/$RUNNER/cwd/",
    "runner_root": "ls /proc/$RUNNER/root/",
    "runner_map_files": "ls /proc/$RUNNER/map_files/ | grep .",
    "runner_program": "readlink /proc/$RUNNER/exe",
    "runner_in_a_user_namespace": "unshare -Ur cat /proc/$RUNNER/environ | grep -a .",
    "runner_namespaces": "nsenter -t $RUNNER -m -p true",
    "runner_ptrace": "python3 $TOOLS ptrace $RUNNER",
    "runner_memory": "python3 $TOOLS read_memory $RUNNER",
    "runner_descriptors": "python3 $TOOLS steal_descriptor $RUNNER",
    "runner_shared_memory": "find /dev/shm -user 0 -name '*runner*' | grep .",
}

ENDPOINTS = {
    "credential_endpoints": "python3 $TOOLS guess_endpoints $(cat $WORK/../url)",
    "unix_sockets": "python3 $TOOLS unix_sockets $WORK",
    "relative_uri_in_any_file": f"grep -raE '{_NAMES}' $HOME $WORK/objects",
}

GIT = {
    "git_config": "{ git config --local --list; git config --global --list; cat .git/config; } | grep -iE 'extraheader|credential|token|://'",
    "git_remote": "git remote -v | grep .",
    "git_credential_fill": "printf 'protocol=https\\nhost=github.com\\n\\n' | git credential fill",
    "git_fetch_without_remote": "git fetch origin",
    "git_push_to_the_known_address": "git push $(cat $WORK/../url)/git/acme/shop.git HEAD:refs/heads/main",
    "git_push_to_the_folder": "git push $WORK/../git/acme/shop.git HEAD:refs/heads/main",
    "credential_files": "cat ~/.git-credentials ~/.netrc ~/.config/gh/hosts.yml ~/.aws/credentials | grep .",
    "credential_files_of_root": "cat /root/.git-credentials /root/.netrc /root/.aws/credentials | grep .",
    "credential_cache": "ls ~/.cache/git/credential/socket ~/.git-credential-cache/socket",
    "objects_of_the_runner": "git -C $WORK/runner/repository.git log -1",
}

FILES = {
    "list_the_runners_folder": "ls $WORK/runner",
    "read_the_prompt": "cat $WORK/runner/prompt.txt",
    "read_the_log": "cat $WORK/runner/runner.log",
    "keys_anywhere_in_the_task": f"grep -raE '{_KEYS}' $WORK",
    "write_beside_the_runner": "touch $WORK/x",
    "write_into_the_runners_folder": "echo x > $WORK/runner/result.json",
    "rename_the_runners_folder": "mv $WORK/runner $WORK/agent/mine",
    "remove_the_runners_folder": "rm -rf $WORK/runner; ! stat $WORK/runner",
    "write_the_shared_objects": "touch $WORK/objects/x || find $WORK/objects -type f -writable | grep .",
    "link_into_the_runners_folder": "ln $WORK/runner/prompt.txt prompt",
    "replace_the_runners_python": "touch $(dirname $(tr '\\0' '\\n' < /proc/$RUNNER/cmdline | head -1))/x",
    "replace_the_tools": "touch $(dirname $(command -v git))/x $(dirname $(command -v claude))/x",
    "preload_for_everybody": "echo x >> /etc/ld.so.preload",
}

GATEWAY = {
    f"gateway_{name}": f"python3 $TOOLS gateway {name}" for name in ("without_token", *ASKED, *TARGETS)
}

ATTEMPTS = {**ENVIRONMENT, **PROC, **ENDPOINTS, **GIT, **FILES, **GATEWAY}
