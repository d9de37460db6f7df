//! The fuzzing of the settings API on the local stack, as an Owner and as a Member of a connected
//! account.

use std::path::Path;

use bytes::Bytes;
use http::Request;
use serde::Deserialize;
use tokio::process::Command;

use crate::crm::STORY_ACCOUNT;
use crate::failure::Failure;
use crate::http_client::refused;
use crate::stack::Stack;
use crate::story::browser;
use crate::token::User;
use crate::workplace::Workplace;

const SCRIPT: &str = "tests/api/check_api.py";

/// The start of a connect.
#[derive(Deserialize)]
struct Started {
    authorize_url: String,
}

/// Connects the account, and fuzzes the API with the schemathesis beside this Python.
pub async fn run(stack: &Stack, workplace: &Workplace, python: &Path) -> Result<(), Failure> {
    let owner = token(stack, "Owner")?;
    connect(stack, &owner).await?;
    let mut check = Command::new(python);
    check
        .args(["-B", "-u"])
        .arg(workplace.project.root().join(SCRIPT))
        .env("API_URL", &stack.addresses().api)
        .env("API_SCRATCH", workplace.run.folder())
        .env("OWNER_TOKEN", owner)
        .env("MEMBER_TOKEN", token(stack, "Member")?);
    workplace.show(SCRIPT, &mut check).await
}

fn token(stack: &Stack, role: &str) -> Result<String, Failure> {
    stack.crm().token(&User {
        sub: format!("usr_{}", role.to_lowercase()),
        account_id: STORY_ACCOUNT.to_owned(),
        role: role.to_owned(),
        name: "Rowan Ridgeway".to_owned(),
    })
}

/// Connects the account as a person does in a browser.
async fn connect(stack: &Stack, token: &str) -> Result<(), Failure> {
    let (http, api) = (&stack.http, &stack.addresses().api);
    let asked = "POST /v1/connection";
    let request = Request::post(format!("{api}/v1/connection"))
        .header("authorization", format!("Bearer {token}"))
        .body(Bytes::new())
        .map_err(|error| Failure::new("Cannot build the request").because(error))?;
    let answer = http.send(request).await?;
    if !answer.status().is_success() {
        return Err(refused(asked, &answer));
    }
    let started: Started = serde_json::from_slice(answer.body())
        .map_err(|error| Failure::new(format!("{asked} answered something else")).because(error))?;
    let callback = browser::press(http, &started.authorize_url, "allow").await?;
    let landing = browser::come_back(http, &callback).await?;
    let ticket = landing
        .ticket
        .ok_or_else(|| Failure::new(format!("The browser returned with \"{}\"", landing.word)))?;
    browser::complete(http, api, token, &ticket).await.map(drop)
}
