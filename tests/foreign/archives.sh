#!/usr/bin/env bash
# What `tableferry athena` writes, judged by a SQL parser that knows Hive's words (sqlglot), and Ion, read by
# Amazon's reader for Python.
# Usage: archives.sh path/to/tableferry   (with a python that has sqlglot and amazon.ion on the PATH)
set -euo pipefail

tableferry=$(realpath "$1")
here=$(dirname "$(realpath "$0")")
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
export HOME="$work" AWS_EC2_METADATA_DISABLED=true
unset AWS_ACCESS_KEY_ID AWS_SECRET_ACCESS_KEY AWS_SESSION_TOKEN AWS_PROFILE AWS_REGION AWS_DEFAULT_REGION 2>/dev/null || true

passed=0
fail() { printf 'FAILED: %s\n' "$*" >&2; exit 1; }
pass() { passed=$((passed + 1)); printf 'ok %d - %s\n' "$passed" "$*"; }
sandbox() { "$tableferry" --sandbox --sandbox-job 0.2 --sandbox-state "$work/world.json" "$@"; }

# exported NAME [LINE...]: runs a plan of one table, and prints the run's number
runs=0
exported() {
  local name=$1
  shift
  {
    printf '[source]\nprofile = "prod-oncall"\n[destination]\nprofile = "dev-admin"\n'
    printf 'bucket = "export-landing"\nprefix = "foreign"\n[[tables]]\nname = "%s"\n' "$name"
    printf '%s\n' "$@"
  } >"$work/plan.toml"
  sandbox run --yes "$work/plan.toml" >"$work/ran" 2>&1 || fail "the run of $name: $(cat "$work/ran")"
  runs=$((runs + 1))
}

# queried NAME: the statements of the last run are read
queried() {
  sandbox athena "$runs" >"$work/athena.sql" 2>"$work/told" || fail "athena for $1: $(cat "$work/told")"
  python "$here/archives.py" statements "$work/athena.sql" || fail "the statements for $1: $(cat "$work/athena.sql")"
  pass "athena: $1"
}

for table in Orders Users Events; do
  exported "$table"
  queried "$table"
done
from=$(date -u -d '2 hours ago' +%Y-%m-%dT%H:%M:00Z)
to=$(date -u -d '1 hour ago' +%Y-%m-%dT%H:%M:00Z)
exported Orders 'type = "INCREMENTAL_EXPORT"' "from = \"$from\"" "to = \"$to\""
queried "Orders, changes"
grep -q SymlinkTextInputFormat "$work/athena.sql" || fail "no list of files: $(cat "$work/athena.sql")"

# Ion, by Amazon's reader for Python: what is fetched as plain JSON is what it reads.
read_by_both() {
  local name=$1
  sandbox verify "$runs" --deep >"$work/told" 2>&1 || fail "verify of $name: $(cat "$work/told")"
  sandbox fetch "$runs" "$work/ion-$runs" >"$work/told" 2>&1 || fail "fetch of $name: $(cat "$work/told")"
  sandbox fetch "$runs" "$work/plain-$runs" --as json >"$work/told" 2>&1 || fail "fetch of $name: $(cat "$work/told")"
  python "$here/archives.py" same "$work/ion-$runs" "$work/plain-$runs" || fail "Ion of $name is read otherwise"
  pass "Ion: $name"
}
exported Users 'format = "ION"'
read_by_both "Users"
queried "Users in Ion"
exported Events 'format = "ION"' 'type = "INCREMENTAL_EXPORT"' "from = \"$from\"" "to = \"$to\""
read_by_both "Events, changes"

# Names that differ in case only, hold dots and signs, or are words of SQL.
python "$here/archives.py" write "$work/hard"
sandbox athena "$work/hard" >"$work/athena.sql" 2>"$work/told" || fail "athena of a directory: $(cat "$work/told")"
python "$here/archives.py" statements "$work/athena.sql" || fail "the statements: $(cat "$work/athena.sql")"
grep -q "'case.insensitive' = 'FALSE'" "$work/athena.sql" || fail "case is not kept: $(cat "$work/athena.sql")"
pass "athena: names that are hard to write"

# The judge does refuse.
sed 's/EXTERNAL TABLE/EXTERNAL TABEL/' "$work/athena.sql" >"$work/wrong.sql"
! python "$here/archives.py" statements "$work/wrong.sql" 2>"$work/told" || fail "wrong statements were taken"
pass "wrong statements are refused"

printf '%d passed, 0 failed\n' "$passed"
