//! Held writes can be read as if they were in the file.

use std::fs;

use proptest::prelude::*;

use super::*;

mod access;
mod header;

#[derive(Debug, Clone)]
enum Act {
    Write(u64, Vec<u8>),
    Length(u64),
    Settle,
}

fn acts() -> impl Strategy<Value = Vec<Act>> {
    let write = (0..200_u64, proptest::collection::vec(any::<u8>(), 1..50));
    let act = prop_oneof![
        4 => write.prop_map(|(at, data)| Act::Write(at, data)),
        2 => (0..200_u64).prop_map(Act::Length),
        1 => Just(Act::Settle),
    ];
    proptest::collection::vec(act, 0..20)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn held_writes_are_read_as_if_written(before in proptest::collection::vec(any::<u8>(), 0..100), acts in acts()) {
        let mut model = before.clone();
        let path = tempfile::NamedTempFile::new().unwrap().into_temp_path();
        fs::write(&path, &before).unwrap();
        let file = fs::OpenOptions::new().read(true).write(true).open(&path).unwrap();
        let backend = Shared(Arc::new(Backend::held(file, true, &DiskGate::default()).unwrap()));
        let mut settled = false;
        for act in acts {
            match act {
                Act::Write(at, data) => {
                    backend.write(at, &data).unwrap();
                    let end = usize::try_from(at).unwrap() + data.len();
                    model.resize(model.len().max(end), 0);
                    model[end - data.len()..end].copy_from_slice(&data);
                }
                Act::Length(length) => {
                    backend.set_len(length).unwrap();
                    model.resize(usize::try_from(length).unwrap(), 0);
                }
                Act::Settle => {
                    backend.0.settle().unwrap();
                    settled = true;
                }
            }
            prop_assert_eq!(backend.len().unwrap(), model.len() as u64);
            let mut read = vec![7; model.len()];
            backend.read(0, &mut read).unwrap();
            prop_assert_eq!(&read, &model);
            let half = model.len() / 2;
            backend.read(half as u64, &mut read[half..]).unwrap();
            prop_assert_eq!(&read, &model);
            let mut one_more = vec![0; model.len() + 1];
            prop_assert!(backend.read(0, &mut one_more).is_err(), "beyond the end");
            let in_file = fs::read(&path).unwrap();
            prop_assert_eq!(&in_file, if settled { &model } else { &before });
        }
    }
}
