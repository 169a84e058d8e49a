#!/usr/bin/env bash
# The same binary against another server that speaks AWS's protocols, and knows only part of them.
# moto exports within one account only, and writes no manifest: the end must be a clear message.
# Usage: moto.sh path/to/tableferry   (with moto_server on the PATH)
set -euo pipefail

tableferry=$(realpath "$1")
work=$(mktemp -d)
server=
trap '[ -z "$server" ] || kill "$server" 2>/dev/null || true; rm -rf "$work"' EXIT
fail() { printf 'FAILED: %s\n' "$*" >&2; exit 1; }

port=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
moto_server -H 127.0.0.1 -p "$port" >"$work/moto.log" 2>&1 &
server=$!
for _ in $(seq 150); do
  python3 -c "import socket; socket.create_connection(('127.0.0.1', $port), 1)" 2>/dev/null && break
  sleep 0.2
done

export HOME="$work" AWS_EC2_METADATA_DISABLED=true AWS_PAGER= TABLEFERRY_STATE_DIR="$work/state"
export AWS_CONFIG_FILE="$work/config" AWS_SHARED_CREDENTIALS_FILE="$work/credentials"
unset AWS_ACCESS_KEY_ID AWS_SECRET_ACCESS_KEY AWS_SESSION_TOKEN AWS_PROFILE 2>/dev/null || true
cat >"$AWS_CONFIG_FILE" <<CONFIG
[profile other]
region = eu-west-1
endpoint_url = http://127.0.0.1:$port
CONFIG
cat >"$AWS_SHARED_CREDENTIALS_FILE" <<CREDENTIALS
[other]
aws_access_key_id = testing
aws_secret_access_key = testing
CREDENTIALS
printf '[poll]\nfirst_seconds = 1\n' >"$work/config.toml"
cat >"$work/plan.toml" <<PLAN
[source]
profile = "other"
[destination]
profile = "other"
bucket = "landing"
prefix = "prod"
[[tables]]
name = "Orders"
PLAN

aws=(aws --profile other)
"${aws[@]}" s3api create-bucket --bucket landing --create-bucket-configuration LocationConstraint=eu-west-1 >/dev/null
"${aws[@]}" dynamodb create-table --table-name Orders --billing-mode PAY_PER_REQUEST \
  --attribute-definitions AttributeName=id,AttributeType=S --key-schema AttributeName=id,KeyType=HASH >/dev/null

run() { timeout 120 "$tableferry" run "$work/plan.toml" --config "$work/config.toml" --yes "$@" 2>&1; }

set +e
out=$(run); status=$?
set -e
[ "$status" -eq 3 ] || fail "point-in-time recovery is off: exit $status, not 3: $out"
case "$out" in *"point-in-time recovery is not enabled"*) ;; *) fail "the reason is not told: $out" ;; esac
printf 'ok 1 - point-in-time recovery that is off is told before the start\n'

"${aws[@]}" dynamodb update-continuous-backups --table-name Orders \
  --point-in-time-recovery-specification PointInTimeRecoveryEnabled=true >/dev/null
set +e
out=$(run); status=$?
set -e
case "$out" in *panicked*) fail "$out" ;; esac
[ "$status" -eq 1 ] || fail "an export without a manifest does not verify: exit $status, not 1: $out"
case "$out" in *manifest*) ;; *) fail "the missing manifest is not told: $out" ;; esac
printf 'ok 2 - an export without a manifest ends in a clear message\n'
printf '2 passed, 0 failed\n'
