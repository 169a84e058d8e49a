//! The remedies as a CloudFormation template in YAML, for the stack of one account.
//!
//! `AWS::S3::BucketPolicy` holds the whole document. A bucket that has a policy already must be taken
//! over by a resource import, for which the resource must have a `DeletionPolicy` ("Import AWS
//! resources into a CloudFormation stack"); without it the deployment fails and changes nothing.
//!
//! There is no resource for the policy of a key that exists: `AWS::KMS::Key` has it as a property, and
//! deployed without an import it would make another key. The same holds for a table's point-in-time
//! recovery. So these stand in the template's `Metadata`, to be put into the resource that made the
//! key or the table, and the template creates nothing in their name.

use std::fmt::Write as _;

use serde_json::{Map, Value, json};

use crate::sanitize::escape_json;

use super::{Holder, RemedyAction, RemedyBundle, RemedyItem, Rendered, comment};

/// Writes what is changed in one account as a template; the bundle must hold no other account's
/// changes. Empty where nothing is changed.
#[must_use]
pub fn cloudformation(bundle: &RemedyBundle<'_>) -> Rendered {
    let mut body = Body::default();
    for item in bundle.items() {
        body.take(item);
    }
    let is_empty = body.resources.is_empty() && body.metadata.is_empty();
    let mut text = String::new();
    if !is_empty {
        text = bundle.head().iter().map(|line| comment(line)).collect();
        for note in &body.notes {
            text.push_str(&comment(note));
        }
        text.push_str("AWSTemplateFormatVersion: \"2010-09-09\"\n");
        let description = format!(
            "What the {} to the bucket {} needs",
            bundle.plan.words().noun,
            bundle.plan.destination.bucket
        );
        let _ = writeln!(text, "Description: {}", scalar(&description.into()));
        if !body.metadata.is_empty() {
            let _ = writeln!(text, "Metadata: {}", flow(&body.metadata.into(), 2));
        }
        text.push_str("Resources:\n");
        text.push_str(if body.resources.is_empty() {
            NOTHING
        } else {
            &body.resources
        });
    }
    Rendered {
        text,
        left_out: body.left_out,
    }
}

/// A template needs a resource ("Resources" is its only required section); this one does nothing.
const NOTHING: &str = "  # Nothing is created: see Metadata.\n  Nothing:\n    Type: AWS::CloudFormation::WaitConditionHandle\n";

#[derive(Default)]
struct Body {
    notes: Vec<String>,
    resources: String,
    metadata: Map<String, Value>,
    left_out: Vec<String>,
}

impl Body {
    fn take(&mut self, item: &RemedyItem<'_>) {
        if let Some(words) = item.keeps_out() {
            self.notes.push(words.clone());
            self.left_out.push(words);
            return;
        }
        match &item.change {
            RemedyAction::Policy {
                holder,
                before,
                after,
            } => self.policy(item, holder, before.is_some(), after),
            RemedyAction::Recovery { table } => {
                let place = "the AWS::DynamoDB::Table resource that made it";
                self.by_hand(item, place);
                self.put(
                    "Tables",
                    &table.to_string(),
                    json!({
                        "PointInTimeRecoverySpecification": { "PointInTimeRecoveryEnabled": true }
                    }),
                );
            }
            RemedyAction::Plan { .. } | RemedyAction::Message { .. } => {}
        }
    }

    fn policy(&mut self, item: &RemedyItem<'_>, holder: &Holder<'_>, is_taken: bool, after: &str) {
        let Some(document) = document(after) else {
            let words = item.left_out("CloudFormation would resolve a `{{resolve:` in it");
            self.notes.push(words.clone());
            self.left_out.push(words);
            return;
        };
        let (id, kind, properties) = match holder {
            Holder::Bucket { bucket } => (
                "BucketPolicy",
                "AWS::S3::BucketPolicy",
                vec![("Bucket", *bucket)],
            ),
            Holder::Role { role, policy } => (
                "RolePolicy",
                "AWS::IAM::RolePolicy",
                vec![("RoleName", role.as_str()), ("PolicyName", *policy)],
            ),
            Holder::User { user, policy } => (
                "UserPolicy",
                "AWS::IAM::UserPolicy",
                vec![("UserName", user.as_str()), ("PolicyName", *policy)],
            ),
            Holder::Key { key } => {
                let place = "the AWS::KMS::Key resource that made it";
                self.by_hand(item, place);
                self.put("Keys", key, json!({ "KeyPolicy": document }));
                return;
            }
            Holder::PermissionSet { .. } | Holder::Nobody { .. } => return,
        };
        self.resource(item, id, kind, is_taken, &properties, &document);
    }

    fn resource(
        &mut self,
        item: &RemedyItem<'_>,
        id: &str,
        kind: &str,
        is_taken: bool,
        properties: &[(&str, &str)],
        document: &Value,
    ) {
        let mut text = String::new();
        for line in [vec![item.title()], item.notes()].concat() {
            text.push_str(&indented(&comment(&line)));
        }
        if is_taken {
            text.push_str(&indented(&comment(
                "It has a policy already, which no stack can create again: import it as it stands \
                 (create-change-set --change-set-type IMPORT), then update the stack to this. Or \
                 put the document into the stack that manages it.",
            )));
        }
        let _ = write!(text, "  {id}:\n    Type: {kind}\n");
        if is_taken {
            text.push_str("    DeletionPolicy: Retain\n    UpdateReplacePolicy: Retain\n");
        }
        text.push_str("    Properties:\n");
        for (name, value) in properties {
            let _ = writeln!(text, "      {name}: {}", scalar(&(*value).into()));
        }
        let _ = writeln!(text, "      PolicyDocument: {}", flow(document, 8));
        self.resources.push_str(&text);
    }

    /// Notes what has no resource of its own.
    fn by_hand(&mut self, item: &RemedyItem<'_>, place: &str) {
        let words = format!(
            "{} has no resource of its own in CloudFormation: put what stands in Metadata into \
             {place}",
            item.title()
        );
        self.notes.push(words.clone());
        self.notes.extend(item.notes());
        self.left_out.push(words);
    }

    fn put(&mut self, section: &str, name: &str, what: Value) {
        let section = self
            .metadata
            .entry(section)
            .or_insert_with(|| Value::Object(Map::new()));
        if let Value::Object(section) = section {
            section.insert(name.to_owned(), what);
        }
    }
}

/// A policy as an object. None where CloudFormation would put something else in its place: it
/// resolves dynamic references in every string of a template.
fn document(text: &str) -> Option<Value> {
    let document: Value = serde_json::from_str(text).ok()?;
    (!text.contains("{{resolve:")).then_some(document)
}

/// JSON is YAML, but for a few characters that YAML reads as line breaks or not at all: these are
/// among those that are escaped.
fn scalar(value: &Value) -> String {
    escape_json(&value.to_string()).into_owned()
}

fn flow(value: &Value, columns: usize) -> String {
    let margin = format!("\n{}", " ".repeat(columns));
    escape_json(&format!("{value:#}")).replace('\n', &margin)
}

fn indented(lines: &str) -> String {
    lines
        .split_inclusive('\n')
        .flat_map(|line| ["  ", line])
        .collect()
}
