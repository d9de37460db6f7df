//! Collections: which calls read and which write, reads the elements of a write, saves each, and
//! reports the failures.
//!
//! With errors summarised (Xero's default) one invalid element refuses the request. With
//! `summarizeErrors=false` each element succeeds or fails separately inside a 200.

use super::fields::{self, Refusal};
use super::route::Action;
use super::{OddElement, RequestContext};
use crate::answer::Answer;
use crate::json::{Json, Object};
use crate::xml;
use uuid::Uuid;

/// A resource that is listed, read and written in collections.
pub(super) trait Collection {
    /// The name of the collection.
    const NAME: &'static str;
    /// The name of one element in Xero's messages.
    const SINGULAR: &'static str;
    /// The member that holds an element's id.
    const ID: &'static str;
    /// Members by which an element sent without its collection is recognised.
    const KNOWN: &'static [&'static str];

    /// The rows that a call requests.
    fn list(context: &mut RequestContext<'_>) -> Result<Answer, Answer>;
    /// The row named by a path.
    fn show(context: &mut RequestContext<'_>, id: &str) -> Result<Answer, Answer>;
    /// The element named by a path.
    fn locate(context: &RequestContext<'_>, id: &str) -> Option<Uuid>;
    /// Saves one element, or returns the reasons and changes nothing.
    fn save(context: &mut RequestContext<'_>, element: &Object, how: How)
    -> Result<Saved, Refusal>;
    /// The element as returned with the reasons.
    fn echo(element: &Object, messages: &[String]) -> Object;
}

/// The operation on an element.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum How {
    /// PUT: it must be new.
    Create,
    /// POST: it is matched with existing rows.
    Upsert,
    /// POST to the path of this id, or PUT below it.
    Update(Uuid),
}

/// A saved element.
#[derive(Debug)]
pub(super) struct Saved {
    pub(super) rendered: Object,
    pub(super) warnings: Vec<String>,
}

/// The result of one element.
enum Outcome {
    Saved(Saved),
    Rejected(Object),
    /// Returned without an id and without a reason.
    Odd(Object),
}

impl RequestContext<'_> {
    /// Answers a call about a collection.
    pub(super) fn serve<C: Collection>(
        &mut self,
        action: Action,
        id: Option<&str>,
    ) -> Result<Answer, Answer> {
        match (action, id) {
            (Action::Read, None) => C::list(self),
            (Action::Read, Some(id)) => C::show(self, id),
            (Action::Create, _) => self.create::<C>(),
            (Action::Upsert, id) => self.upsert::<C>(id),
            (Action::Remove, _) => Err(Answer::not_implemented()),
        }
    }

    fn create<C: Collection>(&mut self) -> Result<Answer, Answer> {
        let elements = self.elements::<C>()?;
        self.save_all::<C>(&elements, How::Create)
    }

    fn upsert<C: Collection>(&mut self, id: Option<&str>) -> Result<Answer, Answer> {
        let how = match id {
            None => How::Upsert,
            Some(id) => How::Update(C::locate(self, id).ok_or_else(Answer::not_found)?),
        };
        let mut elements = self.elements::<C>()?;
        if id.is_some() {
            elements.truncate(1);
        }
        self.save_all::<C>(&elements, how)
    }

    /// Saves elements below the path of an existing document.
    pub(super) fn add_below<C: Collection>(&mut self, id: Uuid) -> Result<Answer, Answer> {
        let elements = self.elements::<C>()?;
        self.save_all::<C>(&elements, How::Update(id))
    }

    fn save_all<C: Collection>(&mut self, elements: &[Object], how: How) -> Result<Answer, Answer> {
        let unsaid = self.unconfirmed.errors_summarised_by_default;
        let summarize = self.incoming.flag("summarizeErrors").unwrap_or(unsaid);
        let keeps_valid = !summarize || self.unconfirmed.refused_batch_saves_valid;
        // A single element is saved completely or not at all, so there is nothing to restore.
        let before = (!keeps_valid && elements.len() > 1).then(|| self.books.clone());
        let mut outcomes = Vec::with_capacity(elements.len());
        for (index, element) in elements.iter().enumerate() {
            let odd = self.odd_element.filter(|odd| odd.index == index);
            if odd == Some(OddElement { index, applied: false }) {
                outcomes.push(Outcome::Odd(odd_row::<C>(element)));
                continue;
            }
            match C::save(self, element, how) {
                Ok(_) if odd.is_some() => outcomes.push(Outcome::Odd(odd_row::<C>(element))),
                Ok(saved) => outcomes.push(Outcome::Saved(saved)),
                Err(Refusal::Invalid(messages)) => {
                    let mut echoed = C::echo(element, &messages);
                    let is_new = element.get(C::ID).is_none() && !matches!(how, How::Update(_));
                    if is_new && self.unconfirmed.refused_rows_have_ids {
                        echoed.set(C::ID, self.ids.next());
                    }
                    outcomes.push(Outcome::Rejected(echoed));
                }
                Err(Refusal::Unreadable(text)) => {
                    self.restore(before);
                    return Err(unreadable(&text));
                }
            }
        }
        let fails = outcomes.iter().any(|outcome| matches!(outcome, Outcome::Rejected(_)));
        if summarize && fails {
            self.restore(before);
            let rejected = outcomes.into_iter().filter_map(|outcome| match outcome {
                Outcome::Rejected(echo) => Some(Json::Object(echo)),
                Outcome::Saved(_) | Outcome::Odd(_) => None,
            });
            return Err(Answer::validation(rejected.collect()));
        }
        let mut rows: Vec<Json> =
            outcomes.into_iter().map(|outcome| describe(outcome, summarize)).collect();
        if !self.unconfirmed.batch_answers_in_order && rows.len() > 1 {
            rows.rotate_left(1);
        }
        Ok(self.envelope(C::NAME, rows, None))
    }

    fn restore(&mut self, before: Option<crate::books::Books>) {
        if let Some(before) = before {
            *self.books = before;
        }
    }

    /// The body, if it is JSON or XML and all its texts are valid.
    pub(super) fn body(&self) -> Result<Json, Answer> {
        let bytes = self.incoming.body;
        let body = if xml::is_xml(bytes) {
            xml::read(bytes).map_err(|error| error.to_string())
        } else {
            Json::parse(bytes).map_err(|error| error.to_string())
        };
        let body =
            body.map_err(|error| unreadable(&format!("Error {error} while reading the request")))?;
        match body.forbidden_character() {
            None => Ok(body),
            Some(character) => Err(unreadable(&format!(
                "Error hexadecimal value 0x{:02X}, is an invalid character",
                u32::from(character),
            ))),
        }
    }

    /// The elements of the body: `{"<Collection>":[...]}`, or one bare element.
    fn elements<C: Collection>(&self) -> Result<Vec<Object>, Answer> {
        let body = self.body()?;
        let nothing = || {
            let text = format!(
                "No data has been processed for this endpoint. This endpoint is expecting {} data \
                 to be specifed in the request body.",
                C::SINGULAR,
            );
            Answer::exception(17, "NoDataProcessedException", text)
        };
        let object = body.object().ok_or_else(nothing)?;
        let list = match object.get(C::NAME) {
            Some(Json::List(list)) => list.clone(),
            Some(Json::Object(one)) => vec![Json::Object(one.clone())],
            Some(_) => return Err(unreadable(&format!("Error reading {}", C::NAME))),
            None if C::KNOWN.iter().any(|key| object.get(key).is_some()) => vec![body],
            None => return Err(nothing()),
        };
        if list.is_empty() {
            return Err(nothing());
        }
        list.into_iter()
            .map(|element| match element {
                Json::Object(object) => Ok(object),
                Json::Null
                | Json::Bool(_)
                | Json::Number(_)
                | Json::Text(_)
                | Json::Moment { .. }
                | Json::List(_) => Err(unreadable(&format!("Error reading {}", C::NAME))),
            })
            .collect()
    }
}

fn describe(outcome: Outcome, summarize: bool) -> Json {
    let (mut row, state) = match outcome {
        Outcome::Rejected(echo) => (echo, "ERROR"),
        Outcome::Odd(row) => (row, "OK"),
        Outcome::Saved(Saved { mut rendered, warnings }) => {
            let state = if warnings.is_empty() { "OK" } else { "WARNING" };
            if !warnings.is_empty() {
                rendered.set("Warnings", messages(&warnings));
            }
            (rendered, state)
        }
    };
    if !summarize {
        row.set("StatusAttributeString", state);
    }
    Json::Object(row)
}

/// An element with a nil id and without a reason (Xero-Net#354).
fn odd_row<C: Collection>(element: &Object) -> Object {
    let mut row = fields::echo(element, C::ID, &[]);
    row.set(C::ID, Uuid::nil());
    row
}

/// Messages in the format of `ValidationErrors` and `Warnings`.
pub(super) fn messages(texts: &[String]) -> Vec<Json> {
    texts.iter().map(|text| Json::Object(Object::new().with("Message", text))).collect()
}

fn unreadable(text: &str) -> Answer {
    Answer::exception(
        14,
        "PostDataInvalidException",
        format!("JSON request body could not be read, {text}"),
    )
}
