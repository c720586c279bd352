//! A line chart as SVG text. Knows numbers and names, no report.

use std::fmt::Write;

/// A chart of one or more lines over a common axis.
#[derive(Clone, Debug, Default)]
pub struct Chart {
    /// What it shows.
    pub title: String,
    /// What the horizontal axis counts.
    pub across: String,
    /// The lines.
    pub lines: Vec<Line>,
}

/// A line of a chart.
#[derive(Clone, Debug, Default)]
pub struct Line {
    /// What it is.
    pub name: String,
    /// Where it goes, from left to right.
    pub points: Vec<(f64, f64)>,
    /// How it is drawn.
    pub stroke: Stroke,
}

/// How a line is drawn.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Stroke {
    /// From point to point.
    #[default]
    Solid,
    /// The same, with gaps.
    Dashes,
    /// The points alone.
    Dots,
}

/// What charts look like in a page.
pub const STYLE: &str = "svg{font:11px system-ui,sans-serif;fill:#222}.title{font-weight:600;font-size:13px}\
.grid{stroke:#ddd}.left,.name{text-anchor:end}.below{text-anchor:middle}";

const WIDTH: f64 = 640.0;
const HEIGHT: f64 = 240.0;
/// Room for the numbers on the left and below, and for the title above; more names there need more.
const LEFT: f64 = 56.0;
const RIGHT: f64 = 16.0;
const TOP: f64 = 34.0;
const BOTTOM: f64 = 34.0;
const NAME_HEIGHT: f64 = 13.0;
/// Told apart by most eyes that do not see all colours (Okabe and Ito).
const COLOURS: [&str; 4] = ["#0072b2", "#d55e00", "#009e73", "#cc79a7"];
const TICKS: u32 = 4;

impl Chart {
    /// The chart as an `<svg>` element of a page with [`STYLE`]; empty if there is nothing to show.
    pub fn svg(&self) -> String {
        self.element("", "")
    }

    /// The chart as a file of its own; empty if there is nothing to show.
    pub fn file(&self) -> String {
        let attributes = format!(" xmlns=\"http://www.w3.org/2000/svg\" width=\"{WIDTH}\" height=\"{HEIGHT}\"");
        // White also where the page around it is dark.
        let background = format!("<style>{STYLE}</style><rect width=\"{WIDTH}\" height=\"{HEIGHT}\" fill=\"#fff\"/>");
        self.element(&attributes, &background)
    }

    fn element(&self, attributes: &str, background: &str) -> String {
        let points = || self.lines.iter().flat_map(|line| line.points.iter().copied());
        if points().count() < 2 {
            return String::new();
        }
        let left = points().map(|(x, _)| x).fold(f64::INFINITY, f64::min);
        let right = points().map(|(x, _)| x).fold(f64::NEG_INFINITY, f64::max).max(left + 1e-9);
        // Costs and times are compared with nothing, so the axis begins there.
        let largest = round_up(points().map(|(_, y)| y).fold(0.0, f64::max));
        let top = TOP.max(8.0 + NAME_HEIGHT * self.lines.len() as f64);
        let place = |(x, y): (f64, f64)| {
            (
                LEFT + (x - left) / (right - left) * (WIDTH - LEFT - RIGHT),
                HEIGHT - BOTTOM - y / largest * (HEIGHT - top - BOTTOM),
            )
        };
        let mut svg = format!(
            "<svg{attributes} viewBox=\"0 0 {WIDTH} {HEIGHT}\" role=\"img\" aria-label=\"{0}\">{background}<text x=\"{LEFT}\" y=\"16\" class=\"title\">{0}</text>",
            escape(&self.title)
        );
        // Writing to a string cannot fail.
        for tick in 0..=TICKS {
            let share = f64::from(tick) / f64::from(TICKS);
            let (x, y) = place((left + share * (right - left), share * largest));
            let _ = write!(
                svg,
                "<line x1=\"{LEFT}\" x2=\"{:.1}\" y1=\"{y:.1}\" y2=\"{y:.1}\" class=\"grid\"/>\
                 <text x=\"{:.1}\" y=\"{:.1}\" class=\"left\">{}</text>\
                 <text x=\"{x:.1}\" y=\"{:.1}\" class=\"below\">{}</text>",
                WIDTH - RIGHT,
                LEFT - 6.0,
                y + 4.0,
                number(share * largest),
                HEIGHT - BOTTOM + 15.0,
                number(left + share * (right - left)),
            );
        }
        let _ = write!(
            svg,
            "<text x=\"{:.1}\" y=\"{:.1}\" class=\"below\">{}</text>",
            (LEFT + WIDTH - RIGHT) / 2.0,
            HEIGHT - 4.0,
            escape(&self.across)
        );
        for (index, line) in self.lines.iter().enumerate() {
            let colour = COLOURS[index % COLOURS.len()];
            svg.push_str(&line.stroke.svg(&mut line.points.iter().map(|point| place(*point)), colour));
            let _ = write!(
                svg,
                "<text x=\"{:.1}\" y=\"{:.1}\" fill=\"{colour}\" class=\"name\">{}</text>",
                WIDTH - RIGHT,
                16.0 + NAME_HEIGHT * index as f64,
                escape(&line.name)
            );
        }
        svg + "</svg>"
    }
}

impl Stroke {
    fn svg(self, points: &mut dyn Iterator<Item = (f64, f64)>, colour: &str) -> String {
        let dashes = match self {
            Self::Solid => "",
            Self::Dashes => " stroke-dasharray=\"6 4\"",
            Self::Dots => {
                let dot = |(x, y)| format!("<circle cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"4\" fill=\"{colour}\"/>");
                return points.map(dot).collect();
            }
        };
        let path: Vec<String> = points.map(|(x, y)| format!("{x:.1},{y:.1}")).collect();
        let path = path.join(" ");
        format!("<polyline points=\"{path}\" fill=\"none\" stroke=\"{colour}\" stroke-width=\"2\"{dashes}/>")
    }
}

/// Text as HTML.
pub fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

/// 1, 2 or 5 times a power of ten.
fn round_up(value: f64) -> f64 {
    if value <= 0.0 {
        return 1.0;
    }
    let power = 10f64.powf(value.log10().floor());
    [1.0, 2.0, 5.0, 10.0].into_iter().map(|step| step * power).find(|round| *round >= value).unwrap_or(value)
}

fn number(value: f64) -> String {
    let decimals = if value.fract() == 0.0 { 0 } else { usize::from(value < 10.0) + 1 };
    format!("{value:.decimals$}")
}
