"""What `policies` wrote for one plan, read by others: PyYAML, python-hcl2, and `check` afterwards.

Usage: generated.py template JSON YAML... | terraform JSON TF | clean CHECKED
"""

import json
import re
import sys

import hcl2
import yaml

# The arguments that the AWS provider documents for each resource and that are not deprecated, as far as
# policies need them. Whatever else is written fails.
ARGUMENTS = {
    "aws_s3_bucket_policy": {"provider", "bucket", "policy", "lifecycle"},
    "aws_kms_key_policy": {"provider", "key_id", "policy", "lifecycle"},
    "aws_iam_role_policy": {"provider", "name", "role", "policy"},
    "aws_iam_user_policy": {"provider", "name", "user", "policy"},
}
PROVIDER = {"alias", "region", "profile", "allowed_account_ids", "assume_role"}
# The kinds of remedies that each format has a resource for.
RESOURCES = {
    "bucket_policy": ("aws_s3_bucket_policy", "AWS::S3::BucketPolicy"),
    "key_policy": ("aws_kms_key_policy", None),
    "role_policy": ("aws_iam_role_policy", "AWS::IAM::RolePolicy"),
    "user_policy": ("aws_iam_user_policy", "AWS::IAM::UserPolicy"),
}


def remedies(path):
    return json.load(open(path))["remedies"]


def by_kind(pairs):
    return sorted((kind, json.dumps(document, sort_keys=True)) for kind, document in pairs)


def template(remedies_path, paths):
    found, in_metadata = [], []
    for path in paths:
        body = yaml.safe_load(open(path))
        if body is None:
            continue
        for resource in body["Resources"].values():
            if resource["Type"] == "AWS::CloudFormation::WaitConditionHandle":
                assert body["Metadata"], body
                continue
            found.append((resource["Type"], resource["Properties"]["PolicyDocument"]))
        keys = body.get("Metadata", {}).get("Keys", {})
        in_metadata += [("key_policy", key["KeyPolicy"]) for key in keys.values()]
    wanted = [
        (RESOURCES[remedy["kind"]][1], remedy["document"])
        for remedy in remedies(remedies_path)
        if RESOURCES.get(remedy["kind"], (None, None))[1]
    ]
    assert by_kind(found) == by_kind(wanted), (found, wanted)
    keys = [(r["kind"], r["document"]) for r in remedies(remedies_path) if r["kind"] == "key_policy"]
    assert by_kind(in_metadata) == by_kind(keys), (in_metadata, keys)


def word(text):
    """A quoted string of HCL, or a reference, as it is meant."""
    return text.strip('"').removeprefix("${").removesuffix("}")


def policy_of(text):
    body = re.fullmatch(r'"<<POLICY\n(.*)\nPOLICY"', text, re.S).group(1)
    for escaped, plain in (("$${", "${"), ("%%{", "%{")):
        assert plain not in body.replace(escaped, ""), body
        body = body.replace(escaped, plain)
    return json.loads(body)


def terraform(remedies_path, path):
    parsed = hcl2.load(open(path))
    [settings] = parsed["terraform"]
    assert word(settings["required_providers"][0]["aws"]["source"]) == "hashicorp/aws"
    aliases = set()
    for block in parsed.get("provider", []):
        provider = {key: value for key, value in block['"aws"'].items() if not key.startswith("__")}
        assert set(provider) <= PROVIDER, provider
        assert provider["allowed_account_ids"], provider
        aliases.add("aws." + word(provider["alias"]))
    found, names = [], set()
    for block in parsed.get("resource", []):
        for kind, bodies in block.items():
            for label, body in bodies.items():
                arguments = {key for key in body if not key.startswith("__")}
                assert arguments <= ARGUMENTS[word(kind)], (kind, arguments)
                assert word(body["provider"]) in aliases, (body["provider"], aliases)
                found.append((word(kind), policy_of(body["policy"])))
                names.add(f"{word(kind)}.{word(label)}")
    for block in parsed.get("import", []):
        assert word(block["to"]) in names, (block, names)
    wanted = [
        (RESOURCES[remedy["kind"]][0], remedy["document"])
        for remedy in remedies(remedies_path)
        if remedy["kind"] in RESOURCES
    ]
    assert by_kind(found) == by_kind(wanted), (found, wanted)


def clean(path):
    """Nothing that the export cannot do without is anything but allowed."""
    verdicts = [json.loads(line) for line in open(path)]
    verdicts = [verdict for verdict in verdicts if verdict["event"] == "verdict"]
    assert verdicts
    for verdict in verdicts:
        subject = verdict["subject"]
        # A world that was made just now has roles that were: their policies may not hold yet.
        is_beside = subject.get("who") == "reader" or subject.get("check") == "young_change"
        # Some of the roles may not read their own policies, and nobody else of the plan may.
        unread = {missing["layer"] for missing in verdict.get("unread", [])}
        is_unread = verdict["verdict"] == "unknown" and "identity" in unread
        assert verdict["verdict"] == "allowed" or is_beside or is_unread, verdict
        assert verdict["verdict"] != "denied", verdict


what, *arguments = sys.argv[1:]
if what == "template":
    template(arguments[0], arguments[1:])
elif what == "terraform":
    terraform(*arguments)
else:
    clean(*arguments)
