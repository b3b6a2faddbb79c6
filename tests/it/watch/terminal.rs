//! The picture on a terminal, as its screen shows it.

use indicatif::{InMemoryTerm, TermLike};
use twilio_email_exporter::watch::Terminal;

use super::*;

/// Follows operations on a terminal of this size. Returns the screen after the end.
async fn drawn(
    twilio: &Twilio,
    ids: &[OperationId],
    (rows, columns): (u16, u16),
    is_colored: bool,
) -> InMemoryTerm {
    let screen = InMemoryTerm::new(rows, columns);
    let mut terminal = Terminal::new(screen.clone(), is_colored);
    Account::new(twilio, "")
        .follow(&settings(ids), &mut terminal)
        .await;
    screen
}

fn large(twilio: &Twilio) -> OperationId {
    let stats = json!({"total": 1_234_567, "delivered": 1_000_000, "opened": 222_222, "undelivered": 12_000, "failed": 345});
    twilio.put(HOUR, stats)
}

/// The lines, none of which continues in the next row.
fn lines(screen: &InMemoryTerm, columns: usize) -> Vec<String> {
    let contents = screen.contents();
    let lines: Vec<String> = contents.lines().map(str::to_owned).collect();
    for line in &lines {
        assert!(
            line.chars().count() <= columns - 2,
            "{line:?} in\n{contents}"
        );
    }
    lines
}

#[tokio::test]
async fn no_number_is_cut_on_a_narrow_terminal() {
    let twilio = Twilio::empty().await;
    let id = large(&twilio);
    for columns in [40, 60, 80, 200] {
        let screen = drawn(&twilio, &[id], (24, columns), false).await;
        let lines = lines(&screen, columns.into());
        let has = |parts: &[&str]| {
            lines
                .iter()
                .any(|line| parts.iter().all(|part| line.contains(part)))
        };
        for row in [
            ["delivered", "1,000,000", "81.0%"],
            ["opened", "222,222", "18.0%"],
            ["undelivered", "12,000", "1.0%"],
            ["failed", "345", "<0.1%"],
            ["queued", " 0", "0%"],
        ] {
            assert!(has(&row), "{row:?} in {lines:#?}");
        }
        assert!(has(&["completed, settled"]), "{lines:#?}");
        assert!(has(&["12,345 lost (1.0%)"]), "{lines:#?}");
        assert!(has(&["█"]), "{lines:#?}");
        let shown = lines[0].as_str();
        assert!(
            id.to_string().ends_with(shown) && shown.len() >= 26,
            "{shown}"
        );
        assert!(
            lines.last().unwrap().ends_with("lost (1.0%)") || has(&["settled after"]),
            "{lines:#?}"
        );
    }
}

#[tokio::test]
async fn the_cursor_ends_below_the_picture() {
    let twilio = Twilio::empty().await;
    let id = large(&twilio);
    let screen = drawn(&twilio, &[id], (24, 80), false).await;
    let before = screen.contents();
    screen.write_line("$ next").unwrap();
    assert_eq!(screen.contents(), before + "\n$ next");
}

#[tokio::test]
async fn a_picture_is_redrawn_in_place() {
    let twilio = Twilio::empty().await;
    let id = twilio.put_as(HOUR, "PROCESSING", stages()[0].1.clone());
    let screen = InMemoryTerm::new(24, 80);
    screen.write_line("$ watch").unwrap();
    let mut stages = stages().into_iter().skip(1);
    let mut terminal = Events {
        report: Terminal::new(screen.clone(), true),
        then: |_| {
            if let Some((state, stats)) = stages.next() {
                set(&twilio, id, state, stats);
            }
        },
    };
    Account::new(&twilio, "")
        .follow(&settings(&[id]), &mut terminal)
        .await;
    let lines = lines(&screen, 80);
    assert_eq!(lines[0], "$ watch");
    let of = |word: &str| lines.iter().filter(|line| line.starts_with(word)).count();
    assert_eq!(
        (of("comms_operation_"), of("delivered"), of("queued")),
        (1, 1, 1),
        "{lines:#?}"
    );
    assert!(
        lines
            .iter()
            .any(|line| line.contains("opened") && line.contains("25.0%")),
        "{lines:#?}"
    );
}

#[tokio::test]
async fn many_operations_have_a_bar_each_and_the_rest_is_counted() {
    let twilio = Twilio::empty().await;
    let ids: Vec<_> = (0..9).map(|_| large(&twilio)).collect();
    let screen = drawn(&twilio, &ids, (20, 40), false).await;
    let lines = lines(&screen, 40);
    assert!(lines.len() < 20, "{lines:#?}");
    let bars = lines
        .iter()
        .filter(|line| line.contains("100%") && line.contains("12,345 lost"));
    assert_eq!(bars.count(), 7, "{lines:#?}");
    assert!(
        lines.contains(&"and 2 more; 9 of 9 settled".to_owned()),
        "{lines:#?}"
    );
    // With room, each has all its statuses.
    let screen = drawn(&twilio, &ids[..2], (40, 80), false).await;
    let rows = screen.contents().matches("undelivered").count();
    assert_eq!(rows, 2);
}

#[tokio::test]
async fn losses_are_red_and_without_colors_nothing_is() {
    let twilio = Twilio::empty().await;
    let id = large(&twilio);
    let red = "\u{1b}[31m";
    for is_colored in [true, false] {
        let screen = drawn(&twilio, &[id], (24, 80), is_colored).await;
        let formatted = String::from_utf8(screen.contents_formatted()).unwrap();
        assert_eq!(
            formatted.contains("[31"),
            is_colored,
            "{red:?} {formatted:?}"
        );
    }
}
