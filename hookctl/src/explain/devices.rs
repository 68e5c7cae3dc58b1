//! Which sources could have asked for devices, which one decides, and what became of the others.
//! Must not decide: it shows what `request` decided from the same values.

use super::report::{Candidate, CandidateOutcome, CandidateSource, Gate};
use hook::config::Config;
use hook::container::Spec;
use hook::container::mounts::DeviceMount;
use hook::contract::keys::Key;
use hook::contract::variables::VISIBLE_DEVICES;
use hook::contract::variables::{CUDA_VERSION, REQUIRE_CUDA};
use hook::request::devices::{self, Devices, MountRequests, VariableRequest};

/// What the candidates are made from.
pub struct Sources<'s> {
    /// The configuration.
    pub config: &'s Config<'s>,
    /// The container.
    pub spec: &'s Spec<'s>,
    /// Its device mounts, even if the configuration does not accept them.
    pub mounts: &'s [DeviceMount],
}

impl Sources<'_> {
    /// The sources, in order of precedence.
    #[must_use]
    pub fn candidates(&self) -> Vec<Candidate> {
        let mounts = self.mounts();
        let outranked = matches!(mounts.outcome, CandidateOutcome::Used | CandidateOutcome::Invalid);
        let request = VariableRequest::read(self.config, &self.spec.environment);
        let mut candidates = vec![mounts];
        candidates.extend(self.swarm(&request, outranked));
        candidates.push(self.visible_devices(&request, outranked));
        candidates.push(self.legacy_image(&request, outranked));
        candidates
    }

    fn mounts(&self) -> Candidate {
        let accepted = self.config.flag(Key::AcceptVolumeMounts);
        let gate = self.setting(Key::AcceptVolumeMounts);
        let source = CandidateSource::Mounts;
        let (outcome, value, why) = match MountRequests::read(self.mounts) {
            Err(error) if accepted => (CandidateOutcome::Invalid, None, error.to_string()),
            Err(_) => (CandidateOutcome::Refused, None, format!("{gate}, so they are not looked at")),
            Ok(requests) => match requests.devices() {
                None => (CandidateOutcome::Silent, None, format!("no mount asks for a device; {gate}")),
                Some((devices, _)) => {
                    let (outcome, what) = if accepted {
                        (CandidateOutcome::Used, "")
                    } else {
                        (CandidateOutcome::Refused, ", so they do not count")
                    };
                    (outcome, shown(&devices), format!("{gate}{what}"))
                }
            },
        };
        Candidate { source, outcome, value, why }
    }

    /// The variables of `swarm-resource`, each by itself.
    fn swarm<'r>(&'r self, request: &'r VariableRequest, outranked: bool) -> impl Iterator<Item = Candidate> + 'r {
        let place = self.config.place(Key::SwarmResource);
        self.config.swarm_variables().map(move |name| {
            let source = CandidateSource::Variable(name.to_owned());
            match self.spec.environment.get(name) {
                None => {
                    let why = format!("named by swarm-resource ({place}), and not set");
                    Candidate { source, outcome: CandidateOutcome::Silent, value: None, why }
                }
                Some(value) => {
                    let (outcome, why) = self.listen(request, outranked);
                    let why = format!("named by swarm-resource ({place}); {why}");
                    Candidate { source, outcome, value: Some(value.to_owned()), why }
                }
            }
        })
    }

    fn visible_devices(&self, request: &VariableRequest, outranked: bool) -> Candidate {
        let source = CandidateSource::Variable(VISIBLE_DEVICES.to_owned());
        let Some(value) = self.spec.environment.get(VISIBLE_DEVICES) else {
            let why = "not set".to_owned();
            return Candidate { source, outcome: CandidateOutcome::Silent, value: None, why };
        };
        let by_swarm = request.variables.iter().any(|name| name != VISIBLE_DEVICES);
        let (outcome, why) = match by_swarm {
            true => (CandidateOutcome::Outranked, "a variable of swarm-resource is set and replaces it".to_owned()),
            false => self.listen(request, outranked),
        };
        Candidate { source, outcome, value: Some(value.to_owned()), why }
    }

    fn legacy_image(&self, request: &VariableRequest, outranked: bool) -> Candidate {
        let source = CandidateSource::LegacyImage;
        let environment = &self.spec.environment;
        if request.by_legacy_rule {
            let (outcome, why) = self.listen(request, outranked);
            let why = format!("{CUDA_VERSION} is set, {REQUIRE_CUDA} and {VISIBLE_DEVICES} are not; {why}");
            return Candidate { source, outcome, value: Some("all".to_owned()), why };
        }
        let why = match environment.is_legacy() {
            true => "it is one, but a variable says which devices".to_owned(),
            false if environment.get(CUDA_VERSION).is_none_or(str::is_empty) => format!("{CUDA_VERSION} is not set"),
            false => format!("{REQUIRE_CUDA} is set, so it is not one"),
        };
        Candidate { source, outcome: CandidateOutcome::Silent, value: None, why }
    }

    /// The outcome for a variable that is read.
    fn listen(&self, request: &VariableRequest, outranked: bool) -> (CandidateOutcome, String) {
        if outranked {
            return (CandidateOutcome::Outranked, "mounts come first".to_owned());
        }
        if request.devices == Devices::Void {
            let why = "asks for nothing: it is empty, or holds void".to_owned();
            return (CandidateOutcome::Silent, why);
        }
        let gate = self.setting(Key::AcceptEnvvarUnprivileged);
        match (self.spec.privileged, devices::accepts_variables(self.config, self.spec)) {
            (true, _) => (CandidateOutcome::Used, "the container is privileged".to_owned()),
            (false, true) => (CandidateOutcome::Used, gate),
            (false, false) => (CandidateOutcome::Refused, format!("the container is not privileged, and {gate}")),
        }
    }

    /// The policies that affect devices.
    #[must_use]
    pub fn gates(&self) -> Vec<Gate> {
        let mut gates = vec![
            Gate {
                name: "CAP_SYS_ADMIN",
                value: if self.spec.privileged { "yes" } else { "no" }.to_owned(),
                place: "bounding set in config.json".to_owned(),
                effect: match self.spec.privileged {
                    true => "privileged: variables always count, and MIG requests are served".to_owned(),
                    false => "not privileged: variables count by the next line, and MIG requests are errors".to_owned(),
                },
            },
            self.gate(Key::AcceptEnvvarUnprivileged, "variables of unprivileged containers"),
            self.gate(Key::AcceptVolumeMounts, "mounts that ask for devices"),
        ];
        if self.config.flag(Key::IgnoreImexChannelRequests) {
            gates.push(Gate {
                effect: "requests for IMEX channels are dropped".to_owned(),
                ..self.gate(Key::IgnoreImexChannelRequests, "")
            });
        }
        gates
    }

    fn gate(&self, key: Key, what: &str) -> Gate {
        let on = self.config.flag(key);
        let effect = format!("{what} {}", if on { "count" } else { "do not count" });
        Gate { name: key.row().name, value: on.to_string(), place: place_of(self.config, key), effect }
    }

    /// `KEY is VALUE (PLACE)`.
    fn setting(&self, key: Key) -> String {
        format!("{} is {} ({})", key.row().name, self.config.flag(key), place_of(self.config, key))
    }
}

/// Where a key is set; `default` if it is not set, since the key is named next to it.
#[must_use]
pub fn place_of(config: &Config<'_>, key: Key) -> String {
    if config.is_set(key) { config.place(key).to_string() } else { "default".to_owned() }
}

/// Devices as the variable would ask for them.
#[must_use]
pub fn shown(devices: &Devices) -> Option<String> {
    match devices {
        Devices::All => Some("all".to_owned()),
        Devices::None => Some("none".to_owned()),
        Devices::Void => None,
        Devices::Some(ids) => Some(ids.join(",")),
    }
}
