//! The pages of the CRM's stand-in, with the elements of the Xero pages embedded in them. Their
//! scripts are the examples of `docs/integrating.md`, with the address of this stack's API.

use url::form_urlencoded::Serializer;

use crate::token::User;

/// The settings page, to which the browser returns after Xero's consent page.
pub const RETURN_PATH: &str = "/settings/integrations/xero";

/// Where the scripts get a token of the signed-in user.
pub const TOKEN_PATH: &str = "/session/xero-token";

/// The address of the API in the examples.
const EXAMPLE_API: &str = "https://xero-api.example.com";

/// The script of the pages that embed elements.
const PAGE_SCRIPT: &str = include_str!("../crm/page.js");
/// The script of the page that frames the settings.
const FRAME_SCRIPT: &str = include_str!("../crm/frame.js");
const STYLE: &str = include_str!("../crm/page.css");

/// The script of a page, by its name in its address.
const PAGE: &str = "page";
const FRAME: &str = "frame";

/// A document of the CRM.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CrmDocument {
    /// Its media type.
    pub content_type: &'static str,
    /// Its text.
    pub text: String,
}

/// The document at a path, for the signed-in user. `api` is the address of the product's API.
pub fn find_document(path: &str, user: &User, api: &str) -> Option<CrmDocument> {
    let script = |text: &str| CrmDocument {
        content_type: "text/javascript; charset=utf-8",
        text: text.replace(EXAMPLE_API, api),
    };
    let segments: Vec<&str> = path.trim_matches('/').split('/').collect();
    Some(match segments.as_slice() {
        ["crm", "page.js"] => script(PAGE_SCRIPT),
        ["crm", "frame.js"] => script(FRAME_SCRIPT),
        ["crm", "page.css"] => {
            CrmDocument { content_type: "text/css; charset=utf-8", text: STYLE.to_owned() }
        }
        ["settings", "integrations", "xero"] => build_page(
            user,
            "Settings",
            PAGE,
            "<servicecortex-xero-settings></servicecortex-xero-settings>",
        ),
        ["framed", "settings"] => {
            build_page(user, "Settings", FRAME, "<iframe id=\"xero\" title=\"Xero\"></iframe>")
        }
        ["clients", id] => build_record_page(user, "Client", "client", "client-id", id),
        ["invoices", id] => build_record_page(user, "Invoice", "invoice", "invoice-id", id),
        ["credit-notes", id] => {
            build_record_page(user, "Credit note", "invoice", "credit-note-id", id)
        }
        _ => return None,
    })
}

/// The content security policy of the pages: that of `docs/integrating.md`.
pub fn content_policy(api: &str) -> String {
    format!(
        "default-src 'none'; script-src 'self' {api}; connect-src 'self' {api}; style-src 'self'; \
         frame-src {api}; img-src data:; base-uri 'none'; form-action 'none'; \
         frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types lit-html"
    )
}

/// The page of a record, with its Xero section.
fn build_record_page(
    user: &User,
    kind: &str,
    element: &str,
    attribute: &str,
    id: &str,
) -> CrmDocument {
    let id = escaped(id);
    let element = format!("servicecortex-xero-{element}");
    build_page(
        user,
        &format!("{kind} {id}"),
        PAGE,
        &format!("<{element} {attribute}=\"{id}\"></{element}>"),
    )
}

fn build_page(user: &User, title: &str, script: &str, body: &str) -> CrmDocument {
    let who = escaped(&format!("{} ({}, {})", user.name, user.role, user.account_id));
    let others: Vec<String> = ["Owner", "Admin", "Member"]
        .into_iter()
        .filter(|role| *role != user.role)
        .map(|role| format!("<a href=\"{}\">{role}</a>", escaped(&sign_in_address(user, role))))
        .collect();
    let text = format!(
        "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\">\
         <meta name=\"viewport\" content=\"width=device-width\"><title>{title} | CRM</title>\
         <link rel=\"icon\" href=\"data:,\"><link rel=\"stylesheet\" href=\"/crm/page.css\">\
         <script type=\"module\" src=\"/crm/{script}.js\"></script></head><body><header>\
         <strong>A stand-in for the CRM</strong>\
         <a href=\"{RETURN_PATH}\">Settings <span id=\"xero-attention\"></span></a>\
         <a href=\"/framed/settings\">Settings in a frame</a>\
         <p class=\"user\">{who}. Sign in as {}</p></header>\
         <main><h1>{title}</h1>{body}</main></body></html>",
        others.join(" or ")
    );
    CrmDocument { content_type: "text/html; charset=utf-8", text }
}

/// Where another user of the same account signs in.
fn sign_in_address(user: &User, role: &str) -> String {
    let query = Serializer::new(String::new())
        .append_pair("sub", &format!("usr_{}", role.to_lowercase()))
        .append_pair("account_id", &user.account_id)
        .append_pair("role", role)
        .append_pair("name", &format!("The {role}"))
        .finish();
    format!("/sign-in?{query}")
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

#[cfg(test)]
mod tests {
    use super::{EXAMPLE_API, RETURN_PATH, TOKEN_PATH, content_policy, find_document};
    use crate::token::User;

    const API: &str = "http://localhost:9700";

    fn owner() -> User {
        User {
            sub: "usr_owner".to_owned(),
            account_id: "acc_ridgeway".to_owned(),
            role: "Owner".to_owned(),
            name: "Rowan <Ridgeway>".to_owned(),
        }
    }

    fn text(path: &str) -> String {
        find_document(path, &owner(), API).unwrap().text
    }

    #[test]
    fn each_page_embeds_the_element_of_its_record() {
        assert!(text(RETURN_PATH).contains("<servicecortex-xero-settings>"));
        assert!(text("/clients/cl_1").contains("<servicecortex-xero-client client-id=\"cl_1\">"));
        assert!(text("/invoices/i_1").contains("<servicecortex-xero-invoice invoice-id=\"i_1\">"));
        let note = text("/credit-notes/cn_1");
        assert!(note.contains("<servicecortex-xero-invoice credit-note-id=\"cn_1\">"), "{note}");
        assert_eq!(find_document("/elsewhere", &owner(), API), None);
    }

    #[test]
    fn the_scripts_call_this_stack_and_the_crms_own_token_address() {
        for path in ["/crm/page.js", "/crm/frame.js"] {
            let script = text(path);
            assert!(script.contains(API) && !script.contains(EXAMPLE_API), "{path}");
            assert!(script.contains(&format!("fetch(\"{TOKEN_PATH}\"")), "{path}");
        }
        assert!(content_policy(API).contains(&format!("connect-src 'self' {API};")));
    }

    #[test]
    fn texts_of_users_and_addresses_never_become_markup() {
        assert!(text(RETURN_PATH).contains("Rowan &lt;Ridgeway&gt; (Owner, acc_ridgeway)"));
        let page = text("/invoices/\"><b>");
        assert!(page.contains("invoice-id=\"&quot;&gt;&lt;b&gt;\""), "{page}");
    }

    #[test]
    fn another_user_of_the_same_account_can_sign_in() {
        let page = text(RETURN_PATH);
        assert!(page.contains("account_id=acc_ridgeway&amp;role=Member"), "{page}");
        assert!(!page.contains("role=Owner"), "{page}");
    }
}
