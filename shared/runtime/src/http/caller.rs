//! The caller of a request. The account and the role come from the claims of the token that API
//! Gateway has verified, never from the request itself.

use std::collections::HashMap;

use domain::ids::{AccountId, UserId};
use lambda_http::Request;
use lambda_http::RequestExt;
use lambda_http::request::RequestContext;

/// A user of the CRM.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ApiCaller {
    pub(crate) account: AccountId,
    pub(crate) user: UserId,
    pub(crate) role: CallerRole,
    /// The user's name, if the token has one.
    pub(crate) name: Option<String>,
}

/// The permissions of a user.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum CallerRole {
    /// Owner or Admin: may change settings and records.
    Administrator,
    /// Any other role: may only read.
    Reader,
}

impl ApiCaller {
    /// Returns the caller of a request, or `None` if its token does not name one.
    pub(crate) fn from_request(request: &Request) -> Option<Self> {
        let RequestContext::ApiGatewayV2(context) = request.request_context_ref()? else {
            return None;
        };
        Self::from_claims(&context.authorizer.as_ref()?.jwt.as_ref()?.claims)
    }

    fn from_claims(claims: &HashMap<String, String>) -> Option<Self> {
        let role = match claims.get("role")?.as_str() {
            "Owner" | "Admin" => CallerRole::Administrator,
            _ => CallerRole::Reader,
        };
        Some(Self {
            account: AccountId::new(claims.get("account_id")?.as_str()).ok()?,
            user: UserId::new(claims.get("sub")?.as_str()).ok()?,
            role,
            name: claims.get("name").cloned(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn from(claims: &[(&str, &str)]) -> Option<ApiCaller> {
        let claims = claims.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        ApiCaller::from_claims(&claims.collect())
    }

    #[test]
    fn owners_and_admins_change_things_and_everyone_else_reads() {
        for (role, expected) in [
            ("Owner", CallerRole::Administrator),
            ("Admin", CallerRole::Administrator),
            ("owner", CallerRole::Reader),
            ("Technician", CallerRole::Reader),
        ] {
            let caller = from(&[("sub", "usr_1"), ("account_id", "acc_1"), ("role", role)]);
            assert_eq!(caller.unwrap().role, expected, "{role}");
        }
    }

    #[test]
    fn a_token_that_names_no_account_names_no_caller() {
        assert_eq!(from(&[("sub", "usr_1"), ("role", "Owner")]), None);
        assert_eq!(from(&[("sub", "usr_1"), ("account_id", "a#b"), ("role", "Owner")]), None);
        assert_eq!(from(&[("account_id", "acc_1"), ("role", "Owner")]), None);
    }
}
