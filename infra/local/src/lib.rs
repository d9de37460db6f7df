//! The whole product on one machine: the local AWS with the very template and the real binaries, the
//! Xero simulator on a socket, a stand-in for the CRM; the product's story played against them; and
//! every check of the project, one after the other.
//!
//! It is *not* part of the product: nothing imports it, nothing of it is deployed.
//!
//! Reading order: [`stack`] starts everything and says in which order; [`story`] plays; [`verify`]
//! checks. [`arguments`] is the command line, [`console`] and [`failure`] are how a person is spoken to.

pub mod arguments;
pub mod aws;
pub mod binaries;
pub mod children;
pub mod clock;
pub mod compile;
pub mod console;
pub mod crm;
pub mod crm_pages;
pub mod deployment;
pub mod emulator;
pub mod failure;
pub mod gateway;
pub mod http_client;
pub mod http_server;
pub mod lambda;
pub mod ports;
pub mod project;
pub mod python;
pub mod runs;
pub mod scratch;
pub mod simulator;
pub mod stack;
pub mod story;
pub mod text;
pub mod token;
pub mod verify;
pub mod wait;
pub mod workplace;
