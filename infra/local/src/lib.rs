//! The whole product on one machine: the local AWS with the product's own template and binaries,
//! the Xero simulator on a socket, and a stand-in for the CRM; the story that is played against
//! them; and every check of the project.
//!
//! It is *not* part of the product: the product does not import it and it is not deployed.
//!
//! Reading order: [`stack`] starts everything and documents the order; [`story`] plays the
//! scenario; [`verify`] runs the checks; [`crm_commands`] connects an account of a running
//! stack, sends messages to it and receives its events. [`arguments`] is the command line, [`console`] and [`failure`] are the
//! output.

pub mod api_fuzzing;
pub mod arguments;
pub mod aws;
pub mod binaries;
pub mod children;
pub mod clock;
pub mod compile;
pub mod console;
pub mod crm;
pub mod crm_commands;
pub mod crm_pages;
pub mod crm_queues;
pub mod deployment;
pub mod description;
pub mod emulator;
pub mod exit;
pub mod failure;
pub mod fuzzing;
pub mod gateway;
pub mod http_client;
pub mod http_server;
pub mod lambda;
pub mod pages;
pub mod ports;
pub mod project;
pub mod python;
pub mod runs;
pub mod scratch;
pub mod simulator;
pub mod stack;
pub mod stack_file;
pub mod story;
pub mod text;
pub mod token;
pub mod verify;
pub mod wait;
pub mod workplace;
