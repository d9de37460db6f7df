//! Deploys the product's own template: its code from a bucket, its parameters with the addresses of
//! this machine.

use std::collections::BTreeMap;

use bytes::Bytes;

use crate::aws::Aws;
use crate::aws::cloudformation::StackStatus;
use crate::binaries::{FUNCTIONS, Package};
use crate::crm::AUDIENCE;
use crate::crm_pages::RETURN_PATH;
use crate::failure::Failure;
use crate::wait::{self, Look, PATIENCE, digest};
use crate::workplace::Workplace;

const BUCKET: &str = "servicecortex-xero-code";
/// The templates of the nested stacks.
pub const NESTED: [&str; 3] =
    ["infra/alarms.yaml", "infra/dashboard.yaml", "infra/trial-issuer.yaml"];
const TEMPLATE: &str = "template.yaml";
const STACK: &str = "servicecortex-xero-local";

/// The stage under which the template is deployed here.
pub fn function_name(function: &str) -> String {
    format!("{STACK}-{function}")
}

/// The addresses that the template's parameters refer to.
#[derive(Debug, Clone)]
pub struct Addresses {
    /// The front address of the API.
    pub api: String,
    /// Xero: consent, tokens and the Accounting API.
    pub simulator: String,
    /// The CRM: the issuer of tokens, and the page to which the browser returns.
    pub crm: String,
}

/// The stack's outputs.
#[derive(Debug, Clone)]
pub struct Outputs(BTreeMap<String, String>);

impl Outputs {
    /// An output by its name in the template.
    pub fn get(&self, name: &str) -> Result<&str, Failure> {
        self.0
            .get(name)
            .map(String::as_str)
            .ok_or_else(|| Failure::new(format!("The template has no output {name}")))
    }
}

/// Uploads the code, creates the stack and waits for it.
pub async fn deploy(
    aws: &Aws,
    workplace: &Workplace,
    packages: &[Package],
    addresses: &Addresses,
    log_level: &str,
) -> Result<Outputs, Failure> {
    let project = &workplace.project;
    aws.make_bucket(BUCKET).await?;
    for package in packages {
        let content = std::fs::read(&package.zip).map_err(|error| {
            Failure::new(format!("Cannot read {}", package.zip.display())).because(error)
        })?;
        aws.put_object(BUCKET, &format!("{}.zip", package.function), Bytes::from(content)).await?;
    }
    for nested in NESTED {
        let content = std::fs::read(project.root().join(nested))
            .map_err(|error| Failure::new(format!("Cannot read {nested}")).because(error))?;
        aws.put_object(BUCKET, nested, Bytes::from(content)).await?;
    }
    let template = std::fs::read_to_string(project.template())
        .map_err(|error| Failure::new("Cannot read template.yaml").because(error))?;
    let template = for_here(&template, aws.endpoint())?;
    let copy = workplace.run.folder().join("template.yaml");
    std::fs::write(&copy, &template)
        .map_err(|error| Failure::new("Cannot write the template's copy").because(error))?;
    aws.put_object(BUCKET, TEMPLATE, Bytes::from(template)).await?;
    let url = format!("{}/{BUCKET}/{TEMPLATE}", aws.endpoint());
    aws.create_stack(STACK, &url, &parameters(addresses, log_level)).await?;
    created(aws, workplace).await
}

/// Deploys the same template with new values of some parameters, and waits for it.
pub async fn update(aws: &Aws, changes: &[(&str, &str)]) -> Result<Outputs, Failure> {
    let url = format!("{}/{BUCKET}/{TEMPLATE}", aws.endpoint());
    aws.update_stack(STACK, &url, changes).await?;
    let outcome = wait::while_moving(PATIENCE, async || {
        let status = aws.stack_status(STACK).await?;
        if status != StackStatus::InProgress {
            return Ok(Look::Done(status));
        }
        Ok::<_, Failure>(Look::Pending { state: 0, quiet: None })
    });
    let outcome: Option<StackStatus> = outcome.await?;
    match outcome {
        Some(StackStatus::Complete(outputs)) => Ok(Outputs(outputs)),
        Some(StackStatus::Failed(status)) => {
            Err(Failure::new(format!("Updating the stack failed ({status})")))
        }
        Some(StackStatus::InProgress) | None => {
            Err(Failure::new("The stack is not updated, and there is no more progress"))
        }
    }
}

/// Waits until the stack is created, as long as resources are being created.
async fn created(aws: &Aws, workplace: &Workplace) -> Result<Outputs, Failure> {
    let outcome = wait::while_moving(PATIENCE, async || {
        let status = aws.stack_status(STACK).await?;
        if status != StackStatus::InProgress {
            return Ok(Look::Done(status));
        }
        let events = aws.stack_events(STACK).await?;
        if let Some(newest) = events.first() {
            workplace.console.progress(newest);
        }
        Ok::<_, Failure>(Look::Pending { state: digest(&events), quiet: None })
    });
    let outcome: Option<StackStatus> = outcome.await?;
    workplace.console.progress_over();
    let stopped = || Failure::new("The template is not deployed, and there is no more progress");
    match outcome.ok_or_else(stopped)? {
        StackStatus::Complete(outputs) => Ok(Outputs(outputs)),
        StackStatus::InProgress => Err(stopped()),
        StackStatus::Failed(status) => {
            let failures = aws.stack_failures(STACK).await?;
            Err(Failure::new(format!(
                "Deploying the template failed ({status}):\n    {}",
                failures.join("\n    ")
            )))
        }
    }
}

fn parameters(addresses: &Addresses, log_level: &str) -> Vec<(&'static str, String)> {
    let architecture = if cfg!(target_arch = "aarch64") { "arm64" } else { "x86_64" };
    vec![
        ("Stage", "local".to_owned()),
        ("Architecture", architecture.to_owned()),
        ("LogLevel", log_level.to_owned()),
        ("Canary", "no".to_owned()),
        ("CrmUrl", addresses.crm.clone()),
        ("CrmReturnUrl", format!("{}{RETURN_PATH}", addresses.crm)),
        ("CrmOrigins", addresses.crm.clone()),
        ("JwtIssuer", addresses.crm.clone()),
        ("JwtAudience", AUDIENCE.to_owned()),
        ("PublicUrl", addresses.api.clone()),
        ("XeroLoginUrl", addresses.simulator.clone()),
        ("XeroIdentityUrl", addresses.simulator.clone()),
        ("XeroApiUrl", addresses.simulator.clone()),
        // Tests send the requests of many users as one.
        ("AccountRequestsPerMinute", "1000000".to_owned()),
        // A message whose outcome could not be recorded returns while the story is still running.
        ("PushTimeoutSeconds", "60".to_owned()),
        ("PushVisibilitySeconds", "60".to_owned()),
    ]
}

/// The differences of the template that is deployed here, as text and replacement: the locations of
/// the code and of the nested templates, as `sam deploy` replaces them, and the names of schedules
/// in the local AWS's permission checks. The local AWS puts every schedule into the default group,
/// whichever group it is created in. It also takes the concurrency of a standard queue for text,
/// which it cannot compare, if a parameter states it. It expands the template with the defaults of
/// the parameters, and has no `CodeDeploy`. Its permissions for batches are in [`allow_batches`].
fn differences(endpoint: &str) -> Vec<(String, String)> {
    let code = FUNCTIONS.iter().map(|function| {
        (
            format!("CodeUri: target/lambda/{function}/"),
            format!("CodeUri: s3://{BUCKET}/{function}.zip"),
        )
    });
    let schedules = (":schedule/${ScheduleGroup}/*".to_owned(), ":schedule/default/*".to_owned());
    let nested = NESTED.iter().map(|nested| {
        (format!("TemplateURL: {nested}"), format!("TemplateURL: {endpoint}/{BUCKET}/{nested}"))
    });
    let polls = ("MaximumConcurrency: !Ref PollConcurrency", "MaximumConcurrency: 10");
    let polls = (polls.0.to_owned(), polls.1.to_owned());
    let canary = (r#""yes": { IsEnabled: "true" }"#, r#""yes": { IsEnabled: "false" }"#);
    let canary = (canary.0.to_owned(), canary.1.to_owned());
    code.chain(nested).chain([schedules, polls, canary]).collect()
}

fn for_here(template: &str, endpoint: &str) -> Result<String, Failure> {
    let mut changed = template.to_owned();
    for (text, replacement) in differences(endpoint) {
        if changed.matches(&text).count() != 1 {
            return Err(Failure::new(format!(
                "template.yaml must contain \"{text}\" exactly once"
            )));
        }
        changed = changed.replace(&text, &replacement);
    }
    Ok(changed.lines().map(allow_batches).collect())
}

/// The actions of SQS that also permit the batch action of the same name
/// (<https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_AddPermission.html>).
/// The local AWS demands a permission of the batch action's own name, which does not exist.
const BATCHED: [&str; 3] = ["sqs:ChangeMessageVisibility", "sqs:DeleteMessage", "sqs:SendMessage"];

/// Returns a line of the template, with its line end, in which the actions of a policy include the
/// batch actions.
fn allow_batches(line: &str) -> String {
    let Some((before, actions)) = line.split_once("Action: ") else { return format!("{line}\n") };
    let actions = actions.trim_matches(['[', ']']).split(", ");
    let actions = actions.flat_map(|action| {
        let batch = BATCHED.contains(&action).then(|| format!("{action}Batch"));
        [Some(action.to_owned()), batch].into_iter().flatten()
    });
    let actions = actions.collect::<Vec<_>>();
    match actions.as_slice() {
        [_] => format!("{line}\n"),
        several => format!("{before}Action: [{}]\n", several.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::{NESTED, allow_batches, for_here};
    use crate::binaries::FUNCTIONS;
    use crate::project::Project;

    #[test]
    fn the_template_is_deployed_unchanged_but_for_locations_a_permission_a_number_and_the_canary() {
        let template = std::fs::read_to_string(Project::here().unwrap().template()).unwrap();
        let changed = for_here(&template, "http://here").unwrap();
        let differing: Vec<&str> = template
            .lines()
            .zip(changed.lines())
            .filter(|(before, after)| before != after)
            .map(|(_, after)| after.trim())
            .filter(|after| !after.starts_with("Action: [sqs:"))
            .collect();
        assert_eq!(differing.len(), FUNCTIONS.len() + NESTED.len() + 3, "{differing:?}");
        let code = differing.iter().filter(|line| line.starts_with("CodeUri: s3://"));
        assert_eq!(code.count(), FUNCTIONS.len());
        let nested = differing.iter().filter(|line| line.starts_with("TemplateURL: http://here"));
        assert_eq!(nested.count(), NESTED.len());
    }

    #[test]
    fn a_permission_for_a_message_includes_the_one_for_a_batch() {
        assert_eq!(
            allow_batches("  Action: sqs:SendMessage"),
            "  Action: [sqs:SendMessage, sqs:SendMessageBatch]\n"
        );
        assert_eq!(
            allow_batches("  Action: [sqs:ReceiveMessage, sqs:DeleteMessage]"),
            "  Action: [sqs:ReceiveMessage, sqs:DeleteMessage, sqs:DeleteMessageBatch]\n"
        );
        assert_eq!(allow_batches("  Action: kms:Decrypt"), "  Action: kms:Decrypt\n");
    }

    #[test]
    fn a_template_without_the_functions_is_refused() {
        let lines = for_here("Resources: {}", "http://here").unwrap_err().lines();
        assert!(lines[0].contains("CodeUri: target/lambda/oauth-callback/"), "{lines:?}");
    }
}
