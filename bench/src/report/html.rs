//! Text of documents in a page: it is shown and does nothing.

use std::borrow::Cow;

use serde::Serialize;

/// Text between tags, or in a quoted attribute. Pure.
pub(crate) fn escape(text: &str) -> Cow<'_, str> {
    if !text.contains(['&', '<', '>', '"', '\'']) {
        return Cow::Borrowed(text);
    }
    let mut escaped = String::with_capacity(text.len() + 16);
    for character in text.chars() {
        match character {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            other => escaped.push(other),
        }
    }
    Cow::Owned(escaped)
}

/// JSON that can stand in a `script` element: no text of it ends the element or begins a comment.
///
/// # Errors
///
/// The value cannot be JSON.
pub(crate) fn json(value: &impl Serialize) -> serde_json::Result<String> {
    // These characters are only in strings, where an escape means the same.
    let text = serde_json::to_string(value)?;
    Ok(text
        .replace('<', "\\u003c")
        .replace('>', "\\u003e")
        .replace('&', "\\u0026")
        .replace('\u{2028}', "\\u2028")
        .replace('\u{2029}', "\\u2029"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_text_opens_a_tag_or_leaves_its_quotes() {
        assert_eq!(
            escape("<script a=\"b\" c='d'>&amp;"),
            "&lt;script a=&quot;b&quot; c=&#39;d&#39;&gt;&amp;amp;"
        );
        assert_eq!(escape("plain, 512 keys"), "plain, 512 keys");
    }

    #[test]
    fn json_in_a_script_element_cannot_end_it_and_means_the_same() {
        let hostile = "</script><!--<script>alert(1)\u{2028}\u{2029}&";
        let text = json(&hostile).unwrap();
        assert!(!text.contains(['<', '>', '&', '\u{2028}', '\u{2029}']), "{text}");
        assert_eq!(serde_json::from_str::<String>(&text).unwrap(), hostile);
    }
}
