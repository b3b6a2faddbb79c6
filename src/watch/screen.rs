//! A terminal on which a picture of lines is redrawn in place.
//!
//! indicatif fills each line with spaces to the edge and lets the terminal begin the next one. Then the `^C` of an interrupt would
//! begin a line, too, and the next picture would be one line too low. So this module ends each line after its text.

use std::io;
use std::sync::Arc;

use indicatif::TermLike;
use parking_lot::Mutex;

/// Erases the rest of the line.
const ERASE_LINE: &str = "\x1b[K";
/// Erases the rest of the screen.
const ERASE_REST: &str = "\x1b[J";

/// A terminal.
#[derive(Debug, Clone)]
pub(super) struct Screen<T> {
    terminal: T,
    /// Whether the line under the cursor is complete, so that further text belongs to the next one. Shared by clones.
    is_complete: Arc<Mutex<bool>>,
}

impl<T: TermLike> Screen<T> {
    pub(super) fn new(terminal: T) -> Self {
        Self {
            terminal,
            is_complete: Arc::default(),
        }
    }

    /// Rows and columns.
    pub(super) fn size(&self) -> (usize, usize) {
        let (rows, columns) = (self.terminal.height(), self.terminal.width());
        (usize::from(rows), usize::from(columns))
    }

    /// Removes a picture whose lines now have `broken` rows, and leaves the cursor where the picture is expected: on its last line of
    /// `lines`.
    pub(super) fn remove(&self, broken: usize, lines: usize) -> io::Result<()> {
        self.terminal.move_cursor_up(broken.saturating_sub(1))?;
        self.terminal.write_str("\r")?;
        self.terminal.write_str(ERASE_REST)?;
        self.terminal.move_cursor_down(lines.saturating_sub(1))?;
        self.terminal.flush()
    }

    /// Moves the cursor below the picture.
    pub(super) fn leave(&self) -> io::Result<()> {
        *self.is_complete.lock() = false;
        self.terminal.write_line("")?;
        self.terminal.flush()
    }
}

impl<T: TermLike> TermLike for Screen<T> {
    fn width(&self) -> u16 {
        self.terminal.width()
    }

    fn height(&self) -> u16 {
        self.terminal.height()
    }

    fn move_cursor_up(&self, n: usize) -> io::Result<()> {
        *self.is_complete.lock() = false;
        self.terminal.move_cursor_up(n)
    }

    fn move_cursor_down(&self, n: usize) -> io::Result<()> {
        self.terminal.move_cursor_down(n)
    }

    fn move_cursor_right(&self, n: usize) -> io::Result<()> {
        self.terminal.move_cursor_right(n)
    }

    fn move_cursor_left(&self, n: usize) -> io::Result<()> {
        self.terminal.move_cursor_left(n)
    }

    fn write_line(&self, text: &str) -> io::Result<()> {
        self.write_str(text)?;
        *self.is_complete.lock() = false;
        self.terminal.write_line("")
    }

    /// A text of only spaces pads the current line; the rest of the line is erased instead.
    fn write_str(&self, text: &str) -> io::Result<()> {
        let mut is_complete = self.is_complete.lock();
        if !text.is_empty() && text.bytes().all(|byte| byte == b' ') {
            *is_complete = true;
            return self.terminal.write_str(ERASE_LINE);
        }
        if std::mem::take(&mut *is_complete) {
            self.terminal.write_line("")?;
        }
        self.terminal.write_str(text)
    }

    fn clear_line(&self) -> io::Result<()> {
        *self.is_complete.lock() = false;
        self.terminal.clear_line()
    }

    fn flush(&self) -> io::Result<()> {
        self.terminal.flush()
    }
}
