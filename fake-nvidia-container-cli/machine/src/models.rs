//! The models for which a topology can use a short name, with what follows from each. One row per model.

use crate::driver_files::branch;

/// What a model's name implies.
#[derive(Clone, Copy, Debug)]
pub struct Model {
    /// The short name that a topology can use.
    pub short: &'static str,
    /// The product's name as the driver reports it.
    pub name: &'static str,
    /// The compute capability, `M.m`.
    pub arch: &'static str,
    /// The brand word that requirements ask for.
    pub brand: &'static str,
    /// The memory in MiB, with what the driver keeps for itself.
    pub memory: u64,
    /// The memory in MiB as drivers before 510 report it, which leave that out.
    early: Option<u64>,
    /// Whether it can be split.
    pub mig_capable: bool,
}

const fn model(
    short: &'static str,
    name: &'static str,
    arch: &'static str,
    brand: &'static str,
    memory: u64,
    mig_capable: bool,
) -> Model {
    Model { short, name, arch, brand, memory, early: None, mig_capable }
}

impl Model {
    const fn early(self, memory: u64) -> Self {
        Self { early: Some(memory), ..self }
    }

    /// The memory in MiB, as a driver reports it.
    #[must_use]
    pub fn memory_of(&self, driver: &str) -> u64 {
        self.early.filter(|_| branch(driver) < 510).unwrap_or(self.memory)
    }
}

/// All models that a topology can name.
pub const MODELS: [Model; 31] = [
    model("K80", "Tesla K80", "3.7", "Tesla", 11_441, false),
    model("P100", "Tesla P100-PCIE-16GB", "6.0", "Tesla", 16_384, false).early(16_280),
    model("P100-SXM2", "Tesla P100-SXM2-16GB", "6.0", "Tesla", 16_384, false).early(16_280),
    model("V100", "Tesla V100-SXM3-32GB", "7.0", "Tesla", 32_768, false).early(32_510),
    model("V100-SXM2", "Tesla V100-SXM2-16GB", "7.0", "Tesla", 16_384, false).early(16_160),
    model("V100-SXM2-32GB", "Tesla V100-SXM2-32GB", "7.0", "Tesla", 32_768, false).early(32_510),
    model("V100-PCIE", "Tesla V100-PCIE-16GB", "7.0", "Tesla", 16_384, false).early(16_160),
    model("T4", "Tesla T4", "7.5", "Tesla", 15_360, false).early(15_109),
    model("RTX6000", "Quadro RTX 6000", "7.5", "Quadro", 24_576, false).early(24_220),
    model("RTX3090", "NVIDIA GeForce RTX 3090", "8.6", "GeForce", 24_576, false).early(24_268),
    model("RTX4090", "NVIDIA GeForce RTX 4090", "8.9", "GeForce", 24_564, false),
    model("A10", "NVIDIA A10", "8.6", "Nvidia", 23_028, false).early(22_731),
    model("A100", "NVIDIA A100-SXM4-40GB", "8.0", "Nvidia", 40_960, true).early(40_536),
    model("A100-80GB", "NVIDIA A100-SXM4-80GB", "8.0", "Nvidia", 81_920, true).early(81_251),
    model("A100-PCIE", "NVIDIA A100-PCIE-40GB", "8.0", "Nvidia", 40_960, true).early(40_536),
    model("A100-80GB-PCIE", "NVIDIA A100 80GB PCIe", "8.0", "Nvidia", 81_920, true).early(80_994),
    model("A30", "NVIDIA A30", "8.0", "Nvidia", 24_576, true).early(24_258),
    model("L4", "NVIDIA L4", "8.9", "Nvidia", 23_034, false),
    model("L40", "NVIDIA L40", "8.9", "Nvidia", 46_068, false),
    model("L40S", "NVIDIA L40S", "8.9", "Nvidia", 46_068, false),
    model("H100", "NVIDIA H100 80GB HBM3", "9.0", "Nvidia", 81_559, true),
    model("H100-PCIE", "NVIDIA H100 PCIe", "9.0", "Nvidia", 81_559, true),
    model("H200", "NVIDIA H200", "9.0", "Nvidia", 143_771, true),
    model("B200", "NVIDIA B200", "10.0", "Nvidia", 183_359, true),
    model("GB200", "NVIDIA GB200", "10.0", "Nvidia", 189_471, true),
    model("GB300", "NVIDIA GB300", "10.3", "Nvidia", 284_208, true),
    model("RTX4080S", "NVIDIA GeForce RTX 4080 SUPER", "8.9", "GeForce", 16_376, false),
    model("RTXA5000", "NVIDIA RTX A5000", "8.6", "NvidiaRTX", 24_564, false).early(24_256),
    model("RTX6000ADA", "NVIDIA RTX 6000 Ada Generation", "8.9", "NvidiaRTX", 49_140, false),
    model("RTXPRO6000", "NVIDIA RTX PRO 6000 Blackwell Server Edition", "12.0", "NvidiaRTX", 97_887, true),
    model(
        "RTXPRO6000-MAXQ",
        "NVIDIA RTX PRO 6000 Blackwell Max-Q Workstation Edition",
        "12.0",
        "NvidiaRTX",
        97_887,
        false,
    ),
];

/// The row of a short name or a product name.
#[must_use]
pub fn find(name: &str) -> Option<&'static Model> {
    MODELS.iter().find(|m| m.short.eq_ignore_ascii_case(name) || m.name.eq_ignore_ascii_case(name))
}
