"""Things planted for the runner's git, which takes the work in and pushes it.

Each is a program for `sh` that runs in the work tree. `$PAYLOAD` leaves a mark with the uid that ran it: no mark
may be there when the session is over, and the file `KEPT.md` that the agent writes last is on the branch.
"""

from __future__ import annotations

_HOOKS = "pre-commit post-commit pre-push post-checkout reference-transaction pre-receive fsmonitor-watchman"

PREAMBLE = """\
cat > /dev/null
MARKS=$HOME/marks; mkdir -p $MARKS
cat > $HOME/payload <<X
#!/bin/sh
id -u >> $MARKS/mark
cat
X
chmod 755 $HOME/payload; PAYLOAD=$HOME/payload
WORK=$(dirname "$(dirname "$HOME")")
"""

PLANTED = {
    "hooks": (
        f"for h in {_HOOKS}; do mkdir -p .git/hooks; cp $PAYLOAD .git/hooks/$h; done;"
        "git config core.hooksPath $PWD/.git/hooks; git config --global core.hooksPath $PWD/.git/hooks;"
        "mkdir -p ~/t/hooks; cp -r .git/hooks ~/t/; git config --global init.templateDir ~/t"
    ),
    "configured_programs": (
        "for k in core.fsmonitor core.sshCommand core.askPass core.pager core.editor credential.helper"
        " diff.external gpg.program gpg.ssh.program uploadpack.packObjectsHook core.gitProxy alias.add;"
        " do git config $k $PAYLOAD; git config --global $k $PAYLOAD; done;"
        "git config commit.gpgSign true; git config push.gpgSign true; git config include.path $HOME/.gitconfig"
    ),
    "filters_and_attributes": (
        "for k in filter.x.clean filter.x.smudge filter.x.process diff.x.textconv diff.x.command merge.x.driver;"
        " do git config $k $PAYLOAD; git config --global $k $PAYLOAD; done;"
        "git config filter.x.required true; git config core.attributesFile $HOME/attributes;"
        "echo '* filter=x diff=x merge=x' | tee .gitattributes > $HOME/attributes;"
        "mkdir -p .git/info; cp .gitattributes .git/info/attributes"
    ),
    "another_address": (
        "git config url.http://127.0.0.1:9/.insteadOf http://; git config http.proxy http://127.0.0.1:9;"
        "git config --global url.http://127.0.0.1:9/.insteadOf http://;"
        "git remote add origin http://127.0.0.1:9/evil.git; git config remote.origin.receivepack $PAYLOAD"
    ),
    "alternates_and_replacements": (
        "echo $WORK/runner/repository.git/objects > .git/objects/info/alternates;"
        "git replace --graft HEAD 2>/dev/null; echo HEAD > .git/shallow; mkdir -p .git/info; :> .git/info/grafts"
    ),
    "git_is_a_file": "rm -rf .git; echo gitdir: $WORK/runner/repository.git > .git",
    "git_is_a_link": "rm -rf .git; ln -s $WORK/runner/repository.git .git",
    "work_tree_elsewhere": "git config core.worktree /; git config core.bare true",
    "flags_in_the_index": "git update-index --assume-unchanged README.md; touch .git/index.lock .git/HEAD.lock",
    "submodule": (
        "git init -q sub; cd sub; git -c user.name=a -c user.email=a@example.invalid commit -qm x --allow-empty;"
        "git config core.fsmonitor $PAYLOAD; cp $PAYLOAD .git/hooks/post-checkout; cd ..; git add sub 2>/dev/null;"
        "printf '[submodule \"sub\"]\\n path = sub\\n url = ./sub\\n update = !%s\\n' $PAYLOAD > sub.gitmodules"
    ),
    "gitlink_in_the_index": (
        "git update-index --add --cacheinfo 160000,$(git rev-parse HEAD),vendor/lib;"
        "git -c user.name=a -c user.email=a@example.invalid commit -qm x; git ls-tree -r HEAD | grep -q ^160000 || exit 9;"
        "mkdir -p .git/modules/vendor/lib; git config submodule.vendor/lib.url $WORK/runner/repository.git;"
        "git config submodule.vendor/lib.update !$PAYLOAD; git config submodule.recurse true"
    ),
    "programs_in_the_work_tree_and_home": (
        "mkdir -p bin ~/bin ~/.local/bin; for p in git python python3 setpriv prlimit choom sh; do"
        " cp $PAYLOAD $p; cp $PAYLOAD bin/$p; cp $PAYLOAD ~/bin/$p; cp $PAYLOAD ~/.local/bin/$p; done;"
        "printf '*\\n!KEPT.md\\n' > .gitignore"
    ),
    "python_files": (
        "code='import os; os.system(\"'$PAYLOAD' < /dev/null\")';"
        'for m in sitecustomize usercustomize runner json boto3 evil; do echo "$code" > $m.py; done;'
        "d=$(python3 -c 'import site; print(site.getusersitepackages())'); mkdir -p $d; echo \"$code\" > $d/x.pth;"
        "echo \"$code\" > $d/usercustomize.py; printf 'home = /\\n' > pyvenv.cfg; printf '*\\n!KEPT.md\\n' > .gitignore"
    ),
    "shell_and_loader_files": (
        "for f in .profile .bashrc .bash_profile .zshenv; do cp $PAYLOAD ~/$f; done;"
        "echo $PAYLOAD > ~/ld.so.preload; export LD_PRELOAD=$PAYLOAD GIT_DIR=/ GIT_EXEC_PATH=$HOME 2>/dev/null;"
        "unset LD_PRELOAD"
    ),
    "forged_git_author": (
        "git config user.name 'Somebody Else'; git config user.email somebody@example.invalid;"
        "export GIT_AUTHOR_NAME=root GIT_AUTHOR_EMAIL=root@example.invalid; echo 'Outsider <e@e> <1+pullwright>' > .mailmap;"
        "git add -A; git commit -qm 'x' --author='Maintainer <maintainer@example.invalid>'; printf '*\\n!KEPT.md\\n' > .gitignore;"
        "rm .mailmap"
    ),
}

FOR_A_STARTING_PROGRAM = ("programs_in_the_work_tree_and_home", "python_files", "shell_and_loader_files")
"""They wait for modules and variables that a program reads when it starts."""

REFUSED = {
    "workflow": ("mkdir -p .github/workflows; echo x > .github/workflows/x.yml", "workflow"),
    "workflow_in_capitals": ("mkdir -p .GitHub/Workflows; echo x > .GitHub/Workflows/x.yml", "workflow"),
    "link_to_the_runner": ("ln -s ../../runner/runner.log log", "points outside"),
    "link_to_environ": ("ln -s /proc/self/environ e", "points outside"),
    "name_with_a_line_end": ("echo x > \"$(printf 'a\\nb')\"", "control characters"),
    "name_with_an_escape": ("echo x > \"$(printf 'a\\033[2Kb')\"", "control characters"),
    "name_read_backwards": ("echo x > \"$(printf 'a\\342\\200\\256txt.exe')\"", "control characters"),
    "name_with_a_zero_width_space": ("echo x > \"$(printf 'a\\342\\200\\213b')\"", "nobody sees"),
    "name_with_a_hangul_filler": ("echo x > \"$(printf 'a\\343\\205\\244')\"", "nobody sees"),
    "name_that_is_no_utf8": ("echo x > \"$(printf 'a\\377')\"", "nobody sees"),
    "name_that_ends_with_a_space": ("echo x > 'README.md '", "begins or ends with a space"),
    "name_that_is_another_in_capitals": ("echo x > readme.MD", "is the same as"),
    "folder_that_is_another_in_capitals": ("mkdir SRC; echo x > SRC/new.py", "is the same as"),
    "short_name_of_windows": ("mkdir -p GITHUB~1; echo x > GITHUB~1/x", "short form"),
    "link_through_a_link": (
        "mkdir -p a/b; ln -s . a/b/here; ln -s a/b/here/../../../x out",
        "points outside",
    ),
    "link_through_its_own_folder": ("ln -s src s; mkdir d; ln -s ../s/../../x d/out", "points outside"),
    "link_through_a_link_in_capitals": (
        "mkdir -p d/e; ln -s ../.. d/e/up; ln -s d/e/UP/../x out",
        "points outside",
    ),
    "link_into_git_through_a_link": ("mkdir d; ln -s .. d/up; ln -s d/up/.git/hooks out", "git's own folder"),
    "link_with_backslashes": ("ln -s '..\\..\\x' out", "points outside"),
    "link_to_a_drive": ("ln -s C:/x out", "points outside"),
    "links_without_an_end": ("ln -s b a; ln -s a b", "without an end"),
    "workflows_as_a_link": ("mkdir ci .github; echo x > ci/x.yml; ln -s ../ci .github/workflows", "workflow"),
    "github_as_a_link": ("mkdir -p ci/workflows; echo x > ci/workflows/x.yml; ln -s ci .github", "workflow"),
    "large_file": ("truncate -s 120M big.txt", "100 MiB"),
}
