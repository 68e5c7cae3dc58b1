//! Distributions as an SVG: for each series the share of runs (upwards) that took at most a time (to the right). The
//! further left and the steeper, the better. Must not know what was measured.

use std::fmt::Write;

use super::Result;

const WIDTH: f64 = 900.0;
const HEIGHT: f64 = 460.0;
const LEFT: f64 = 60.0;
const RIGHT: f64 = 880.0;
const TOP: f64 = 50.0;
const BOTTOM: f64 = 410.0;
/// Slow runs are other programs' doing; the plot ends where this share of all runs has ended.
const SHOWN: f64 = 0.95;
/// Colours that people with any colour vision tell apart (Okabe and Ito, 2008).
const COLOURS: [&str; 5] = ["#0072b2", "#000000", "#e69f00", "#d55e00", "#009e73"];

/// A name and sorted times in microseconds.
pub struct Series<'a> {
    /// The name.
    pub name: &'a str,
    /// The times.
    pub sorted: &'a [f64],
}

/// Draws the series under a title.
pub fn draw(title: &str, series: &[Series<'_>]) -> Result<String> {
    let first = series.iter().filter_map(|one| one.sorted.first()).copied().fold(f64::INFINITY, f64::min);
    let last = series.iter().filter_map(|one| quantile(one.sorted, SHOWN)).fold(0.0, f64::max);
    let (from, to) = (first * 0.95, last.max(first * 1.05));
    let x = |time: f64| LEFT + (time - from) / (to - from) * (RIGHT - LEFT);
    let y = |share: f64| BOTTOM - share * (BOTTOM - TOP);
    let mut svg = String::new();
    writeln!(
        svg,
        r#"<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" font-family="sans-serif" font-size="13">"#
    )?;
    writeln!(
        svg,
        r#"<rect width="100%" height="100%" fill="white"/><text x="{LEFT}" y="28" font-size="16">{title}</text>"#
    )?;
    for step in 0..=4 {
        let share = f64::from(step) / 4.0;
        let (at, label) = (y(share), share * 100.0);
        writeln!(svg, r#"<path d="M{LEFT} {at}H{RIGHT}" stroke="gainsboro"/><text x="14" y="{at}">{label} %</text>"#)?;
        let time = from + share * (to - from);
        writeln!(svg, r#"<text x="{:.1}" y="432" text-anchor="middle">{time:.0} µs</text>"#, x(time))?;
    }
    for (index, (one, colour)) in series.iter().zip(COLOURS.iter().cycle()).enumerate() {
        let mut path = String::new();
        for (rank, time) in one.sorted.iter().enumerate().filter(|(_, time)| **time <= to) {
            let share = (rank + 1) as f64 / one.sorted.len() as f64;
            write!(path, "{}{:.1} {:.1}", if rank == 0 { 'M' } else { 'L' }, x(*time), y(share))?;
        }
        writeln!(svg, r#"<path d="{path}" fill="none" stroke="{colour}" stroke-width="2"/>"#)?;
        let line = 300 + 20 * index;
        writeln!(svg, r#"<text x="870" y="{line}" text-anchor="end" fill="{colour}">{}</text>"#, one.name)?;
    }
    svg.push_str("</svg>\n");
    Ok(svg)
}

/// The value below which a share of sorted values lies.
#[must_use]
pub fn quantile(sorted: &[f64], share: f64) -> Option<f64> {
    sorted.get(((sorted.len() as f64 * share) as usize).min(sorted.len().checked_sub(1)?)).copied()
}
