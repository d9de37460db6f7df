//! Reads a body in XML into the tree that a body in JSON gives.
//!
//! Attributes, comments and instructions say nothing. Document types are refused, because Xero's
//! bodies have none.

use crate::json::{Json, Object};
use std::borrow::Cow;

/// Elements that hold a list, also of one entry or none.
const LISTS: [&str; 11] = [
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
    "Phones",
];

/// Elements may lie in each other this deep.
const DEEPEST: usize = 32;

const UNFINISHED: &str = "an element or a remark has no end";

/// Why a body is no XML that can be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("at position {at}: {what}")]
pub(crate) struct NotXml {
    at: usize,
    what: &'static str,
}

/// Whether a body is meant to be XML.
pub(crate) fn is_xml(body: &[u8]) -> bool {
    body.trim_ascii_start().starts_with(b"<")
}

/// Reads a body: one element, or a list under the name of its collection.
pub(crate) fn read(body: &[u8]) -> Result<Json, NotXml> {
    let text = str::from_utf8(body).map_err(|_| NotXml { at: 0, what: "the text is not UTF-8" })?;
    let mut reader = Reader { text, at: 0 };
    reader.skip_remarks()?;
    let (name, value) = reader.element(0)?;
    reader.skip_remarks()?;
    if !reader.rest().is_empty() {
        return Err(reader.fails("something follows the document"));
    }
    let is_list = LISTS.contains(&name);
    Ok(if is_list { Object::new().with(name.to_owned(), value).into() } else { value })
}

/// A place in a text.
struct Reader<'a> {
    text: &'a str,
    at: usize,
}

/// The text of an element, and the elements in it.
type Content<'a> = (String, Vec<(&'a str, Json)>);

impl<'a> Reader<'a> {
    fn rest(&self) -> &'a str {
        self.text.get(self.at..).unwrap_or_default()
    }

    fn fails(&self, what: &'static str) -> NotXml {
        NotXml { at: self.at, what }
    }

    /// Goes past `start` if it comes next.
    fn takes(&mut self, start: &str) -> bool {
        let is_next = self.rest().starts_with(start);
        if is_next {
            self.at += start.len();
        }
        is_next
    }

    /// The text before `end`; goes past both.
    fn until(&mut self, end: &'static str) -> Result<&'a str, NotXml> {
        let (before, _) = self.rest().split_once(end).ok_or_else(|| self.fails(UNFINISHED))?;
        self.at += before.len() + end.len();
        Ok(before)
    }

    /// Goes past spaces, comments and instructions.
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

    /// An element with everything in it: its name and its value.
    fn element(&mut self, depth: usize) -> Result<(&'a str, Json), NotXml> {
        if depth > DEEPEST {
            return Err(self.fails("the elements lie too deep in each other"));
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
            return Err(self.fails("an element ends under another name"));
        }
        Ok((name, value(name, words, children)))
    }

    /// What stands before the end of an element: its text, and the elements in it.
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

/// The value of an element. An element without others in it is a text; Xero reads numbers and
/// truths out of texts.
fn value(name: &str, words: String, children: Vec<(&str, Json)>) -> Json {
    if LISTS.contains(&name) {
        return Json::List(children.into_iter().map(|(_, value)| value).collect());
    }
    if children.is_empty() {
        return Json::Text(words);
    }
    let members = children.into_iter().map(|(key, value)| {
        // Xero calls the amount of an allocation otherwise in XML than in JSON.
        let key = if name == "Allocation" && key == "AppliedAmount" { "Amount" } else { key };
        (Cow::Owned(key.to_owned()), value)
    });
    Json::Object(members.collect())
}

/// Adds a text with its entities resolved.
fn unescape(text: &str, out: &mut String) -> Result<(), &'static str> {
    const UNKNOWN: &str = "an entity is not known";
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
    fn a_collection_and_a_bare_element_are_read_like_their_json() {
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
    fn entities_comments_and_unescaped_sections_are_understood() {
        let text = "<Name>A &amp; B &#233;&#xE9; &lt;<!-- no --><![CDATA[<&>]]></Name>";
        assert_eq!(read(text.as_bytes()), Ok(Json::Text("A & B éé <<&>".to_owned())));
    }

    #[test]
    fn an_allocation_has_its_amount_under_another_name() {
        let body = "<Allocations><Allocation><AppliedAmount>5</AppliedAmount></Allocation>\
                    </Allocations>";
        assert_eq!(shown(body), r#"{"Allocations":[{"Amount":"5"}]}"#);
    }

    #[test]
    fn what_is_not_xml_is_refused_with_its_place() {
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
