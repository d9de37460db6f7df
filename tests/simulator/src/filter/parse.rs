//! Parses a `where` by recursive descent: AND binds more tightly than OR, brackets override.

use super::token::{Spot, Token, tokens};
use super::{Condition, Field, Kind, Operator, Place, Queried, Unparsable, Value, resolve};
use jiff::civil::{Date, DateTime};
use rust_decimal::Decimal;
use std::iter::Peekable;
use std::marker::PhantomData;
use std::str::FromStr as _;
use std::vec::IntoIter;
use uuid::Uuid;

/// The maximum nesting of brackets.
const DEEPEST: u32 = 50;

/// Parses a condition over the fields of `Q`.
pub(crate) fn parse<Q: Queried>(text: &str) -> Result<Condition, Unparsable> {
    let spots = tokens(text)?;
    let mut parser =
        Parser { spots: spots.into_iter().peekable(), end: text.len(), row: PhantomData::<Q> };
    let condition = parser.any(0)?;
    match parser.spots.next() {
        None => Ok(condition),
        Some(spot) => Err(Unparsable::Syntax { at: spot.at }),
    }
}

struct Parser<Q> {
    spots: Peekable<IntoIter<Spot>>,
    end: usize,
    row: PhantomData<Q>,
}

impl<Q: Queried> Parser<Q> {
    fn any(&mut self, depth: u32) -> Result<Condition, Unparsable> {
        let first = self.all(depth)?;
        let mut parts = vec![first];
        while self.take_word("or", "||") {
            parts.push(self.all(depth)?);
        }
        Ok(single(parts, Condition::Any))
    }

    fn all(&mut self, depth: u32) -> Result<Condition, Unparsable> {
        let first = self.term(depth)?;
        let mut parts = vec![first];
        while self.take_word("and", "&&") {
            parts.push(self.term(depth)?);
        }
        Ok(single(parts, Condition::All))
    }

    fn term(&mut self, depth: u32) -> Result<Condition, Unparsable> {
        if depth > DEEPEST {
            return Err(Unparsable::TooDeep);
        }
        if self.take_symbol("(") {
            let inner = self.any(depth + 1)?;
            self.expect(")", "')' or operator")?;
            return Ok(inner);
        }
        let at = self.at();
        let Some(Spot { token: Token::Name(name), .. }) = self.spots.next() else {
            return Err(Unparsable::Expected { expected: "Expression", at });
        };
        if let Some((field, call)) = name.rsplit_once('.')
            && self.is_next_symbol("(")
        {
            return self.call(field, call, at);
        }
        let field = resolve::<Q>(&name)?;
        self.comparison(field)
    }

    /// `Field.Contains("text")` and its two siblings, behind any number of `ToLower()`.
    fn call(&mut self, field: &str, call: &str, at: usize) -> Result<Condition, Unparsable> {
        self.expect("(", "'('")?;
        if call.eq_ignore_ascii_case("ToLower") || call.eq_ignore_ascii_case("ToUpper") {
            let field = Field { kind: Kind::FoldedText, ..resolve::<Q>(field)? };
            self.expect(")", "')'")?;
            return self.comparison(field);
        }
        let place = match call.to_ascii_lowercase().as_str() {
            "contains" => Place::Anywhere,
            "startswith" => Place::Start,
            "endswith" => Place::End,
            _ => return Err(Unparsable::Syntax { at }),
        };
        let field = resolve::<Q>(field)?;
        let literal = self.literal()?;
        self.expect(")", "')'")?;
        match (field.kind, literal) {
            (Kind::Text | Kind::FoldedText, Value::Text(text)) => {
                Ok(Condition::Matches { field, place, text })
            }
            (_, literal) => Err(incompatible(field, &literal)),
        }
    }

    fn comparison(&mut self, field: Field) -> Result<Condition, Unparsable> {
        let at = self.at();
        let Some(Spot { token: Token::Symbol(symbol), .. }) = self.spots.next() else {
            return Err(Unparsable::Expected { expected: "Operator", at });
        };
        let operator = match symbol {
            "==" | "=" => Operator::Equal,
            "!=" | "<>" => Operator::NotEqual,
            ">" => Operator::Greater,
            ">=" => Operator::GreaterOrEqual,
            "<" => Operator::Less,
            "<=" => Operator::LessOrEqual,
            _ => return Err(Unparsable::Expected { expected: "Operator", at }),
        };
        let literal = self.literal()?;
        let equality = matches!(operator, Operator::Equal | Operator::NotEqual);
        let comparable = match (field.kind, &literal) {
            (_, Value::Null) | (Kind::Guid, Value::Guid(_)) | (Kind::Truth, Value::Truth(_)) => {
                equality
            }
            (Kind::Text | Kind::FoldedText, Value::Text(_))
            | (Kind::Number, Value::Number(_))
            | (Kind::Moment, Value::Moment(_)) => true,
            _ => false,
        };
        if comparable {
            Ok(Condition::Compare { field, operator, literal })
        } else {
            Err(incompatible(field, &literal))
        }
    }

    fn literal(&mut self) -> Result<Value, Unparsable> {
        let at = self.at();
        let spot = self.spots.next();
        match spot.map(|spot| spot.token) {
            Some(Token::Text(text)) => Ok(Value::Text(text)),
            Some(Token::Number(digits)) => number(&digits, at),
            Some(Token::Symbol("-")) => {
                let Value::Number(amount) = self.literal()? else {
                    return Err(Unparsable::Syntax { at });
                };
                Ok(Value::Number(-amount))
            }
            Some(Token::Name(name)) => match name.to_ascii_lowercase().as_str() {
                "null" => Ok(Value::Null),
                "true" => Ok(Value::Truth(true)),
                "false" => Ok(Value::Truth(false)),
                "guid" => self.guid(at),
                "datetime" => self.moment(at),
                _ => Err(Unparsable::Syntax { at }),
            },
            Some(Token::Symbol(_)) | None => {
                Err(Unparsable::Expected { expected: "Expression", at })
            }
        }
    }

    fn guid(&mut self, at: usize) -> Result<Value, Unparsable> {
        self.expect("(", "'('")?;
        let text = self.literal()?;
        self.expect(")", "')'")?;
        let Value::Text(text) = text else {
            return Err(Unparsable::Syntax { at });
        };
        Uuid::parse_str(&text).map(Value::Guid).map_err(|_| Unparsable::Syntax { at })
    }

    /// `DateTime(2026,01,31)`, or with hours, minutes and seconds.
    fn moment(&mut self, at: usize) -> Result<Value, Unparsable> {
        self.expect("(", "'('")?;
        let mut parts = Vec::new();
        loop {
            let Some(Spot { token: Token::Number(digits), .. }) = self.spots.next() else {
                return Err(Unparsable::Expected { expected: "Expression", at: self.at() });
            };
            parts.push(digits);
            if !self.take_symbol(",") {
                break;
            }
        }
        self.expect(")", "')' or ','")?;
        moment_from(&parts).map(Value::Moment).ok_or(Unparsable::Syntax { at })
    }

    fn at(&mut self) -> usize {
        self.spots.peek().map_or(self.end, |spot| spot.at)
    }

    fn is_next_symbol(&mut self, symbol: &'static str) -> bool {
        self.spots.peek().is_some_and(|spot| spot.token == Token::Symbol(symbol))
    }

    fn take_symbol(&mut self, symbol: &'static str) -> bool {
        self.spots.next_if(|spot| spot.token == Token::Symbol(symbol)).is_some()
    }

    fn take_word(&mut self, word: &str, symbol: &'static str) -> bool {
        self.spots
            .next_if(|spot| match &spot.token {
                Token::Name(name) => name.eq_ignore_ascii_case(word),
                Token::Symbol(found) => *found == symbol,
                Token::Text(_) | Token::Number(_) => false,
            })
            .is_some()
    }

    fn expect(&mut self, symbol: &'static str, expected: &'static str) -> Result<(), Unparsable> {
        let at = self.at();
        if self.take_symbol(symbol) { Ok(()) } else { Err(Unparsable::Expected { expected, at }) }
    }
}

fn single(mut parts: Vec<Condition>, join: fn(Vec<Condition>) -> Condition) -> Condition {
    match parts.pop() {
        Some(only) if parts.is_empty() => only,
        Some(last) => {
            parts.push(last);
            join(parts)
        }
        None => join(parts),
    }
}

fn number(digits: &str, at: usize) -> Result<Value, Unparsable> {
    Decimal::from_str(digits).map(Value::Number).map_err(|_| Unparsable::Syntax { at })
}

fn moment_from(parts: &[String]) -> Option<DateTime> {
    let mut numbers = parts.iter().map(|part| part.parse::<i16>().ok());
    let year = numbers.next()??;
    let mut small = numbers.map(|number| number.and_then(|number| i8::try_from(number).ok()));
    let (month, day) = (small.next()??, small.next()??);
    let mut clock = || small.next().unwrap_or(Some(0));
    let (hour, minute, second) = (clock()?, clock()?, clock()?);
    let time = jiff::civil::Time::new(hour, minute, second, 0).ok()?;
    Some(Date::new(year, month, day).ok()?.to_datetime(time))
}

fn incompatible(field: Field, literal: &Value) -> Unparsable {
    let field = match field.kind {
        Kind::Text | Kind::FoldedText => "String",
        Kind::Number => "Decimal",
        Kind::Truth => "Boolean",
        Kind::Moment => "DateTime",
        Kind::Guid => "Guid",
    };
    Unparsable::Incompatible { field, literal: literal.kind_name() }
}
