#!/usr/bin/env bash
# The AWS CLI against `tableferry sandbox serve`: the calls that an operator would try by hand.
# Usage: awscli.sh path/to/tableferry   (with the AWS CLI on the PATH)
set -euo pipefail

tableferry=$(realpath "$1")
work=$(mktemp -d)
server=
trap '[ -z "$server" ] || kill "$server" 2>/dev/null || true; rm -rf "$work"' EXIT

export HOME="$work" AWS_EC2_METADATA_DISABLED=true AWS_PAGER=
export AWS_CONFIG_FILE="$work/config" AWS_SHARED_CREDENTIALS_FILE="$work/credentials"
unset AWS_ACCESS_KEY_ID AWS_SECRET_ACCESS_KEY AWS_SESSION_TOKEN AWS_PROFILE AWS_REGION AWS_DEFAULT_REGION 2>/dev/null || true

passed=0
fail() { printf 'FAILED: %s\n' "$*" >&2; exit 1; }
pass() { passed=$((passed + 1)); printf 'ok %d - %s\n' "$passed" "$*"; }
# contains WHAT TEXT: the text holds the words
contains() { case "$2" in *"$1"*) ;; *) fail "no '$1' in: $2" ;; esac; }

"$tableferry" sandbox serve --port 0 --sandbox-job 1 --write-files "$work" >"$work/served" 2>"$work/errors" &
server=$!
for _ in $(seq 100); do
  grep -q '^# ---- ready' "$work/served" 2>/dev/null && break
  kill -0 "$server" 2>/dev/null || fail "the server ended: $(cat "$work/errors")"
  sleep 0.1
done

prod=(aws --profile prod-oncall)
dev=(aws --profile dev-admin)

contains 111111111111 "$("${prod[@]}" sts get-caller-identity)"
contains 222222222222 "$("${dev[@]}" sts get-caller-identity)"
pass "get-caller-identity tells both accounts"

role=$("${prod[@]}" configure get role_arn)
contains ASIA "$(aws --profile prod-admin sts assume-role --role-arn "$role" --role-session-name by-hand)"
pass "assume-role gives a session's keys"

contains Orders "$("${prod[@]}" dynamodb list-tables || aws --profile prod-admin dynamodb list-tables)"
contains '"TableName": "Orders"' "$("${prod[@]}" dynamodb describe-table --table-name Orders)"
pass "list-tables and describe-table show Orders"

table=$("${prod[@]}" dynamodb describe-table --table-name Orders --query Table.TableArn --output text)
export_arn=$("${prod[@]}" dynamodb export-table-to-point-in-time --table-arn "$table" \
  --s3-bucket export-landing --s3-bucket-owner 222222222222 --s3-prefix by-hand \
  --query ExportDescription.ExportArn --output text)
contains "$table/export/" "$export_arn"
pass "export-table-to-point-in-time into the other account's bucket starts"

for _ in $(seq 100); do
  status=$("${prod[@]}" dynamodb describe-export --export-arn "$export_arn" --query ExportDescription.ExportStatus --output text)
  [ "$status" = IN_PROGRESS ] || break
  sleep 0.3
done
[ "$status" = COMPLETED ] || fail "the export is $status: $("${prod[@]}" dynamodb describe-export --export-arn "$export_arn")"
pass "describe-export results in COMPLETED"

contains "$export_arn" "$("${prod[@]}" dynamodb list-exports --table-arn "$table")"
pass "list-exports shows it"

id=${export_arn##*/}
"${dev[@]}" s3 cp --quiet "s3://export-landing/by-hand/AWSDynamoDB/$id/manifest-summary.json" "$work/summary.json"
"${dev[@]}" s3 cp --quiet "s3://export-landing/by-hand/AWSDynamoDB/$id/manifest-files.json" "$work/files.json"
python3 - "$work" <<'PY'
import json, sys
work = sys.argv[1]
summary = json.load(open(f"{work}/summary.json"))
files = [json.loads(line) for line in open(f"{work}/files.json") if line.strip()]
assert summary["itemCount"] == sum(file["itemCount"] for file in files), (summary, files)
assert len(files) > 1 and any(file["itemCount"] == 0 for file in files), files
PY
pass "s3 cp fetches both manifests, and their counts agree"

"${dev[@]}" s3api get-bucket-policy --bucket export-landing --query Policy --output text >"$work/policy.json"
"${dev[@]}" s3api put-bucket-policy --bucket export-landing --policy "file://$work/policy.json"
contains Statement "$("${dev[@]}" s3api get-bucket-policy --bucket export-landing)"
pass "get-bucket-policy and put-bucket-policy"

# As the program prints them for what a probe may have left.
place=(--bucket export-landing --expected-bucket-owner 222222222222)
key=AWSDynamoDB/tableferry-probe-by-hand/data/probe.json.gz
upload=$("${dev[@]}" s3api create-multipart-upload "${place[@]}" --key "$key" --query UploadId --output text)
contains "$upload" "$("${dev[@]}" s3api list-multipart-uploads "${place[@]}" --prefix "$key")"
"${dev[@]}" s3api abort-multipart-upload "${place[@]}" --key "$key" --upload-id "$upload"
left=$("${dev[@]}" s3api list-multipart-uploads "${place[@]}" --prefix "$key" --query 'length(Uploads || `[]`)')
[ "$left" = 0 ] || fail "$left uploads are left"
pass "list-multipart-uploads shows an upload, and abort-multipart-upload removes it"

contains arn:aws:kms:eu-west-1:222222222222:key/ "$("${dev[@]}" kms describe-key --key-id alias/exports)"
pass "describe-key"

# Signed for eu-west-1, the CLI is told of eu-central-1 and goes there by itself.
"${dev[@]}" s3api get-bucket-ownership-controls --bucket export-frankfurt >/dev/null
pass "a bucket of another Region is found by the Region that the refusal names"

echo x >"$work/x"
refusal=$("${prod[@]}" s3 cp "$work/x" s3://export-landing/by-hand/x --acl public-read 2>&1 || true)
contains AccessControlListNotSupported "$refusal"
pass "an enforced bucket refuses --acl public-read"

refusal=$("${dev[@]}" iam list-users 2>&1 || true)
contains "tableferry's sandbox does not play the operation ListUsers" "$refusal"
pass "what the sandbox does not play is named"

refusal=$("${prod[@]}" s3api get-bucket-policy --bucket export-landing 2>&1 || true)
contains AccessDenied "$refusal"
pass "who has no right is refused"

# A copy: a table is made, written and exported here, and the export is imported there.
admin=(aws --profile prod-admin)
"${admin[@]}" dynamodb create-table --table-name By-hand --billing-mode PAY_PER_REQUEST \
  --attribute-definitions AttributeName=pk,AttributeType=S --key-schema AttributeName=pk,KeyType=HASH >/dev/null
"${admin[@]}" dynamodb wait table-exists --table-name By-hand
for key in a b c; do
  "${admin[@]}" dynamodb put-item --table-name By-hand --item "{\"pk\":{\"S\":\"$key\"},\"n\":{\"N\":\"1.50\"}}"
done
"${admin[@]}" dynamodb update-continuous-backups --table-name By-hand \
  --point-in-time-recovery-specification PointInTimeRecoveryEnabled=true >/dev/null
contains '"Count": 3' "$("${admin[@]}" dynamodb scan --table-name By-hand)"
pass "create-table, put-item and scan"

by_hand=$("${admin[@]}" dynamodb describe-table --table-name By-hand --query Table.TableArn --output text)
export_arn=$("${admin[@]}" dynamodb export-table-to-point-in-time --table-arn "$by_hand" \
  --s3-bucket export-landing --s3-bucket-owner 222222222222 --query ExportDescription.ExportArn --output text)
for _ in $(seq 100); do
  status=$("${admin[@]}" dynamodb describe-export --export-arn "$export_arn" --query ExportDescription.ExportStatus --output text)
  [ "$status" = IN_PROGRESS ] || break
  sleep 0.3
done
[ "$status" = COMPLETED ] || fail "the export is $status"
# imported NAME PREFIX TABLE: the import's last status
imported() {
  local arn
  arn=$("${dev[@]}" dynamodb import-table --input-format DYNAMODB_JSON --input-compression-type GZIP \
    --s3-bucket-source "S3Bucket=export-landing,S3KeyPrefix=$1" \
    --table-creation-parameters "TableName=$2,BillingMode=PAY_PER_REQUEST,AttributeDefinitions=[{AttributeName=pk,AttributeType=S}],KeySchema=[{AttributeName=pk,KeyType=HASH}]" \
    --query ImportTableDescription.ImportArn --output text)
  for _ in $(seq 100); do
    status=$("${dev[@]}" dynamodb describe-import --import-arn "$arn" --query ImportTableDescription.ImportStatus --output text)
    [ "$status" = IN_PROGRESS ] || break
    sleep 0.3
  done
  echo "$status $arn"
}
id=${export_arn##*/}
read -r status import_arn <<<"$(imported "AWSDynamoDB/$id/data/" By-hand-copy)"
[ "$status" = COMPLETED ] || fail "the import is $status"
items() { "$@" --query 'sort_by(Items,&pk.S)' --output json; }
[ "$(items "${admin[@]}" dynamodb scan --table-name By-hand)" = "$(items "${dev[@]}" dynamodb scan --table-name By-hand-copy)" ] \
  || fail "the copy differs"
contains "$import_arn" "$("${dev[@]}" dynamodb list-imports)"
pass "import-table copies the items into the other account"

read -r status import_arn <<<"$(imported "AWSDynamoDB/$id/" By-hand-root)"
[ "$status" = FAILED ] || fail "the import of the export's root is $status"
contains ItemValidationError "$("${dev[@]}" dynamodb describe-import --import-arn "$import_arn")"
contains '"errorMessages"' "$("${dev[@]}" logs get-log-events --log-group-name /aws-dynamodb/imports \
  --log-stream-name "${import_arn##*/}/error" --query 'events[].message' --output text)"
contains "${import_arn##*/}/info" "$("${dev[@]}" logs describe-log-streams --log-group-name /aws-dynamodb/imports)"
contains /aws-dynamodb/imports "$("${dev[@]}" logs describe-log-groups)"
contains itemS3Pointer "$("${dev[@]}" logs filter-log-events --log-group-name /aws-dynamodb/imports \
  --log-stream-names "${import_arn##*/}/error")"
pass "the export's root as prefix fails, and the log says where"

# An inventory: the configuration and the policies go through the CLI and come back the same.
cat >"$work/inventory.toml" <<'PLAN'
kind = "inventory"
id = "by-hand"
fields = ["Size", "ETag"]

[source]
profile = "prod-admin"
region = "eu-west-1"
bucket = "orders-files"

[destination]
profile = "dev-admin"
bucket = "export-landing"
owner = "222222222222"
prefix = "inventory"
PLAN
source_admin=(aws --profile prod-admin --region eu-west-1)
landing=(--bucket export-landing --expected-bucket-owner 222222222222)
export TABLEFERRY_STATE_DIR="$work/state"
"$tableferry" apply "$work/inventory.toml" --yes --allow bucket-policy >"$work/applied" || fail "apply: $(cat "$work/applied")"
"${dev[@]}" s3api get-bucket-policy "${landing[@]}" --query Policy --output text >"$work/policy.json"
contains '"aws:SourceAccount"' "$(cat "$work/policy.json")"
"${dev[@]}" s3api put-bucket-policy "${landing[@]}" --policy "file://$work/policy.json"
"$tableferry" check "$work/inventory.toml" >"$work/checked" || fail "check: $(cat "$work/checked")"
pass "the bucket policy for S3 Inventory goes through get-bucket-policy and put-bucket-policy"

"$tableferry" inventory show "$work/inventory.toml" >"$work/wanted.json"
configuration=(--bucket orders-files --id by-hand)
"${source_admin[@]}" s3api put-bucket-inventory-configuration "${configuration[@]}" \
  --inventory-configuration "file://$work/wanted.json"
"${source_admin[@]}" s3api get-bucket-inventory-configuration "${configuration[@]}" \
  --query InventoryConfiguration >"$work/live.json"
python3 - "$work" <<'PY'
import json, sys
work = sys.argv[1]
wanted, live = (json.load(open(f"{work}/{name}.json")) for name in ("wanted", "live"))
assert wanted == live, (wanted, live)
PY
contains by-hand "$("${source_admin[@]}" s3api list-bucket-inventory-configurations --bucket orders-files)"
contains "nothing is changed" "$("$tableferry" inventory setup "$work/inventory.toml" --yes)"
"${source_admin[@]}" s3api delete-bucket-inventory-configuration "${configuration[@]}"
"$tableferry" inventory show "$work/inventory.toml" --as cli >"$work/put.sh"
sh "$work/put.sh"
contains "nothing is changed" "$("$tableferry" inventory setup "$work/inventory.toml" --yes)"
pass "the inventory configuration goes through put, get, list and delete-bucket-inventory-configuration"

for _ in $(seq 100); do
  reports=$("${dev[@]}" s3 ls --recursive s3://export-landing/inventory/orders-files/by-hand/ || true)
  case $reports in *manifest.checksum*) break ;; esac
  sleep 0.3
done
contains manifest.checksum "$reports"
contains verified "$("$tableferry" inventory status "$work/inventory.toml")"
pass "a report is delivered, and inventory status verifies it"

kill -INT "$server"
wait "$server" || fail "ctrl-c ended the server with status $?"
server=
pass "ctrl-c ends the server"
printf '%d passed, 0 failed\n' "$passed"
