//! The calls that Xero still allows, according to its answers.

use http::{HeaderMap, Response, StatusCode};

/// The remaining calls, according to the last answer. A limit that no answer has reported yet is
/// `None`.
///
/// Xero counts per organisation and day, per organisation and minute, and per app and minute over
/// all organisations. Its windows are fixed, not rolling.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct RateLimitHeaders {
    /// Calls left today on this organisation (`X-DayLimit-Remaining`).
    pub day_remaining: Option<u32>,
    /// Calls left this minute on this organisation (`X-MinLimit-Remaining`).
    pub minute_remaining: Option<u32>,
    /// Calls left this minute for the app, over all organisations (`X-AppMinLimit-Remaining`).
    pub app_minute_remaining: Option<u32>,
}

impl RateLimitHeaders {
    /// Reads an answer. An answer that rejects the caller says nothing about an organisation's
    /// calls, whatever its headers contain.
    pub fn from_answer<B>(response: &Response<B>) -> Self {
        match response.status() {
            StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => Self::default(),
            _ => Self::from_headers(response.headers()),
        }
    }

    /// Reads the headers of an answer. A missing or unreadable header is `None`.
    pub fn from_headers(headers: &HeaderMap) -> Self {
        let remaining = |name: &str| headers.get(name)?.to_str().ok()?.trim().parse().ok();
        Self {
            day_remaining: remaining("x-daylimit-remaining"),
            minute_remaining: remaining("x-minlimit-remaining"),
            app_minute_remaining: remaining("x-appminlimit-remaining"),
        }
    }

    /// These headers, with missing values taken from an older answer.
    #[must_use]
    pub fn with_fallback(self, older: Self) -> Self {
        Self {
            day_remaining: self.day_remaining.or(older.day_remaining),
            minute_remaining: self.minute_remaining.or(older.minute_remaining),
            app_minute_remaining: self.app_minute_remaining.or(older.app_minute_remaining),
        }
    }
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    #[test]
    fn the_three_headers_are_read_and_invalid_values_are_ignored() {
        let mut headers = HeaderMap::new();
        headers.insert("X-DayLimit-Remaining", HeaderValue::from_static("4987"));
        headers.insert("X-MinLimit-Remaining", HeaderValue::from_static("-1"));
        let budget = RateLimitHeaders::from_headers(&headers);
        assert_eq!(budget.day_remaining, Some(4987));
        assert_eq!(budget.minute_remaining, None);
        assert_eq!(budget.app_minute_remaining, None);
    }

    #[test]
    fn values_missing_from_one_answer_are_taken_from_the_previous_one() {
        let older = RateLimitHeaders {
            day_remaining: Some(9),
            minute_remaining: Some(60),
            ..RateLimitHeaders::default()
        };
        let newer = RateLimitHeaders { day_remaining: Some(8), ..RateLimitHeaders::default() };
        let known = newer.with_fallback(older);
        assert_eq!((known.day_remaining, known.minute_remaining), (Some(8), Some(60)));
    }
}
