//! A configuration file as text, whatever its comments contain: nothing reads a comment, so a control character or a
//! byte that is not UTF-8 in a comment must not stop every container on a node. Must not know what is outside the
//! comments.

use std::str::Utf8Error;

use toml_parser::Source;
use toml_parser::lexer::TokenKind;

/// Replaces a byte that is passed over. It is one byte long, so that positions stay the same.
const PLACEHOLDER: u8 = b'?';

/// A text and the bytes in its comments that were replaced.
#[derive(Debug, PartialEq, Eq)]
pub struct Decoded {
    /// The content of the file, with a placeholder for each replaced byte.
    pub text: String,
    /// The offsets of the replaced bytes, ascending.
    pub passed_over: Vec<usize>,
}

/// Decodes the bytes of a file. A control character outside comments stays, for the parser to judge.
///
/// # Errors
/// For the first byte outside comments that is not UTF-8: all bytes, and the fault.
pub fn decode(mut bytes: Vec<u8>) -> Result<Decoded, (Vec<u8>, Utf8Error)> {
    if is_plain(&bytes) {
        return text(bytes, Vec::new());
    }
    let odd = odd_bytes(&bytes);
    let mut plain = bytes.clone();
    set(&mut plain, &odd, |_| PLACEHOLDER);
    let passed_over = match str::from_utf8(&plain) {
        Ok(plain) => in_comments(plain, &odd),
        // Every byte that is not UTF-8 is replaced, so this cannot happen.
        Err(_) => Vec::new(),
    };
    set(&mut bytes, &passed_over, |_| PLACEHOLDER);
    text(bytes, passed_over)
}

fn text(bytes: Vec<u8>, passed_over: Vec<usize>) -> Result<Decoded, (Vec<u8>, Utf8Error)> {
    match String::from_utf8(bytes) {
        Ok(text) => Ok(Decoded { text, passed_over }),
        Err(error) => {
            let fault = error.utf8_error();
            Err((error.into_bytes(), fault))
        }
    }
}

fn set(bytes: &mut [u8], offsets: &[usize], value: impl Fn(u8) -> u8) {
    for offset in offsets {
        if let Some(byte) = bytes.get_mut(*offset) {
            *byte = value(*byte);
        }
    }
}

/// Whether there is nothing to look for, as in most files. It does not branch for each byte, so it costs a start next
/// to nothing.
fn is_plain(bytes: &[u8]) -> bool {
    let is_suspicious = |byte: u8| !matches!(byte, b'\t' | b'\n' | b' '..=b'~');
    !bytes.iter().fold(false, |found, byte| found | is_suspicious(*byte))
}

/// The offsets of bytes that TOML allows nowhere: bytes that are not UTF-8, and control characters other than a tab or
/// a line ending.
fn odd_bytes(bytes: &[u8]) -> Vec<usize> {
    let mut odd = Vec::new();
    let mut start = 0;
    for chunk in bytes.utf8_chunks() {
        let valid = chunk.valid().as_bytes();
        let ends_line = |at: usize| valid.get(at + 1) == Some(&b'\n');
        let controls = valid.iter().enumerate().filter(|(at, byte)| match byte {
            b'\t' | b'\n' => false,
            b'\r' => !ends_line(*at),
            byte => byte.is_ascii_control(),
        });
        odd.extend(controls.map(|(at, _)| start + at));
        let end = start + valid.len() + chunk.invalid().len();
        odd.extend(start + valid.len()..end);
        start = end;
    }
    odd
}

/// The offsets that lie in comments.
fn in_comments(text: &str, offsets: &[usize]) -> Vec<usize> {
    let comments = Source::new(text).lex().filter(|token| token.kind() == TokenKind::Comment);
    let mut rest = offsets.iter().copied().peekable();
    let mut inside = Vec::new();
    for comment in comments {
        while let Some(offset) = rest.next_if(|offset| *offset < comment.span().end()) {
            if offset >= comment.span().start() {
                inside.push(offset);
            }
        }
    }
    inside
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decoded(bytes: &[u8]) -> (String, Vec<usize>) {
        let decoded = decode(bytes.to_vec()).unwrap();
        (decoded.text, decoded.passed_over)
    }

    #[test]
    fn what_a_comment_holds_is_passed_over_and_keeps_its_place() {
        assert_eq!(decoded(b"a = 1 # \xff\x01\r x\n"), ("a = 1 # ??? x\n".to_owned(), vec![8, 9, 10]));
        assert_eq!(decoded(b"# f\xc3\xbcr\r\na = '#'\n"), ("# f\u{fc}r\r\na = '#'\n".to_owned(), vec![]));
    }

    #[test]
    fn what_is_outside_comments_stays() {
        assert_eq!(decoded(b"a = '# \x01'\n"), ("a = '# \u{1}'\n".to_owned(), vec![]));
        let (bytes, fault) = decode(b"# \xff\na = '# \xfe'\n".to_vec()).unwrap_err();
        assert_eq!((bytes.len(), fault.valid_up_to()), (14, 11));
    }
}
