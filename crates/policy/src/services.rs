//! The prefixes of AWS's services, as actions carry them ("Actions, resources, and condition keys for
//! AWS services", Service Authorization Reference, November 2026).
//!
//! AWS adds to them, so a prefix that is missing here is no fault by itself; one that is missing and
//! close to one that is here is a slip of the pen.

/// All prefixes, in alphabetical order.
const PREFIXES: &str = "\
    a2c a4b access-analyzer account acm acm-pca aco-automation action-recommendations \
    activate aidevops aiops airflow airflow-serverless amplify amplifybackend \
    amplifyuibuilder aoss apigateway app-integrations appconfig appfabric appflow \
    application-autoscaling application-signals application-transformation \
    applicationinsights appmesh appmesh-preview apprunner appstream appstudio appsync \
    apptest aps arc-region-switch arc-zonal-shift arsenal artifact athena auditmanager \
    autoscaling autoscaling-plans aws-marketplace aws-marketplace-management aws-mcp \
    aws-portal awsconnector b2bi backup backup-gateway backup-search backup-storage batch \
    bcm-dashboards bcm-data-exports bcm-pricing-calculator bcm-recommended-actions bedrock \
    bedrock-agentcore bedrock-mantle billing billingconductor braket budgets bugbust cases \
    cassandra ce chatbot chime cleanrooms cleanrooms-ml cloud9 clouddirectory cloudformation \
    cloudfront cloudfront-keyvaluestore cloudhsm cloudsearch cloudshell cloudtrail \
    cloudtrail-data cloudwatch codeartifact codebuild codecatalyst codecommit \
    codeconnections codedeploy codedeploy-commands-secure codeguru codeguru-profiler \
    codeguru-reviewer codeguru-security codepipeline codestar codestar-connections \
    codestar-notifications codewhisperer cognito-identity cognito-idp cognito-sync \
    comprehend comprehendmedical compute-optimizer config connect connect-campaigns \
    consoleapp consolidatedbilling controlcatalog controltower cost-optimization-hub cur \
    customer-verification databrew dataexchange datapipeline datasync datazone dax dbqms \
    deadline detective devicefarm devops-guru directconnect discovery dlm dms docdb-elastic \
    drs ds ds-data dsql dynamodb ebs ec2 ec2-instance-connect ec2messages ecr ecr-public ecs \
    ecs-mcp eks eks-auth eks-mcp elasticache elasticbeanstalk elasticfilesystem \
    elasticloadbalancing elasticmapreduce elastictranscoder elemental-activations \
    elemental-appliances-software elemental-inference elemental-support-cases \
    elemental-support-content emr-containers emr-serverless entityresolution es events \
    evidently evs execute-api finspace finspace-api firehose fis fms forecast frauddetector \
    freertos freetier fsx gamelift gameliftstreams geo geo-maps geo-places geo-routes \
    glacier globalaccelerator glue grafana greengrass groundstation groundtruthlabeling \
    guardduty health health-agent healthlake honeycode iam identity-sync identitystore \
    identitystore-auth imagebuilder importexport inspector inspector-scan inspector2 \
    inspector2-telemetry interconnect internetmonitor invoicing iot iot-device-tester \
    iotanalytics iotdeviceadvisor iotevents iotfleethub iotfleetwise iotjobsdata \
    iotmanagedintegrations iotsitewise iottwinmaker iotwireless iq iq-permission ivs ivschat \
    kafka kafka-cluster kafkaconnect kendra kendra-ranking kinesis kinesisanalytics \
    kinesisvideo kms lakeformation lambda launchwizard lex license-manager \
    license-manager-linux-subscriptions license-manager-user-subscriptions lightsail logs \
    lookoutequipment lookoutmetrics lookoutvision m2 machinelearning macie2 \
    managedblockchain managedblockchain-query mapcredits marketplacecommerceanalytics \
    mechanicalturk mediaconnect mediaconvert mediaimport medialive mediapackage \
    mediapackage-vod mediapackagev2 mediastore mediatailor medical-imaging memorydb mgh mgn \
    migrationhub-orchestrator migrationhub-strategy mobileanalytics mobiletargeting monitron \
    mpa mq neptune-db neptune-graph network-firewall network-security-director \
    networkflowmonitor networkmanager networkmanager-chat networkmonitor nimble \
    notifications notifications-contacts nova-act oam observabilityadmin odb omics one \
    opensearch opsworks opsworks-cm organizations osis outposts panorama partnercentral \
    partnercentral-account-management payment-cryptography payments pca-connector-ad \
    pca-connector-scep pcs personalize pi pipes polly pricing pricingplanmanager \
    private-networks profile proton purchase-orders q qapps qbusiness qdeveloper qldb \
    quicksight ram rbin rds rds-data rds-db redshift redshift-data redshift-serverless \
    refactor-spaces rekognition repostspace resiliencehub resource-explorer \
    resource-explorer-2 resource-groups rhelkb robomaker rolesanywhere route53 \
    route53-recovery-cluster route53-recovery-control-config route53-recovery-readiness \
    route53domains route53globalresolver route53profiles route53resolver rtbfabric rum s3 \
    s3-object-lambda s3-outposts s3express s3tables s3vectors sagemaker \
    sagemaker-data-science-assistant sagemaker-geospatial sagemaker-mlflow \
    sagemaker-unified-studio-mcp savingsplans scheduler schemas scn sdb secretsmanager \
    security-ir securityagent securityhub securitylake serverlessrepo servicecatalog \
    servicediscovery serviceextract servicequotas ses shield signer signin simspaceweaver \
    sms sms-voice snow-device-management snowball sns social-messaging sqlworkbench sqs ssm \
    ssm-contacts ssm-guiconnect ssm-incidents ssm-quicksetup ssm-sap ssmmessages sso \
    sso-directory sso-oauth states storagegateway sts support support-console supportapp \
    supportplans sustainability swf synthetics tag tax textract thinclient timestream \
    timestream-influxdb tiros tnb transcribe transfer transform transform-custom translate \
    trustedadvisor ts user-subscriptions uxc vendor-insights verified-access \
    verifiedpermissions voiceid vpc-lattice vpc-lattice-svcs vpce waf waf-regional wafv2 wam \
    wellarchitected wickr wisdom workdocs worklink workmail workmailmessageflow workspaces \
    workspaces-instances workspaces-web xray";

/// What services are called elsewhere, and the prefix that their actions carry.
const OTHER_NAMES: [(&str, &str); 10] = [
    ("cloudwatch-logs", "logs"),
    ("cloudwatchlogs", "logs"),
    ("ddb", "dynamodb"),
    ("dynamo", "dynamodb"),
    ("efs", "elasticfilesystem"),
    ("elb", "elasticloadbalancing"),
    ("emr", "elasticmapreduce"),
    ("eventbridge", "events"),
    ("msk", "kafka"),
    ("stepfunctions", "states"),
];

/// Whether a service carries this prefix, which goes without regard to case.
pub(crate) fn is_service(prefix: &str) -> bool {
    PREFIXES
        .split_ascii_whitespace()
        .any(|known| known.eq_ignore_ascii_case(prefix))
}

/// The prefix that was probably meant where no service carries the one given.
pub(crate) fn intended(prefix: &str) -> Option<&'static str> {
    let prefix = prefix.to_ascii_lowercase();
    if prefix.is_empty() || is_service(&prefix) {
        return None;
    }
    if let Some((_, meant)) = OTHER_NAMES.iter().find(|(other, _)| *other == prefix) {
        return Some(meant);
    }
    // One slip in a short name, two in a longer one.
    let most = if prefix.len() < 5 { 1 } else { 2 };
    let bare = prefix
        .strip_prefix("aws-")
        .or_else(|| prefix.strip_prefix("amazon-"))
        .or_else(|| prefix.strip_prefix("aws"))
        .or_else(|| prefix.strip_prefix("amazon"))
        .unwrap_or(&prefix);
    PREFIXES
        .split_ascii_whitespace()
        .map(|known| {
            let distance = |text: &str| strsim::damerau_levenshtein(text, known);
            (
                distance(&prefix).min(distance(bare)),
                !OURS.contains(&known),
                known,
            )
        })
        .filter(|(distance, ..)| *distance <= most)
        .min()
        .map(|(.., known)| known)
}

/// The services of an export, which are meant rather than others that are as close.
const OURS: [&str; 4] = ["dynamodb", "kms", "s3", "sts"];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slip_in_a_prefix_leads_to_the_service_that_was_meant() {
        for (slip, meant) in [
            ("dyanmodb", "dynamodb"),
            ("dynamo-db", "dynamodb"),
            ("dynamodbb", "dynamodb"),
            ("DynamoDb2", "dynamodb"),
            ("ddb", "dynamodb"),
            ("kns", "kms"),
            ("ksm", "kms"),
            ("s33", "s3"),
            ("aws-s3", "s3"),
            ("stss", "sts"),
            ("lamda", "lambda"),
            ("secretmanager", "secretsmanager"),
        ] {
            assert_eq!(intended(slip), Some(meant), "{slip}");
        }
    }

    #[test]
    fn a_prefix_that_a_service_carries_is_no_slip_however_close_another_is() {
        for prefix in [
            "s3",
            "S3",
            "dms",
            "ses",
            "sns",
            "sms",
            "dax",
            "s3express",
            "kafka",
            "ram",
        ] {
            assert_eq!(intended(prefix), None, "{prefix}");
        }
    }

    #[test]
    fn a_prefix_that_is_close_to_none_may_be_new() {
        for prefix in ["quantumledger", "brandnewservice", "zz9"] {
            assert_eq!(intended(prefix), None, "{prefix}");
        }
    }
}
