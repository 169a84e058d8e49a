//! How many lines `simulate` answers in a second, parsing included: on one core, and as the command
//! answers them, on all.
//!
//! Run with `cargo bench --bench simulate`; it prints lines a second for each kind of line.

#![expect(clippy::disallowed_methods, reason = "figures of our own")]

use std::hint::black_box;
use std::io::{Cursor, Write};
use std::time::{Duration, Instant};

use mimalloc::MiMalloc;
use tableferry::commands::simulate::simulate;
use tableferry_policy::simulate::simulate_line;

/// The program's own.
#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

const IDENTITY: &str = r#"{"Version":"2012-10-17","Statement":[
 {"Sid":"Export","Effect":"Allow","Action":["dynamodb:ExportTableToPointInTime","dynamodb:DescribeExport","dynamodb:ListExports","dynamodb:DescribeTable","dynamodb:DescribeContinuousBackups"],"Resource":["arn:aws:dynamodb:eu-west-1:111111111111:table/*","arn:aws:dynamodb:eu-west-1:111111111111:table/*/export/*"]},
 {"Sid":"Deliver","Effect":"Allow","Action":["s3:PutObject","s3:PutObjectAcl","s3:AbortMultipartUpload"],"Resource":"arn:aws:s3:::export-landing/${aws:PrincipalTag/team, 'prod'}/*"},
 {"Sid":"UseKey","Effect":"Allow","Action":["kms:GenerateDataKey","kms:Decrypt"],"Resource":"arn:aws:kms:eu-west-1:222222222222:key/1234abcd-12ab-34cd-56ef-1234567890ab","Condition":{"StringEquals":{"kms:ViaService":"s3.eu-west-1.amazonaws.com"}}},
 {"Sid":"NoDelete","Effect":"Deny","Action":"s3:Delete*","Resource":"*"}]}"#;

const BUCKET: &str = r#"{"Version":"2012-10-17","Statement":[
 {"Sid":"AllowExport","Effect":"Allow","Principal":{"AWS":["arn:aws:iam::111111111111:role/Exporter","arn:aws:iam::111111111111:root"]},"Action":["s3:PutObject","s3:PutObjectAcl","s3:AbortMultipartUpload"],"Resource":"arn:aws:s3:::export-landing/*","Condition":{"StringEquals":{"aws:PrincipalOrgID":"o-a1b2c3d4e5"}}},
 {"Sid":"OnlyTls","Effect":"Deny","Principal":"*","Action":"s3:*","Resource":["arn:aws:s3:::export-landing","arn:aws:s3:::export-landing/*"],"Condition":{"Bool":{"aws:SecureTransport":"false"}}},
 {"Sid":"OnlyOffice","Effect":"Deny","Principal":"*","Action":"s3:PutObject","Resource":"arn:aws:s3:::export-landing/*","Condition":{"NotIpAddress":{"aws:SourceIp":["203.0.113.0/24","2001:db8:1234:5678::/64"]},"Bool":{"aws:ViaAWSService":"false"}}}]}"#;

const GUARDRAIL: &str = r#"{"Version":"2012-10-17","Statement":[
 {"Effect":"Allow","Action":"*","Resource":"*"},
 {"Sid":"Regions","Effect":"Deny","NotAction":["iam:*","sts:*","s3:*","organizations:*"],"Resource":"*","Condition":{"StringNotEquals":{"aws:RequestedRegion":["eu-west-1","eu-central-1"]}}}]}"#;

/// A line of 2 to 4 KB, with documents of common size.
fn line(number: usize, action: &str, unknown: &str) -> String {
    let documents = [IDENTITY, BUCKET, GUARDRAIL].map(|text| text.replace('\n', ""));
    let [identity, bucket, guardrail] = &documents;
    format!(
        r#"{{"id":{number},"principal":"arn:aws:sts::111111111111:assumed-role/Exporter/s{number}","action":"{action}","resource":"arn:aws:s3:::export-landing/prod/AWSDynamoDB/{number}/data/x.json.gz","resource_account":"222222222222","context":{{"aws:SecureTransport":"true","aws:PrincipalOrgID":"o-a1b2c3d4e5","aws:PrincipalArn":"arn:aws:iam::111111111111:role/Exporter","aws:SourceIp":"203.0.113.{}","aws:ViaAWSService":"true","aws:RequestedRegion":"eu-west-1","aws:CalledVia":["dynamodb.amazonaws.com"]}},"unknown_context":[{unknown}],"identity_policies":[{{"name":"Exporter","document":{identity}}}],"service_control_policies":[{{"target":"root","policies":[{{"name":"Full","document":{guardrail}}}]}}],"resource_policy":{bucket}}}"#,
        number % 256
    )
}

/// Answers the lines again and again for two seconds, and prints how fast that went.
fn measure(name: &str, lines: &[String]) -> std::io::Result<()> {
    let mut out = String::new();
    let bytes: usize = lines.iter().map(String::len).sum();
    let (mut answered, started) = (0_u32, Instant::now());
    while started.elapsed() < Duration::from_secs(2) {
        for line in lines {
            out.clear();
            black_box(simulate_line(black_box(line), &mut out));
            answered += 1;
        }
    }
    let rate = f64::from(answered) / started.elapsed().as_secs_f64();
    writeln!(
        std::io::stdout(),
        "{name}: {rate:.0} lines a second, {} bytes a line",
        bytes / lines.len()
    )
}

fn main() -> std::io::Result<()> {
    let lines = |action: &str, unknown: &str| -> Vec<String> {
        (0..200)
            .map(|number| line(number, action, unknown))
            .collect()
    };
    measure("allowed", &lines("s3:PutObject", ""))?;
    measure("denied explicitly", &lines("s3:DeleteObject", ""))?;
    measure("not allowed", &lines("s3:GetObject", ""))?;
    measure(
        "an unknown key",
        &lines("s3:PutObject", r#""aws:SourceIp","aws:ViaAWSService""#),
    )?;
    measure_command(&lines("s3:PutObject", ""))
}

/// Answers the lines as the command does, a thousand times over, and prints how fast that went.
fn measure_command(lines: &[String]) -> std::io::Result<()> {
    const TIMES: usize = 1000;
    let input = (lines.join("\n") + "\n").repeat(TIMES);
    let started = Instant::now();
    simulate(Cursor::new(input), std::io::sink())?;
    let answered = u32::try_from(lines.len() * TIMES).unwrap_or(u32::MAX);
    let rate = f64::from(answered) / started.elapsed().as_secs_f64();
    writeln!(
        std::io::stdout(),
        "allowed, as the command answers: {rate:.0} lines a second"
    )
}
