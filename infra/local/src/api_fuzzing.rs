//! The fuzzing of the settings API on the local stack, as an Owner and as a Member of a connected
//! account.

use std::path::Path;

use tokio::process::Command;

use crate::crm::STORY_ACCOUNT;
use crate::failure::Failure;
use crate::stack::Stack;
use crate::story::browser;
use crate::token::User;
use crate::workplace::Workplace;

const SCRIPT: &str = "tests/api/check_api.py";

/// Connects the account, and fuzzes the API with the schemathesis beside this Python.
pub async fn run(stack: &Stack, workplace: &Workplace, python: &Path) -> Result<(), Failure> {
    let owner = token(stack, "Owner")?;
    browser::connect(&stack.http, &stack.addresses().api, &owner, None).await?;
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
