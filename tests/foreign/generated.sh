#!/usr/bin/env bash
# What `tableferry policies` writes, judged by others: templates by cfn-lint, Terraform by python-hcl2,
# and the commands by running them with the AWS CLI against `tableferry sandbox serve`, after which
# `tableferry check` must be clean. The commands of `run --dry-run` are run there too.
# Usage: generated.sh path/to/tableferry   (with aws, cfn-lint and python-hcl2's python on the PATH)
set -euo pipefail

tableferry=$(realpath "$1")
here=$(dirname "$(realpath "$0")")
plans=$here/../../assets/plans
work=$(mktemp -d)
server=
trap '[ -z "$server" ] || kill "$server" 2>/dev/null || true; rm -rf "$work"' EXIT

export HOME="$work" AWS_EC2_METADATA_DISABLED=true TABLEFERRY_STATE_DIR="$work/state"
export AWS_CONFIG_FILE="$work/config" AWS_SHARED_CREDENTIALS_FILE="$work/credentials"
unset AWS_ACCESS_KEY_ID AWS_SECRET_ACCESS_KEY AWS_SESSION_TOKEN AWS_PROFILE AWS_REGION AWS_DEFAULT_REGION 2>/dev/null || true
# cfn-lint must know the Region that it judges for, and asks nobody.
export AWS_DEFAULT_REGION=eu-west-1

passed=0
fail() { printf 'FAILED: %s\n' "$*" >&2; exit 1; }
pass() { passed=$((passed + 1)); printf 'ok %d - %s\n' "$passed" "$*"; }
judge() { python "$here/generated.py" "$@" || fail "generated.py $*"; }

"$tableferry" sandbox serve --port 0 --sandbox-job 1 >"$work/served" 2>"$work/errors" &
server=$!
for _ in $(seq 100); do
  grep -q '^# ---- ready' "$work/served" 2>/dev/null && break
  kill -0 "$server" 2>/dev/null || fail "the server ended: $(cat "$work/errors")"
  sleep 0.1
done
awk '/AWS_CONFIG_FILE names/{f=1;next} /AWS_SHARED_CREDENTIALS_FILE names/{f=0} f' "$work/served" >"$AWS_CONFIG_FILE"
awk '/AWS_SHARED_CREDENTIALS_FILE names/{f=1;next} /---- ready/{f=0} f' "$work/served" >"$AWS_SHARED_CREDENTIALS_FILE"

# policies OUT ARGUMENT...: writes a document of the plan; 0 and 5 are no refusals, nor is 3 for what
# is missing in an account that was left out
policies() {
  local out=$1 status=0
  shift
  "$tableferry" policies "$work/plan.toml" "$@" >"$out" 2>"$out.told" || status=$?
  case $status in
    0 | 5) return ;;
    3) ! grep -q '^this is not all' "$out.told" || return 0 ;;
  esac
  fail "policies $* ends with $status: $(cat "$out.told")"
}

# documents NAME [--all]: both kinds of documents hold what the JSON tells, and the linters take them
documents() {
  local name=$1 account
  shift
  policies "$work/remedies.json" --as json "$@"
  policies "$work/main.tf" --as terraform "$@"
  judge terraform "$work/remedies.json" "$work/main.tf"
  for account in 111111111111 222222222222; do
    policies "$work/$account.yaml" --as cloudformation --account "$account" "$@"
    [ ! -s "$work/$account.yaml" ] || cfn-lint "$work/$account.yaml" || fail "cfn-lint refuses $name in $account"
  done
  judge template "$work/remedies.json" "$work/111111111111.yaml" "$work/222222222222.yaml"
  pass "$name${*:+ $*}: cfn-lint takes the templates, python-hcl2 reads the Terraform"
}

# fixed NAME [ARGUMENT...]: the commands run as printed, and the plan is clean afterwards
fixed() {
  local name=$1 status=0
  shift
  policies "$work/script.sh" --as cli "$@"
  sh "$work/script.sh" >"$work/ran" 2>&1 || fail "the commands for $name: $(cat "$work/ran" "$work/script.sh")"
  "$tableferry" check "$work/plan.toml" --output json >"$work/checked" || status=$?
  case $status in 0 | 5) ;; *) fail "check of $name ends with $status: $(cat "$work/checked")" ;; esac
  judge clean "$work/checked"
  pass "$name${*:+ $*}: the commands run as printed, and check is clean"
}

# The plan's identities may not change their own account: an administrator of it runs the commands.
export SOURCE_PROFILE=prod-admin
# An inventory: the bucket policy as a template, and the bucket with its configuration.
cp "$plans/inventory.toml" "$work/plan.toml"
documents inventory
fixed inventory
"$tableferry" inventory show "$work/plan.toml" --as cloudformation >"$work/bucket.yaml" 2>"$work/told"
cfn-lint "$work/bucket.yaml" || fail "cfn-lint refuses the bucket: $(cat "$work/bucket.yaml")"
pass "inventory: cfn-lint takes the bucket with its InventoryConfigurations"

for name in no-grant key-without-grant deny pitr-off may-not-export; do
  cp "$plans/$name.toml" "$work/plan.toml"
  documents "$name"
  documents "$name" --all
  # Whether the table's own policy allows the export is not read, so that it counts as missing by --all.
  [ "$name" = may-not-export ] && all=--all || all=
  fixed "$name" $all
done

# A role of Identity Center is named by its account and a pattern.
sed 's/prod-oncall/prod-sso/; s/export-landing/export-nopolicy/' "$plans/key-without-grant.toml" >"$work/plan.toml"
documents identity-center
documents identity-center --all
fixed identity-center

# Run again, the commands find what they wrote and change nothing.
sh "$work/script.sh" >"$work/ran" 2>&1 || fail "the commands a second time: $(cat "$work/ran")"
pass "the commands can be run twice"

# A policy that somebody changed in between is not overwritten.
cp "$plans/no-grant.toml" "$work/plan.toml"
dev=(aws --profile dev-admin)
"${dev[@]}" s3api delete-bucket-policy --bucket export-nopolicy
policies "$work/script.sh" --as cli
theirs='{"Version":"2012-10-17","Statement":[{"Sid":"Theirs","Effect":"Deny","Principal":"*","Action":"s3:DeleteObject","Resource":"arn:aws:s3:::export-nopolicy/${aws:username}/%{x}/*"}]}'
"${dev[@]}" s3api put-bucket-policy --bucket export-nopolicy --policy "$theirs"
sh "$work/script.sh" >"$work/ran" 2>&1 && fail "a policy was overwritten: $(cat "$work/ran")"
grep -q 'stopped: the policy was changed since it was read' "$work/ran" || fail "the reason is not told: $(cat "$work/ran")"
[ "$("${dev[@]}" s3api get-bucket-policy --bucket export-nopolicy --query Policy --output text)" = "$theirs" ] || fail "the policy is another"
pass "a policy that was changed in between is not overwritten"

# What Terraform would take for a template in that policy reaches AWS as it stands.
documents policy-variables
grep -q 'export-nopolicy/$${aws:username}/%%{x}/' "$work/main.tf" || fail "no variable: $(cat "$work/main.tf")"

# Nor does anything happen in an account that is not the one that is meant.
DESTINATION_PROFILE=partner-admin sh "$work/script.sh" >"$work/ran" 2>&1 && fail "the wrong account was changed: $(cat "$work/ran")"
grep -q 'stopped: profile partner-admin signs in to 333333333333' "$work/ran" || fail "the reason is not told: $(cat "$work/ran")"
pass "a profile of another account is refused"

# by_hand NAME: the commands of a dry run, as they are printed; 0 and 5 are no refusals
by_hand() {
  local status=0
  "$tableferry" run --dry-run "$work/plan.toml" >"$work/dry" 2>&1 || status=$?
  case $status in 0 | 5) ;; *) fail "the dry run of $1 ends with $status: $(cat "$work/dry")" ;; esac
  sed '1,/^# The same by hand/d' "$work/dry" >"$work/by-hand.sh"
  [ -s "$work/by-hand.sh" ] || fail "no commands for $1: $(cat "$work/dry")"
}

# started NAME [CODE]: the commands start the export, and print no secret
started() {
  printf '%s\n' "${2:-}" | sh "$work/by-hand.sh" >"$work/ran" 2>"$work/ran.err" ||
    fail "the commands for $1: $(cat "$work/ran" "$work/ran.err" "$work/by-hand.sh")"
  grep -q '"ExportStatus": "IN_PROGRESS"' "$work/ran" || fail "no export for $1: $(cat "$work/ran")"
  ! grep -qiE 'secret|token-|ASIA' "$work/ran.err" || fail "a secret is printed: $(cat "$work/ran.err")"
  pass "by hand: $1"
}

# A profile by itself, then the same profile by a name that begins with a hyphen.
cp "$plans/one-table.toml" "$work/plan.toml"
by_hand profile
started profile
sed 's/\[profile prod-oncall\]/[profile -dev]/' "$AWS_CONFIG_FILE" >"$work/hyphen"
sed 's/prod-oncall/-dev/' "$plans/one-table.toml" >"$work/plan.toml"
AWS_CONFIG_FILE="$work/hyphen" by_hand hyphen
AWS_CONFIG_FILE="$work/hyphen" started "a profile named -dev"

# A role of the plan, which the profile alone is not: the partner may export with the external id only.
cat >"$work/plan.toml" <<'PLAN'
[source]
profile = "partner-admin"
role = "arn:aws:iam::111111111111:role/partners/PartnerExporter"
external_id = "ferry-4711"
session_name = "by-hand"
duration_seconds = 900

[destination]
profile = "dev-admin"
bucket = "export-landing"
owner = "222222222222"
prefix = "prod"

[[tables]]
name = "Orders"

[[tables]]
name = "Users"
PLAN
by_hand role
cp "$work/by-hand.sh" "$work/with-id.sh"
sed '/--external-id/d' "$work/with-id.sh" >"$work/by-hand.sh"
sh "$work/by-hand.sh" >"$work/ran" 2>&1 && fail "the role was not assumed: $(cat "$work/ran")"
grep -q 'sts:AssumeRole' "$work/ran" || fail "the refusal is another: $(cat "$work/ran")"
cp "$work/with-id.sh" "$work/by-hand.sh"
started "a role with an external id"

# A device's code is asked for before; a wrong one starts nothing.
sed -i 's/partner-admin/prod-admin/; s/partners.PartnerExporter/MfaExporter/; /external_id/d' "$work/plan.toml"
sed -i 's|^duration_seconds.*|mfa_serial = "arn:aws:iam::111111111111:mfa/prod-admin"|' "$work/plan.toml"
code='123456'
cat >"$work/answers.py" <<'PTY'
import os, pty, sys
# Once: the commands that are printed hold the same question.
codes = [os.environ["CODE"].encode() + b"\n"]
def read(fd):
    data = os.read(fd, 65536)
    if b"mfa/prod-admin: " in data and codes:
        os.write(fd, codes.pop())
    return data
sys.exit(os.waitstatus_to_exitcode(pty.spawn(sys.argv[1:], read)))
PTY
status=0
CODE=$code python "$work/answers.py" "$tableferry" run --dry-run "$work/plan.toml" >"$work/dry" 2>&1 || status=$?
case $status in 0 | 5) ;; *) fail "the dry run with a code ends with $status: $(cat "$work/dry")" ;; esac
tr -d '\r' <"$work/dry" | sed '1,/^# The same by hand/d' >"$work/by-hand.sh"
printf '999999\n' | sh "$work/by-hand.sh" >"$work/ran" 2>&1 && fail "a wrong code was taken: $(cat "$work/ran")"
! grep -q ExportStatus "$work/ran" || fail "a wrong code started an export: $(cat "$work/ran")"
started "a role with a device's code" "$code"

printf '%d passed, 0 failed\n' "$passed"
