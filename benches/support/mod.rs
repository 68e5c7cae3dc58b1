//! What the benches of whole processes share: the compared programs, the order of their starts, plots. Measures nothing
//! itself.
#![allow(dead_code, reason = "each bench uses its part")]

pub mod plot;
pub mod programs;
pub mod random;
