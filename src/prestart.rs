//! The main path: from the command line, the container state and the machine to the plan, step by step in the order of
//! the contract. It only decides; `run` acts.

use std::cell::OnceCell;
use std::io::Read;

use crate::config::{self, Config, ConfigFile};
use crate::container::spec::{Document, Wanted};
use crate::container::{Spec, State};
use crate::contract::keys::Key;
use crate::error::Error;
use crate::host::Host;
use crate::invocation::Invocation;
use crate::mode::Mode;
use crate::plan::program::{self, Program};
use crate::plan::{self, Plan};
use crate::request::{ContainerKind, NoGpuReason, Request};

/// What to do for a container.
#[derive(Debug, Clone, PartialEq, Eq)]
#[must_use]
pub enum Decision<'e> {
    /// Nothing, and why: this is not a GPU container.
    Nothing(NoGpuReason),
    /// Become the program of a plan.
    Execute(Plan<'e>),
}

impl Decision<'_> {
    /// The warning for this decision: why a request was ignored.
    #[must_use]
    pub fn warning(&self, trail: &Trail<'_>) -> Option<String> {
        match self {
            Decision::Nothing(reason) => reason.warning(),
            Decision::Execute(_) => trail.request.as_ref()?.warning(),
        }
    }
}

/// The texts that a start reads. A [`Trail`] borrows from them, so the caller that asks for a decision keeps them.
#[derive(Debug, Default)]
pub struct Texts {
    config: OnceCell<Option<ConfigFile>>,
    spec: OnceCell<Document>,
}

impl Texts {
    /// The configuration file, once it was found, even if it turned out to be faulty.
    #[must_use]
    pub fn config(&self) -> Option<&ConfigFile> {
        self.config.get()?.as_ref()
    }

    /// The bundle's `config.json`, once it was read.
    #[must_use]
    pub fn spec(&self) -> Option<&Document> {
        self.spec.get()
    }
}

/// What a start has learned, step by step. `None` means that the start did not reach that step. Messages, notes and
/// explanations read the trail afterwards, so nothing is worked out twice.
#[derive(Debug, Default)]
pub struct Trail<'t> {
    /// The configuration, from a file or from the defaults.
    pub config: Option<Config<'t>>,
    /// The container state, from standard input.
    pub state: Option<State>,
    /// The container's specification, from the bundle.
    pub spec: Option<Spec<'t>>,
    /// What the GPU container is to get.
    pub request: Option<Request>,
    /// The mode, whether the hook serves it or not.
    pub mode: Option<Mode>,
    /// The `nvidia-container-cli` that was found.
    pub program: Option<Program>,
}

/// Decides what to do for the container whose state comes on a stream, and records in `trail` what each step learned.
///
/// # Errors
/// The first fault of any input, in the order of the steps.
///
/// # Examples
/// ```
/// use nvidia_container_runtime_hook::host::RealHost;
/// use nvidia_container_runtime_hook::invocation::Invocation;
/// use nvidia_container_runtime_hook::prestart::{Texts, Trail, decide};
///
/// let (texts, mut trail) = (Texts::default(), Trail::default());
/// let machine = RealHost::new(Some("/nonexistent".into()));
/// let mut state = r#"{"pid": 4321, "bundle": "/bundle"}"#.as_bytes();
/// let error = decide(&Invocation::default(), &mut state, &machine, &texts, &mut trail).unwrap_err();
/// assert!(error.to_string().starts_with("could not open OCI spec: open /bundle/config.json"));
/// assert_eq!(trail.state.map(|state| state.pid), Some(4321));
/// ```
pub fn decide<'e, 't>(
    invocation: &Invocation<'e>,
    state: &mut dyn Read,
    host: &dyn Host,
    texts: &'t Texts,
    trail: &mut Trail<'t>,
) -> Result<Decision<'e>, Error> {
    let file = config::find(invocation, host)?;
    let file = texts.config.get_or_init(|| file);
    let config = trail.config.insert(Config::read(file.as_ref())?);
    let state = trail.state.insert(State::read(state)?);
    let document = Document::load(&state.bundle, host)?;
    let document = texts.spec.get_or_init(|| document);
    let swarm: Vec<&str> = config.swarm_variables().collect();
    let wanted = Wanted { mounts: config.flag(Key::AcceptVolumeMounts), swarm: &swarm };
    let spec = trail.spec.insert(Spec::parse(document, wanted)?);
    let request = match Request::derive(config, spec)? {
        ContainerKind::Gpu(request) => trail.request.insert(request),
        ContainerKind::NoGpu(reason) => return Ok(Decision::Nothing(reason)),
    };
    let mode = trail.mode.insert(Mode::find(config, &request.devices.value, invocation.environ, host)?);
    mode.require_legacy(config)?;
    let program = trail.program.insert(program::find(config, invocation.environ, host)?);
    plan::build(invocation, config, state, spec, request, program, host).map(Decision::Execute)
}
