//! A terminal: the operations with their bars, redrawn in place. When the watch ends, the last picture stays, with the cursor below it.

use std::io::{self, IsTerminal};

use console::{Term, measure_text_width};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle, TermLike};

use super::block::{self, Palette};
use super::lines::summary;
use super::report::{Ending, Report, Scene};
use super::screen::Screen;

/// Redraws per second at most, when many operations change at once.
const REDRAWS: u8 = 20;
/// Columns that stay free, so that the `^C` that a terminal shows begins no new line.
const MARGIN: usize = 2;

/// Draws on a terminal.
#[derive(Debug)]
pub struct Terminal<T> {
    picture: ProgressBar,
    screen: Screen<T>,
    palette: Palette,
    /// The columns and the lines of the last picture.
    last: (usize, Vec<String>),
}

impl Terminal<Term> {
    /// Draws on the terminal of standard output; `None` if there is none that can redraw lines.
    #[must_use]
    pub fn stdout() -> Option<Self> {
        let is_dumb = std::env::var_os("TERM").is_none_or(|term| term == "dumb");
        // Follows NO_COLOR and similar variables.
        let is_colored = console::colors_enabled();
        let has_terminal = io::stdout().is_terminal() && !is_dumb;
        has_terminal.then(|| Self::new(Term::buffered_stdout(), is_colored))
    }
}

impl<T: TermLike + Clone + 'static> Terminal<T> {
    /// Draws on `terminal`.
    #[must_use]
    pub fn new(terminal: T, is_colored: bool) -> Self {
        let screen = Screen::new(terminal);
        let target = ProgressDrawTarget::term_like_with_hz(Box::new(screen.clone()), REDRAWS);
        // The library redraws the lines of its message in place. The lines depend on the width, which a template cannot contain.
        let style = ProgressStyle::with_template("{msg}");
        let style = style.unwrap_or_else(|_| ProgressStyle::default_bar());
        Self {
            picture: ProgressBar::with_draw_target(None, target).with_style(style),
            screen,
            palette: Palette { is_colored },
            last: (0, Vec::new()),
        }
    }

    /// The next picture, with these lines below it.
    fn compose(&mut self, scene: &Scene, below: &[String]) -> String {
        let (rows, columns) = self.screen.size();
        self.make_room(columns);
        // The cursor needs a row after the last picture.
        let free = rows.saturating_sub(below.len() + 1);
        let width = columns.saturating_sub(MARGIN);
        let mut lines = block::lines(scene, (free, width), self.palette);
        lines.extend_from_slice(below);
        let picture = lines.join("\n");
        self.last = (columns, lines);
        picture
    }

    /// Removes the last picture if the terminal has become so narrow that its lines were broken.
    fn make_room(&self, columns: usize) {
        let (before, lines) = &self.last;
        if columns < *before && columns > 0 {
            let rows = |line: &String| measure_text_width(line).div_ceil(columns).max(1);
            let broken = lines.iter().map(rows).sum();
            // If that fails, so does the next picture.
            let _ = self.screen.remove(broken, lines.len());
        }
    }

    fn draw(&mut self, scene: &Scene) {
        let picture = self.compose(scene, &[]);
        self.picture.set_message(picture);
    }
}

impl<T: TermLike + Clone + 'static> Report for Terminal<T> {
    fn changed(&mut self, scene: &Scene, _at: usize) -> io::Result<()> {
        self.draw(scene);
        Ok(())
    }

    fn failed(&mut self, scene: &Scene) -> io::Result<()> {
        self.draw(scene);
        Ok(())
    }

    fn recovered(&mut self, scene: &Scene) -> io::Result<()> {
        self.draw(scene);
        Ok(())
    }

    fn passed(&mut self, scene: &Scene) -> io::Result<()> {
        self.draw(scene);
        Ok(())
    }

    fn ended(&mut self, scene: &Scene, ending: &Ending) -> io::Result<()> {
        let palette = self.palette;
        let paint = |line: &String| match ending {
            Ending::Done => palette.green(line),
            Ending::Stopped(_) => palette.yellow(line),
            Ending::Lost(_) | Ending::TimedOut(_) | Ending::Unreadable(_) => palette.red(line),
        };
        let (_, columns) = self.screen.size();
        let lines = block::wrapped(&summary(scene, ending), columns.saturating_sub(MARGIN));
        let summary: Vec<_> = lines.iter().map(paint).collect();
        let last = self.compose(scene, &summary);
        // Drawn even if the last picture is only a moment old.
        self.picture.abandon_with_message(last);
        self.screen.leave()
    }
}
