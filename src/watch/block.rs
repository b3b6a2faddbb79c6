//! The lines of a terminal: what fits its width and its height. Numbers are never cut; ids are, if the terminal is too narrow.

use std::time::Duration;

use console::{Style, measure_text_width};

use super::followed::Followed;
use super::lines::standing;
use super::report::Scene;
use super::words;
use crate::operation::{Breakdown, OperationId, PREFIX, Status};

/// The longest bar, in columns, on any terminal.
const LONGEST_BAR: usize = 50;
/// The shortest bar, in columns. With less room there is no bar, because it would show nothing.
const SHORTEST_BAR: usize = 5;
/// The longest name of a status.
const NAME: usize = "undelivered".len();
/// The longest share, such as `>99.9%`.
const SHARE: usize = 6;
/// Between the parts of a line.
const SEPARATOR: &str = " · ";

/// The parts of a cell of a bar, from an eighth to the whole.
const EIGHTHS: [&str; 8] = ["▏", "▎", "▍", "▌", "▋", "▊", "▉", "█"];

/// The colors, or none.
#[derive(Debug, Clone, Copy)]
pub(super) struct Palette {
    /// Whether there are colors.
    pub(super) is_colored: bool,
}

impl Palette {
    fn paint(self, style: Style, text: &str) -> String {
        style
            .force_styling(self.is_colored)
            .apply_to(text)
            .to_string()
    }

    fn bold(self, text: &str) -> String {
        self.paint(Style::new().bold(), text)
    }

    fn dim(self, text: &str) -> String {
        self.paint(Style::new().dim(), text)
    }

    pub(super) fn red(self, text: &str) -> String {
        self.paint(Style::new().red().bold(), text)
    }

    pub(super) fn green(self, text: &str) -> String {
        self.paint(Style::new().green(), text)
    }

    pub(super) fn yellow(self, text: &str) -> String {
        self.paint(Style::new().yellow(), text)
    }

    fn cyan(self, text: &str) -> String {
        self.paint(Style::new().cyan(), text)
    }

    /// A bar or a number of this status.
    fn status(self, status: Status, text: &str) -> String {
        match status {
            Status::Scheduled | Status::Queued | Status::Sent => self.cyan(text),
            Status::Delivered | Status::Opened => self.green(text),
            Status::Undelivered | Status::Failed => self.red(text),
            Status::Canceled => self.yellow(text),
        }
    }
}

/// The lines of the scene in a terminal of this many columns and rows.
///
/// Operations have a line per status if all of them fit, otherwise one bar each. If they still do not fit, the last line has the number of
/// the others.
pub(super) fn lines(
    scene: &Scene,
    (rows, columns): (usize, usize),
    palette: Palette,
) -> Vec<String> {
    let mut end = Vec::new();
    if let Some(failure) = scene.failure {
        let next = words::span(failure.next.since(scene.now));
        let text = format!("{}; next read in {next}", failure.what);
        end.extend(
            wrapped(&text, columns)
                .iter()
                .map(|line| palette.yellow(line)),
        );
    }
    let free = rows.saturating_sub(end.len());
    let full: Vec<_> = scene
        .operations
        .iter()
        .map(|operation| full(operation, scene, columns, palette))
        .collect();
    let height = |blocks: &[Vec<String>]| blocks.iter().map(Vec::len).sum::<usize>();
    // With a blank line between two.
    let spaces = full.len().saturating_sub(1);
    let mut lines = if height(&full) + spaces <= free {
        full.join(&String::new())
    } else {
        short(scene, free, columns, palette)
    };
    lines.append(&mut end);
    lines
}

/// An operation with a line per status.
fn full(operation: &Followed, scene: &Scene, columns: usize, palette: Palette) -> Vec<String> {
    let mut lines = vec![palette.bold(&shown_id(operation.id(), columns))];
    if !operation.is_read() {
        lines.push(palette.dim("reading…"));
        return lines;
    }
    lines.extend(packed(&head(operation, palette), columns));
    let (emails, size) = (operation.emails(), operation.size());
    let digits = words::grouped(size.max(largest(&emails))).len();
    for status in Status::ALL {
        if emails.at(status) > 0 || is_usual(status) {
            lines.push(row(
                status,
                emails.at(status),
                size,
                (digits, columns),
                palette,
            ));
        }
    }
    lines.extend(packed(&foot(operation, scene, palette), columns));
    lines
}

/// The statuses that have a line even without an email, so that the layout does not change.
const fn is_usual(status: Status) -> bool {
    !matches!(status, Status::Scheduled | Status::Canceled)
}

fn largest(emails: &Breakdown) -> u64 {
    Status::ALL
        .map(|status| emails.at(status))
        .into_iter()
        .max()
        .unwrap_or(0)
}

/// The state, the progress and the losses.
fn head(operation: &Followed, palette: Palette) -> Vec<String> {
    let standing = standing(operation);
    let mut parts = vec![if operation.done().is_some() {
        palette.green(&standing)
    } else {
        standing
    }];
    parts.push(match operation.progress() {
        Some(progress) => format!(
            "{} of {}",
            words::percent(progress),
            words::emails(operation.size())
        ),
        None => "no emails yet".to_owned(),
    });
    parts.extend(losses(operation, palette));
    parts
}

/// The lost emails, if there are any.
fn losses(operation: &Followed, palette: Palette) -> Option<String> {
    let sums = operation.sums();
    let share = sums.lost_share.filter(|_| sums.lost > 0)?;
    let text = format!(
        "{} lost ({})",
        words::grouped(sums.lost),
        words::percent(share)
    );
    Some(palette.red(&text))
}

/// The rate, the estimated end and the last change.
fn foot(operation: &Followed, scene: &Scene, palette: Palette) -> Vec<String> {
    let mut parts = Vec::new();
    if operation.done().is_none() {
        parts.extend(operation.rate().map(words::rate));
        parts.extend(
            operation
                .estimated_end()
                .map(|end| remaining(end.since(scene.now))),
        );
    }
    let changed = operation.changed().map(|changed| scene.now.since(changed));
    parts.extend(changed.map(|idle| palette.dim(&format!("changed {} ago", words::span(idle)))));
    parts
}

fn remaining(span: Duration) -> String {
    if span < Duration::from_secs(1) {
        "ends any moment".to_owned()
    } else {
        format!("ends in about {}", words::span(span))
    }
}

/// One status: its name, a bar, the count and the share.
fn row(
    status: Status,
    count: u64,
    size: u64,
    (digits, columns): (usize, usize),
    palette: Palette,
) -> String {
    let share = if size == 0 {
        0.0
    } else {
        (count as f64 / size as f64).min(1.0)
    };
    let counts = format!(
        "{:>digits$} {:>SHARE$}",
        words::grouped(count),
        words::percent(share)
    );
    let name = format!("{:<NAME$}", status.as_str());
    let room = columns
        .saturating_sub(NAME + counts.len() + 2)
        .min(LONGEST_BAR);
    let (name, counts) = match count {
        0 => (palette.dim(&name), palette.dim(&counts)),
        _ if matches!(status, Status::Undelivered | Status::Failed) => {
            (palette.red(&name), palette.red(&counts))
        }
        _ => (name, counts),
    };
    if room < SHORTEST_BAR {
        return format!("{name} {counts}");
    }
    let bar = bar(count, size, room);
    let rest = " ".repeat(room - measure_text_width(&bar));
    format!("{name} {}{rest} {counts}", palette.status(status, &bar))
}

/// A bar of `count` of `size` emails, where all have `room` cells. One email is at least an eighth of a cell.
fn bar(count: u64, size: u64, room: usize) -> String {
    let eighths = cells(count, size, room * EIGHTHS.len());
    let eighths = if count > 0 { eighths.max(1) } else { 0 };
    let (whole, part) = (eighths / EIGHTHS.len(), eighths % EIGHTHS.len());
    let part = part.checked_sub(1).map_or("", |part| EIGHTHS[part]);
    "█".repeat(whole) + part
}

/// The cells of `count` of `size` emails, rounded, where all have `room` cells.
fn cells(count: u64, size: u64, room: usize) -> usize {
    let (count, size, most) = (u128::from(count), u128::from(size.max(1)), room as u128);
    let rounded = (2 * count * most + size) / (2 * size);
    usize::try_from(rounded.min(most)).unwrap_or(room)
}

/// Two lines per operation, as many as fit: those that are not done first, the worst before others.
fn short(scene: &Scene, rows: usize, columns: usize, palette: Palette) -> Vec<String> {
    /// The id with the state, and the bar with the counts.
    const EACH: usize = 2;
    let mut order: Vec<&Followed> = scene.operations.iter().collect();
    let places = rows / EACH;
    let mut lines = Vec::new();
    if order.len() > places {
        order.sort_by_key(|each| (each.done().is_some(), std::cmp::Reverse(each.sums().lost)));
        // One line for the rest of them.
        order.truncate(rows.saturating_sub(1) / EACH);
    }
    let digits = order.iter().map(|each| lost(each).len()).max().unwrap_or(0);
    for operation in &order {
        let standing = standing(operation);
        let id = shown_id(operation.id(), columns.saturating_sub(standing.len() + 1));
        let standing = if operation.done().is_some() {
            palette.green(&standing)
        } else {
            palette.dim(&standing)
        };
        lines.push(format!("{} {standing}", palette.bold(&id)));
        lines.push(overall(operation, (digits, columns), palette));
    }
    let hidden = scene.operations.len() - order.len();
    if hidden > 0 && rows > 0 {
        let done = scene
            .operations
            .iter()
            .filter(|each| each.done().is_some())
            .count();
        let text = format!(
            "and {hidden} more; {done} of {} {}",
            scene.operations.len(),
            scene.goal.as_str()
        );
        lines.push(palette.dim(&text));
    }
    lines
}

/// The lost emails in few words, with the space before them; empty without any.
fn lost(operation: &Followed) -> String {
    match operation.sums().lost {
        0 => String::new(),
        lost => format!(" {} lost", words::grouped(lost)),
    }
}

/// One bar of all emails of an operation, with the progress and the losses in `digits` columns.
fn overall(operation: &Followed, (digits, columns): (usize, usize), palette: Palette) -> String {
    let (sums, emails) = (operation.sums(), operation.emails());
    let progress = operation.progress().unwrap_or_default();
    let counts = format!(" {:>SHARE$}", words::percent(progress));
    let lost = palette.red(&format!("{:>digits$}", lost(operation)));
    let room = columns
        .saturating_sub(counts.len() + digits)
        .min(LONGEST_BAR);
    if room < SHORTEST_BAR {
        return counts.trim_start().to_owned() + &lost;
    }
    let cells = |count| cells(count, operation.size(), room);
    // Losses are red even if they are few.
    let red = if sums.lost > 0 {
        cells(sums.lost).clamp(1, room)
    } else {
        0
    };
    let yellow = cells(emails.canceled).min(room - red);
    let green = cells(sums.delivered).min(room - red - yellow);
    let rest = room - red - yellow - green;
    let bar = [
        palette.green(&"█".repeat(green)),
        palette.red(&"█".repeat(red)),
        palette.yellow(&"█".repeat(yellow)),
        palette.dim(&"░".repeat(rest)),
    ];
    bar.concat() + &counts + &lost
}

/// The id in at most `columns`: whole, without the prefix that all ids share, or without its middle.
fn shown_id(id: OperationId, columns: usize) -> String {
    let whole = id.to_string();
    let part = whole.strip_prefix(PREFIX).unwrap_or(&whole);
    if whole.len() <= columns {
        whole
    } else if part.len() <= columns {
        part.to_owned()
    } else {
        // The first ten characters are the time, so the last ones distinguish operations.
        let kept = columns.saturating_sub(1);
        let (start, end) = (kept / 2, part.len() - (kept - kept / 2));
        format!("{}…{}", &part[..start], &part[end..])
    }
}

/// `parts` in as few lines as they fit in.
fn packed(parts: &[String], columns: usize) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for part in parts {
        match lines.last_mut() {
            Some(line)
                if measure_text_width(line)
                    + SEPARATOR.chars().count()
                    + measure_text_width(part)
                    <= columns =>
            {
                line.push_str(SEPARATOR);
                line.push_str(part);
            }
            _ => lines.push(part.clone()),
        }
    }
    lines
}

/// `text` in lines of at most `columns`, broken between words.
pub(super) fn wrapped(text: &str, columns: usize) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for word in text.split(' ') {
        match lines.last_mut() {
            Some(line) if line.chars().count() + 1 + word.chars().count() <= columns => {
                line.push(' ');
                line.push_str(word);
            }
            _ => lines.push(word.to_owned()),
        }
    }
    lines
}
