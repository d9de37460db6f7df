//! New versions of the functions process a part of the work first, and an alarm undoes them.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};
use tests::template::Template;

use super::{functions, names, template, text};

const ALARMS: [&str; 3] = ["NewVersionErrors", "ReleaseDefects", "ReleaseApiFailing"];
/// Parameters that change together with the code or never, except on the local stage.
const FIXED: [&str; 5] = ["Stage", "Architecture", "XeroLoginUrl", "XeroIdentityUrl", "XeroApiUrl"];

/// The functions with an alias by their names in the template, with their properties.
fn with_alias(template: &Template) -> BTreeMap<&str, &Value> {
    let functions = template.of_type("AWS::Serverless::Function").into_iter();
    functions.filter(|(_, properties)| properties.get("AutoPublishAlias").is_some()).collect()
}

#[test]
fn the_push_functions_and_the_api_shift_a_tenth_first_and_three_alarms_undo_it() {
    let mut shifted = BTreeSet::new();
    for (name, properties) in functions() {
        let Some(alias) = properties.get("AutoPublishAlias") else { continue };
        assert_eq!(alias, "live", "{name}");
        assert_eq!(properties["AutoPublishAliasAllProperties"], true, "{name}");
        let expected = json!({
            "Enabled": ["Canaries", "Canary", "IsEnabled"],
            "Type": "Canary10Percent5Minutes",
            "Alarms": ["IsOnAws", ALARMS, []],
        });
        assert_eq!(properties["DeploymentPreference"], expected, "{name}");
        shifted.insert(name);
    }
    let is_shifted = |name: &String| {
        name.ends_with("-push") || ["settings-api", "oauth-callback"].contains(&name.as_str())
    };
    assert_eq!(shifted, functions().into_keys().filter(is_shifted).collect());
}

#[test]
fn the_api_calls_the_alias_and_new_pages_follow_the_new_api() {
    let template = template();
    let aliased = with_alias(&template);
    let mut called = BTreeSet::new();
    for (name, integration) in template.of_type("AWS::ApiGatewayV2::Integration") {
        let target = integration["IntegrationUri"].as_str().unwrap();
        let (function, part) = target.split_once('.').unwrap();
        assert_eq!(part == "Alias", aliased.contains_key(function), "{name}");
        called.insert(target.strip_suffix(".Arn").unwrap_or(target).to_owned());
    }
    let permissions = template.of_type("AWS::Lambda::Permission").into_values();
    let allowed = permissions.map(|one| one["FunctionName"].as_str().unwrap().to_owned());
    assert_eq!(allowed.collect::<BTreeSet<_>>(), called);
    let after = template.at(&["Resources", "PagesFunction", "DependsOn"]);
    assert_eq!(after, "SettingsApiFunctionAliaslive");
}

#[test]
fn the_errors_of_the_new_versions_alone_undo_them() {
    let template = template();
    for alarm in ALARMS {
        assert_eq!(template.at(&["Resources", alarm, "Condition"]), "IsOnAws");
    }
    let metrics = template.properties("NewVersionErrors")["Metrics"].as_array().unwrap();
    let metrics = metrics.iter().filter_map(|metric| metric["MetricStat"].get("Metric"));
    let watched = metrics.map(|metric| {
        assert_eq!(metric["MetricName"], "Errors");
        let function = metric["Dimensions"][0]["Value"].as_str().unwrap();
        let expected = json!([
            {"Name": "FunctionName", "Value": function},
            {"Name": "Resource", "Value": format!("${{{function}}}:live")},
            {"Name": "ExecutedVersion", "Value": format!("{function}.Version.Version")},
        ]);
        assert_eq!(metric["Dimensions"], expected, "{function}");
        function
    });
    assert_eq!(watched.collect::<BTreeSet<_>>(), with_alias(&template).into_keys().collect());
}

#[test]
fn a_deployment_can_do_without_and_the_local_one_does() {
    let template = template();
    let parameter = template.at(&["Parameters", "Canary"]);
    assert_eq!(
        (&parameter["Default"], &parameter["AllowedValues"]),
        (&"yes".into(), &json!(["no", "yes"]))
    );
    let enabled = json!({"no": {"IsEnabled": "false"}, "yes": {"IsEnabled": "true"}});
    assert_eq!(*template.at(&["Mappings", "Canaries"]), enabled);
    let rule = template.at(&["Rules", "CanaryHasAlarms"]);
    assert_eq!(rule["RuleCondition"], json!(["Stage", "local"]));
    assert_eq!(rule["Assertions"][0]["Assert"], json!(["Canary", "no"]));
    assert!(text("infra/local/src/deployment.rs").contains(r#"("Canary", "no".to_owned())"#));
    assert!(!text("infra/samconfig.toml").contains("Canary="));
}

/// The parameters in a description such as `${LogLevel} ${LookFirst}`.
fn described(description: &str) -> BTreeSet<&str> {
    let parts = description.split("${").skip(1);
    parts.map(|part| part.split('}').next().unwrap()).collect()
}

/// SAM publishes no version if only the value of a parameter differs
/// (<https://github.com/aws/serverless-application-model/issues/3820>), and the alias would stay
/// with the old value.
#[test]
fn the_description_of_a_version_contains_every_parameter_that_the_function_depends_on() {
    let template = template();
    let parameters = names(template.at(&["Parameters"]));
    let shared = template.at(&["Globals", "Function"]).to_string();
    for (name, properties) in with_alias(&template) {
        let mut own = properties.as_object().unwrap().clone();
        // They are resources of their own.
        own.retain(|property, _| {
            !["Events", "DeploymentPreference", "VersionDescription"].contains(&property.as_str())
        });
        let text = format!("{shared}{}", Value::Object(own));
        let is_used = |parameter: &&str| {
            text.contains(&format!("\"{parameter}\""))
                || text.contains(&format!("${{{parameter}}}"))
        };
        let used = parameters.iter().copied().filter(is_used);
        let used = used.filter(|parameter| !FIXED.contains(parameter)).collect::<BTreeSet<_>>();
        assert!(used.contains("RestoredTable") && used.contains("LookFirst"), "{used:?}");
        let description = properties["VersionDescription"].as_str().unwrap();
        assert_eq!(described(description), used, "{name}");
    }
}

/// <https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/aws-resource-lambda-version.html>
#[test]
fn the_description_of_a_version_fits_into_256_characters() {
    let template = template();
    let settings = text("infra/samconfig.toml");
    let (_, production) = settings.split_once("[production.deploy.parameters]").unwrap();
    let value_of = |parameter: &str| match parameter {
        "RestoredTable" => "servicecortex-xero-production-restored-2026-11-29".to_owned(),
        "PublicUrl" => "https://xero.servicecortex.com".to_owned(),
        "TokenStore" => "secrets-reading-sealed".to_owned(),
        _ => {
            let set = production.split_once(&format!("\"{parameter}="));
            let set = set.and_then(|(_, rest)| rest.split('"').next()).map(str::to_owned);
            let default = template.at(&["Parameters", parameter, "Default"]);
            set.unwrap_or_else(|| default.as_str().map_or(default.to_string(), str::to_owned))
        }
    };
    for (name, properties) in with_alias(&template) {
        let description = properties["VersionDescription"].as_str().unwrap();
        let values =
            described(description).into_iter().map(|parameter| value_of(parameter).len() + 1);
        // A filter of logs may be longer than a level.
        assert!(values.sum::<usize>() + 30 <= 256, "{name}");
    }
}
