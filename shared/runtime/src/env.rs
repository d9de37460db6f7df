//! The names of all environment variables that the functions read. The template sets the same
//! names; a test compares the two.

/// The DynamoDB table.
pub const TABLE_NAME: &str = "TABLE_NAME";
/// `yes` if the table was restored from a backup, otherwise `no`: whether every document is looked
/// up in Xero before it is created.
pub const LOOK_FIRST: &str = "LOOK_FIRST";
/// The namespace of the metrics: `ServiceCortexXero/<stage>`.
pub const METRIC_NAMESPACE: &str = "METRIC_NAMESPACE";
/// The secret with the Xero app's `client_id` and `client_secret`, as JSON.
pub const APP_SECRET_ID: &str = "APP_SECRET_ID";
/// The prefix of the names of all grants' secrets.
pub const GRANT_SECRET_PREFIX: &str = "GRANT_SECRET_PREFIX";
/// Where the tokens of grants are stored: `secrets`, `secrets-reading-sealed`,
/// `sealed-reading-secrets` or `sealed`.
pub const TOKEN_STORE: &str = "TOKEN_STORE";
/// The ARN of the KMS key for tokens in the table; `none` if there are none.
pub const TOKEN_KEY: &str = "TOKEN_KEY";
/// Where Xero users log in: `https://login.xero.com`.
pub const XERO_LOGIN_URL: &str = "XERO_LOGIN_URL";
/// Where Xero issues tokens: `https://identity.xero.com`.
pub const XERO_IDENTITY_URL: &str = "XERO_IDENTITY_URL";
/// Xero's API: `https://api.xero.com`.
pub const XERO_API_URL: &str = "XERO_API_URL";
/// Where Xero redirects browsers. Must equal the address registered with the app in every
/// character.
pub const OAUTH_REDIRECT_URL: &str = "OAUTH_REDIRECT_URL";
/// The CRM's page to which the browser is redirected after connecting.
pub const CRM_RETURN_URL: &str = "CRM_RETURN_URL";
/// The origins of the CRM's pages, separated by commas. Only for the function that serves the
/// pages.
pub const CRM_ORIGINS: &str = "CRM_ORIGINS";
/// The number of requests of one account that a process of the settings API serves in a minute. Only
/// for that function.
pub const ACCOUNT_REQUESTS_PER_MINUTE: &str = "ACCOUNT_REQUESTS_PER_MINUTE";
/// The base of links to the CRM.
pub const CRM_URL: &str = "CRM_URL";
/// The ARN of the queue of wake-ups for clients.
pub const CONTACT_WAKE_UP_QUEUE_ARN: &str = "CONTACT_WAKE_UP_QUEUE_ARN";
/// The URL of the queue of wake-ups for clients.
pub const CONTACT_WAKE_UP_QUEUE_URL: &str = "CONTACT_WAKE_UP_QUEUE_URL";
/// The ARN of the queue of wake-ups for invoices.
pub const INVOICE_WAKE_UP_QUEUE_ARN: &str = "INVOICE_WAKE_UP_QUEUE_ARN";
/// The URL of the queue of wake-ups for invoices.
pub const INVOICE_WAKE_UP_QUEUE_URL: &str = "INVOICE_WAKE_UP_QUEUE_URL";
/// The ARN of the queue of wake-ups for credit notes and their allocations.
pub const CREDIT_NOTE_WAKE_UP_QUEUE_ARN: &str = "CREDIT_NOTE_WAKE_UP_QUEUE_ARN";
/// The URL of the queue of wake-ups for credit notes and their allocations.
pub const CREDIT_NOTE_WAKE_UP_QUEUE_URL: &str = "CREDIT_NOTE_WAKE_UP_QUEUE_URL";
/// The ARN of the queue of wake-ups for payments.
pub const PAYMENT_WAKE_UP_QUEUE_ARN: &str = "PAYMENT_WAKE_UP_QUEUE_ARN";
/// The URL of the queue of wake-ups for payments.
pub const PAYMENT_WAKE_UP_QUEUE_URL: &str = "PAYMENT_WAKE_UP_QUEUE_URL";
/// The URL of the queue of polls, to which the payment poll sends chunks of ledgers.
pub const POLL_QUEUE_URL: &str = "POLL_QUEUE_URL";
/// The URL of the queue that delivers events to the CRM.
pub const EVENT_QUEUE_URL: &str = "EVENT_QUEUE_URL";
/// The URL of a push function's queue of messages from the CRM.
pub const QUEUE_URL: &str = "QUEUE_URL";
/// The URL of the dead-letter queue for messages from the CRM (push functions) or for chunks
/// (payment poll).
pub const DEAD_LETTER_QUEUE_URL: &str = "DEAD_LETTER_QUEUE_URL";
/// The URL of a push function's dead-letter queue for wake-ups.
pub const WAKE_UP_DEAD_LETTER_QUEUE_URL: &str = "WAKE_UP_DEAD_LETTER_QUEUE_URL";
/// The group in which one-time schedules are created.
pub const SCHEDULE_GROUP: &str = "SCHEDULE_GROUP";
/// The role that schedules assume to send.
pub const SCHEDULE_ROLE_ARN: &str = "SCHEDULE_ROLE_ARN";

/// The log filter: levels for all crates or single ones, such as `info,engine=debug`. Without it,
/// [`AWS_LAMBDA_LOG_LEVEL`] applies.
pub const RUST_LOG: &str = "RUST_LOG";

/// Set by Lambda: the format of log lines, `JSON` or `Text`.
pub const AWS_LAMBDA_LOG_FORMAT: &str = "AWS_LAMBDA_LOG_FORMAT";
/// Set by Lambda: the level below which Lambda itself drops lines.
pub const AWS_LAMBDA_LOG_LEVEL: &str = "AWS_LAMBDA_LOG_LEVEL";
/// Set by Lambda: the region.
pub const AWS_REGION: &str = "AWS_REGION";
/// Set by Lambda: the access key of the execution role.
pub const AWS_ACCESS_KEY_ID: &str = "AWS_ACCESS_KEY_ID";
/// Set by Lambda: the secret key of the execution role.
pub const AWS_SECRET_ACCESS_KEY: &str = "AWS_SECRET_ACCESS_KEY";
/// Set by Lambda: the session token of the execution role.
pub const AWS_SESSION_TOKEN: &str = "AWS_SESSION_TOKEN";
/// Another address for all AWS services, on a local stack only.
pub const AWS_ENDPOINT_URL: &str = "AWS_ENDPOINT_URL";

/// Every variable that the template must set for every function.
pub const REQUIRED: [&str; 24] = [
    TABLE_NAME,
    LOOK_FIRST,
    METRIC_NAMESPACE,
    APP_SECRET_ID,
    GRANT_SECRET_PREFIX,
    TOKEN_STORE,
    TOKEN_KEY,
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
