//! THE path: from the command line, the container state and the machine to the plan, step by step in the order of the
//! contract. Decides only; `run` does.

use std::io::Read;

use crate::cli::Invocation;
use crate::config::{self, Config, Key};
use crate::container::spec::{Document, Wanted};
use crate::container::{Spec, State};
use crate::error::Error;
use crate::host::Host;
use crate::mode::Mode;
use crate::plan::{self, Plan};
use crate::request::{NotAGpuContainer, Request};

/// What is to be done for a container.
#[derive(Debug, Clone, PartialEq, Eq)]
#[must_use]
pub enum Decision<'a> {
    /// Nothing, and why.
    Nothing(NotAGpuContainer),
    /// Execute a plan, in a mode.
    Execute(Plan<'a>, Mode),
}

/// Decides what to do for the container whose state comes on a stream.
///
/// # Errors
/// The first fault of any input, in the order of the steps.
pub fn decide<'a>(invocation: &Invocation<'a>, state: &mut dyn Read, host: &dyn Host) -> Result<Decision<'a>, Error> {
    let file = config::find(invocation, host)?;
    let config = Config::read(file.as_ref())?;
    let state = State::read(state)?;
    let document = Document::load(&state.bundle, host)?;
    let swarm: Vec<&str> = config.swarm_variables().collect();
    let wanted = Wanted { mounts: config.flag(Key::AcceptVolumeMounts), swarm: &swarm };
    let spec = Spec::parse(&document, wanted)?;
    let request = match Request::derive(&config, &spec)? {
        Ok(request) => request,
        Err(reason) => return Ok(Decision::Nothing(reason)),
    };
    let mode = Mode::find(&config, &request.devices.value, host).require_legacy(&config)?;
    let plan = plan::build(invocation, &config, &state, &spec, &request, host)?;
    Ok(Decision::Execute(plan, mode))
}
