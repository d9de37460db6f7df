//! Splits the text of a `where` into tokens.

use super::Unparsable;

/// A token and its position.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Spot {
    pub(super) token: Token,
    pub(super) at: usize,
}

/// A token of the language.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Token {
    /// A name, possibly with dots.
    Name(String),
    Text(String),
    Number(String),
    Symbol(&'static str),
}

/// Longer symbols come first, so that `>=` is not read as `>`.
const SYMBOLS: [&str; 15] =
    ["==", "!=", "<>", ">=", "<=", "&&", "||", "=", ">", "<", "(", ")", ",", "-", "!"];

pub(super) fn tokens(text: &str) -> Result<Vec<Spot>, Unparsable> {
    let mut spots = Vec::new();
    let mut rest = text;
    loop {
        rest = rest.trim_start();
        let at = text.len() - rest.len();
        let Some(first) = rest.chars().next() else {
            return Ok(spots);
        };
        let (token, after) = if first == '"' {
            quoted(rest, at)?
        } else if first.is_ascii_digit() {
            let (digits, after) = split_while(rest, |c| c.is_ascii_digit() || c == '.');
            (Token::Number(digits.to_owned()), after)
        } else if first.is_alphabetic() || first == '_' {
            let (name, after) = split_while(rest, |c| c.is_alphanumeric() || c == '_' || c == '.');
            (Token::Name(name.to_owned()), after)
        } else {
            symbol(rest).ok_or(Unparsable::Syntax { at })?
        };
        spots.push(Spot { token, at });
        rest = after;
    }
}

/// A text in quotation marks. It cannot contain a quotation mark: Xero refuses both `\"`
/// (Xero-Java#347) and `""` (xeroizer#160).
fn quoted(rest: &str, at: usize) -> Result<(Token, &str), Unparsable> {
    let inner = rest.get(1..).unwrap_or_default();
    let Some((text, after)) = inner.split_once('"') else {
        return Err(Unparsable::Expected { expected: "Closing quote", at });
    };
    let mark = at + 1 + text.len();
    if text.ends_with('\\') {
        return Err(Unparsable::Syntax { at: mark - 1 });
    }
    if after.starts_with('"') {
        return Err(Unparsable::Syntax { at: mark });
    }
    Ok((Token::Text(text.to_owned()), after))
}

fn split_while(rest: &str, belongs: impl Fn(char) -> bool) -> (&str, &str) {
    let end = rest.find(|c| !belongs(c)).unwrap_or(rest.len());
    rest.split_at(end)
}

fn symbol(rest: &str) -> Option<(Token, &str)> {
    SYMBOLS
        .into_iter()
        .find_map(|symbol| rest.strip_prefix(symbol).map(|after| (Token::Symbol(symbol), after)))
}
