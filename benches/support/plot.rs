//! Distributions as SVG, for light and for dark pages: for each series, the share of runs (upwards) that took at most a
//! given time (to the right). The further left and the steeper, the better. Must not know what was measured.

use std::path::Path;

use plotters::prelude::*;

use crate::scenes::Result;

/// The size of a plot in pixels.
const SIZE: (u32, u32) = (900, 460);
/// Other programs cause the slow runs, so the plot ends where this share of all runs has ended.
const SHOWN: f64 = 0.95;
/// Points of a curve.
const POINTS: usize = 100;
/// Colours that people with any colour vision can tell apart (Okabe and Ito, 2008).
const COLOURS: [RGBColor; 6] = [
    RGBColor(0x00, 0x72, 0xb2),
    RGBColor(0x56, 0xb4, 0xe9),
    RGBColor(0xe6, 0x9f, 0x00),
    RGBColor(0xd5, 0x5e, 0x00),
    RGBColor(0x00, 0x9e, 0x73),
    RGBColor(0xcc, 0x79, 0xa7),
];

/// A name and sorted times in microseconds.
pub struct Series<'a> {
    /// The name.
    pub name: &'a str,
    /// The times.
    pub sorted: &'a [f64],
}

/// A page's colours, and the suffix of the file's name.
struct Theme {
    name: &'static str,
    background: RGBColor,
    text: RGBColor,
    lines: RGBColor,
}

const THEMES: [Theme; 2] = [
    Theme { name: "light", background: WHITE, text: BLACK, lines: RGBColor(0xdd, 0xdd, 0xdd) },
    Theme {
        name: "dark",
        background: RGBColor(0x0d, 0x11, 0x17),
        text: RGBColor(0xe6, 0xed, 0xf3),
        lines: RGBColor(0x30, 0x36, 0x3d),
    },
];

/// Writes `PLACE-light.svg` and `PLACE-dark.svg`.
pub fn draw(place: &Path, title: &str, series: &[Series<'_>]) -> Result<()> {
    THEMES.iter().try_for_each(|theme| {
        let mut file = place.as_os_str().to_owned();
        file.push(format!("-{}.svg", theme.name));
        draw_themed(Path::new(&file), title, series, theme)
    })
}

fn draw_themed(file: &Path, title: &str, series: &[Series<'_>], theme: &Theme) -> Result<()> {
    let first = series.iter().filter_map(|one| one.sorted.first()).copied().fold(f64::INFINITY, f64::min);
    let last = series.iter().filter_map(|one| quantile(one.sorted, SHOWN)).fold(0.0, f64::max);
    let (from, to) = (first * 0.95, last.max(first * 1.05));
    let font = |size| ("sans-serif", size).into_font().color(&theme.text);
    let area = SVGBackend::new(file, SIZE).into_drawing_area();
    area.fill(&theme.background)?;
    let mut chart = ChartBuilder::on(&area)
        .caption(title, font(18))
        .margin(12)
        .x_label_area_size(32)
        .y_label_area_size(56)
        .build_cartesian_2d(from..to, 0.0..1.0)?;
    chart
        .configure_mesh()
        .label_style(font(13))
        .axis_style(theme.text)
        .bold_line_style(theme.lines)
        .light_line_style(TRANSPARENT)
        .x_label_formatter(&|time| format!("{time:.0} µs"))
        .y_label_formatter(&|share| format!("{:.0} %", share * 100.0))
        .draw()?;
    for (one, colour) in series.iter().zip(COLOURS.into_iter().cycle()) {
        let points = (0..=POINTS).map(|step| step as f64 / POINTS as f64);
        let points = points.filter_map(|share| Some((quantile(one.sorted, share)?, share)));
        chart
            .draw_series(LineSeries::new(points.filter(|(time, _)| *time <= to), colour.stroke_width(2)))?
            .label(one.name)
            .legend(move |(x, y)| PathElement::new([(x, y), (x + 16, y)], colour.stroke_width(2)));
    }
    let position = SeriesLabelPosition::LowerRight;
    chart.configure_series_labels().position(position).label_font(font(13)).border_style(theme.lines).draw()?;
    area.present()?;
    Ok(())
}

/// The value below which a share of sorted values lies.
#[must_use]
pub fn quantile(sorted: &[f64], share: f64) -> Option<f64> {
    sorted.get(((sorted.len() as f64 * share) as usize).min(sorted.len().checked_sub(1)?)).copied()
}
