//! All output of the runner: steps, progress, lines of tables. Coloured on a terminal, plain in a
//! pipe or if `NO_COLOR` is set.

use std::ffi::OsStr;
use std::io::{IsTerminal, Write};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use anstyle::{AnsiColor, Color, Style};
use jiff::{SignedDuration, Timestamp};

use crate::clock;
use crate::failure::Failure;
use crate::text::{truncate, wrap};

/// The minimum interval between lines of progress in a pipe.
const QUIET: SignedDuration = SignedDuration::from_secs(15);

/// The width of the output without a terminal.
const COLUMNS_DEFAULT: usize = 100;

/// The minimum width: a narrower terminal is treated as this wide.
const COLUMNS_MIN: usize = 40;

/// The prefix of a line of progress: moves to the start of the line and erases it.
const ERASE: &str = "\r\x1b[2K";

/// The colours of the runner, by meaning.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tone {
    /// The title of a section.
    Title,
    /// Success.
    Good,
    /// A warning.
    Warning,
    /// A failure.
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

/// The console that the runner writes to. Clones share the stream and the step counter.
#[derive(Clone)]
pub struct Console {
    state: Arc<Mutex<State>>,
    colour: bool,
    /// Whether lines can be redrawn.
    terminal: bool,
    /// Whether the output is read when it is complete: without progress.
    kept: bool,
}

struct State {
    out: Box<dyn Write + Send>,
    /// When the run started.
    started: Timestamp,
    /// When progress was last printed in a pipe.
    progress_at: Option<Timestamp>,
    /// Whether the last line is a line of progress.
    is_changing: bool,
    /// The number of steps taken, and the total; zero if steps are not numbered.
    steps: (usize, usize),
}

impl std::fmt::Debug for Console {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Console")
            .field("colour", &self.colour)
            .field("terminal", &self.terminal)
            .field("kept", &self.kept)
            .finish_non_exhaustive()
    }
}

impl Console {
    /// Standard output. It is coloured on a terminal unless `NO_COLOR` is set to a non-empty value
    /// (<https://no-color.org>); `CLICOLOR_FORCE` colours a pipe, too.
    pub fn standard() -> Self {
        Self::of_stream(std::io::stdout())
    }

    /// Standard error, under the same rules.
    pub fn errors() -> Self {
        Self::of_stream(std::io::stderr())
    }

    fn of_stream(stream: impl IsTerminal + Write + Send + 'static) -> Self {
        let is_dumb = std::env::var_os("TERM").is_some_and(|value| value == "dumb");
        let terminal = stream.is_terminal() && !is_dumb;
        let no_color = std::env::var_os("NO_COLOR");
        let force = std::env::var_os("CLICOLOR_FORCE");
        let colour = is_coloured(terminal, no_color.as_deref(), force.as_deref());
        Self::new(stream, colour, terminal)
    }

    /// Any other writer, without colour: for tests.
    pub fn plain(out: impl Write + Send + 'static) -> Self {
        Self::new(out, false, false)
    }

    fn new(out: impl Write + Send + 'static, colour: bool, terminal: bool) -> Self {
        let state = State {
            out: Box::new(out),
            started: clock::now(),
            progress_at: None,
            is_changing: false,
            steps: (0, 0),
        };
        Self { state: Arc::new(Mutex::new(state)), colour, terminal, kept: false }
    }

    /// A console of the same run that writes to `out`, which is printed when it is complete.
    #[must_use]
    pub fn kept(&self, out: impl Write + Send + 'static) -> Self {
        let kept = Self::new(out, self.colour, false);
        kept.state().started = self.state().started;
        Self { kept: true, ..kept }
    }

    /// The maximum width of a line: that of the terminal, or 100 columns without one.
    pub fn columns(&self) -> usize {
        let asked = self.terminal.then(|| rustix::termios::tcgetwinsize(std::io::stdout()));
        let columns = asked.and_then(Result::ok).map(|size| usize::from(size.ws_col));
        columns.filter(|columns| *columns > 0).map_or(COLUMNS_DEFAULT, |all| all.max(COLUMNS_MIN))
    }

    /// Whether it is a terminal, whose user sees each line at once.
    pub fn is_terminal(&self) -> bool {
        self.terminal
    }

    /// How long the run has taken so far.
    pub fn elapsed(&self) -> SignedDuration {
        clock::now().duration_since(self.state().started)
    }

    /// Numbers the following steps from 1 to `total`. With 0 they are not numbered.
    pub fn expect_steps(&self, total: usize) {
        self.state().steps = (0, total);
    }

    /// The text in its tone, or the plain text if the output is not coloured.
    pub fn paint(&self, tone: Tone, text: &str) -> String {
        if self.colour {
            let style = tone.style();
            format!("{style}{text}{style:#}")
        } else {
            text.to_owned()
        }
    }

    /// Prints one line.
    pub fn line(&self, text: &str) {
        self.print(&format!("{text}\n"), false);
    }

    /// Prints one or more sentences, wrapped to the width of the output and indented by two
    /// columns.
    pub fn paragraph(&self, text: &str) {
        for line in wrap(text, self.columns().saturating_sub(2)) {
            self.line(&format!("  {line}"));
        }
    }

    /// Prints the title of a section, with an empty line above it.
    pub fn title(&self, text: &str) {
        self.line("");
        for line in wrap(text, self.columns()) {
            self.line(&self.paint(Tone::Title, &line));
        }
    }

    /// Announces a step with its number, the number of steps and the elapsed time.
    /// [`Console::done`] reports its result.
    pub fn step(&self, doing: &str) {
        let elapsed = self.elapsed();
        let (taken, total) = {
            let mut state = self.state();
            state.steps.0 = state.steps.0.saturating_add(1);
            state.steps
        };
        let text = step_line(taken, total, elapsed, doing);
        self.line(&format!("{} {text}", self.paint(Tone::Good, "==>")));
    }

    /// Reports the result of the step.
    pub fn done(&self, what: &str) {
        self.line(&self.paint(Tone::Quiet, &format!("    {what}")));
    }

    /// Shows the progress of a long wait: one line that is redrawn on a terminal, a line now and
    /// then in a pipe.
    pub fn progress(&self, text: &str) {
        let text = format!("    {} {text}", clock_time(self.elapsed()));
        if self.terminal {
            // A line that wraps cannot be erased.
            let line = truncate(&text, self.columns().saturating_sub(1));
            self.print(&format!("{ERASE}{line}"), true);
        } else if !self.kept && self.is_progress_due() {
            self.line(&text);
        }
    }

    /// Whether a line of progress is due; if so, starts the interval until the next one.
    fn is_progress_due(&self) -> bool {
        let now = clock::now();
        let mut state = self.state();
        let due = state.progress_at.is_none_or(|last| now.duration_since(last) >= QUIET);
        if due {
            state.progress_at = Some(now);
        }
        due
    }

    /// Ends a line of progress.
    pub fn progress_over(&self) {
        self.print("", false);
    }

    /// Prints a failure: the cause, then what it interrupted, then its remedy.
    pub fn failure(&self, failure: &Failure) {
        let columns = self.columns();
        let mut tone = Tone::Bad;
        for part in failure.lines() {
            let mut lines = part.lines();
            for line in wrap(lines.next().unwrap_or_default(), columns) {
                self.line(&self.paint(tone, &line));
            }
            // Further lines are a log or a list, and are not wrapped.
            lines.for_each(|line| self.line(line));
            tone = Tone::Warning;
        }
    }

    /// Prints after erasing a line of progress. A closed pipe (`cargo story | head`) is not a
    /// failure.
    fn print(&self, text: &str, is_changing: bool) {
        let mut state = self.state();
        let erase = if state.is_changing && !is_changing { ERASE } else { "" };
        state.is_changing = is_changing;
        let text = format!("{erase}{text}");
        if state.out.write_all(text.as_bytes()).and_then(|()| state.out.flush()).is_err() {
            state.out = Box::new(std::io::sink());
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Whether the output is coloured, given the terminal and the two variables.
fn is_coloured(terminal: bool, no_color: Option<&OsStr>, force: Option<&OsStr>) -> bool {
    if no_color.is_some_and(|value| !value.is_empty()) {
        return false;
    }
    terminal || force.is_some_and(|value| !value.is_empty() && value != "0")
}

/// A step with its number, unless steps are not numbered, and the elapsed time.
fn step_line(taken: usize, total: usize, elapsed: SignedDuration, doing: &str) -> String {
    if total == 0 {
        return doing.to_owned();
    }
    format!("{taken}/{total} {} {doing}", clock_time(elapsed))
}

/// A duration as `m:ss`, or `h:mm:ss` from one hour on.
pub fn clock_time(duration: SignedDuration) -> String {
    let seconds = duration.as_secs().max(0);
    let (hours, minutes, seconds) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
    if hours > 0 {
        format!("{hours}:{minutes:02}:{seconds:02}")
    } else {
        format!("{minutes}:{seconds:02}")
    }
}

#[cfg(test)]
pub(crate) mod page;
#[cfg(test)]
mod tests;
