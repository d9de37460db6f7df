//! The addresses to look at while the stack is running.

use crate::aws::{KEY, REGION, SECRET};
use crate::console::Tone;
use crate::crm_pages::RETURN_PATH;
use crate::failure::Failure;
use crate::stack::Stack;
use crate::stack_file::StackFile;
use crate::workplace::Workplace;

/// Lists the addresses, with commands to try. The CRM's settings page is the first.
pub fn show(stack: &Stack, file: &StackFile, workplace: &Workplace) -> Result<(), Failure> {
    let (project, console) = (&workplace.project, &workplace.console);
    let addresses = stack.addresses();
    let (api, crm) = (&addresses.api, &addresses.crm);
    let endpoint = stack.aws.endpoint();
    let table = stack.outputs.get("TableName")?;
    let token = format!("$(curl -s '{crm}/token?role=Owner')");
    let dead = stack.outputs.get("InvoiceDeadLetterQueueUrl")?;
    let signed = |service: &str| {
        format!(
            "curl -s {endpoint} --aws-sigv4 aws:amz:{REGION}:{service} -u {KEY}:{SECRET} \
             -H 'content-type: application/x-amz-json-1.0'"
        )
    };
    let all = file.path().map(|path| project.shown(path)).unwrap_or_default();
    let places = [
        ("The CRM", format!("{crm}{RETURN_PATH}")),
        ("All addresses", format!("{all} (JSON)")),
        ("  connect", "cargo local connect".to_owned()),
        (
            "  a message",
            "cargo local send FILE (examples: shared/domain/contract/inbound)".to_owned(),
        ),
        ("  the events", "cargo local events".to_owned()),
        ("Xero, as a page", format!("{}/_simulator/", addresses.simulator)),
        ("The API", api.clone()),
        (
            "  the connection",
            format!("curl -H \"Authorization: Bearer {token}\" {api}/v1/connection"),
        ),
        ("  the sync log", format!("curl -H \"Authorization: Bearer {token}\" {api}/v1/sync-log")),
        (
            "The table",
            format!(
                "{} -H 'x-amz-target: DynamoDB_20120810.Scan' -d '{{\"TableName\":\"{table}\"}}'",
                signed("dynamodb")
            ),
        ),
        (
            "Dead letters",
            format!(
                "{} -H 'x-amz-target: AmazonSQS.ReceiveMessage' -d '{{\"QueueUrl\":\"{dead}\",\
                 \"MaxNumberOfMessages\":10,\"VisibilityTimeout\":0,\"MessageAttributeNames\":[\"All\"]}}'",
                signed("sqs")
            ),
        ),
        (
            "The local AWS",
            format!("{endpoint} (any AWS SDK or CLI, {REGION}, access key {KEY}, secret {SECRET})"),
        ),
        ("Logs", format!("{} (the functions' lines too)", project.shown(stack.log()))),
        ("The template", project.shown(&workplace.run.folder().join("template.yaml"))),
    ];
    console.title("Where to look while the stack is running");
    for (what, place) in places {
        console.line(&format!("  {} {place}", console.paint(Tone::Good, &format!("{what:<17}"))));
    }
    Ok(())
}

/// Prints how to keep the stack running, at the end of a story without `--stay`.
pub fn tell_how_to_look(stack: &Stack, workplace: &Workplace) {
    let log = workplace.project.shown(stack.log());
    let console = &workplace.console;
    console.line("");
    console.line(&console.paint(
        Tone::Quiet,
        &format!("To look around (Xero, the API, the table): cargo story --stay. The log: {log}"),
    ));
}
