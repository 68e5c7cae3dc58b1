//! One of the three inputs of a start, grown to a given size, which exposes a reader that is not linear. Must not know
//! what is done with the inputs.

use std::fmt::Write;

use super::Result;
use super::scenario::replace;

/// An input of a start.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Input {
    /// The container state, with annotations of 100 bytes, on a pipe.
    State,
    /// `config.json`, with variables of 100 bytes.
    Spec,
    /// `config.toml`, with comment lines of 80 bytes: most of the shipped file consists of such lines.
    Config,
}

/// An input of a given size.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Grown {
    /// The name in tables.
    pub name: &'static str,
    /// What is grown.
    pub input: Input,
    /// The minimum size to grow it to, in MiB.
    pub size: usize,
}

impl Grown {
    /// All of them.
    pub const ALL: [Grown; 9] = [
        Grown { name: "state-1-mib", input: Input::State, size: 1 },
        Grown { name: "state-16-mib", input: Input::State, size: 16 },
        Grown { name: "state-64-mib", input: Input::State, size: 64 },
        Grown { name: "spec-1-mib", input: Input::Spec, size: 1 },
        Grown { name: "spec-16-mib", input: Input::Spec, size: 16 },
        Grown { name: "spec-64-mib", input: Input::Spec, size: 64 },
        Grown { name: "config-1-mib", input: Input::Config, size: 1 },
        Grown { name: "config-16-mib", input: Input::Config, size: 16 },
        Grown { name: "config-64-mib", input: Input::Config, size: 64 },
    ];

    /// The text of an input, grown if it is the one that grows.
    pub fn grow(self, input: Input, text: String) -> Result<String> {
        if input != self.input {
            return Ok(text);
        }
        let size = self.size << 20;
        let mut grown = String::with_capacity(size + (64 << 10));
        let mut index = 0;
        while grown.len() < size {
            index += 1;
            match input {
                Input::State => write!(grown, "\"annotation-{index:08}\":\"{:x<76}\",", "")?,
                Input::Spec => write!(grown, "\"VARIABLE_{index:08}={:x<80}\",", "")?,
                Input::Config => writeln!(grown, "# {index:08} {:x<68}", "")?,
            }
        }
        match input {
            Input::State => replace(&text, "{", &format!("{{\"annotations\":{{{grown}\"last\":\"\"}},")),
            Input::Spec => replace(&text, "\"env\":[", &format!("\"env\":[{grown}")),
            Input::Config => Ok(grown + &text),
        }
    }
}
