//! Plots as SVG: a few shapes, axes with labels, and colours that change with the reader's light or dark theme.
//!
//! Invariant: a plot stands alone; it names no font file, no script and nothing from elsewhere, so it shows the same in a
//! browser, in a repository's page and in print. Deliberately absent: whatever the report does not draw.

mod axis;
#[cfg(test)]
mod tests;

use axis::{Scale, ticks};
use std::fmt::Write as _;

const WIDTH: f64 = 760.0;
const HEIGHT: f64 = 380.0;
/// Room around the area for labels: left, top, right, bottom.
const MARGIN: (f64, f64, f64, f64) = (76.0, 76.0, 24.0, 56.0);
/// How many colours there are in [`STYLE`].
const COLOURS: usize = 4;
const STYLE: &str = "\
.back{fill:#fff}.text{fill:#1f2328}.faint{fill:#59636e}.grid{stroke:#d1d9e0}.axis{stroke:#59636e}.mark{stroke:#b35900}\
.marked{fill:#9a4b00}.f0{fill:#0969da}.s0{stroke:#0969da}.f1{fill:#bf3989}.s1{stroke:#bf3989}.f2{fill:#1a7f37}\
.s2{stroke:#1a7f37}.f3{fill:#8250df}.s3{stroke:#8250df}\
@media (prefers-color-scheme:dark){.back{fill:#0d1117}.text{fill:#e6edf3}.faint{fill:#9198a1}.grid{stroke:#30363d}\
.axis{stroke:#9198a1}.mark{stroke:#f0883e}.marked{fill:#f0a060}.f0{fill:#58a6ff}.s0{stroke:#58a6ff}.f1{fill:#f778ba}\
.s1{stroke:#f778ba}.f2{fill:#3fb950}.s2{stroke:#3fb950}.f3{fill:#bc8cff}.s3{stroke:#bc8cff}}\
text{font:13px system-ui,-apple-system,'Segoe UI',Helvetica,Arial,sans-serif}.title{font-size:16px;font-weight:600}";

/// How points are drawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Shape {
    /// A line through them.
    Line,
    /// A bar from zero for each, as wide as their distance.
    Bars,
}

/// Points of one kind.
#[derive(Debug, Clone)]
pub(crate) struct Series {
    pub(crate) name: String,
    pub(crate) shape: Shape,
    pub(crate) points: Vec<(f64, f64)>,
}

/// A plot. The y axis begins at zero.
#[derive(Debug, Clone, Default)]
pub(crate) struct Plot {
    pub(crate) title: String,
    pub(crate) x: String,
    pub(crate) y: String,
    /// Names for x at 0, 1, 2…, instead of numbers.
    pub(crate) names: Vec<String>,
    pub(crate) series: Vec<Series>,
    /// Levels to compare with, each with its name.
    pub(crate) marks: Vec<(String, f64)>,
}

impl Plot {
    /// The document.
    pub(crate) fn svg(&self) -> String {
        let mut out = String::new();
        self.write(&mut out).unwrap_or_default();
        out
    }

    fn write(&self, out: &mut String) -> std::fmt::Result {
        let (x, y) = self.scales();
        let title = escaped(&self.title);
        write!(
            out,
            "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {HEIGHT}\" width=\"{WIDTH}\" \
             height=\"{HEIGHT}\" role=\"img\" aria-labelledby=\"title\">\n<title id=\"title\">{title}</title>\n\
             <style>{STYLE}</style>\n<rect class=\"back\" width=\"{WIDTH}\" height=\"{HEIGHT}\"/>\n\
             <text class=\"text title\" x=\"{}\" y=\"28\">{title}</text>\n",
            MARGIN.0
        )?;
        self.axes(out, &x, &y)?;
        for (index, series) in self.series.iter().enumerate() {
            self.series(out, index, series, &x, &y)?;
        }
        for (name, level) in &self.marks {
            let at = y.place(*level);
            let (left, right) = (MARGIN.0, WIDTH - MARGIN.2);
            writeln!(
                out,
                "<line class=\"mark\" stroke-width=\"1.5\" stroke-dasharray=\"6 4\" x1=\"{left}\" y1=\"{at:.1}\" \
                 x2=\"{right}\" y2=\"{at:.1}\"/><text class=\"marked\" text-anchor=\"end\" x=\"{right}\" y=\"{:.1}\">{}</text>",
                at - 5.0,
                escaped(name)
            )?;
        }
        self.legend(out)?;
        out.write_str("</svg>\n")
    }

    fn scales(&self) -> (Scale, Scale) {
        let points = || self.series.iter().flat_map(|series| &series.points);
        let marks = self.marks.iter().map(|(_, level)| *level);
        let top = points().map(|point| point.1).chain(marks).fold(0.0, f64::max);
        let (mut from, mut to) = points().fold((f64::MAX, f64::MIN), |(from, to), p| (from.min(p.0), to.max(p.0)));
        if from > to {
            (from, to) = (0.0, 1.0);
        }
        let bars = self.series.iter().find(|series| series.shape == Shape::Bars).map(|series| self.width(series));
        if let Some(width) = bars {
            (from, to) = (from - width / 2.0, to + width / 2.0);
        }
        let area = (MARGIN.0, WIDTH - MARGIN.2);
        (Scale::new((from, to), area), Scale::new((0.0, axis::top(top)), (HEIGHT - MARGIN.3, MARGIN.1)))
    }

    /// The distance of bars: of names 1, of numbers the least that there is between two.
    fn width(&self, series: &Series) -> f64 {
        if !self.names.is_empty() {
            return 1.0;
        }
        let distances = series.points.windows(2).filter_map(|pair| Some((pair.last()?.0 - pair.first()?.0).abs()));
        let least = distances.filter(|distance| *distance > 0.0).fold(f64::MAX, f64::min);
        if least == f64::MAX { 1.0 } else { least }
    }

    fn axes(&self, out: &mut String, x: &Scale, y: &Scale) -> std::fmt::Result {
        let (left, right, bottom) = (MARGIN.0, WIDTH - MARGIN.2, HEIGHT - MARGIN.3);
        for (value, label) in ticks(y.values) {
            let at = y.place(value);
            writeln!(
                out,
                "<line class=\"grid\" x1=\"{left}\" y1=\"{at:.1}\" x2=\"{right}\" y2=\"{at:.1}\"/>\
                 <text class=\"faint\" text-anchor=\"end\" x=\"{}\" y=\"{:.1}\">{label}</text>",
                left - 8.0,
                at + 4.5
            )?;
        }
        let numbers = || ticks(x.values);
        let names = || self.names.iter().enumerate().map(|(at, name)| (at as f64, escaped(name))).collect();
        let labels: Vec<(f64, String)> = if self.names.is_empty() { numbers() } else { names() };
        for (value, label) in labels {
            let at = x.place(value);
            writeln!(
                out,
                "<text class=\"faint\" text-anchor=\"middle\" x=\"{at:.1}\" y=\"{}\">{label}</text>",
                bottom + 19.0
            )?;
        }
        let (middle_x, middle_y) = (f64::midpoint(left, right), f64::midpoint(MARGIN.1, bottom));
        writeln!(
            out,
            "<line class=\"axis\" x1=\"{left}\" y1=\"{bottom}\" x2=\"{right}\" y2=\"{bottom}\"/>\
             <text class=\"text\" text-anchor=\"middle\" x=\"{middle_x}\" y=\"{}\">{}</text>\
             <text class=\"text\" text-anchor=\"middle\" transform=\"translate(20 {middle_y}) rotate(-90)\">{}</text>",
            HEIGHT - 12.0,
            escaped(&self.x),
            escaped(&self.y)
        )
    }

    fn series(&self, out: &mut String, index: usize, series: &Series, x: &Scale, y: &Scale) -> std::fmt::Result {
        let colour = index % COLOURS;
        if series.shape == Shape::Line {
            let points = series.points.iter().map(|point| format!("{:.1},{:.1}", x.place(point.0), y.place(point.1)));
            let points = points.collect::<Vec<_>>().join(" ");
            return writeln!(
                out,
                "<polyline class=\"s{colour}\" fill=\"none\" stroke-width=\"2\" points=\"{points}\"/>"
            );
        }
        // Bars of several series stand beside each other.
        let all: Vec<_> = (0..self.series.len()).filter(|at| self.series[*at].shape == Shape::Bars).collect();
        let place = all.iter().position(|at| *at == index).unwrap_or_default() as f64;
        let gap = if self.names.is_empty() { 0.06 } else { 0.3 };
        let width = self.width(series) * (1.0 - gap) / all.len().max(1) as f64;
        for point in &series.points {
            let from = point.0 - self.width(series) * (1.0 - gap) / 2.0 + place * width;
            let (left, right, top) = (x.place(from), x.place(from + width), y.place(point.1));
            writeln!(
                out,
                "<rect class=\"f{colour}\" x=\"{left:.1}\" y=\"{top:.1}\" width=\"{:.1}\" height=\"{:.1}\"/>",
                (right - left).max(0.5),
                y.place(0.0) - top
            )?;
            if !self.names.is_empty() {
                let (middle, label) = (f64::midpoint(left, right), axis::number(point.1));
                writeln!(
                    out,
                    "<text class=\"text\" text-anchor=\"middle\" x=\"{middle:.1}\" y=\"{:.1}\">{label}</text>",
                    top - 6.0
                )?;
            }
        }
        Ok(())
    }

    fn legend(&self, out: &mut String) -> std::fmt::Result {
        let mut left = MARGIN.0;
        for (index, series) in self.series.iter().enumerate().filter(|(_, series)| !series.name.is_empty()) {
            let colour = index % COLOURS;
            writeln!(
                out,
                "<rect class=\"f{colour}\" x=\"{left}\" y=\"42\" width=\"12\" height=\"12\" rx=\"2\"/>\
                 <text class=\"text\" x=\"{}\" y=\"53\">{}</text>",
                left + 18.0,
                escaped(&series.name)
            )?;
            left += 18.0 + 7.2 * series.name.chars().count() as f64 + 26.0;
        }
        Ok(())
    }
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}
