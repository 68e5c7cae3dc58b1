//! The operations of a run.
use serde::Serialize;

/// One operation.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "op", rename_all = "snake_case")]
pub enum Op {
    /// The driver is asked through its library.
    DriverInit {
        /// The driver root.
        root: crate::text::Text,
        /// The user.
        uid: i64,
        /// The group.
        gid: i64,
    },
}
