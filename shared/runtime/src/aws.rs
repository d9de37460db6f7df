//! The engine's ports on AWS, and the clients that they use.

mod call_limit;
mod clients;
mod connector;
mod dead_letters;
mod events;
mod key_service;
mod polls;
mod redelivery;
mod refusals;
mod secrets;
#[cfg(test)]
pub(crate) mod test_access;
mod token_store;
mod wake_ups;

pub(crate) use call_limit::{limit_calls, limit_last_calls};
pub(crate) use clients::AwsClients;
pub use dead_letters::DeadLetterQueue;
pub use events::EventQueue;
pub use key_service::KeyService;
pub use polls::PollQueue;
pub use redelivery::ReceivedQueue;
pub use secrets::SecretsManager;
pub(crate) use token_store::build_token_store;
pub use wake_ups::WakeUpScheduler;
