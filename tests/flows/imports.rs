//! Exports that are imported into a new table of the other account: item for item, once, whenever the
//! program is killed, and refused beforehand where AWS would fail it.

use std::collections::BTreeSet;
use std::io::Read as _;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use rstest::rstest;
use serde_json::{Value, json};
use tableferry_policy::arn::Arn;

use crate::program::{Ended, Home, Server};
use crate::relay::{self, Passing};

fn plan(rest: &str) -> String {
    format!(
        "[source]\nprofile = \"prod-admin\"\nregion = \"eu-west-1\"\n\n[destination]\n\
         profile = \"dev-admin\"\nregion = \"eu-west-1\"\nbucket = \"export-landing\"\n\n\
         [[tables]]\nname = \"Users\"\n{rest}"
    )
}

pub(crate) fn sandbox(home: &Home, arguments: &[&str]) -> Ended {
    Ended::of(&mut home.sandbox(arguments))
}

pub(crate) fn world(home: &Home) -> Value {
    let text = std::fs::read_to_string(home.path().join("world.json")).unwrap();
    serde_json::from_str(&text).unwrap()
}

/// A home whose run 1 exported `Users`.
pub(crate) fn exported(rest: &str) -> Home {
    let home = Home::new();
    let path = home.write("plan.toml", &plan(rest));
    let ended = sandbox(&home, &["run", path.to_str().unwrap(), "--yes"]);
    assert_eq!(ended.status, 0, "{ended:?}");
    home
}

/// The lines of all data files in the landing bucket.
pub(crate) fn exported_items(world: &Value) -> BTreeSet<String> {
    let objects = world["buckets"]["export-landing"]["objects"]
        .as_object()
        .unwrap();
    let mut items = BTreeSet::new();
    for (_, object) in objects.iter().filter(|(key, _)| key.ends_with(".json.gz")) {
        let content = STANDARD
            .decode(object["content"].as_str().unwrap())
            .unwrap();
        let mut text = String::new();
        flate2::read::GzDecoder::new(content.as_slice())
            .read_to_string(&mut text)
            .unwrap();
        for line in text.lines() {
            let line: Value = serde_json::from_str(line).unwrap();
            assert!(items.insert(line["Item"].to_string()), "twice: {line}");
        }
    }
    items
}

/// The items of a table that was made in the development account.
pub(crate) fn items_of(world: &Value, name: &str) -> BTreeSet<String> {
    let tables = world["accounts"]["222222222222"]["tables"]
        .as_array()
        .unwrap();
    let table = tables.iter().find(|table| table["name"] == name).unwrap();
    let items = table["store"]["items"].as_object().unwrap().values();
    items.map(Value::to_string).collect()
}

#[test]
fn a_run_is_imported_item_for_item_into_the_other_account() {
    let home = exported("");
    let ended = sandbox(&home, &["import", "1", "--table", "Users-copy", "--yes"]);
    assert_eq!(ended.status, 0, "{ended:?}");
    let world = world(&home);
    let items = exported_items(&world);
    assert_eq!(items.len(), 1200);
    assert_eq!(items_of(&world, "Users-copy"), items);
    for words in [
        "new table Users-copy: partition key userId:S, on-demand capacity",
        "Users-copy: completed, 1200 items, verified: 5 files",
        "counts add up",
        // Users has recovery on, which ImportTable has no parameter for.
        "point-in-time recovery: aws dynamodb update-continuous-backups --profile dev-admin --region \
         eu-west-1 --table-name Users-copy",
    ] {
        assert!(ended.out.contains(words), "no {words}: {ended:?}");
    }
    let again = sandbox(&home, &["import", "1", "--table", "Users-copy", "--yes"]);
    assert_eq!(again.status, 3, "{again:?}");
    assert!(
        again
            .err
            .contains("a table Users-copy is there already (ACTIVE)"),
        "{again:?}"
    );
}

#[test]
fn the_plan_of_an_import_is_written_judged_and_run() {
    let home = exported("");
    let path = home.path().join("import.toml");
    let path = path.to_str().unwrap();
    let import = ["import", "1", "--table", "Users-copy", "--capacity", "5,10"];
    let written = sandbox(&home, &[&import[..], &["--write-plan", path]].concat());
    assert_eq!(written.status, 0, "{written:?}");
    let text = std::fs::read_to_string(path).unwrap();
    assert!(text.contains("kind = \"import\""), "{text}");
    assert!(text.contains("write_units = 10"), "{text}");
    let checked = sandbox(&home, &["check", path]);
    assert_eq!(checked.status, 0, "{checked:?}");
    let dry = sandbox(&home, &["run", path, "--dry-run"]);
    assert_eq!(dry.status, 0, "{dry:?}");
    assert_eq!(world(&home)["imports"], json!({}), "{dry:?}");
    let ran = sandbox(&home, &["run", path, "--yes"]);
    assert_eq!(ran.status, 0, "{ran:?}");
    let world = world(&home);
    assert_eq!(items_of(&world, "Users-copy"), exported_items(&world));
}

#[test]
fn an_incremental_export_is_refused_as_a_source() {
    let now = jiff::Timestamp::now();
    let at = |minutes: i64| now - jiff::SignedDuration::from_mins(minutes);
    let (from, to) = (at(60), at(30));
    let home = exported(&format!(
        "type = \"INCREMENTAL_EXPORT\"\nfrom = \"{from:.0}\"\nto = \"{to:.0}\"\n"
    ));
    let ended = sandbox(&home, &["import", "1", "--table", "Users-copy", "--yes"]);
    assert_ne!(ended.status, 0, "{ended:?}");
    assert!(ended.err.contains("incremental"), "{ended:?}");
    assert_eq!(world(&home)["imports"], json!({}));
}

/// FACTS: without the rights to log, an import fails after its start, with a message at best.
#[test]
fn the_missing_right_to_log_is_found_before_the_start() {
    let home = exported("");
    let path = home.path().join("world.json");
    let mut world = world(&home);
    let policy = json!({
        "Version": "2012-10-17",
        "Statement": [{
            "Effect": "Allow", "Resource": "*",
            "Action": ["dynamodb:*", "s3:*", "iam:Get*", "iam:List*", "logs:Describe*", "logs:PutLogEvents"],
        }],
    });
    world["managed_policies"]["arn:aws:iam::222222222222:policy/NoLogs"] =
        json!(policy.to_string());
    world["accounts"]["222222222222"]["users"]["dev-admin"]["attached"] =
        json!(["arn:aws:iam::222222222222:policy/NoLogs"]);
    std::fs::write(path, world.to_string()).unwrap();
    let ended = sandbox(&home, &["import", "1", "--table", "Users-copy", "--yes"]);
    assert_eq!(ended.status, 3, "{ended:?}");
    for action in [
        "logs:CreateLogGroup",
        "logs:CreateLogStream",
        "logs:PutRetentionPolicy",
    ] {
        assert!(ended.err.contains(action), "no {action}: {ended:?}");
    }
    for action in ["logs:PutLogEvents", "s3:GetObject", "dynamodb:ImportTable"] {
        assert!(!ended.err.contains(action), "{action}: {ended:?}");
    }
    let forced = sandbox(
        &home,
        &["import", "1", "--table", "Users-copy", "--yes", "--force"],
    );
    assert_eq!(forced.status, 1, "{forced:?}");
    assert!(
        forced.out.contains("logs:CreateLogGroup"),
        "AWS's words: {forced:?}"
    );
    // By its ARN, as the account of the new table describes it: with a plan whose destination that is, and
    // by a profile alone.
    let imports = self::world(&home)["imports"].clone();
    let arn = imports.as_object().unwrap().keys().next().unwrap();
    let plan = home.path().join("plan.toml").display().to_string();
    for named in [["--plan", &plan], ["--profile", "dev-admin"]] {
        let told = sandbox(
            &home,
            &[&["explain", arn, "--output", "json"], &named[..]].concat(),
        );
        assert_eq!(told.status, 0, "{told:?}");
        let error = &told.objects()[0]["errors"][0];
        assert_eq!(error["causes"][0]["id"], "import-logs-lacks", "{told:?}");
        assert_eq!(error["operation"], "ImportTable");
    }
}

/// The sandbox has its own journal and profiles, and no configuration: this one is a server's.
#[test]
fn a_destination_that_is_marked_production_needs_its_name() {
    let home = Home::new();
    let _server = Server::start(&home, 0, "0.2");
    home.write(
        ".config/tableferry/config.toml",
        "[poll]\nfirst_seconds = 1\nlongest_seconds = 1\n\n\
         [accounts.\"222222222222\"]\nname = \"development\"\nproduction = true\n",
    );
    let plan = home.write("plan.toml", &plan(""));
    let ran = Ended::of(home.command().args(["run", "--yes"]).arg(&plan));
    assert_eq!(ran.status, 0, "{ran:?}");
    let import = ["import", "1", "--table", "Users-copy", "--yes"];
    let unnamed = Ended::of(home.command().args(import));
    assert_eq!(unnamed.status, 3, "{unnamed:?}");
    assert!(
        unnamed.err.contains("--production development"),
        "{unnamed:?}"
    );
    assert_eq!(imports(&home), []);
    let named = Ended::of(
        home.command()
            .args(import)
            .args(["--production", "development"]),
    );
    assert_eq!(named.status, 0, "{named:?}");
}

/// When the program is killed, told by the calls that pass the proxy.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Moment {
    /// The call was sent, and reaches nobody.
    BeforeTheCall,
    /// The call was carried out, and its answer reaches nobody.
    BeforeTheAnswer,
    /// The import goes on, and is asked after.
    WhileWaiting,
}

impl Moment {
    fn is_now(self, head: &str, passing: Passing) -> bool {
        let is_start = head.contains("dynamodb_20120810.importtable");
        let is_question = head.contains("dynamodb_20120810.describeimport");
        match self {
            Self::BeforeTheCall => is_start && passing == Passing::Request,
            Self::BeforeTheAnswer => is_start && passing == Passing::Answer,
            Self::WhileWaiting => is_question && passing == Passing::Request,
        }
    }
}

/// The imports that the server knows, as the development account lists them.
fn imports(home: &Home) -> Vec<Arn> {
    let variables = [("HOME".to_owned(), home.path().display().to_string())];
    let environment = tableferry::aws::Environment::from_variables(variables);
    let sign_in = tableferry::job::SignIn {
        profile: "dev-admin".to_owned(),
        ..Default::default()
    };
    tokio::runtime::Runtime::new().unwrap().block_on(async {
        let session = environment.sign_in(&sign_in, None).await.unwrap();
        let dynamodb = session.dynamodb(&session.region);
        let imports = dynamodb.list_imports(None).await.unwrap();
        imports.into_iter().map(|(arn, _)| arn).collect()
    })
}

#[rstest]
#[case::before_the_call(Moment::BeforeTheCall)]
#[case::between_call_and_answer(Moment::BeforeTheAnswer)]
#[case::while_waiting(Moment::WhileWaiting)]
fn a_killed_import_is_resumed_without_a_second_one(#[case] moment: Moment) {
    let home = Home::new();
    let server = Server::start(&home, 0, "1");
    let plan = home.write("plan.toml", &plan(""));
    home.write(
        ".config/tableferry/config.toml",
        "[poll]\nfirst_seconds = 1\nlongest_seconds = 1\n",
    );
    let ran = Ended::of(home.command().args(["run", "--yes"]).arg(&plan));
    assert_eq!(ran.status, 0, "{ran:?}");
    let mut command = home.command();
    command.args(["import", "1", "--table", "Users-copy", "--yes"]);
    relay::killed(&home, &server, &mut command, move |head, passing| {
        moment.is_now(head, passing)
    });
    let ended = Ended::of(home.command().args(["resume", "--output", "json"]));
    assert_eq!(ended.status, 0, "{ended:?}");
    for import in ended.exports() {
        assert_eq!(import["status"], "COMPLETED", "{ended:?}");
        assert_eq!(import["verified"], true, "{ended:?}");
    }
    assert_eq!(imports(&home).len(), 1);
    let nothing = Ended::of(home.command().arg("resume"));
    assert!(nothing.out.contains("nothing is under way"), "{nothing:?}");
}
