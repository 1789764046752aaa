#!/usr/bin/env bash
# Says how the dev box is, and stops it once nobody has used it for IDLE_MINUTES. A timer runs it every five minutes.
#
# In use means: a session of Session Manager (which SSH, VS Code and forwarded ports come through), a login, a
# container, a build, or load. It reads IDLE_MINUTES (0: never stop), LOG_GROUP, AWS_REGION and DEVBOX_STACK.
set -euo pipefail

RUN=${RUN:-/run/pullwright-devbox}
HOMES=${HOMES:-/home}
LOAD_FILE=${LOAD_FILE:-/proc/loadavg}
DISK=${DISK:-/}
LEAST_LOAD=0.5
FULL_PERCENT=85

in_use() {
  if pgrep --full '(^|/)ssm-session-worker( |$)' >/dev/null; then echo session; fi
  if [ -n "$(who)" ]; then echo login; fi
  if [ -n "$(timeout 20 docker ps --quiet 2>/dev/null)" ]; then echo container; fi
  if pgrep --full '(^|/)(docker-buildx|docker)( .*)? (build|bake)( |$)' >/dev/null; then echo build; fi
  # The mean of five minutes, which is how often this runs.
  if awk -v least="$LEAST_LOAD" '{ exit !($2 >= least) }' "$LOAD_FILE"; then echo load; fi
}

event() {
  python3 -c 'import json, sys, time
print(json.dumps([{"timestamp": int(time.time() * 1000), "message": sys.argv[1]}]))' "$1"
}

# What only this disk has: a line for each repository.
unpushed() {
  local found repository owner changed ahead stashed
  for found in "$HOMES"/*/*/.git; do
    [ -d "$found" ] || continue
    repository=$(dirname "$found")
    owner=$(stat --format %U "$found")
    # As its owner: git refuses repositories of others, and runs nothing of theirs as root.
    as() { if [ "$owner" = "$(id -un)" ]; then "$@"; else runuser --user "$owner" -- "$@"; fi; }
    changed=$(as git -C "$repository" status --porcelain | wc -l)
    ahead=$(as git -C "$repository" log --oneline --branches --not --remotes | wc -l)
    stashed=$(as git -C "$repository" stash list | wc -l)
    if [ $((changed + ahead + stashed)) -gt 0 ]; then
      echo "$repository: $changed changed files, $ahead commits, $stashed stashes"
    fi
  done
}

install -d -m 0755 "$RUN"
active=$(in_use | paste -sd, -)
if [ -n "$active" ] || [ ! -e "$RUN/used" ]; then touch "$RUN/used"; fi
idle=$((($(date +%s) - $(stat --format %Y "$RUN/used")) / 60))
used=$(df --output=pcent "$DISK" | tail -n 1 | tr -dc 0-9)
if [ "$used" -gt "$FULL_PERCENT" ]; then
  echo "The disk is $used % full: docker system prune --all, or a larger VolumeSize." >"$RUN/full-disk"
else
  rm -f "$RUN/full-disk"
fi
stop=false
if [ "${IDLE_MINUTES:-0}" -gt 0 ] && [ "$idle" -ge "$IDLE_MINUTES" ]; then stop=true; fi

line=$(unpushed | python3 -c '
import json, sys
active, idle, disk, stop = sys.argv[1:]
print(json.dumps({
    "active": [one for one in active.split(",") if one],
    "idle_minutes": int(idle),
    "disk_percent": int(disk),
    "unpushed": sys.stdin.read().splitlines(),
    "stopping": stop == "true",
}))
' "$active" "$idle" "$used" "$stop")
echo "$line"
if [ -n "${LOG_GROUP:-}" ]; then
  stream="$(cat /var/lib/cloud/data/instance-id 2>/dev/null || hostname)/status"
  aws logs create-log-stream --region "$AWS_REGION" --log-group-name "$LOG_GROUP" --log-stream-name "$stream" \
    2>/dev/null || true
  # A line or a figure that gets lost must not keep the box running.
  aws logs put-log-events --region "$AWS_REGION" --log-group-name "$LOG_GROUP" --log-stream-name "$stream" \
    --log-events "$(event "$line")" \
    >/dev/null || true
  aws cloudwatch put-metric-data --region "$AWS_REGION" --namespace Pullwright/DevBox --metric-name DiskUsedPercent \
    --dimensions "StackName=$DEVBOX_STACK" --unit Percent --value "$used" || true
fi
if [ "$stop" = true ]; then
  shutdown -h now "The dev box was not used for $idle minutes"
fi
