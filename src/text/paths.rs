//! Path arithmetic without the file system: lexical cleaning like Go's `path.Clean`. Symbolic links stay unresolved.

/// The shortest path equivalent to `path` by text alone: no empty, `.` or inner `..` elements, no trailing slash.
#[must_use]
pub fn clean(path: &[u8]) -> Vec<u8> {
    let rooted = path.first() == Some(&b'/');
    let root = usize::from(rooted);
    let mut out = Vec::with_capacity(path.len().max(1));
    out.extend_from_slice(path.get(..root).unwrap_or_default());
    // The length below which no `..` shortens the path: the root, or the leading `..` elements.
    let mut fixed = root;
    for element in path.split(|byte| *byte == b'/') {
        match element {
            b"" | b"." => {}
            b".." if out.len() > fixed => {
                let end = out.iter().rposition(|byte| *byte == b'/').unwrap_or(0);
                out.truncate(end.max(fixed));
            }
            b".." if rooted => {}
            other => {
                if out.len() > root {
                    out.push(b'/');
                }
                out.extend_from_slice(other);
                if other == b".." {
                    fixed = out.len();
                }
            }
        }
    }
    if out.is_empty() {
        out.push(b'.');
    }
    out
}

/// `path` below `base`, cleaned.
#[must_use]
pub fn join(base: &[u8], path: &[u8]) -> Vec<u8> {
    clean(&[base, b"/", path].concat())
}

/// [`clean`] for text. The result is still valid text: cleaning removes only whole elements.
#[must_use]
pub fn clean_str(path: &str) -> String {
    String::from_utf8(clean(path.as_bytes())).unwrap_or_default()
}

/// [`join`] for text.
#[must_use]
pub fn join_str(base: &str, path: &str) -> String {
    clean_str(&[base, "/", path].concat())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cleaning_is_lexical_and_stops_at_the_root() {
        for (path, want) in [
            ("", "."),
            ("/", "/"),
            ("//a//b/", "/a/b"),
            ("/a/./b/../c", "/a/c"),
            ("/../../x", "/x"),
            ("a/..", "."),
            ("../a", "../a"),
            ("../../a/../b", "../../b"),
            ("/a/...", "/a/..."),
            ("./a", "a"),
        ] {
            assert_eq!(clean_str(path), want, "{path}");
        }
    }
}
