//! The connections between organisations and an app that users' consents have created.

use super::{Counter, Session, bearer, refuse_bearer};
use crate::answer::Answer;
use crate::identity::BadBearer;
use crate::incoming::Incoming;
use crate::json::{Json, Object};
use jiff::Timestamp;
use uuid::Uuid;

/// One user's link between one organisation and one app.
#[derive(Clone, Debug)]
pub(crate) struct Connection {
    pub(super) id: Uuid,
    pub(super) auth_event: Uuid,
    pub(crate) client_id: String,
    pub(crate) user: Uuid,
    pub(crate) tenant: Uuid,
    pub(super) created_at: Timestamp,
    pub(super) updated_at: Timestamp,
}

impl Connection {
    pub(super) fn belongs_to(&self, session: &Session) -> bool {
        self.client_id == session.client_id && self.user == session.user
    }
}

impl Counter<'_> {
    pub(super) fn list_connections(&mut self, incoming: &Incoming<'_>) -> Answer {
        let session = match self.caller(incoming) {
            Ok(session) => session,
            Err(bad) => return refuse_bearer(bad, self.ids),
        };
        let auth_event = incoming.parameter("authEventId").map(Uuid::parse_str);
        let listed = self
            .identity
            .connections
            .iter()
            .filter(|connection| connection.belongs_to(&session))
            .filter(|connection| match &auth_event {
                None => true,
                Some(asked) => *asked == Ok(connection.auth_event),
            })
            .map(|connection| self.render(connection))
            .collect::<Vec<_>>();
        Answer::json(200, listed)
    }

    /// Removes one link. The id must be the connection's: that of a tenant or an auth event is
    /// refused.
    pub(super) fn delete_connection(&mut self, incoming: &Incoming<'_>, id: &str) -> Answer {
        let session = match self.caller(incoming) {
            Ok(session) => session,
            Err(bad) => return refuse_bearer(bad, self.ids),
        };
        let Ok(id) = Uuid::parse_str(id) else {
            return Answer::not_found();
        };
        let connections = &mut self.identity.connections;
        let theirs = |connection: &Connection| connection.belongs_to(&session);
        if connections.iter().any(|connection| theirs(connection) && connection.id == id) {
            connections.retain(|connection| connection.id != id);
            return Answer::empty(204);
        }
        let mistaken = self.tenants.iter().any(|(tenant, _)| *tenant == id)
            || connections.iter().any(|connection| connection.auth_event == id);
        if mistaken {
            return Answer::problem(403, "AuthenticationUnsuccessful", self.ids.next());
        }
        Answer::not_found()
    }

    fn caller(&self, incoming: &Incoming<'_>) -> Result<Session, BadBearer> {
        let token = bearer(incoming).ok_or(BadBearer::Unknown)?;
        self.identity.session(token, self.now).cloned()
    }

    fn render(&self, connection: &Connection) -> Json {
        let name = self
            .tenants
            .iter()
            .find(|(id, _)| *id == connection.tenant)
            .map_or("", |(_, name)| name.as_str());
        let link = Object::new()
            .with("id", connection.id)
            .with("authEventId", connection.auth_event)
            .with("tenantId", connection.tenant)
            .with("tenantType", "ORGANISATION")
            .with("tenantName", name)
            .with("createdDateUtc", without_offset(connection.created_at))
            .with("updatedDateUtc", without_offset(connection.updated_at));
        match self.identity.overridden.get(&connection.tenant) {
            Some(members) => link.with_members(members).into(),
            None => link.into(),
        }
    }
}

/// Xero writes these instants with seven decimal places and no offset.
fn without_offset(at: Timestamp) -> String {
    at.strftime("%Y-%m-%dT%H:%M:%S.%7f").to_string()
}
