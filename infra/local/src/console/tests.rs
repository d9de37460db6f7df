//! Tests of the console's output.

use std::ffi::OsStr;

use jiff::SignedDuration;

use super::page::Page;
use super::{COLUMNS_DEFAULT, Console, Tone, clock_time, is_coloured, step_line};
use crate::failure::Failure;

#[test]
fn outside_a_terminal_nothing_is_coloured_and_lines_are_100_columns_wide() {
    let console = Console::plain(std::io::sink());
    assert_eq!(console.paint(Tone::Bad, "no"), "no");
    assert_eq!(console.columns(), COLUMNS_DEFAULT);
}

#[test]
fn no_color_takes_precedence() {
    let set = |value: &'static str| Some(OsStr::new(value));
    assert!(is_coloured(true, None, None));
    assert!(!is_coloured(false, None, None));
    assert!(!is_coloured(true, set("1"), set("1")));
    assert!(is_coloured(true, set(""), None), "an empty NO_COLOR has no effect");
    assert!(is_coloured(false, None, set("1")));
    assert!(!is_coloured(false, None, set("0")));
}

#[test]
fn a_step_shows_its_number_and_the_elapsed_time() {
    let elapsed = SignedDuration::from_secs(83);
    assert_eq!(step_line(3, 15, elapsed, "Deploying"), "3/15 1:23 Deploying");
    assert_eq!(step_line(3, 0, elapsed, "Deploying"), "Deploying");
    assert_eq!(clock_time(SignedDuration::from_secs(3_725)), "1:02:05");
}

#[test]
fn a_new_total_restarts_the_numbering() {
    let page = Page::default();
    let console = Console::plain(page.clone());
    console.expect_steps(2);
    console.step("first");
    console.step("second");
    console.expect_steps(1);
    console.step("third");
    let text = page.text();
    assert!(text.contains("==> 1/2 0:00 first"), "{text}");
    assert!(text.contains("2/2 0:00 second") && text.contains("1/1 0:00 third"), "{text}");
}

#[test]
fn a_progress_line_is_erased_before_the_next_line() {
    let page = Page::default();
    let console = Console::new(page.clone(), false, true);
    console.progress("1 of 2");
    console.line("done");
    assert_eq!(page.text(), "\r\x1b[2K    0:00 1 of 2\r\x1b[2Kdone\n");
}

#[test]
fn a_failure_begins_with_its_cause_and_keeps_the_lines_of_a_log() {
    let page = Page::default();
    let console = Console::plain(page.clone());
    let failure = Failure::new("The connection is expired:\n    line one")
        .interrupting("It was waiting for 3 records.")
        .remedy("Connect again.");
    console.failure(&failure);
    assert_eq!(
        page.text(),
        "The connection is expired:\n    line one\nIt was waiting for 3 records.\n\
         Connect again.\n"
    );
}
