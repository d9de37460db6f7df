//! Parses an XML body into the tree of the equivalent JSON body.
//!
//! Attributes, comments and processing instructions are ignored. Document types are refused,
//! because Xero's bodies have none.

use crate::json::{Json, Object};
use std::borrow::Cow;

/// Elements that contain a list, even of one entry or none.
const LISTS: [&str; 13] = [
    "Addresses",
    "Allocations",
    "BankTransactions",
    "BatchPayments",
    "ContactPersons",
    "Contacts",
    "CreditNotes",
    "HistoryRecords",
    "Invoices",
    "LineItems",
    "Payments",
    "Phones",
    "Tracking",
];

/// The maximum nesting of elements.
const DEEPEST: usize = 32;

const UNFINISHED: &str = "an element or a comment has no end";

/// The reason why a body is not valid XML.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("at position {at}: {what}")]
pub(crate) struct NotXml {
    at: usize,
    what: &'static str,
}

/// Whether a body is intended to be XML.
pub(crate) fn is_xml(body: &[u8]) -> bool {
    body.trim_ascii_start().starts_with(b"<")
}

/// Parses a body: one element, or a list under the name of its collection.
pub(crate) fn read(body: &[u8]) -> Result<Json, NotXml> {
    let text = str::from_utf8(body).map_err(|_| NotXml { at: 0, what: "the text is not UTF-8" })?;
    let mut reader = Reader { text, at: 0 };
    reader.skip_remarks()?;
    let (name, value) = reader.element(0)?;
    reader.skip_remarks()?;
    if !reader.rest().is_empty() {
        return Err(reader.fails("there is text after the document"));
    }
    let is_list = LISTS.contains(&name);
    Ok(if is_list { Object::new().with(name.to_owned(), value).into() } else { value })
}

/// A position in a text.
struct Reader<'a> {
    text: &'a str,
    at: usize,
}

/// The text of an element, and its child elements.
type Content<'a> = (String, Vec<(&'a str, Json)>);

impl<'a> Reader<'a> {
    fn rest(&self) -> &'a str {
        self.text.get(self.at..).unwrap_or_default()
    }

    fn fails(&self, what: &'static str) -> NotXml {
        NotXml { at: self.at, what }
    }

    /// Skips `start` if it comes next.
    fn takes(&mut self, start: &str) -> bool {
        let is_next = self.rest().starts_with(start);
        if is_next {
            self.at += start.len();
        }
        is_next
    }

    /// The text before `end`; skips both.
    fn until(&mut self, end: &'static str) -> Result<&'a str, NotXml> {
        let (before, _) = self.rest().split_once(end).ok_or_else(|| self.fails(UNFINISHED))?;
        self.at += before.len() + end.len();
        Ok(before)
    }

    /// Skips spaces, comments and processing instructions.
    fn skip_remarks(&mut self) -> Result<(), NotXml> {
        loop {
            let rest = self.rest();
            self.at += rest.len() - rest.trim_start().len();
            if self.takes("<?") {
                self.until("?>")?;
            } else if self.takes("<!--") {
                self.until("-->")?;
            } else {
                return Ok(());
            }
        }
    }

    /// An element with its content: its name and its value.
    fn element(&mut self, depth: usize) -> Result<(&'a str, Json), NotXml> {
        if depth > DEEPEST {
            return Err(self.fails("the elements are nested too deeply"));
        }
        if !self.takes("<") {
            return Err(self.fails("an element is expected"));
        }
        let tag = self.until(">")?;
        let (tag, is_empty) = tag.strip_suffix('/').map_or((tag, false), |tag| (tag, true));
        let name = tag.split_whitespace().next().unwrap_or_default();
        if name.is_empty() || !name.chars().all(|c| c.is_alphanumeric() || "_:.-".contains(c)) {
            return Err(self.fails("the name of an element is expected"));
        }
        let (words, children) =
            if is_empty { (String::new(), Vec::new()) } else { self.content(depth)? };
        if !is_empty && self.until(">")?.trim_end() != name {
            return Err(self.fails("the end tag has another name"));
        }
        Ok((name, value(name, words, children)))
    }

    /// The content of an element: its text and its child elements.
    fn content(&mut self, depth: usize) -> Result<Content<'a>, NotXml> {
        let mut words = String::new();
        let mut children = Vec::new();
        loop {
            let rest = self.rest();
            let plain = rest.split('<').next().unwrap_or_default();
            unescape(plain, &mut words).map_err(|what| self.fails(what))?;
            self.at += plain.len();
            if self.takes("</") {
                return Ok((words, children));
            } else if self.takes("<![CDATA[") {
                words.push_str(self.until("]]>")?);
            } else if self.takes("<!--") {
                self.until("-->")?;
            } else {
                children.push(self.element(depth + 1)?);
            }
        }
    }
}

/// The value of an element. An element without children is a text; Xero parses numbers and booleans
/// from texts.
fn value(name: &str, words: String, children: Vec<(&str, Json)>) -> Json {
    if LISTS.contains(&name) {
        return Json::List(children.into_iter().map(|(_, value)| value).collect());
    }
    if children.is_empty() {
        return Json::Text(words);
    }
    let members = children.into_iter().map(|(key, value)| {
        // The amount of an allocation has another name in XML than in JSON.
        let key = if name == "Allocation" && key == "AppliedAmount" { "Amount" } else { key };
        (Cow::Owned(key.to_owned()), value)
    });
    Json::Object(members.collect())
}

/// Appends a text with its entities resolved.
fn unescape(text: &str, out: &mut String) -> Result<(), &'static str> {
    const UNKNOWN: &str = "an entity is unknown";
    let mut parts = text.split('&');
    out.push_str(parts.next().unwrap_or_default());
    for part in parts {
        let (entity, after) = part.split_once(';').ok_or(UNKNOWN)?;
        let character = match entity {
            "lt" => '<',
            "gt" => '>',
            "amp" => '&',
            "quot" => '"',
            "apos" => '\'',
            _ => numbered(entity).ok_or(UNKNOWN)?,
        };
        out.push(character);
        out.push_str(after);
    }
    Ok(())
}

/// The character of an entity such as `#233` or `#xE9`.
fn numbered(entity: &str) -> Option<char> {
    let digits = entity.strip_prefix('#')?;
    let code = match digits.strip_prefix(['x', 'X']) {
        Some(digits) => u32::from_str_radix(digits, 16),
        None => digits.parse(),
    };
    char::from_u32(code.ok()?)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(body: &str) -> String {
        read(body.as_bytes()).map_or_else(|error| error.to_string(), |json| json.render())
    }

    #[test]
    fn a_collection_and_a_bare_element_are_parsed_like_their_json() {
        let invoice = "<Invoice><Type>ACCREC</Type><LineItems><LineItem><Quantity>1</Quantity>\
                       </LineItem></LineItems></Invoice>";
        let row = r#"{"Type":"ACCREC","LineItems":[{"Quantity":"1"}]}"#;
        assert_eq!(shown(invoice), row);
        let whole =
            format!("<?xml version=\"1.0\"?>\n<Invoices a='b'>\n {invoice}\n</Invoices >\n");
        assert_eq!(shown(&whole), format!("{{\"Invoices\":[{row}]}}"));
        assert_eq!(
            shown("<Invoice><LineItems/><Url></Url></Invoice>"),
            r#"{"LineItems":[],"Url":""}"#
        );
    }

    #[test]
    fn entities_comments_and_cdata_sections_are_parsed() {
        let text = "<Name>A &amp; B &#233;&#xE9; &lt;<!-- no --><![CDATA[<&>]]></Name>";
        assert_eq!(read(text.as_bytes()), Ok(Json::Text("A & B éé <<&>".to_owned())));
    }

    #[test]
    fn the_amount_of_an_allocation_has_another_name() {
        let body = "<Allocations><Allocation><AppliedAmount>5</AppliedAmount></Allocation>\
                    </Allocations>";
        assert_eq!(shown(body), r#"{"Allocations":[{"Amount":"5"}]}"#);
    }

    #[test]
    fn invalid_xml_is_refused_with_its_position() {
        let deep = "<a>".repeat(40);
        for body in [
            "<",
            "<a",
            "<a>",
            "<a></b>",
            "<a>&nbsp;</a>",
            "<a>&amp</a>",
            "<a/><b/>",
            "<!DOCTYPE a>",
            "<a><!-- </a>",
            "<a>&#x110000;</a>",
            deep.as_str(),
        ] {
            let refused = read(body.as_bytes()).unwrap_err().to_string();
            assert!(refused.starts_with("at position "), "{body}: {refused}");
        }
        assert!(read(b"<a>\xff</a>").is_err());
        assert!(is_xml(b" \n<a/>") && !is_xml(b"{}") && !is_xml(b""));
    }
}
