//! Connections: the organisations that a user has linked to this app.
//!
//! A connection outlives its tokens and counts against the app's limit until it is deleted. When a
//! user disconnects in Xero, Xero sends no notification; the connection is no longer listed.

use bytes::Bytes;
use domain::ids::{TenantId, XeroConnectionId};
use http::header::{ACCEPT, ACCEPT_ENCODING, AUTHORIZATION};
use http::{Method, Request};
use jiff::Timestamp;
use secrecy::SecretString;
use serde::Deserialize;
use serde_json::value::RawValue;
use url::Url;
use uuid::Uuid;

use crate::date::optional_instant;
use crate::error::{AccessMode, CallTarget, FailedAnswer, XeroError, classify_answer, is_answer};
use crate::json::{optional_id, optional_text, real_id};
use crate::oauth::join_path;
use crate::repair::repair_text;
use crate::rows::DecodedRows;
use crate::session::bearer_header;
use crate::tokens::{AccessTokens, first_token, second_token};
use crate::transport::Transport;

const LIST: &str = "/connections";
const ONE: &str = "/connections/{id}";

/// One link between a user, this app and a tenant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct XeroConnection {
    /// The link's own id, which differs from the tenant's.
    pub id: XeroConnectionId,
    /// The tenant.
    pub tenant: TenantId,
    /// The kind of tenant. Only organisations have books.
    pub tenant_type: TenantType,
    /// The organisation's name; empty if Xero returns none.
    pub tenant_name: String,
    /// The consent in which the link was first created.
    pub auth_event_id: Option<Uuid>,
    /// When the link was created.
    pub created_at: Option<Timestamp>,
    /// When the link last changed.
    pub updated_at: Option<Timestamp>,
}

/// The kinds of tenants.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum TenantType {
    /// An organisation with books.
    Organisation,
    /// An accounting practice.
    Practice,
    /// Another product of Xero's.
    #[serde(untagged)]
    Other(String),
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct WireConnection {
    #[serde(deserialize_with = "real_id")]
    id: Uuid,
    #[serde(deserialize_with = "real_id")]
    tenant_id: Uuid,
    tenant_type: TenantType,
    #[serde(default, deserialize_with = "optional_text")]
    tenant_name: Option<String>,
    #[serde(default, deserialize_with = "optional_id")]
    auth_event_id: Option<Uuid>,
    #[serde(default, rename = "createdDateUtc", deserialize_with = "optional_instant")]
    created_at: Option<Timestamp>,
    #[serde(default, rename = "updatedDateUtc", deserialize_with = "optional_instant")]
    updated_at: Option<Timestamp>,
}

/// Reads every connection of the token's user, in Xero's order. The list may be empty. A link that
/// cannot be read is a link nevertheless: a caller that checks whether an organisation is linked
/// must also check [`DecodedRows::undecodable`].
pub async fn list_connections(
    transport: &dyn Transport,
    api_url: &Url,
    tokens: &dyn AccessTokens,
) -> Result<DecodedRows<XeroConnection>, XeroError> {
    let address = join_path(api_url, &["connections"])?;
    let call = TenantlessCall {
        method: Method::GET,
        address,
        endpoint: LIST,
        target: CallTarget::Collection,
    };
    let body = call.make_call(transport, tokens).await?;
    let elements: Vec<&RawValue> =
        serde_json::from_slice(&body).map_err(|error| XeroError::undecodable_json(LIST, error))?;
    Ok(DecodedRows::decode_elements::<WireConnection>(LIST, &elements))
}

/// Ends one connection. The user's other connections stay.
///
/// # Errors
///
/// [`XeroError::NotFound`] if the connection had ended before.
pub async fn delete_connection(
    transport: &dyn Transport,
    api_url: &Url,
    tokens: &dyn AccessTokens,
    id: XeroConnectionId,
) -> Result<(), XeroError> {
    let address = join_path(api_url, &["connections", &id.to_string()])?;
    let call =
        TenantlessCall { method: Method::DELETE, address, endpoint: ONE, target: CallTarget::One };
    call.make_call(transport, tokens).await.map(drop)
}

/// A call that concerns no organisation and therefore carries no tenant. It can be repeated safely:
/// deleting a connection twice has the same effect as deleting it once.
struct TenantlessCall {
    method: Method,
    address: Url,
    endpoint: &'static str,
    target: CallTarget,
}

impl TenantlessCall {
    async fn make_call(
        self,
        transport: &dyn Transport,
        tokens: &dyn AccessTokens,
    ) -> Result<Bytes, XeroError> {
        let token = first_token(tokens).await?;
        let error = match self.make_call_with(transport, &token).await {
            Ok(body) => return Ok(body),
            Err(error) => error,
        };
        match second_token(tokens, &token, &error).await? {
            Some(token) => self.make_call_with(transport, &token).await,
            None => Err(error),
        }
    }

    async fn make_call_with(
        &self,
        transport: &dyn Transport,
        access_token: &SecretString,
    ) -> Result<Bytes, XeroError> {
        let request = Request::builder()
            .method(self.method.clone())
            .uri(self.address.as_str())
            .header(AUTHORIZATION, bearer_header(access_token)?)
            .header(ACCEPT, "application/json")
            .header(ACCEPT_ENCODING, "gzip")
            .body(Bytes::new())
            .map_err(|_| XeroError::Unsendable { reason: "its address is not valid" })?;
        let outcome = transport.send_request(request).await;
        let response =
            outcome.map_err(|error| XeroError::from_transport(AccessMode::Read, error))?;
        let response = response.map(repair_text);
        tracing::info!(
            method = %self.method,
            endpoint = self.endpoint,
            xero.status = response.status().as_u16(),
            "Xero call"
        );
        let status = response.status();
        if status.is_success() {
            let body = response.into_body();
            if is_answer(&self.method, status, &body) {
                return Ok(body);
            }
            return Err(XeroError::Edge { access: AccessMode::Read, status: status.as_u16() });
        }
        Err(classify_answer(&FailedAnswer {
            status: response.status(),
            headers: response.headers(),
            body: response.body(),
            endpoint: self.endpoint,
            access: AccessMode::Read,
            target: self.target,
        }))
    }
}

impl From<WireConnection> for XeroConnection {
    fn from(wire: WireConnection) -> Self {
        Self {
            id: XeroConnectionId(wire.id),
            tenant: TenantId(wire.tenant_id),
            tenant_type: wire.tenant_type,
            tenant_name: wire.tenant_name.unwrap_or_default(),
            auth_event_id: wire.auth_event_id,
            created_at: wire.created_at,
            updated_at: wire.updated_at,
        }
    }
}
