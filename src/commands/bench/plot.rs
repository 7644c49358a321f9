//! How costs and latencies grow with the number of sessions, as an SVG picture of six panels.

use std::fmt::Write;

use super::report::{AUDIO_TO_CLIENT, FRAME_TO_PROVIDER, Report, Row};

const WIDTH: f64 = 460.0;
const HEIGHT: f64 = 260.0;
/// Around the axes of a panel: left, top, right, bottom.
const MARGIN: (f64, f64, f64, f64) = (56.0, 34.0, 16.0, 34.0);
const COLOURS: [&str; 3] = ["#2563eb", "#d97706", "#dc2626"];

/// A line: its name, and its value in a round.
type Line = (&'static str, fn(&Row) -> Option<f64>);

/// The panels, a title and lines each.
const PANELS: [(&str, &[Line]); 6] = [
    (
        "CPU of a session, % of a core",
        &[
            ("relay", |row| Some(row.relay?.cpu_percent)),
            ("bare echo", |row| Some(row.reference?.cpu_percent)),
            ("relay, silent", |row| Some(row.relay?.silent_cpu_percent)),
        ],
    ),
    (
        "memory of a session, KiB",
        &[
            ("relay", |row| Some(row.relay?.memory_kib)),
            ("bare echo", |row| Some(row.reference?.memory_kib)),
            ("relay, silent", |row| Some(row.relay?.silent_memory_kib)),
        ],
    ),
    (
        "end of the turn → first audio, ms added",
        &[("p50", |row| row.added.p50), ("p95", |row| row.added.p95), ("p99", |row| row.added.p99)],
    ),
    (
        "interruption → flush, ms",
        &[("p50", |row| row.flush.p50), ("p95", |row| row.flush.p95), ("p99", |row| row.flush.p99)],
    ),
    (
        "frame in → provider, ms added at most",
        &[
            ("p50", |row| row.way(FRAME_TO_PROVIDER).p50),
            ("p95", |row| row.way(FRAME_TO_PROVIDER).p95),
            ("p99", |row| row.way(FRAME_TO_PROVIDER).p99),
        ],
    ),
    (
        "provider audio → client, ms added at most",
        &[
            ("p50", |row| row.way(AUDIO_TO_CLIENT).p50),
            ("p95", |row| row.way(AUDIO_TO_CLIENT).p95),
            ("p99", |row| row.way(AUDIO_TO_CLIENT).p99),
        ],
    ),
];

/// Draws the report.
pub(super) fn svg(report: &Report) -> String {
    let (width, height) = (WIDTH * 2.0, HEIGHT * 3.0 + 30.0);
    let mut out = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width}\" height=\"{height}\" font-family=\"sans-serif\" \
         font-size=\"11\">\n<rect width=\"100%\" height=\"100%\" fill=\"#fff\"/>\n"
    );
    let caption = format!("voice-relay {}: {}", report.version, report.machine);
    text(&mut out, 12.0, 19.0, "start", &caption);
    for (index, (title, lines)) in PANELS.iter().enumerate() {
        let (column, row) = ((index % 2) as f64, (index / 2) as f64);
        let panel = Panel::new(column * WIDTH, 30.0 + row * HEIGHT, &report.rounds, lines);
        panel.draw(&mut out, title, &report.rounds, lines);
    }
    out.push_str("</svg>\n");
    out
}

/// One diagram: where it is, and what its axes reach to.
struct Panel {
    x: f64,
    y: f64,
    least: f64,
    most: f64,
    top: f64,
}

impl Panel {
    fn new(x: f64, y: f64, rows: &[Row], lines: &[Line]) -> Self {
        let counts = || rows.iter().map(|row| scale(row.sessions));
        let values = rows.iter().flat_map(|row| lines.iter().filter_map(|(_, value)| value(row)));
        let highest = values.fold(0.0, f64::max);
        Self {
            x,
            y,
            least: counts().fold(f64::INFINITY, f64::min),
            most: counts().fold(0.0, f64::max),
            top: if highest > 0.0 { round_up(highest) } else { 0.0 },
        }
    }

    /// Where a number of sessions stands, on a logarithmic axis.
    fn across(&self, sessions: usize) -> f64 {
        let share =
            if self.most > self.least { (scale(sessions) - self.least) / (self.most - self.least) } else { 0.5 };
        self.x + MARGIN.0 + share * (WIDTH - MARGIN.0 - MARGIN.2)
    }

    /// Where a value stands.
    fn up(&self, value: f64) -> f64 {
        self.y + HEIGHT - MARGIN.3 - value / self.top * (HEIGHT - MARGIN.1 - MARGIN.3)
    }

    fn draw(&self, out: &mut String, title: &str, rows: &[Row], lines: &[Line]) {
        text(out, self.x + MARGIN.0, self.y + 14.0, "start", title);
        if self.top <= 0.0 {
            return text(out, self.x + MARGIN.0, self.y + HEIGHT / 2.0, "start", "not measured");
        }
        for step in 0..=4 {
            let value = self.top * f64::from(step) / 4.0;
            let (y, from, to) = (self.up(value), self.x + MARGIN.0, self.x + WIDTH - MARGIN.2);
            line(out, &[(from, y), (to, y)], "#e5e7eb", 1.0);
            // As many digits as a quarter of the axis needs: rounding would put a label where its value is not.
            let label = (value * 1e6).round() / 1e6;
            text(out, from - 6.0, y + 4.0, "end", &label.to_string());
        }
        for row in rows {
            text(out, self.across(row.sessions), self.y + HEIGHT - 18.0, "middle", &row.sessions.to_string());
        }
        for (index, ((name, value), colour)) in lines.iter().zip(COLOURS).enumerate() {
            let at = |row: &Row| value(row).map(|value| (self.across(row.sessions), self.up(value)));
            let points: Vec<_> = rows.iter().filter_map(at).collect();
            line(out, &points, colour, 2.0);
            for (x, y) in points {
                // Writing to a string does not fail.
                let _ = writeln!(out, "<circle cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"3\" fill=\"{colour}\"/>");
            }
            let x = self.x + MARGIN.0 + 10.0 + 110.0 * index as f64;
            line(out, &[(x, self.y + 24.0), (x + 14.0, self.y + 24.0)], colour, 2.0);
            text(out, x + 18.0, self.y + 28.0, "start", name);
        }
    }
}

fn scale(sessions: usize) -> f64 {
    (sessions.max(1) as f64).ln()
}

/// The next of 1, 2, 4, 5, 10, 20, … at every power of ten, so that quarters of it are readable.
fn round_up(value: f64) -> f64 {
    let mut power = 0.001;
    loop {
        for step in [1.0, 2.0, 4.0, 5.0] {
            if power * step >= value {
                return power * step;
            }
        }
        power *= 10.0;
    }
}

fn line(out: &mut String, points: &[(f64, f64)], colour: &str, width: f64) {
    let points: Vec<_> = points.iter().map(|(x, y)| format!("{x:.1},{y:.1}")).collect();
    let points = points.join(" ");
    let _ = writeln!(out, "<polyline points=\"{points}\" fill=\"none\" stroke=\"{colour}\" stroke-width=\"{width}\"/>");
}

fn text(out: &mut String, x: f64, y: f64, anchor: &str, text: &str) {
    let text = text.replace('&', "&amp;").replace('<', "&lt;");
    let _ = writeln!(out, "<text x=\"{x:.1}\" y=\"{y:.1}\" text-anchor=\"{anchor}\">{text}</text>");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn axes_end_at_a_round_number_above_all_values() {
        assert_eq!(
            [0.0005, 0.27, 1.0, 3.1, 61.0, 140.0].map(round_up).map(|top| (top * 1000.0).round() as i64),
            [1, 400, 1000, 4000, 100_000, 200_000]
        );
    }
}
