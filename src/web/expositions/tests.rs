//! Which texts scrapes share, and which they never share.

use std::io::Read;

use proptest::prelude::*;

use super::rendering::KEPT_UNUSED;
use super::*;
use crate::exposition::histories::{History, Step, steps};
use crate::exposition::{Build, render};
use crate::snapshot::Snapshot;

const BUILD: Build<'static> = Build {
    version: "1.2.3",
    revision: "abcdef0",
};

fn expositions() -> Expositions {
    Expositions::new(Instruments::new(BUILD).unwrap(), Arc::default())
}

/// A snapshot with one account of this name.
fn snapshot(name: &str) -> Snapshot {
    Snapshot {
        accounts: vec![crate::exposition::empty_account(&Arc::from(name))],
    }
}

async fn get(expositions: &Expositions, arrival: Arrival, name: &str) -> Parts {
    let encoding = Encoding::Gzip;
    let exposition = expositions.exposition(arrival, snapshot(name), Syntax::Text, encoding);
    let (encoded, bytes) = exposition.await;
    assert_eq!(encoded, encoding);
    bytes
}

#[tokio::test]
async fn scrapes_that_join_one_collection_get_the_same_bytes() {
    let expositions = expositions();
    let (one, other) = (expositions.arrive(), expositions.arrive());
    let one = get(&expositions, one, "a").await;
    let other = get(&expositions, other, "a").await;
    assert!(one.is_same_as(&other), "compressed twice");
    assert_eq!(expositions.renders.load(Ordering::SeqCst), 1);
}

#[tokio::test]
async fn a_scrape_that_arrives_later_gets_the_exporters_metrics_of_its_own_time() {
    let expositions = expositions();
    let first = expositions.arrive();
    get(&expositions, first, "a").await;
    let later = expositions.arrive();
    get(&expositions, later, "a").await;
    assert_eq!(expositions.renders.load(Ordering::SeqCst), 2);
}

#[tokio::test]
async fn a_scrape_with_another_snapshot_gets_its_own_text() {
    let expositions = expositions();
    let arrival = expositions.arrive();
    let texts = |name: &'static str| {
        let exposition = expositions.exposition(
            arrival,
            snapshot(name),
            Syntax::OpenMetrics,
            Encoding::Identity,
        );
        async { String::from_utf8(exposition.await.1.to_vec()).unwrap() }
    };
    for name in ["a", "b", "a"] {
        let text = texts(name).await;
        assert!(
            text.contains(&format!("up{{account=\"{name}\"}}")),
            "{text}"
        );
    }
    assert_eq!(expositions.renders.load(Ordering::SeqCst), 3);
}

#[tokio::test]
async fn concurrent_scrapes_render_and_compress_once_per_format() {
    let expositions = Arc::new(expositions());
    let arrival = expositions.arrive();
    let scrapes = (0..32_u32).map(|number| {
        let expositions = Arc::clone(&expositions);
        tokio::spawn(async move {
            let encoding = [Encoding::Gzip, Encoding::Zstd][number as usize % 2];
            let exposition = expositions.exposition(arrival, snapshot("a"), Syntax::Text, encoding);
            exposition.await.1
        })
    });
    let texts = futures_util::future::join_all(scrapes).await;
    let texts: Vec<Parts> = texts.into_iter().map(Result::unwrap).collect();
    let is_shared = |(number, text): (usize, &Parts)| text.is_same_as(&texts[number % 2]);
    assert!(
        texts.iter().enumerate().all(is_shared),
        "one text per encoding"
    );
    assert_eq!(expositions.renders.load(Ordering::SeqCst), 1);
}

/// The response as text, without what changes while a test runs.
fn decompressed(encoding: Encoding, parts: &Parts) -> Vec<String> {
    let bytes = parts.to_vec();
    let bytes = match encoding {
        Encoding::Identity => bytes,
        Encoding::Gzip => {
            let mut read = Vec::new();
            let mut decoder = flate2::read::GzDecoder::new(&*bytes);
            decoder.read_to_end(&mut read).unwrap();
            assert_eq!(decoder.into_inner(), b"", "one member");
            read
        }
        Encoding::Zstd => zstd::decode_all(&*bytes).unwrap(),
    };
    lines(bytes)
}

fn lines(text: Vec<u8>) -> Vec<String> {
    let text = String::from_utf8(text).unwrap();
    assert!(text.is_empty() || text.ends_with('\n'));
    let lines = text.lines();
    let lines = lines.filter(|line| !line.starts_with("process_"));
    lines.map(str::to_owned).collect()
}

async fn every_response_is_rendered_anew(operations: usize, steps: Vec<Step>) {
    let expositions = expositions();
    let account = expositions.instruments.account("a");
    let mut history = History::of(operations);
    for (number, step) in steps.into_iter().enumerate() {
        // The exporter's own metrics change, too.
        account.unexpected(crate::operation::ResponseField::ALL[0], number as u64);
        for syntax in [Syntax::Text, Syntax::OpenMetrics] {
            let mut anew = Vec::new();
            render(
                &history.snapshot(),
                &expositions.instruments,
                syntax,
                &mut anew,
            );
            let anew = lines(anew);
            for encoding in [Encoding::Identity, Encoding::Gzip, Encoding::Zstd] {
                // A scraper that skips some rounds gets blocks that were kept for longer.
                if (number + encoding as usize).is_multiple_of(3) {
                    continue;
                }
                let arrival = expositions.arrive();
                let exposition =
                    expositions.exposition(arrival, history.snapshot(), syntax, encoding);
                let (encoded, parts) = exposition.await;
                assert_eq!(encoded, encoding);
                let read = decompressed(encoding, &parts);
                assert!(read == anew, "{syntax:?} in {encoding:?} after {step:?}");
            }
        }
        history.apply(step);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]
    #[test]
    fn every_response_is_the_exposition_that_is_rendered_anew(
        operations in 0_usize..80,
        steps in steps(),
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(every_response_is_rendered_anew(operations, steps));
    }
}

#[tokio::test]
async fn what_no_scraper_asks_for_any_more_is_not_kept() {
    let expositions = expositions();
    let scrape = |syntax, encoding| {
        let arrival = expositions.arrive();
        let snapshot = History::of(20).snapshot();
        expositions.exposition(arrival, snapshot, syntax, encoding)
    };
    scrape(Syntax::Text, Encoding::Gzip).await;
    scrape(Syntax::OpenMetrics, Encoding::Zstd).await;
    assert_eq!(expositions.text.kept(), [true, true, false]);
    for _ in 0..=KEPT_UNUSED {
        scrape(Syntax::OpenMetrics, Encoding::Gzip).await;
    }
    assert_eq!(expositions.text.kept(), [false; 3]);
    assert_eq!(expositions.open_metrics.kept(), [true, true, false]);
}
