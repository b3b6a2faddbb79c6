//! The byte without a checksum and its complement.

use super::*;

/// A header of redb with the two bytes after the magic number.
fn header(flags: u8, complement: u8) -> Vec<u8> {
    [b"redb\x1a\x0a\xa9\x0d\x0a", &[flags, complement, 7][..]].concat()
}

#[test]
fn flags_that_differ_from_their_complement_are_noticed_bit_by_bit() {
    for flags in [0, 1, 2, 3, 0xfe, 0xff] {
        assert!(flags_are_whole(&header(flags, !flags)), "{flags}");
        assert!(flags_are_whole(&header(flags, 0)), "{flags}, without one");
        for bit in (0..8).map(|bit| 1 << bit) {
            let flipped = !flags ^ bit;
            assert_eq!(
                flags_are_whole(&header(flags, flipped)),
                flipped == 0,
                "{flags}, {bit}"
            );
        }
    }
    assert!(flags_are_whole(&header(1, 1)[..10]), "too short for one");
    assert!(flags_are_whole(&[]));
}

#[test]
fn only_a_header_without_a_complement_gets_one() {
    let complemented = |offset, mut data: Vec<u8>| {
        complement_flags(offset, &mut data);
        data
    };
    for flags in [0, 1, 2, 0xff] {
        assert_eq!(complemented(0, header(flags, 0)), header(flags, !flags));
    }
    for unchanged in [header(1, 5), b"some other data".to_vec(), vec![0; 20]] {
        assert_eq!(complemented(0, unchanged.clone()), unchanged);
    }
    let short = header(1, 0)[..10].to_vec();
    assert_eq!(complemented(0, short.clone()), short);
    assert_eq!(complemented(4096, header(1, 0)), header(1, 0));
}
