//! Values as the TOML of a case spells them. Must not know what they are.

use base64::Engine;

/// The content of a file, as `host.toml` has it.
pub(super) fn content_toml(content: &[u8]) -> String {
    match std::str::from_utf8(content) {
        Ok(text) => format!("{{ text = {} }}", string_toml(text)),
        Err(_) => format!("{{ base64 = \"{}\" }}", base64(content)),
    }
}

/// A word that need not be UTF-8.
pub(super) fn bytes_toml(bytes: &[u8]) -> String {
    std::str::from_utf8(bytes).map_or_else(|_| format!("{{ base64 = \"{}\" }}", base64(bytes)), string_toml)
}

/// A TOML string: JSON's escapes are also TOML's, except that JSON leaves DEL unescaped.
pub(super) fn string_toml(text: &str) -> String {
    serde_json::Value::from(text).to_string().replace('\u{7f}', "\\u007F")
}

/// Bytes that are not UTF-8.
pub(super) fn base64(bytes: &[u8]) -> String {
    base64::engine::general_purpose::STANDARD.encode(bytes)
}
