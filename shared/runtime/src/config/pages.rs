//! The configuration of the function that serves the pages.

use url::Url;

use super::ConfigError;
use super::reader::VariableReader;
use crate::env;

/// Where the pages may be framed, and where people find the CRM.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PagesConfig {
    /// The origins of the CRM's pages, such as `https://app.example.com`. At least one.
    pub crm_origins: Vec<String>,
    /// The CRM's page with the Xero settings.
    pub crm_return_url: Url,
}

impl PagesConfig {
    /// Parses the configuration. `lookup` returns a variable's value.
    pub fn parse(lookup: impl Fn(&str) -> Option<String>) -> Result<Self, ConfigError> {
        let mut reader = VariableReader { lookup, problems: Vec::new() };
        let listed = reader.required_text(env::CRM_ORIGINS);
        let crm_return_url = reader.http_url(env::CRM_RETURN_URL);
        let mut crm_origins = Vec::new();
        for origin in listed.split(',').map(str::trim).filter(|origin| !origin.is_empty()) {
            match parse_origin(origin) {
                Some(origin) => crm_origins.push(origin),
                None => reader.problems.push(format!(
                    "{} must list origins such as https://app.example.com",
                    env::CRM_ORIGINS
                )),
            }
        }
        if crm_origins.is_empty() && reader.problems.is_empty() {
            reader.problems.push(format!("{} lists no origin", env::CRM_ORIGINS));
        }
        match crm_return_url {
            Some(crm_return_url) if reader.problems.is_empty() => {
                Ok(Self { crm_origins, crm_return_url })
            }
            Some(_) | None => Err(ConfigError { problems: reader.problems }),
        }
    }
}

/// Returns the origin in its canonical form, or `None` if the text is more or less than an origin.
fn parse_origin(text: &str) -> Option<String> {
    let url = Url::parse(text).ok().filter(|url| matches!(url.scheme(), "http" | "https"))?;
    // A host may contain signs that have a meaning in a content security policy, such as `*`.
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b".-".contains(&byte);
    if !url.host_str()?.bytes().all(is_plain) {
        return None;
    }
    let origin = url.origin().ascii_serialization();
    (origin == text.trim_end_matches('/')).then_some(origin)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(origins: &str, page: &str) -> Result<PagesConfig, String> {
        let config = PagesConfig::parse(|name| match name {
            env::CRM_ORIGINS => Some(origins.to_owned()),
            env::CRM_RETURN_URL => Some(page.to_owned()),
            _ => None,
        });
        config.map_err(|error| error.to_string())
    }

    #[test]
    fn origins_are_a_list_separated_by_commas() {
        let config = parse("https://a.example, http://127.0.0.1:9000", "https://a.example/xero");
        let origins = config.unwrap().crm_origins;
        assert_eq!(origins, ["https://a.example", "http://127.0.0.1:9000"]);
    }

    #[test]
    fn what_is_not_an_origin_is_refused_by_the_name_of_the_variable() {
        for origins in [
            "",
            "https://a.example/settings",
            "a.example",
            "*",
            "https://*",
            "https://*.a.example",
            "https://a.example;script-src",
            "'self'",
            "data:,",
            ",",
        ] {
            let error = parse(origins, "https://a.example/xero").unwrap_err();
            assert!(error.contains(env::CRM_ORIGINS), "{origins}: {error}");
        }
    }
}
