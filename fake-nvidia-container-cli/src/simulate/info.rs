//! The output of `info`: a table or comma-separated values. It knows only the machine.

use nvidia_simulated_machine::topology::{Gpu, Topology};

const LABELS: [&str; 7] =
    ["Device Index", "Device Minor", "Model", "Brand", "GPU UUID", "Bus Location", "Architecture"];

/// What `info` prints, as a table or with `--csv`.
pub(super) fn print(machine: &Topology, csv: bool) -> String {
    if csv {
        let mut out =
            format!("NVRM version,CUDA version\n{},{}\n\n{}\n", machine.driver, machine.cuda, LABELS.join(","));
        for gpu in &machine.gpus {
            out.push_str(&values(gpu).join(","));
            out.push('\n');
        }
        return out;
    }
    let mut out = line("NVRM version", &machine.driver) + &line("CUDA version", &machine.cuda);
    for gpu in &machine.gpus {
        out.push('\n');
        LABELS.iter().zip(values(gpu)).for_each(|(label, value)| out.push_str(&line(label, &value)));
    }
    out
}

fn line(label: &str, value: &str) -> String {
    format!("{:<15} {value}\n", format!("{label}:"))
}

fn values(gpu: &Gpu) -> [String; 7] {
    [
        gpu.index.to_string(),
        gpu.minor.to_string(),
        gpu.model.clone(),
        gpu.brand.clone(),
        gpu.uuid.clone(),
        gpu.busid.clone(),
        gpu.arch.clone(),
    ]
}
