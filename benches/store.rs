//! What it costs to save a thousand changed operations, compared with saving only the counters.

mod support {
    pub(crate) mod saved;
}

use std::hint::black_box;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use support::saved::{SavedOperations, operation, saved};

/// Operations in the store besides those that change.
const KEPT: u32 = 20_000;
/// The operations that change together: a page of the list.
const CHANGED: usize = 1000;

fn commits(criterion: &mut Criterion) {
    let all: Vec<_> = (0..KEPT).map(|n| saved(operation(n, 1))).collect();
    let store = SavedOperations::new(&all);
    let newest = &all[..CHANGED];
    let scattered: Vec<_> = all.iter().step_by(all.len() / CHANGED).cloned().collect();

    let mut group = criterion.benchmark_group("commit");
    group
        .sample_size(20)
        .throughput(Throughput::Elements(CHANGED as u64));
    group.bench_function("the_newest_thousand", |bench| {
        bench.iter(|| store.commit(black_box(newest)));
    });
    group.bench_function("a_thousand_all_over", |bench| {
        bench.iter(|| store.commit(black_box(&scattered)));
    });
    group.bench_function("counters_alone", |bench| bench.iter(|| store.commit(&[])));
    group.finish();
}

criterion_group!(benches, commits);
criterion_main!(benches);
