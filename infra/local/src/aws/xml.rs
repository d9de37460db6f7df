//! A minimal XML reader for `CloudFormation`'s responses: the texts between tags, which are flat
//! and have no attributes.

/// The content of every `<tag>`, in order.
pub(super) fn contents<'a>(xml: &'a str, tag: &str) -> Vec<&'a str> {
    let (open, close) = (format!("<{tag}>"), format!("</{tag}>"));
    xml.split(open.as_str())
        .skip(1)
        .filter_map(|rest| rest.split_once(close.as_str()).map(|(content, _)| content))
        .collect()
}

/// The text of the first `<tag>`.
pub(super) fn text(xml: &str, tag: &str) -> Option<String> {
    contents(xml, tag).first().map(|content| unescape(content))
}

fn unescape(content: &str) -> String {
    content
        .replace("&lt;", "<")
        .replace("&gt;", ">")
        .replace("&quot;", "\"")
        .replace("&apos;", "'")
        .replace("&#39;", "'")
        .replace("&amp;", "&")
}

#[cfg(test)]
mod tests {
    use super::{contents, text};

    #[test]
    fn texts_are_returned_in_order_and_unescaped() {
        let xml = "<a><member><k>x &amp;lt; y</k></member><member><k>z</k></member></a>";
        assert_eq!(contents(xml, "member"), ["<k>x &amp;lt; y</k>", "<k>z</k>"]);
        assert_eq!(text(xml, "k").as_deref(), Some("x &lt; y"));
        assert_eq!(text(xml, "absent"), None);
    }
}
