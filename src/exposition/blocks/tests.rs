//! Compares expositions of kept blocks with expositions that are written from nothing.

use std::collections::HashMap;
use std::sync::Arc;

use bytes::Bytes;
use proptest::prelude::*;

use super::*;
use crate::exposition::Renderer;
use crate::exposition::histories::{History, steps};
use crate::operation::Status;

const SYNTAXES: [Syntax; 2] = [Syntax::Text, Syntax::OpenMetrics];

fn anew(snapshot: &Snapshot, syntax: Syntax) -> String {
    let mut out = Vec::new();
    Renderer::default().render_snapshot(snapshot, syntax, &mut out);
    String::from_utf8(out).unwrap()
}

fn text(blocks: &[Block]) -> String {
    let text: Vec<u8> = blocks
        .iter()
        .flat_map(|block| block.text().to_vec())
        .collect();
    String::from_utf8(text).unwrap()
}

/// How many blocks of `after` are not among those of `before`.
fn new(before: &[Block], after: &[Block]) -> usize {
    let is_known = |block: &&Block| before.iter().any(|known| known.number() == block.number());
    after.len() - after.iter().filter(is_known).count()
}

/// A renderer with all the texts that it wrote.
struct Kept {
    syntax: Syntax,
    renderer: BlockRenderer,
    /// Copies of all texts by the numbers of their blocks.
    texts: HashMap<u64, Bytes>,
    /// The blocks that a slow client still receives. The memory of the others is used again.
    received: Vec<Block>,
}

impl Kept {
    fn new(syntax: Syntax) -> Self {
        Self {
            syntax,
            renderer: BlockRenderer::new(syntax),
            texts: HashMap::new(),
            received: Vec::new(),
        }
    }

    /// Renders, and panics if anything is wrong.
    fn render(&mut self, snapshot: &Arc<Snapshot>, is_slow: bool) {
        let blocks = self.renderer.render_snapshot(snapshot);
        assert!(text(&blocks) == anew(snapshot, self.syntax), "{snapshot:?}");
        for block in &blocks {
            assert!(!block.text().is_empty());
            let copy = || Bytes::copy_from_slice(block.text());
            let known = self.texts.entry(block.number()).or_insert_with(copy);
            assert_eq!(known, block.text(), "one number, two texts");
        }
        for block in &self.received {
            assert_eq!(&self.texts[&block.number()], block.text(), "overwritten");
        }
        if is_slow {
            self.received = blocks;
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]
    #[test]
    fn an_exposition_of_kept_blocks_is_the_one_that_is_rendered_anew(
        operations in prop_oneof![1 => Just(0_usize), 4 => 0_usize..60, 1 => 0_usize..400],
        steps in steps(),
        skipped in any::<u64>(),
    ) {
        let mut kept = SYNTAXES.map(Kept::new);
        let mut history = History::of(operations);
        for (number, step) in steps.into_iter().enumerate() {
            // Several changes between two expositions.
            if skipped >> (number % 64) & 1 == 0 {
                let snapshot = Arc::new(history.snapshot());
                let is_slow = skipped >> (number % 61) & 2 == 0;
                for kept in &mut kept {
                    kept.render(&snapshot, is_slow);
                }
            }
            history.apply(step);
        }
    }
}

#[test]
fn an_unchanged_snapshot_writes_no_block() {
    let snapshot = Arc::new(History::of(500).snapshot());
    for syntax in SYNTAXES {
        let mut renderer = BlockRenderer::new(syntax);
        let before = renderer.render_snapshot(&snapshot);
        let after = renderer.render_snapshot(&Arc::new((*snapshot).clone()));
        assert_eq!(new(&before, &after), 0);
    }
}

#[test]
fn a_changed_value_writes_the_block_of_its_family_alone() {
    let mut snapshot = History::of(1000).snapshot();
    let mut renderer = BlockRenderer::new(Syntax::OpenMetrics);
    let before = renderer.render_snapshot(&Arc::new(snapshot.clone()));
    let operations = &mut snapshot.accounts[0].operations[700..];
    let mut read = operations
        .iter_mut()
        .filter_map(|shown| shown.seen.as_mut());
    read.next().unwrap().stats.set(Status::Delivered, 12);
    let after = renderer.render_snapshot(&Arc::new(snapshot));
    assert_eq!(new(&before, &after), 1);
}

#[test]
fn a_new_operation_writes_few_blocks() {
    let mut renderer = BlockRenderer::new(Syntax::Text);
    let mut history = History::of(1000);
    let mut before = renderer.render_snapshot(&Arc::new(history.snapshot()));
    let (mut written, rounds) = (0, 50);
    for _ in 0..rounds {
        // The newest operation comes first, and the series limit leaves out the oldest one.
        history.rotate();
        let after = renderer.render_snapshot(&Arc::new(history.snapshot()));
        written += new(&before, &after);
        before = after;
    }
    let families = OPERATION_FAMILIES.len();
    assert!(
        written <= rounds * families * 4,
        "{written} of {} blocks in {rounds} rounds",
        before.len()
    );
}

#[test]
fn everything_is_written_anew_after_forgetting() {
    let snapshot = Arc::new(History::of(100).snapshot());
    let mut renderer = BlockRenderer::new(Syntax::Text);
    let before = renderer.render_snapshot(&snapshot);
    renderer.clear();
    let after = renderer.render_snapshot(&snapshot);
    assert_eq!(text(&before), text(&after));
    assert_eq!(new(&before, &after), after.len());
}

/// Families, blocks and lists of them may be allocated. The hundred thousand samples may not.
#[test]
fn no_sample_is_allocated() {
    let snapshots = [400, 800].map(|operations| Arc::new(History::of(operations).snapshot()));
    for syntax in SYNTAXES {
        let (mut renderer, mut out) = (Renderer::default(), Vec::with_capacity(4 << 20));
        let plain = [1, 0, 1].map(|size: usize| {
            out.clear();
            let render = || renderer.render_snapshot(&snapshots[size], syntax, &mut out);
            allocation_counter::measure(render).count_total
        });
        assert!(plain[2] < plain[1] + 16, "{plain:?} for twice the samples");
        let in_blocks = [0, 1].map(|size: usize| {
            let mut renderer = BlockRenderer::new(syntax);
            let mut blocks = Vec::new();
            let render = || blocks = renderer.render_snapshot(&snapshots[size]);
            let allocated = allocation_counter::measure(render).count_total;
            (allocated, blocks.len() as u64)
        });
        let [(few, few_blocks), (many, many_blocks)] = in_blocks;
        assert!(
            many < few + 16 + 8 * (many_blocks - few_blocks),
            "{in_blocks:?}"
        );
    }
}

/// The renderer must not use blocks of an exposition that panicked.
#[test]
fn an_exposition_after_one_that_failed_is_right() {
    let history = History::of(100);
    let mut snapshot = history.snapshot();
    let mut renderer = BlockRenderer::new(Syntax::Text);
    renderer.render_snapshot(&Arc::new(snapshot.clone()));
    snapshot.accounts[0].operations[3].up = Some(false);
    let failing = Arc::new(snapshot.clone());
    let failed = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
        renderer.update(&failing, |_| panic!("on purpose"));
    }));
    assert!(failed.is_err());
    snapshot.accounts[0].operations[3].up = Some(true);
    let blocks = renderer.render_snapshot(&Arc::new(snapshot.clone()));
    assert_eq!(text(&blocks), anew(&snapshot, Syntax::Text));
}
