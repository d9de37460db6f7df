//! A failure as a sentence for the user, with its remedy.

use std::error::Error;

/// A failure that is only shown to the user: no code branches on its kind.
#[derive(Debug, thiserror::Error)]
#[error("{sentence}")]
pub struct Failure {
    sentence: String,
    interrupted: Option<String>,
    remedy: Option<String>,
    #[source]
    source: Option<Box<dyn Error + Send + Sync>>,
}

impl Failure {
    /// A failure with this message.
    pub fn new(sentence: impl Into<String>) -> Self {
        Self { sentence: sentence.into(), interrupted: None, remedy: None, source: None }
    }

    /// Adds what the failure interrupted. An earlier call takes precedence.
    #[must_use]
    pub fn interrupting(mut self, what: impl Into<String>) -> Self {
        self.interrupted = self.interrupted.or_else(|| Some(what.into()));
        self
    }

    /// Adds what the user can do about it.
    #[must_use]
    pub fn remedy(mut self, remedy: impl Into<String>) -> Self {
        self.remedy = Some(remedy.into());
        self
    }

    /// Adds the error that caused it.
    #[must_use]
    pub fn because(mut self, source: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        self.source = Some(source.into());
        self
    }

    /// All lines of the message: the sentence with its causes, then what it interrupted, then the
    /// remedy.
    pub fn lines(&self) -> Vec<String> {
        let mut sentence = self.sentence.clone();
        let mut cause = self.source();
        while let Some(error) = cause {
            sentence.push_str(": ");
            sentence.push_str(&error.to_string());
            cause = error.source();
        }
        std::iter::once(sentence)
            .chain(self.interrupted.clone())
            .chain(self.remedy.clone())
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::Failure;

    #[test]
    fn the_message_names_its_causes_once_and_the_remedy_follows() {
        let cause = Failure::new("no route").because(std::io::Error::other("cable"));
        let failure = Failure::new("Cannot reach it").because(cause).remedy("Plug it in.");
        assert_eq!(failure.lines(), ["Cannot reach it: no route: cable", "Plug it in."]);
    }
}
