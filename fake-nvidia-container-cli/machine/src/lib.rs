//! What a simulated NVIDIA machine is, and what follows from it alone: a topology, the files of its driver, the devices
//! that a list names, and the verdict on a requirement.
//!
//! It knows neither a command line nor a container. Its only messages are the table `lines`: those that users meet.
//! `fake-nvidia-container-cli` shows these machines to containers; a program that predicts what it will do asks here.
//!
//! ```
//! use nvidia_simulated_machine::requirement::{DeviceFacts, Facts, Verdict, evaluate};
//! use nvidia_simulated_machine::{select, topology};
//!
//! let machine = topology::load(Some("h100-mig"))?;
//! let chosen = select::devices("0:1", &machine.gpus).map_err(|item| format!("{item}: unknown device"))?;
//! assert_eq!((chosen.gpus, chosen.migs), (vec![0], vec![(0, 1)]));
//!
//! let gpu = &machine.gpus[0];
//! let device = Some(DeviceFacts { arch: &gpu.arch, brand: &gpu.brand });
//! let facts = Facts { cuda: &machine.cuda, driver: &machine.driver, device };
//! assert_eq!(evaluate("cuda>=99 arch>=9.0", facts), Verdict::Satisfied);
//! # Ok::<(), String>(())
//! ```

pub mod driver_files;
pub mod lines;
pub mod models;
pub mod number;
pub mod requirement;
pub mod select;
pub mod state;
pub mod step;
pub mod text;
pub mod topology;
