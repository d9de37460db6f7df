//! Tests of the engine against the simulator, in one process and in virtual time.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice,
    clippy::print_stdout,
    unreachable_pub,
    reason = "a test may panic"
)]

mod abandoned;
mod answers_in_time;
mod api_facts;
mod api_hostile;
mod api_lists;
mod api_refusals;
mod archived;
mod at_once;
mod availability;
mod bad_row;
mod batch;
mod before_connection;
mod books;
mod bursts;
mod cleanup;
mod connect;
mod consent;
mod contact_fields;
mod contacts;
mod contract_violations;
mod copies;
mod crash;
mod damaged_shares;
mod decided_payments;
mod default_tracking;
mod dependants;
mod described;
#[path = "../../shared/xero/tests/it/description.rs"]
#[allow(dead_code, reason = "the client's own tests use more of it")]
mod description;
mod edits_on_both_sides;
mod ended_skips;
mod erasure;
mod false_confirmations;
mod faulty_messages;
mod faulty_polls;
mod faulty_ports;
mod faulty_records;
mod faulty_rows;
mod faulty_walks;
mod final_refusals;
mod function;
mod function_stops;
mod gateway;
mod health;
mod invoice_changes;
mod isolation;
mod keep_alive;
mod kept_payments;
#[allow(dead_code, reason = "the test of 100,000 accounts uses more of it")]
mod large_world;
mod last_calls;
mod limits_interactive;
mod line_accounts;
mod line_values;
mod lost_write_answers;
mod moved_documents;
mod neighbours;
mod open_questions;
mod openapi;
mod other_books;
mod outbox;
mod overlooked_changes;
mod overpayments;
mod paging;
mod payment_contradictions;
mod payment_currencies;
mod payment_methods;
mod people;
mod poll;
mod poll_many;
mod push_contact;
mod push_credit_note;
mod push_functions;
mod push_invoice;
mod push_payment;
mod record_routes;
mod recovery;
mod refunds;
mod refused_batches;
mod regions;
mod released_at_once;
mod repeated_failures;
mod restored_contacts;
mod rights;
mod row_compatibility;
mod shown_again;
mod sizes;
mod sizes_connection;
mod sizes_payments;
mod sizes_records;
mod sizes_shares;
mod slow_key_service;
mod status;
mod story;
mod synced_events;
mod table_calls;
mod ten_thousand;
mod token_stores;
mod tokens;
mod too_large;
mod unconfirmed_writes;
mod unknown_sentences;
mod unknown_status;
mod unreadable_rows;
mod vanished;
mod verification;
mod walks;
