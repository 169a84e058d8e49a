//! IAM's simulation through the real client: what is sent, and how its answers are read.

use tableferry::assess::facts::Simulated;
use tableferry::assess::simulation::SimulationQuestion;
use tableferry_policy::arn::Arn;

use crate::aws_room::fake::{Fake, Reply, Request, query_error, signed_in};

const ROLE: &str = "arn:aws:iam::111111111111:role/Exporter";
const ONE: &str = "arn:aws:s3:::landing/one";
const TWO: &str = "arn:aws:s3:::landing/two";

fn results(members: &[String]) -> Reply {
    let members = members.join("</member><member>");
    Reply::xml(
        200,
        &format!(
            "<SimulatePrincipalPolicyResponse xmlns=\"https://iam.amazonaws.com/doc/2010-05-08/\">\
             <SimulatePrincipalPolicyResult><EvaluationResults><member>{members}</member></EvaluationResults>\
             <IsTruncated>false</IsTruncated></SimulatePrincipalPolicyResult>\
             <ResponseMetadata><RequestId>R</RequestId></ResponseMetadata>\
             </SimulatePrincipalPolicyResponse>"
        ),
    )
}

/// The resources that a request names, in its order.
fn resources(request: &Request) -> Vec<String> {
    let name = |number| format!("ResourceArns.member.{number}");
    (1..)
        .map_while(|number: u32| request.parameter(&name(number)))
        .collect()
}

/// One result in the shape that AWS documents: the whole above, each resource below.
fn whole(decision: &str, organization: bool, specific: &[(&str, &str)]) -> String {
    let specific: Vec<String> = specific
        .iter()
        .map(|(resource, decision)| {
            format!(
                "<member><EvalResourceName>{resource}</EvalResourceName>\
                 <EvalResourceDecision>{decision}</EvalResourceDecision>\
                 <MissingContextValues><member>aws:username</member></MissingContextValues></member>"
            )
        })
        .collect();
    let specific = specific.concat();
    format!(
        "<EvalActionName>s3:PutObject</EvalActionName>\
         <EvalResourceName>arn:${{Partition}}:s3:::${{BucketName}}/${{KeyName}}</EvalResourceName>\
         <EvalDecision>{decision}</EvalDecision>\
         <OrganizationsDecisionDetail><AllowedByOrganizations>{organization}</AllowedByOrganizations>\
         </OrganizationsDecisionDetail>\
         <ResourceSpecificResults>{specific}</ResourceSpecificResults>"
    )
}

async fn ask(fake: &Fake) -> Vec<Simulated> {
    let question = SimulationQuestion {
        action: "s3:PutObject",
        resources: vec![ONE.to_owned(), TWO.to_owned()],
        context: vec![
            (
                "aws:CalledVia".to_owned(),
                vec!["dynamodb.amazonaws.com".to_owned()],
            ),
            ("aws:ViaAWSService".to_owned(), vec!["true".to_owned()]),
            (
                "aws:CurrentTime".to_owned(),
                vec!["2026-11-22T12:00:00Z".to_owned()],
            ),
        ],
    };
    let role: Arn = ROLE.parse().unwrap();
    let iam = signed_in(fake).await.iam();
    iam.simulate(&role, &question).await.unwrap()
}

fn describe(answers: &[Simulated]) -> Vec<(&str, &str, Option<bool>)> {
    answers
        .iter()
        .map(|answer| {
            (
                answer.resource.as_str(),
                answer.decision.as_str(),
                answer.allowed_by_organization,
            )
        })
        .collect()
}

#[tokio::test]
async fn what_is_known_of_the_request_is_sent_and_each_resource_has_its_own_answer() {
    let fake = Fake::with_sts(|_| {
        results(&[whole(
            "implicitDeny",
            true,
            &[(ONE, "allowed"), (TWO, "implicitDeny")],
        )])
    });
    let answers = ask(&fake).await;
    assert_eq!(
        describe(&answers),
        [
            (ONE, "allowed", Some(true)),
            (TWO, "implicitDeny", Some(true))
        ]
    );
    // With resources, the missing keys stand below.
    assert_eq!(answers[0].missing_context, ["aws:username"]);
    assert_eq!(
        answers[0].given,
        ["aws:CalledVia", "aws:ViaAWSService", "aws:CurrentTime"]
    );
    let seen = fake.seen_of("SimulatePrincipalPolicy");
    assert_eq!(seen.len(), 1);
    let entry = |number: u32, field: &str| {
        seen[0].parameter(&format!("ContextEntries.member.{number}.{field}"))
    };
    let types = [1, 2, 3].map(|number| entry(number, "ContextKeyType").unwrap());
    assert_eq!(types, ["stringList", "boolean", "date"]);
    assert_eq!(
        entry(2, "ContextKeyName").as_deref(),
        Some("aws:ViaAWSService")
    );
    assert_eq!(
        entry(2, "ContextKeyValues.member.1").as_deref(),
        Some("true")
    );
}

#[tokio::test]
async fn what_is_said_of_an_organization_for_several_resources_is_asked_for_each() {
    let fake = Fake::with_sts(|request| {
        let asked = resources(request);
        let is_held = asked.iter().any(|resource| resource == TWO);
        let word = |resource: &str| {
            if resource == TWO {
                "implicitDeny"
            } else {
                "allowed"
            }
        };
        let specific: Vec<(&str, &str)> = asked
            .iter()
            .map(|resource| (resource.as_str(), word(resource)))
            .collect();
        results(&[whole("implicitDeny", !is_held, &specific)])
    });
    assert_eq!(
        describe(&ask(&fake).await),
        [
            (ONE, "allowed", Some(true)),
            (TWO, "implicitDeny", Some(false))
        ]
    );
    assert_eq!(fake.seen_of("SimulatePrincipalPolicy").len(), 3);
}

#[tokio::test]
async fn servers_that_answer_resource_by_resource_are_understood() {
    let fake = Fake::with_sts(|request| {
        let one = |resource: &String| {
            format!(
                "<EvalActionName>s3:PutObject</EvalActionName>\
                 <EvalResourceName>{resource}</EvalResourceName>\
                 <EvalDecision>allowed</EvalDecision>"
            )
        };
        results(&resources(request).iter().map(one).collect::<Vec<_>>())
    });
    assert_eq!(
        describe(&ask(&fake).await),
        [(ONE, "allowed", None), (TWO, "allowed", None)]
    );
    assert_eq!(fake.seen_of("SimulatePrincipalPolicy").len(), 1);
}

#[tokio::test]
async fn where_the_context_is_not_taken_it_is_asked_without() {
    let fake = Fake::with_sts(|request| {
        if request
            .parameter("ContextEntries.member.1.ContextKeyName")
            .is_some()
        {
            return query_error(400, "InvalidInput", "A context key is not taken.");
        }
        results(&[whole(
            "allowed",
            true,
            &[(ONE, "allowed"), (TWO, "allowed")],
        )])
    });
    let answers = ask(&fake).await;
    assert_eq!(
        describe(&answers),
        [(ONE, "allowed", Some(true)), (TWO, "allowed", Some(true))]
    );
    assert!(answers[0].given.is_empty());
    assert_eq!(fake.seen_of("SimulatePrincipalPolicy").len(), 2);
}
