//! Path arithmetic without the file system: lexical cleaning as Go's `path.Clean` does it. Symbolic links stay unresolved.

/// The shortest path equivalent to `path` by text alone: no empty, `.` or inner `..` elements, no trailing slash.
#[must_use]
pub fn clean(path: &[u8]) -> Vec<u8> {
    let rooted = path.first() == Some(&b'/');
    let mut out: Vec<&[u8]> = Vec::new();
    for element in path.split(|b| *b == b'/') {
        match element {
            b"" | b"." => {}
            b".." if out.last().is_some_and(|last| *last != b"..") => drop(out.pop()),
            b".." if rooted => {}
            other => out.push(other),
        }
    }
    let body = out.join(&b'/');
    match (rooted, body.is_empty()) {
        (true, _) => [b"/", body.as_slice()].concat(),
        (false, true) => b".".to_vec(),
        (false, false) => body,
    }
}

/// `path` below `base`, cleaned.
#[must_use]
pub fn join(base: &[u8], path: &[u8]) -> Vec<u8> {
    clean(&[base, b"/", path].concat())
}

/// [`clean`] for text, which stays text: cleaning removes whole elements only.
#[must_use]
pub fn clean_str(path: &str) -> String {
    String::from_utf8(clean(path.as_bytes())).unwrap_or_default()
}

/// [`join`] for text.
#[must_use]
pub fn join_str(base: &str, path: &str) -> String {
    clean_str(&format!("{base}/{path}"))
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
