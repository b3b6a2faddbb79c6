//! The functions that the fuzz targets call (`fuzz/fuzz_targets`). Each takes any bytes, parses them as one kind of external input, and
//! panics if the result breaks a promise. Only builds for fuzzing and tests have this module: the tests replay the inputs of
//! `fuzz/corpus`.

pub use crate::config::fuzzing::configuration;
pub use crate::exposition::fuzzing::label_text;
pub use crate::sources::fuzzing::operation_list;
pub use crate::store::fuzzing::records as saved_record;
pub use crate::twilio::fuzzing::response as twilio_response;
pub use crate::web::fuzzing::{registration, request};
pub use crate::web_config::fuzzing::web_configuration;

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::fs;
    use std::path::{Path, PathBuf};

    use super::*;

    type Target = fn(&[u8]);

    /// Every target by its name.
    const TARGETS: [(&str, Target); 8] = [
        ("configuration", configuration),
        ("label_text", label_text),
        ("operation_list", operation_list),
        ("registration", registration),
        ("request", request),
        ("saved_record", saved_record),
        ("twilio_response", twilio_response),
        ("web_configuration", web_configuration),
    ];

    fn fuzz() -> PathBuf {
        Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz")
    }

    fn names_in(folder: &str) -> BTreeSet<String> {
        let entries = fs::read_dir(fuzz().join(folder)).unwrap();
        let name = |entry: fs::DirEntry| entry.path().file_stem()?.to_str().map(str::to_owned);
        entries.filter_map(|entry| name(entry.unwrap())).collect()
    }

    #[test]
    fn every_fuzz_target_has_a_corpus_and_is_replayed() {
        let replayed = TARGETS.iter().map(|(name, _)| (*name).to_owned()).collect();
        assert_eq!(names_in("fuzz_targets"), replayed, "targets");
        assert_eq!(names_in("corpus"), replayed, "corpora");
    }

    #[test]
    fn no_input_of_a_corpus_breaks_a_promise() {
        for (name, target) in TARGETS {
            let mut inputs = 0;
            for entry in fs::read_dir(fuzz().join("corpus").join(name)).unwrap() {
                let path = entry.unwrap().path();
                let input = fs::read(&path).unwrap();
                let ran = std::panic::catch_unwind(|| target(&input));
                assert!(ran.is_ok(), "{}", path.display());
                inputs += 1;
            }
            assert!(inputs >= 5, "only {inputs} inputs for {name}");
        }
    }
}
