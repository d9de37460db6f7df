//! The command line: `story`, `verify`, `up`, each with a few flags.

use crate::failure::Failure;
use crate::stack::Options;
use crate::verify::Check;
use std::path::PathBuf;

/// The parsed command line.
#[derive(Debug, Clone)]
pub enum Command {
    /// Start everything and play the story.
    Story {
        /// The options of the stack.
        options: Options,
        /// Keep everything running until Ctrl-C.
        stay: bool,
    },
    /// Run the checks.
    Verify {
        /// The options of the stack for the end-to-end tests.
        options: Options,
        /// The selected checks, in the order they run.
        checks: Vec<Check>,
    },
    /// Start everything and keep it running until Ctrl-C.
    Up {
        /// The options of the stack.
        options: Options,
    },
    /// Print the usage.
    Usage,
}

/// The usage text.
pub const USAGE: &str = "\
cargo story [--stay]      starts everything on this machine, plays the story and prints a report
cargo verify [--only X]   runs every check and every test; X is one of: fmt, template, clippy, docs,
                          deny, tests, fuzz, sdk, loops, e2e, story, lambda (several --only are
                          possible)
cargo local up            starts everything and keeps it running until Ctrl-C

  --stay                  keep everything running after the story, until Ctrl-C
  --port N                use the ports N to N+3 instead of free ones
  --python PATH           use this Python (3.10 or newer) for the local AWS
  --log FILTER            the functions' log filter, such as debug; the default is
                          info, or trace for the story";

impl Command {
    /// Parses the arguments after the program's name.
    pub fn parse(arguments: impl IntoIterator<Item = String>) -> Result<Self, Failure> {
        let mut arguments = arguments.into_iter();
        let name = arguments.next();
        let mut given = Given::default();
        while let Some(argument) = arguments.next() {
            given.take(&argument, &mut arguments)?;
        }
        match name.as_deref() {
            Some("story") => given.story(),
            Some("verify") => given.verify(),
            Some("up") => given.up(),
            None | Some("help" | "--help" | "-h") => Ok(Self::Usage),
            Some(other) => Err(misused(&format!("Unknown command \"{other}\""))),
        }
    }
}

/// The given flags, for any command.
#[derive(Default)]
struct Given {
    options: Options,
    stay: bool,
    only: Vec<Check>,
    help: bool,
}

impl Given {
    fn take(&mut self, flag: &str, rest: &mut impl Iterator<Item = String>) -> Result<(), Failure> {
        let mut value = || rest.next().ok_or_else(|| misused(&format!("{flag} requires a value")));
        match flag {
            "--stay" => self.stay = true,
            "--help" | "-h" => self.help = true,
            "--port" => {
                let port = value()?;
                let number = port.parse::<u16>().ok().filter(|port| *port > 0);
                let unusable = || misused(&format!("\"{port}\" is not a valid port"));
                self.options.port = Some(number.ok_or_else(unusable)?);
            }
            "--python" => self.options.python = Some(PathBuf::from(value()?)),
            "--log" => self.options.log_level = Some(value()?),
            "--only" => {
                let name = value()?;
                let unknown = || misused(&format!("Unknown check \"{name}\""));
                self.only.push(Check::named(&name).ok_or_else(unknown)?);
            }
            other => return Err(misused(&format!("Unknown flag \"{other}\""))),
        }
        Ok(())
    }

    fn story(self) -> Result<Command, Failure> {
        if self.help {
            return Ok(Command::Usage);
        }
        self.only_for_verify()?;
        Ok(Command::Story { options: self.options, stay: self.stay })
    }

    fn verify(self) -> Result<Command, Failure> {
        if self.help {
            return Ok(Command::Usage);
        }
        if self.stay {
            return Err(misused("--stay is only valid for story"));
        }
        let wanted = |check: &Check| self.only.is_empty() || self.only.contains(check);
        let checks = Check::ALL.into_iter().filter(wanted).collect();
        Ok(Command::Verify { options: self.options, checks })
    }

    fn up(self) -> Result<Command, Failure> {
        if self.help {
            return Ok(Command::Usage);
        }
        self.only_for_verify()?;
        Ok(Command::Up { options: self.options })
    }

    fn only_for_verify(&self) -> Result<(), Failure> {
        if self.only.is_empty() { Ok(()) } else { Err(misused("--only is only valid for verify")) }
    }
}

fn misused(sentence: &str) -> Failure {
    Failure::new(sentence).remedy(USAGE)
}

#[cfg(test)]
mod tests {
    use super::Command;
    use crate::verify::Check;

    fn parse(line: &str) -> Result<Command, String> {
        Command::parse(line.split_whitespace().map(str::to_owned))
            .map_err(|failure| failure.lines()[0].clone())
    }

    #[test]
    fn the_story_keeps_the_stack_running_on_request() {
        assert!(matches!(parse("story"), Ok(Command::Story { stay: false, .. })));
        let Ok(Command::Story { options, stay: true }) = parse("story --stay --port 9700") else {
            panic!("not understood")
        };
        assert_eq!(options.port, Some(9700));
    }

    #[test]
    fn checks_run_in_a_fixed_order_regardless_of_the_arguments() {
        let Ok(Command::Verify { checks, .. }) = parse("verify --only e2e --only fmt") else {
            panic!("not understood")
        };
        assert_eq!(checks, [Check::Format, Check::EndToEnd]);
        let Ok(Command::Verify { checks, .. }) = parse("verify") else { panic!("not understood") };
        assert_eq!(checks, Check::ALL);
    }

    #[test]
    fn an_invalid_argument_is_named() {
        assert_eq!(parse("dance").unwrap_err(), "Unknown command \"dance\"");
        assert_eq!(parse("story --port 0").unwrap_err(), "\"0\" is not a valid port");
        assert_eq!(parse("story --port").unwrap_err(), "--port requires a value");
        assert_eq!(parse("verify --only luck").unwrap_err(), "Unknown check \"luck\"");
        assert_eq!(parse("story --only fmt").unwrap_err(), "--only is only valid for verify");
    }
}
