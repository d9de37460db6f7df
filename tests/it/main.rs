//! The engine against the simulator, in one process and in virtual time.

mod connect;
mod crash;
mod push_contact;
mod push_invoice;
mod tokens;
