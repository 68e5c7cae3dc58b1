//! THE path: from the command line, the container state and the machine to the plan, step by step in the order of the
//! contract. Decides only; `run` does.

use std::io::Read;

use crate::config::{self, Config};
use crate::container::spec::{Document, Wanted};
use crate::container::{Spec, State};
use crate::contract::keys::Key;
use crate::error::Error;
use crate::host::Host;
use crate::invocation::Invocation;
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

/// Sees what is decided, as it is decided. A start keeps next to nothing of it, `explain` all that it can show; both
/// take the same steps.
pub trait Witness {
    /// The configuration was read.
    fn config(&mut self, _config: &Config<'_>) {}
    /// The container state was read.
    fn state(&mut self, _state: &State) {}
    /// The bundle's specification was read.
    fn spec(&mut self, _config: &Config<'_>, _document: &Document, _spec: &Spec<'_>) {}
    /// The container is a GPU container.
    fn request(&mut self, _config: &Config<'_>, _request: &Request) {}
    /// The mode was found; whether the hook serves it comes next.
    fn mode(&mut self, _config: &Config<'_>, _mode: &Mode) {}
    /// The plan is ready.
    fn plan(&mut self, _config: &Config<'_>, _plan: &Plan<'_>) {}
}

/// Nobody looks.
impl Witness for () {}

/// Decides what to do for the container whose state comes on a stream.
///
/// # Errors
/// The first fault of any input, in the order of the steps.
pub fn decide<'a>(invocation: &Invocation<'a>, state: &mut dyn Read, host: &dyn Host) -> Result<Decision<'a>, Error> {
    decide_before(&mut (), invocation, state, host)
}

/// [`decide`] before the eyes of a witness.
///
/// # Errors
/// As [`decide`].
pub fn decide_before<'a>(
    witness: &mut dyn Witness,
    invocation: &Invocation<'a>,
    state: &mut dyn Read,
    host: &dyn Host,
) -> Result<Decision<'a>, Error> {
    let file = config::find(invocation, host)?;
    let config = Config::read(file.as_ref())?;
    witness.config(&config);
    let state = State::read(state)?;
    witness.state(&state);
    let document = Document::load(&state.bundle, host)?;
    let swarm: Vec<&str> = config.swarm_variables().collect();
    let wanted = Wanted { mounts: config.flag(Key::AcceptVolumeMounts), swarm: &swarm };
    let spec = Spec::parse(&document, wanted)?;
    witness.spec(&config, &document, &spec);
    let request = match Request::derive(&config, &spec)? {
        Ok(request) => request,
        Err(reason) => return Ok(Decision::Nothing(reason)),
    };
    witness.request(&config, &request);
    let mode = Mode::find(&config, &request.devices.value, host);
    witness.mode(&config, &mode);
    let mode = mode.require_legacy(&config)?;
    let plan = plan::build(invocation, &config, &state, &spec, &request, host)?;
    witness.plan(&config, &plan);
    Ok(Decision::Execute(plan, mode))
}
