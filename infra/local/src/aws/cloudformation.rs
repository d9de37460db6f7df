//! Stacks: creates and updates a stack, and follows its status.

use std::collections::BTreeMap;

use bytes::Bytes;
use http::Request;
use url::form_urlencoded::Serializer;

use super::{Aws, xml};
use crate::failure::Failure;

/// The status of a stack.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StackStatus {
    /// Resources are still being created or updated.
    InProgress,
    /// The stack is complete; its outputs by name.
    Complete(BTreeMap<String, String>),
    /// The creation or the update failed, with this status.
    Failed(String),
}

impl Aws {
    /// Starts to create a stack from a template in a bucket: the template may exceed the size limit
    /// of a request.
    pub async fn create_stack(
        &self,
        name: &str,
        template_url: &str,
        parameters: &[(&str, String)],
    ) -> Result<(), Failure> {
        let mut form = change_form("CreateStack", name, template_url);
        for (place, (key, value)) in parameters.iter().enumerate() {
            let member = format!("Parameters.member.{}", place.saturating_add(1));
            form.append_pair(&format!("{member}.ParameterKey"), key);
            form.append_pair(&format!("{member}.ParameterValue"), value);
        }
        self.query("CreateStack", form).await.map(|_| ())
    }

    /// Starts to update a stack from a template in a bucket. Parameters without a new value keep
    /// the one that they have.
    pub async fn update_stack(
        &self,
        name: &str,
        template_url: &str,
        changes: &[(&str, &str)],
    ) -> Result<(), Failure> {
        let described = self.query("DescribeStacks", form("DescribeStacks", name)).await?;
        let mut form = change_form("UpdateStack", name, template_url);
        for (place, key) in read_parameters(&described).iter().enumerate() {
            let member = format!("Parameters.member.{}", place.saturating_add(1));
            form.append_pair(&format!("{member}.ParameterKey"), key);
            match changes.iter().find(|(changed, _)| changed == key) {
                Some((_, value)) => form.append_pair(&format!("{member}.ParameterValue"), value),
                None => form.append_pair(&format!("{member}.UsePreviousValue"), "true"),
            };
        }
        self.query("UpdateStack", form).await.map(|_| ())
    }

    /// The current status of the stack.
    pub async fn stack_status(&self, name: &str) -> Result<StackStatus, Failure> {
        let answer = self.query("DescribeStacks", form("DescribeStacks", name)).await?;
        Ok(read_status(&answer))
    }

    /// The resources that could not be created or updated, one sentence each.
    pub async fn stack_failures(&self, name: &str) -> Result<Vec<String>, Failure> {
        let answer = self.query("DescribeStackEvents", form("DescribeStackEvents", name)).await?;
        Ok(read_failures(&answer))
    }

    /// The events of the stack's resources, the newest first, one line each.
    pub async fn stack_events(&self, name: &str) -> Result<Vec<String>, Failure> {
        let answer = self.query("DescribeStackEvents", form("DescribeStackEvents", name)).await?;
        Ok(read_events(&answer))
    }

    async fn query(
        &self,
        action: &str,
        mut form: Serializer<'_, String>,
    ) -> Result<String, Failure> {
        let request = Request::post(format!("{}/", self.endpoint()))
            .header("content-type", "application/x-www-form-urlencoded")
            .body(Bytes::from(form.finish()));
        let answer =
            self.exchange("cloudformation", &format!("CloudFormation {action}"), request).await?;
        Ok(String::from_utf8_lossy(answer.body()).into_owned())
    }
}

fn form(action: &str, stack: &str) -> Serializer<'static, String> {
    let mut form = Serializer::new(String::new());
    form.append_pair("Action", action);
    form.append_pair("Version", "2010-05-15");
    form.append_pair("StackName", stack);
    form
}

/// A request that creates or updates a stack.
fn change_form(action: &str, stack: &str, template_url: &str) -> Serializer<'static, String> {
    let mut form = form(action, stack);
    form.append_pair("TemplateURL", template_url);
    form.append_pair("Capabilities.member.1", "CAPABILITY_IAM");
    form.append_pair("Capabilities.member.2", "CAPABILITY_AUTO_EXPAND");
    form
}

/// The names of the stack's parameters.
fn read_parameters(answer: &str) -> Vec<String> {
    let parameters = xml::contents(answer, "Parameters").concat();
    let names = xml::contents(&parameters, "ParameterKey");
    names.into_iter().map(str::to_owned).collect()
}

fn read_status(answer: &str) -> StackStatus {
    let status = xml::text(answer, "StackStatus").unwrap_or_default();
    if status.ends_with("_IN_PROGRESS") {
        return StackStatus::InProgress;
    }
    if !["CREATE_COMPLETE", "UPDATE_COMPLETE"].contains(&status.as_str()) {
        let reason = xml::text(answer, "StackStatusReason").unwrap_or_default();
        return StackStatus::Failed(format!("{status} {reason}"));
    }
    let outputs = xml::contents(answer, "Outputs").concat();
    let outputs = xml::contents(&outputs, "member")
        .into_iter()
        .filter_map(|output| {
            Some((xml::text(output, "OutputKey")?, xml::text(output, "OutputValue")?))
        })
        .collect();
    StackStatus::Complete(outputs)
}

fn read_events(answer: &str) -> Vec<String> {
    xml::contents(answer, "member")
        .into_iter()
        .filter_map(|event| {
            let resource = xml::text(event, "LogicalResourceId")?;
            Some(format!("{resource}: {}", xml::text(event, "ResourceStatus")?))
        })
        .collect()
}

fn read_failures(answer: &str) -> Vec<String> {
    xml::contents(answer, "member")
        .into_iter()
        .filter(|event| xml::text(event, "ResourceStatus").is_some_and(|s| s.ends_with("_FAILED")))
        .filter_map(|event| {
            let resource = xml::text(event, "LogicalResourceId")?;
            let reason = xml::text(event, "ResourceStatusReason").unwrap_or_default();
            Some(format!("{resource}: {reason}"))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::{StackStatus, read_events, read_failures, read_parameters, read_status};

    #[test]
    fn a_complete_stack_gives_its_outputs() {
        let answer = "<StackStatus>CREATE_COMPLETE</StackStatus><Outputs><member>\
            <OutputKey>A</OutputKey><OutputValue>x&amp;y</OutputValue></member></Outputs>";
        let StackStatus::Complete(outputs) = read_status(answer) else { panic!("not complete") };
        assert_eq!(outputs["A"], "x&y");
    }

    #[test]
    fn an_updated_stack_is_complete_and_lists_its_parameters() {
        let answer = "<StackStatus>UPDATE_COMPLETE</StackStatus><Parameters>\
            <member><ParameterKey>Stage</ParameterKey><ParameterValue>local</ParameterValue></member>\
            <member><ParameterKey>LookFirst</ParameterKey><ParameterValue/></member></Parameters>";
        assert!(matches!(read_status(answer), StackStatus::Complete(_)));
        assert_eq!(read_parameters(answer), ["Stage", "LookFirst"]);
        let rolled_back = "<StackStatus>UPDATE_ROLLBACK_COMPLETE</StackStatus>";
        assert!(matches!(read_status(rolled_back), StackStatus::Failed(_)));
    }

    #[test]
    fn a_rolled_back_stack_is_reported_with_its_reason() {
        let answer = "<StackStatus>ROLLBACK_COMPLETE</StackStatus>\
            <StackStatusReason>no table</StackStatusReason>";
        assert_eq!(read_status(answer), StackStatus::Failed("ROLLBACK_COMPLETE no table".into()));
    }

    #[test]
    fn failed_resources_are_named_with_their_reasons() {
        let answer = "<member><LogicalResourceId>Table</LogicalResourceId>\
            <ResourceStatus>CREATE_FAILED</ResourceStatus>\
            <ResourceStatusReason>bad key</ResourceStatusReason></member>\
            <member><LogicalResourceId>Queue</LogicalResourceId>\
            <ResourceStatus>CREATE_COMPLETE</ResourceStatus></member>";
        assert_eq!(read_failures(answer), ["Table: bad key"]);
        assert_eq!(read_events(answer), ["Table: CREATE_FAILED", "Queue: CREATE_COMPLETE"]);
    }
}
