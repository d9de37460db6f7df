//! The issuer of tokens for a trial without the CRM: never in production, and no way for a user to
//! choose an account.

use std::collections::BTreeSet;

use serde_json::json;
use tests::template::Template;

use super::{names, template, text};

fn issuer() -> Template {
    Template::read("infra/trial-issuer.yaml")
}

#[test]
fn production_refuses_the_trial_issuer_and_no_stage_has_it_by_default() {
    let template = template();
    assert_eq!(template.at(&["Parameters", "TrialIssuer", "Default"]), "no");
    let rule = template.at(&["Rules", "ProductionHasNoTrialIssuer"]);
    assert_eq!(rule["RuleCondition"], json!(["Stage", "production"]));
    assert_eq!(rule["Assertions"][0]["Assert"], json!(["TrialIssuer", "no"]));
    assert!(!text("infra/samconfig.toml").contains("TrialIssuer"));
    let stages = issuer().at(&["Parameters", "Stage", "AllowedValues"]).clone();
    assert_eq!(stages, json!(["local", "staging"]));
}

#[test]
fn the_api_accepts_tokens_of_one_issuer_and_every_stage_has_one() {
    let template = template();
    let rule = template.at(&["Rules", "TokensHaveAnIssuer"]);
    assert_eq!(rule["RuleCondition"], json!(["TrialIssuer", "no"]));
    assert_eq!(rule["Assertions"][0]["Assert"], json!([["JwtIssuer", ""]]));
    assert_eq!(rule["Assertions"][1]["Assert"], json!([["JwtAudience", ""]]));
    let configuration = &template.properties("JwtAuthorizer")["JwtConfiguration"];
    let expected = json!({
        "Issuer": ["HasTrialIssuer", "TrialTokens.Outputs.Issuer", "JwtIssuer"],
        "Audience": [["HasTrialIssuer", "TrialTokens.Outputs.ClientId", "JwtAudience"]],
    });
    assert_eq!(*configuration, expected);
    for (section, name) in
        [("Resources", "TrialTokens"), ("Outputs", "TrialUserPoolId"), ("Outputs", "TrialClientId")]
    {
        assert_eq!(template.at(&[section, name, "Condition"]), "HasTrialIssuer", "{name}");
    }
    let (issuer, stack) = (issuer(), template.properties("TrialTokens"));
    assert_eq!(names(&stack["Parameters"]), names(issuer.at(&["Parameters"])));
    let outputs = BTreeSet::from(["ClientId", "Issuer", "UserPoolId"]);
    assert_eq!(names(issuer.at(&["Outputs"])), outputs);
}

#[test]
fn only_an_administrator_of_the_aws_account_chooses_a_users_account_and_role() {
    let issuer = issuer();
    let pool = issuer.properties("UserPool");
    assert_eq!(pool["AdminCreateUserConfig"]["AllowAdminCreateUserOnly"], true);
    let client = issuer.properties("UserPoolClient");
    assert_eq!(client["WriteAttributes"], json!(["name"]));
    let flows = json!(["ALLOW_ADMIN_USER_PASSWORD_AUTH", "ALLOW_REFRESH_TOKEN_AUTH"]);
    assert_eq!(client["ExplicitAuthFlows"], flows);
}

#[test]
fn the_tokens_have_the_claims_that_the_api_reads() {
    let issuer = issuer();
    let pool = issuer.properties("UserPool");
    // Named alone, the trigger gets events of version V1_0, whose answer changes ID tokens on every
    // tier. V2_0 changes access tokens, too, and is not part of the tier Lite.
    assert_eq!(pool["LambdaConfig"], json!({"PreTokenGeneration": "ClaimsFunction.Arn"}));
    let attributes = pool["Schema"].as_array().unwrap().iter();
    let attributes = attributes.map(|one| one["Name"].as_str().unwrap()).collect::<Vec<_>>();
    assert_eq!(attributes, ["account_id", "role"]);
    let code = issuer.properties("ClaimsFunction")["Code"]["ZipFile"].as_str().unwrap();
    let answer = r#"{"claimsOverrideDetails": {"claimsToAddOrOverride": claims}}"#;
    assert!(code.contains(answer), "not the answer of version V1_0: {code}");
    let read = text("shared/runtime/src/http/caller.rs");
    for claim in attributes {
        assert!(code.contains(&format!(r#""{claim}": attributes["custom:{claim}"]"#)), "{claim}");
        assert!(read.contains(&format!("\"{claim}\"")), "the API does not read {claim}");
    }
}

/// <https://docs.aws.amazon.com/cognito/latest/developerguide/amazon-cognito-user-pools-using-the-id-token.html>
#[test]
fn the_issuer_is_the_one_that_the_tokens_name() {
    let issuer = issuer();
    let expected = "https://cognito-idp.${AWS::Region}.${AWS::URLSuffix}/${UserPool}";
    assert_eq!(issuer.at(&["Outputs", "Issuer", "Value"]), expected);
}

#[test]
fn the_trigger_may_only_write_its_log_and_its_traces() {
    let allowed = issuer().rights("ClaimsRole");
    let expected = [
        ("logs:CreateLogStream", "ClaimsLogs.Arn"),
        ("logs:PutLogEvents", "ClaimsLogs.Arn"),
        ("xray:PutTelemetryRecords", "*"),
        ("xray:PutTraceSegments", "*"),
    ];
    let expected = expected.map(|(action, on)| (action.to_owned(), on.to_owned()));
    assert_eq!(allowed, BTreeSet::from(expected));
}
