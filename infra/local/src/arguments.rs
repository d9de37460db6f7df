//! The command line: `story`, `verify`, `up`, `connect`, `send`, `events`, each with a few options.

use std::path::PathBuf;

use clap::Parser;

use crate::crm_commands::CrmCommand;
use crate::stack::Options;
use crate::verify::Check;

/// Runs the whole product on this machine.
#[derive(Debug, Clone, Parser)]
#[command(name = "local", bin_name = "cargo local")]
pub enum Command {
    /// Starts everything, plays the story and prints a report.
    #[command(override_usage = "cargo story [OPTIONS]")]
    Story {
        /// The options of the stack.
        #[command(flatten)]
        options: Options,
        /// Keep everything running after the story, until Ctrl-C.
        #[arg(long)]
        stay: bool,
        /// Write all addresses to this file as soon as everything is ready.
        #[arg(long, value_name = "FILE", requires = "stay")]
        addresses: Option<PathBuf>,
    },
    /// Runs every check and every test.
    #[command(override_usage = "cargo verify [OPTIONS]")]
    Verify {
        /// The options of the stack.
        #[command(flatten)]
        options: Options,
        /// Run only these checks, in their usual order. Can be repeated.
        #[arg(long, value_name = "CHECK", value_delimiter = ',')]
        only: Vec<Check>,
    },
    /// Starts everything and keeps it running until Ctrl-C.
    Up {
        /// The options of the stack.
        #[command(flatten)]
        options: Options,
        /// Write all addresses to this file as soon as everything is ready.
        #[arg(long, value_name = "FILE")]
        addresses: Option<PathBuf>,
    },
    /// Commands for a running stack.
    #[command(flatten)]
    Crm(CrmCommand),
}

#[cfg(test)]
mod tests {
    use clap::{CommandFactory as _, Parser as _};

    use super::Command;
    use crate::crm_commands::CrmCommand;
    use crate::crm_queues::CrmQueue;
    use crate::verify::Check;

    fn parse(line: &str) -> Result<Command, String> {
        let words = std::iter::once("local").chain(line.split_whitespace());
        Command::try_parse_from(words).map_err(|error| error.to_string())
    }

    /// Asserts what the runner prints instead of running.
    fn assert_answer(line: &str, part: &str) {
        let answer = parse(line).unwrap_err();
        assert!(answer.contains(part), "{line}: {answer}");
    }

    #[test]
    fn the_command_line_is_consistent() {
        Command::command().debug_assert();
    }

    #[test]
    fn the_story_keeps_the_stack_running_on_request() {
        assert!(matches!(parse("story"), Ok(Command::Story { stay: false, .. })));
        let line = "story --stay --port 9700 --python /usr/bin/python3 --log debug";
        let Ok(Command::Story { options, stay: true, addresses: None }) = parse(line) else {
            panic!("not understood")
        };
        assert_eq!(options.port, Some(9700));
        assert_eq!(options.python.unwrap().to_str(), Some("/usr/bin/python3"));
        assert_eq!(options.log_level.as_deref(), Some("debug"));
    }

    #[test]
    fn the_stack_alone_takes_the_options_of_the_stack() {
        let Ok(Command::Up { options, addresses }) = parse("up --port=9700 --addresses xero.json")
        else {
            panic!("not understood")
        };
        assert_eq!((options.port, options.log_level), (Some(9700), None));
        assert_eq!(options.businesses, 0);
        assert_eq!(addresses.unwrap().to_str(), Some("xero.json"));
    }

    #[test]
    fn messages_are_sent_to_the_only_stack_or_to_a_named_one() {
        let Ok(Command::Crm(CrmCommand::Send { files, queue, again: false, stack })) =
            parse("send one.json two.json")
        else {
            panic!("not understood")
        };
        assert_eq!((files.len(), queue, stack.file), (2, None, None));
        let line = "send --again --queue credit-notes --stack xero.json -";
        let Ok(Command::Crm(CrmCommand::Send { files, queue, again: true, stack })) = parse(line)
        else {
            panic!("not understood")
        };
        assert_eq!((files.len(), queue), (1, Some(CrmQueue::CreditNotes)));
        assert_eq!(stack.file.unwrap().to_str(), Some("xero.json"));
    }

    #[test]
    fn an_account_is_connected_by_its_id_or_the_one_of_the_story() {
        let Ok(Command::Crm(CrmCommand::Connect { account, login, .. })) = parse("connect") else {
            panic!("not understood")
        };
        assert_eq!((account.as_str(), login), ("acc_ridgeway", None));
        let line = "connect --account acc_1 --login sam@ridgeway.example";
        let Ok(Command::Crm(CrmCommand::Connect { account, login, .. })) = parse(line) else {
            panic!("not understood")
        };
        assert_eq!((account.as_str(), login.as_deref()), ("acc_1", Some("sam@ridgeway.example")));
    }

    #[test]
    fn events_are_removed_unless_they_are_to_be_kept() {
        let Ok(Command::Crm(CrmCommand::Events { follow: false, keep: false, .. })) =
            parse("events")
        else {
            panic!("not understood")
        };
        let Ok(Command::Crm(CrmCommand::Events { keep: true, check_payments: true, .. })) =
            parse("events --keep --check-payments")
        else {
            panic!("not understood")
        };
    }

    #[test]
    fn checks_are_selected_one_by_one_or_in_a_list() {
        for line in ["verify --only e2e --only fmt", "verify --only e2e,fmt"] {
            let Ok(Command::Verify { only, .. }) = parse(line) else { panic!("not understood") };
            assert_eq!(only, [Check::EndToEnd, Check::Format], "{line}");
        }
        let Ok(Command::Verify { only, .. }) = parse("verify") else { panic!("not understood") };
        assert!(only.is_empty());
    }

    #[test]
    fn an_invalid_argument_is_named() {
        assert_answer("dance", "unrecognized subcommand 'dance'");
        for port in ["0", "x", "-1", "65536"] {
            let line = format!("story --port={port}");
            assert_answer(&line, "give a port from 1 to 65535, such as 9700");
        }
        assert_answer("story --port", "a value is required for '--port <N>' but none was supplied");
        assert_answer("verify --only luck", "invalid value 'luck' for '--only <CHECK>'");
        assert_answer("story --only fmt", "unexpected argument '--only' found");
        assert_answer("verify --stay", "unexpected argument '--stay' found");
        assert_answer("story --addresses xero.json", "--stay");
        assert_answer("send", "<FILE>...");
        assert_answer(
            "send --queue letters one.json",
            "invalid value 'letters' for '--queue <QUEUE>'",
        );
        assert_answer("events --keep --follow", "cannot be used with");
    }

    #[test]
    fn a_misspelt_argument_is_answered_with_a_similar_one() {
        assert_answer("stori", "'story'");
        assert_answer("story --prot 9700", "'--port'");
        assert_answer("verify --only clipy", "'clippy'");
    }

    #[test]
    fn the_usage_shows_what_a_user_types() {
        assert_answer("story --help", "Usage: cargo story [OPTIONS]");
        assert_answer("verify --help", "Usage: cargo verify [OPTIONS]");
        assert_answer("up --help", "Usage: cargo local up [OPTIONS]");
        assert_answer("send --help", "Usage: cargo local send [OPTIONS] <FILE>...");
        assert_answer("events --help", "Usage: cargo local events [OPTIONS]");
        assert_answer("--help", "Usage: cargo local <COMMAND>");
    }
}
