//! The name of every environment variable the functions' own code reads. The template sets the same
//! names; a test holds the two together.

/// The DynamoDB table.
pub const TABLE_NAME: &str = "TABLE_NAME";
/// `yes` after the table was restored from a backup, else `no`: whether everything is looked up in Xero before it
/// is created.
pub const LOOK_FIRST: &str = "LOOK_FIRST";
/// The namespace of the numbers that are watched: `ServiceCortexXero/<stage>`.
pub const METRIC_NAMESPACE: &str = "METRIC_NAMESPACE";
/// The secret with the Xero app's `client_id` and `client_secret`, as JSON.
pub const APP_SECRET_ID: &str = "APP_SECRET_ID";
/// The beginning of the names of all grants' secrets.
pub const GRANT_SECRET_PREFIX: &str = "GRANT_SECRET_PREFIX";
/// Where Xero users log in: `https://login.xero.com`.
pub const XERO_LOGIN_URL: &str = "XERO_LOGIN_URL";
/// Where Xero gives tokens: `https://identity.xero.com`.
pub const XERO_IDENTITY_URL: &str = "XERO_IDENTITY_URL";
/// Xero's API: `https://api.xero.com`.
pub const XERO_API_URL: &str = "XERO_API_URL";
/// Where Xero sends browsers back to; registered with the app, equal in every character.
pub const OAUTH_REDIRECT_URL: &str = "OAUTH_REDIRECT_URL";
/// The CRM's page where a browser lands after connecting.
pub const CRM_RETURN_URL: &str = "CRM_RETURN_URL";
/// The base of links to the CRM.
pub const CRM_URL: &str = "CRM_URL";
/// The queue of wake-ups for clients, as a target of schedules and as records name it.
pub const CONTACT_WAKE_UP_QUEUE_ARN: &str = "CONTACT_WAKE_UP_QUEUE_ARN";
/// The address of the queue of wake-ups for clients.
pub const CONTACT_WAKE_UP_QUEUE_URL: &str = "CONTACT_WAKE_UP_QUEUE_URL";
/// The queue of wake-ups for invoices, as a target of schedules and as records name it.
pub const INVOICE_WAKE_UP_QUEUE_ARN: &str = "INVOICE_WAKE_UP_QUEUE_ARN";
/// The address of the queue of wake-ups for invoices.
pub const INVOICE_WAKE_UP_QUEUE_URL: &str = "INVOICE_WAKE_UP_QUEUE_URL";
/// The queue of wake-ups for credit notes and their allocations, as a target of schedules and as records name it.
pub const CREDIT_NOTE_WAKE_UP_QUEUE_ARN: &str = "CREDIT_NOTE_WAKE_UP_QUEUE_ARN";
/// The address of the queue of wake-ups for credit notes and their allocations.
pub const CREDIT_NOTE_WAKE_UP_QUEUE_URL: &str = "CREDIT_NOTE_WAKE_UP_QUEUE_URL";
/// The queue of wake-ups for payments, as a target of schedules and as records name it.
pub const PAYMENT_WAKE_UP_QUEUE_ARN: &str = "PAYMENT_WAKE_UP_QUEUE_ARN";
/// The address of the queue of wake-ups for payments.
pub const PAYMENT_WAKE_UP_QUEUE_URL: &str = "PAYMENT_WAKE_UP_QUEUE_URL";
/// The address of the queue of polls, where the payment poll leaves itself chunks of ledgers.
pub const POLL_QUEUE_URL: &str = "POLL_QUEUE_URL";
/// The address of the queue on which the CRM is told what happened.
pub const EVENT_QUEUE_URL: &str = "EVENT_QUEUE_URL";
/// A push function's queue of messages from the CRM.
pub const QUEUE_URL: &str = "QUEUE_URL";
/// Where a function moves messages aside to: a push function those of the CRM, the payment poll its chunks.
pub const DEAD_LETTER_QUEUE_URL: &str = "DEAD_LETTER_QUEUE_URL";
/// Where a push function moves wake-ups aside to.
pub const WAKE_UP_DEAD_LETTER_QUEUE_URL: &str = "WAKE_UP_DEAD_LETTER_QUEUE_URL";
/// The group that one-time schedules are made in.
pub const SCHEDULE_GROUP: &str = "SCHEDULE_GROUP";
/// The role under which schedules send.
pub const SCHEDULE_ROLE_ARN: &str = "SCHEDULE_ROLE_ARN";

/// Which lines are logged: levels, of all crates or of one, such as `info,engine=debug`. Without it,
/// [`AWS_LAMBDA_LOG_LEVEL`] says so.
pub const RUST_LOG: &str = "RUST_LOG";

/// Set by Lambda: the form of the log's lines, `JSON` or `Text`.
pub const AWS_LAMBDA_LOG_FORMAT: &str = "AWS_LAMBDA_LOG_FORMAT";
/// Set by Lambda: the level below which Lambda itself drops lines.
pub const AWS_LAMBDA_LOG_LEVEL: &str = "AWS_LAMBDA_LOG_LEVEL";
/// Set by Lambda: the region.
pub const AWS_REGION: &str = "AWS_REGION";
/// Set by Lambda: the execution role's key.
pub const AWS_ACCESS_KEY_ID: &str = "AWS_ACCESS_KEY_ID";
/// Set by Lambda: the execution role's secret.
pub const AWS_SECRET_ACCESS_KEY: &str = "AWS_SECRET_ACCESS_KEY";
/// Set by Lambda: the execution role's session.
pub const AWS_SESSION_TOKEN: &str = "AWS_SESSION_TOKEN";
/// Another address for all AWS services, on a local stack only.
pub const AWS_ENDPOINT_URL: &str = "AWS_ENDPOINT_URL";

/// Every variable that the template has to set for every function.
pub const REQUIRED: [&str; 22] = [
    TABLE_NAME,
    LOOK_FIRST,
    METRIC_NAMESPACE,
    APP_SECRET_ID,
    GRANT_SECRET_PREFIX,
    XERO_LOGIN_URL,
    XERO_IDENTITY_URL,
    XERO_API_URL,
    OAUTH_REDIRECT_URL,
    CRM_RETURN_URL,
    CRM_URL,
    CONTACT_WAKE_UP_QUEUE_ARN,
    INVOICE_WAKE_UP_QUEUE_ARN,
    CREDIT_NOTE_WAKE_UP_QUEUE_ARN,
    PAYMENT_WAKE_UP_QUEUE_ARN,
    CONTACT_WAKE_UP_QUEUE_URL,
    INVOICE_WAKE_UP_QUEUE_URL,
    CREDIT_NOTE_WAKE_UP_QUEUE_URL,
    PAYMENT_WAKE_UP_QUEUE_URL,
    EVENT_QUEUE_URL,
    SCHEDULE_GROUP,
    SCHEDULE_ROLE_ARN,
];
