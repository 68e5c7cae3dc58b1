//! The plan: the program, its arguments and its environment, each with its origin (SPEC section 12).

mod arguments;
pub mod environment;
pub mod program;
mod rootless;

pub use arguments::Argument;

use crate::config::Config;
use crate::container::{Spec, State};
use crate::contract::keys::Key;
use crate::error::Error;
use crate::host::Host;
use crate::invocation::Invocation;
use crate::request::Request;
use environment::Entry;
use program::Program;

/// Everything that `exec` needs to execute the program.
#[derive(Debug, Clone, PartialEq, Eq)]
#[must_use]
pub struct Plan<'a> {
    /// The program's path, which is also `arguments[0]`.
    pub program: Vec<u8>,
    /// The key that names the program; `None` if it was searched for.
    pub program_key: Option<Key>,
    /// `argv`, which begins with the program's path.
    pub arguments: Vec<Argument>,
    /// `envp`, in the order in which the program gets it.
    pub environment: Vec<Entry<'a>>,
}

/// Builds the plan of a GPU container.
///
/// # Errors
/// [`Error::ImexTooOld`], [`Error::Nul`], [`Error::Machine`].
pub fn build<'a>(
    invocation: &Invocation<'a>,
    config: &Config<'_>,
    state: &State,
    spec: &Spec<'_>,
    request: &Request,
    program: &Program,
    host: &dyn Host,
) -> Result<Plan<'a>, Error> {
    let arguments = arguments::arguments(program, invocation, config, state, spec, request, host)?;
    let environment = environment::for_program(config, invocation.environ, program.search_path.as_deref())?;
    Ok(Plan { program: program.path.clone(), program_key: program.key(), arguments, environment })
}
