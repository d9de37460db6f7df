//! The command line: `story`, `verify`, `up`, each with a few flags.

use crate::failure::Failure;
use crate::stack::Options;
use crate::verify::Check;
use std::path::PathBuf;

/// What the person wants.
#[derive(Debug, Clone)]
pub enum Command {
    /// Start everything and play the story; stay up afterwards if asked.
    Story {
        /// How to start the stack.
        options: Options,
        /// Keep everything running until Ctrl-C.
        stay: bool,
    },
    /// Run the checks.
    Verify {
        /// How to start the stack for the end-to-end tests.
        options: Options,
        /// Which checks, in the order they run.
        checks: Vec<Check>,
    },
    /// Start everything and stay up until Ctrl-C.
    Up {
        /// How to start the stack.
        options: Options,
    },
    /// Say how the runner is used.
    Usage,
}

/// How the runner is used.
pub const USAGE: &str = "\
cargo story [--stay]      starts everything on this machine, plays the story and prints what happened
cargo verify [--only X]   runs every check and every test; X is one of: fmt, template, clippy, docs,
                          deny, tests, fuzz, sdk, loops, e2e, story, lambda (several --only are
                          possible)
cargo local up            starts everything and stays up until Ctrl-C

  --stay                  keep everything running after the story, until Ctrl-C
  --port N                use the ports N to N+3 instead of free ones
  --python PATH           use this Python (3.10 or newer) for the local AWS
  --log FILTER            the functions' log filter, such as debug; info is the default";

impl Command {
    /// Reads the arguments after the program's name.
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
            Some(other) => Err(misused(&format!("There is no command \"{other}\""))),
        }
    }
}

/// The flags that were given, whichever command they are for.
#[derive(Default)]
struct Given {
    options: Options,
    stay: bool,
    only: Vec<Check>,
    help: bool,
}

impl Given {
    fn take(&mut self, flag: &str, rest: &mut impl Iterator<Item = String>) -> Result<(), Failure> {
        let mut value = || {
            rest.next().ok_or_else(|| misused(&format!("{flag} is missing what comes after it")))
        };
        match flag {
            "--stay" => self.stay = true,
            "--help" | "-h" => self.help = true,
            "--port" => {
                let port = value()?;
                let number = port.parse::<u16>().ok().filter(|port| *port > 0);
                let unusable = || misused(&format!("\"{port}\" is no port"));
                self.options.port = Some(number.ok_or_else(unusable)?);
            }
            "--python" => self.options.python = Some(PathBuf::from(value()?)),
            "--log" => self.options.log_level = Some(value()?),
            "--only" => {
                let name = value()?;
                let unknown = || misused(&format!("There is no check \"{name}\""));
                self.only.push(Check::named(&name).ok_or_else(unknown)?);
            }
            other => return Err(misused(&format!("There is no flag \"{other}\""))),
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
            return Err(misused("--stay goes with story, not with verify"));
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
        if self.only.is_empty() { Ok(()) } else { Err(misused("--only goes with verify")) }
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
    fn the_story_stays_up_on_request() {
        assert!(matches!(parse("story"), Ok(Command::Story { stay: false, .. })));
        let Ok(Command::Story { options, stay: true }) = parse("story --stay --port 9700") else {
            panic!("not understood")
        };
        assert_eq!(options.port, Some(9700));
    }

    #[test]
    fn checks_run_in_their_own_order_whichever_way_they_are_named() {
        let Ok(Command::Verify { checks, .. }) = parse("verify --only e2e --only fmt") else {
            panic!("not understood")
        };
        assert_eq!(checks, [Check::Format, Check::EndToEnd]);
        let Ok(Command::Verify { checks, .. }) = parse("verify") else { panic!("not understood") };
        assert_eq!(checks, Check::ALL);
    }

    #[test]
    fn a_mistake_is_named() {
        assert_eq!(parse("dance").unwrap_err(), "There is no command \"dance\"");
        assert_eq!(parse("story --port 0").unwrap_err(), "\"0\" is no port");
        assert_eq!(parse("story --port").unwrap_err(), "--port is missing what comes after it");
        assert_eq!(parse("verify --only luck").unwrap_err(), "There is no check \"luck\"");
        assert_eq!(parse("story --only fmt").unwrap_err(), "--only goes with verify");
    }
}
