#!/usr/bin/env bash
# The same binary against another server that speaks AWS's protocols, and knows only part of them.
# moto exports within one account only, and writes no manifest: the end must be a clear message. It
# knows IAM, bucket and key policies across accounts, so that these are checked, fixed and undone.
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

cat >>"$AWS_CONFIG_FILE" <<CONFIG
[profile source]
region = eu-west-1
endpoint_url = http://127.0.0.1:$port
role_arn = arn:aws:iam::111111111111:role/teams/Exporter
source_profile = other
[profile destination]
region = eu-west-1
endpoint_url = http://127.0.0.1:$port
role_arn = arn:aws:iam::222222222222:role/Admin
source_profile = other
CONFIG
trust='{"Version":"2012-10-17","Statement":{"Effect":"Allow","Principal":{"AWS":"*"},"Action":"sts:AssumeRole"}}'
own='{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"dynamodb:*","Resource":"*"}}'
all='{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"*","Resource":"*"}}'
from=(aws --profile source) to=(aws --profile destination)
"${from[@]}" iam create-role --role-name Exporter --path /teams/ --assume-role-policy-document "$trust" >/dev/null
"${from[@]}" iam put-role-policy --role-name Exporter --policy-name Own --policy-document "$own"
"${to[@]}" iam create-role --role-name Admin --assume-role-policy-document "$trust" >/dev/null
"${to[@]}" iam put-role-policy --role-name Admin --policy-name All --policy-document "$all"
"${to[@]}" s3api create-bucket --bucket across --create-bucket-configuration LocationConstraint=eu-west-1 \
  --object-ownership BucketOwnerEnforced >/dev/null
key=$("${to[@]}" kms create-key --query KeyMetadata.Arn --output text)
"${from[@]}" dynamodb create-table --table-name Orders --billing-mode PAY_PER_REQUEST \
  --attribute-definitions AttributeName=id,AttributeType=S --key-schema AttributeName=id,KeyType=HASH >/dev/null
cat >"$work/across.toml" <<PLAN
[source]
profile = "source"
[destination]
profile = "destination"
bucket = "across"
prefix = "prod"
[encryption]
algorithm = "KMS"
key = "$key"
[[tables]]
name = "Orders"
PLAN

# The verdicts of `check` that begin with a word, as subjects.
verdicts() { { timeout 120 "$tableferry" check "$work/across.toml" 2>&1 || true; } | sed -n "s/^  $1 *//p"; }
denied=$(verdicts denied)
for subject in s3:PutObject kms:GenerateDataKey 'point-in-time recovery of Orders'; do
  case "$denied" in *"$subject"*) ;; *) fail "$subject is not denied: $denied" ;; esac
done
printf 'ok 3 - what is missing on both sides is named\n'

timeout 300 "$tableferry" apply "$work/across.toml" --yes \
  --allow identity-policy,bucket-policy,key-policy,recovery >"$work/apply.log" 2>&1 || true
denied=$(verdicts denied)
[ -z "$denied" ] || fail "the remedies leave $denied: $(cat "$work/apply.log")"
policy=$("${to[@]}" s3api get-bucket-policy --bucket across --query Policy --output text)
case "$policy" in
  *arn:aws:iam::111111111111:role/teams/Exporter*) ;;
  *) fail "the bucket policy does not name the role: $policy" ;;
esac
printf 'ok 4 - the remedies are written, and fix it\n'

for change in $(timeout 60 "$tableferry" apply --list | awk '{ print $1 }'); do
  timeout 120 "$tableferry" undo "$change" --yes >>"$work/undo.log" 2>&1 || true
done
! "${to[@]}" s3api get-bucket-policy --bucket across >/dev/null 2>&1 || fail 'a bucket policy is left'
names=$("${from[@]}" iam list-role-policies --role-name Exporter --output text)
case "$names" in *tableferry*) fail "an inline policy is left: $names" ;; esac
policy=$("${to[@]}" kms get-key-policy --key-id "$key" --policy-name default --output text)
case "$policy" in *Tableferry*) fail "a statement is left in the key policy: $policy" ;; esac
recovery=$("${from[@]}" dynamodb describe-continuous-backups --table-name Orders --output text)
case "$recovery" in
  *ENABLED*) ;;
  *) fail "point-in-time recovery was switched off, though nobody named it: $recovery" ;;
esac
printf 'ok 5 - the changes are undone, and the recovery window is kept\n'
printf '5 passed, 0 failed\n'
