//! Everything the runner says, in one place: steps, progress, tables' lines; coloured on a terminal,
//! plain in a pipe or where `NO_COLOR` is set.

use crate::clock;
use crate::failure::Failure;
use anstyle::{AnsiColor, Color, Style};
use jiff::{SignedDuration, Timestamp};
use std::io::{IsTerminal, Write};
use std::sync::{Arc, Mutex, PoisonError};

/// In a pipe, progress is told no more often than this.
const QUIET: SignedDuration = SignedDuration::from_secs(15);

/// The colours the runner uses, by what they mean.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tone {
    /// The title of a part.
    Title,
    /// Something went as it should.
    Good,
    /// Something a person should look at.
    Warning,
    /// Something went wrong.
    Bad,
    /// Less important than the rest.
    Quiet,
}

impl Tone {
    fn style(self) -> Style {
        let colour = |colour| Style::new().fg_color(Some(Color::Ansi(colour)));
        match self {
            Self::Title => Style::new().bold(),
            Self::Good => colour(AnsiColor::Green),
            Self::Warning => colour(AnsiColor::Yellow),
            Self::Bad => colour(AnsiColor::Red).bold(),
            Self::Quiet => Style::new().dimmed(),
        }
    }
}

/// Where the runner talks to. Clones share the stream.
#[derive(Clone)]
pub struct Console {
    out: Arc<Mutex<Box<dyn Write + Send>>>,
    colour: bool,
    terminal: bool,
    /// When progress was last told in a pipe.
    told: Arc<Mutex<Option<Timestamp>>>,
}

impl std::fmt::Debug for Console {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Console")
            .field("colour", &self.colour)
            .field("terminal", &self.terminal)
            .finish_non_exhaustive()
    }
}

impl Console {
    /// Standard output; coloured on a terminal unless `NO_COLOR` is set to something.
    pub fn standard() -> Self {
        let terminal = std::io::stdout().is_terminal();
        let unwanted = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
        Self {
            out: Arc::new(Mutex::new(Box::new(std::io::stdout()))),
            colour: terminal && !unwanted,
            terminal,
            told: Arc::default(),
        }
    }

    /// Any other place to write to, without colour: for tests.
    pub fn plain(out: impl Write + Send + 'static) -> Self {
        Self {
            out: Arc::new(Mutex::new(Box::new(out))),
            colour: false,
            terminal: false,
            told: Arc::default(),
        }
    }

    /// The text in its tone, or just the text where there is no colour.
    pub fn paint(&self, tone: Tone, text: &str) -> String {
        if self.colour {
            let style = tone.style();
            format!("{style}{text}{style:#}")
        } else {
            text.to_owned()
        }
    }

    /// One line.
    pub fn line(&self, text: &str) {
        self.write(&format!("{text}\n"));
    }

    /// The title of a part of the output, with an empty line above it.
    pub fn title(&self, text: &str) {
        self.line("");
        self.line(&self.paint(Tone::Title, text));
    }

    /// Says what begins now. What it became follows as a [`Console::done`] line.
    pub fn step(&self, doing: &str) {
        self.line(&format!("{} {doing}", self.paint(Tone::Good, "==>")));
    }

    /// Says how the step ended.
    pub fn done(&self, what: &str) {
        self.line(&self.paint(Tone::Quiet, &format!("    {what}")));
    }

    /// How far a long wait has come: one line that changes on a terminal, a line now and then in a
    /// pipe.
    pub fn progress(&self, text: &str) {
        if self.terminal {
            self.write(&format!("\r\x1b[2K    {text}"));
        } else if self.has_been_quiet() {
            self.line(&format!("    {text}"));
        }
    }

    /// Whether a line of progress is due; if so, the next one is not for a while.
    fn has_been_quiet(&self) -> bool {
        let mut told = self.told.lock().unwrap_or_else(PoisonError::into_inner);
        let now = clock::now();
        let due = told.is_none_or(|last| now.duration_since(last) >= QUIET);
        if due {
            *told = Some(now);
        }
        due
    }

    /// Ends a changing line.
    pub fn progress_over(&self) {
        if self.terminal {
            self.write("\r\x1b[2K");
        }
    }

    /// A failure, with its remedy on the next line.
    pub fn failure(&self, failure: &Failure) {
        for (place, line) in failure.lines().iter().enumerate() {
            let tone = if place == 0 { Tone::Bad } else { Tone::Warning };
            self.line(&self.paint(tone, line));
        }
    }

    /// A closed pipe (`cargo story | head`) is no reason to fail: there is nobody left to tell.
    fn write(&self, text: &str) {
        let mut out = self.out.lock().unwrap_or_else(PoisonError::into_inner);
        if out.write_all(text.as_bytes()).and_then(|()| out.flush()).is_err() {
            *out = Box::new(std::io::sink());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Console, Tone};

    #[test]
    fn outside_a_terminal_nothing_is_coloured() {
        let console = Console::plain(std::io::sink());
        assert_eq!(console.paint(Tone::Bad, "no"), "no");
    }
}
