//! Valid and invalid lists.

use proptest::prelude::*;

use super::*;
use Format::{Json, Yaml};

const A: &str = "comms_operation_01h2xcejqtf2nbrexx3vqjhp41";
const B: &str = "comms_operation_01h2xcejqtf2nbrexx3vqjhp42";
const C: &str = "comms_operation_01h2xcejqtf2nbrexx3vqjhp43";

/// `text` with ids in place of `$A`, `$B` and `$C`.
fn ids(text: &str) -> String {
    text.replace("$A", A).replace("$B", B).replace("$C", C)
}

/// What `text` lists, as `id{name=value,…}`; or what is wrong.
fn read(text: &str, format: Format) -> Result<Vec<String>, String> {
    let listed = parse(ids(text).as_bytes(), format).map_err(|error| error.to_string())?;
    let show = |(id, labels): (OperationId, Labels)| {
        let labels: Vec<_> = labels.iter().map(|(n, v)| format!("{n}={v}")).collect();
        format!("{}{{{}}}", &id.to_string()[A.len() - 2..], labels.join(","))
    };
    Ok(listed.into_iter().map(show).collect())
}

fn reported(text: &str, format: Format) -> String {
    read(text, format).expect_err(text)
}

#[test]
fn lists_in_yaml_and_json_are_parsed() {
    let flow = r#"[{"targets": ["$A", "$B"], "labels": {"name": "Spring", "campaign": "spring"}}, {"targets": ["$C"]}]"#;
    let block = "- targets:\n  - $A\n  - '$B'\n  labels:\n    name: Spring\n    campaign: spring\n- targets: [\"$C\"]\n";
    let listed = [
        "41{campaign=spring,name=Spring}",
        "42{campaign=spring,name=Spring}",
        "43{}",
    ];
    assert_eq!(read(flow, Json).unwrap(), listed);
    assert_eq!(read(flow, Yaml).unwrap(), listed, "JSON is YAML");
    assert_eq!(read(block, Yaml).unwrap(), listed);
    assert!(reported(block, Json).starts_with("line 1, column 2: not JSON: "));
}

#[test]
fn a_list_may_be_empty_but_not_missing() {
    for text in [
        "[]",
        "[]\n",
        "[{}]",
        "[{\"targets\": []}]",
        "[{\"targets\": null, \"labels\": null}]",
    ] {
        for format in [Yaml, Json] {
            assert_eq!(read(text, format), Ok(Vec::new()), "{text}");
        }
    }
    for (text, format) in [
        ("", Yaml),
        ("", Json),
        (" \n", Json),
        ("null", Json),
        ("# later\n", Yaml),
        ("---\n", Yaml),
        ("\u{feff}", Yaml),
    ] {
        assert_eq!(
            reported(text, format),
            "empty; a list without operations is written `[]`",
            "{text:?}"
        );
    }
}

#[test]
fn a_byte_order_mark_is_ignored() {
    for format in [Yaml, Json] {
        assert_eq!(
            read("\u{feff}[{\"targets\": [\"$A\"]}]", format).unwrap(),
            ["41{}"]
        );
    }
    let utf16: Vec<u8> = ids("\u{feff}[]")
        .encode_utf16()
        .flat_map(u16::to_le_bytes)
        .collect();
    assert_eq!(parse(&utf16, Yaml), Err(SourceError::NotText));
}

#[test]
fn an_operation_in_two_groups_has_the_labels_of_both_and_the_later_value() {
    let text = "[{targets: [$A, $B, $A], labels: {campaign: spring, team: mail}}, \
        {targets: [$A], labels: {campaign: summer, name: x}}, {targets: [$A, $B]}]";
    let listed = [
        "41{campaign=summer,name=x,team=mail}",
        "42{campaign=spring,team=mail}",
    ];
    assert_eq!(read(text, Yaml).unwrap(), listed);
}

#[test]
fn labels_of_yaml_are_as_written_and_those_of_json_are_strings() {
    let text = r#"[{"targets": ["$A"], "labels": {"version": 1.10, "test": true}}]"#;
    assert_eq!(read(text, Yaml).unwrap(), ["41{test=true,version=1.10}"]);
    assert_eq!(
        reported(text, Json),
        "[0].labels.version: expected a string, found a number; put it in quotes; \
         [0].labels.test: expected a string, found true or false; put it in quotes"
    );
}

#[test]
fn labels_that_prometheus_would_drop_are_left_out() {
    let text = "[{targets: [$A], labels: {__meta_x: [odd], __y: z, _z: kept}}]";
    assert_eq!(read(text, Yaml).unwrap(), ["41{_z=kept}"]);
}

#[test]
fn every_problem_is_reported_with_its_place() {
    let text = "- targets: [$A, spring, comms_operation_1, 7]\n  label: {}\n- [$B]\n- targets: $C\n  labels: {a-b: x, account: y, c: [d]}\n-\n";
    let expected = [
        "[0]: unknown key `label` (line 2), did you mean `labels`?",
        "[0].targets[1]: an operation id starts with `comms_operation_`",
        "[0].targets[2]: an operation id has 26 to 35 characters after `comms_operation_`, this one has 1",
        "[0].targets[3]: expected a string, found a number; put it in quotes",
        "[1]: expected a mapping, found a list",
        "[2].labels[\"a-b\"]: a label's name is made of a-z, A-Z, 0-9 and _, does not start with a digit, and has at most 64 characters",
        "[2].labels.account: metrics of the exporter have a label of this name; choose another",
        "[2].labels.c: expected a string, found a list",
        "[2].targets: expected a list, found a string",
        "[3]: expected a mapping, found nothing",
    ];
    assert_eq!(reported(text, Yaml), expected.join("; "));
    for (text, problem) in [
        ("targets: [$A]", "expected a list, found a mapping"),
        ("7", "expected a list, found a number"),
        ("<html><p>Sign in", "expected a list, found a string"),
        (
            "- targets: [$A",
            "line 1, column 12: not YAML: unclosed bracket '['",
        ),
        (
            "- targets: [$A]\n  targets: [$B]",
            "[0].targets: given twice: line 1, column 3 and line 2, column 3",
        ),
        (
            "[]\n---\n[]",
            "line 3, column 1: a second YAML document; the file holds one",
        ),
    ] {
        assert_eq!(reported(text, Yaml), problem, "{text}");
    }
}

#[test]
fn many_problems_are_counted() {
    let bad = vec!["x"; 1000].join(", ");
    let reported = reported(&format!("[{{targets: [{bad}]}}]"), Yaml);
    assert_eq!(reported.matches("[0].targets[").count(), MOST_REPORTED);
    assert!(reported.ends_with("; and 990 more"), "{reported}");
}

#[test]
fn labels_are_limited_within_one_group_and_across_groups() {
    let labels = |from: usize, to: usize| {
        (from..to)
            .map(|n| format!("l{n}: x"))
            .collect::<Vec<_>>()
            .join(", ")
    };
    let group = |from, to| format!("{{targets: [$A], labels: {{{}}}}}", labels(from, to));
    assert!(read(&format!("[{}]", group(0, 16)), Yaml).is_ok());
    assert_eq!(
        reported(&format!("[{}]", group(0, 17)), Yaml),
        "[0].labels: 17 labels; an operation has at most 16"
    );
    assert_eq!(
        reported(&format!("[{}, {}]", group(0, 10), group(9, 18)), Yaml),
        "[1].targets[0]: 18 labels; an operation has at most 16"
    );
    let long = format!("[{{targets: [$A], labels: {{a: {}}}}}]", "v".repeat(257));
    assert_eq!(
        reported(&long, Yaml),
        "[0].labels.a: 257 characters; a label's value has at most 256"
    );
}

#[test]
fn targets_and_values_are_limited() {
    let targets =
        |count: usize| format!("[{{\"targets\": [{}\"$A\"]}}]", "\"$A\",".repeat(count - 1));
    for format in [Yaml, Json] {
        assert_eq!(read(&targets(MOST_TARGETS), format).unwrap(), ["41{}"]);
        let problem = "[0].targets: more than 100000 targets; split the list";
        assert_eq!(reported(&targets(MOST_TARGETS + 1), format), problem);
    }
    let numbers = format!("[{}0]", "0,".repeat(NODES));
    assert!(reported(&numbers, Json).contains("too many values"));
}

#[test]
fn one_set_of_labels_may_be_used_in_many_groups() {
    let mut text = "- targets: [$A]\n  labels: &shared {campaign: spring}\n".to_owned();
    for _ in 0..5000 {
        text.push_str("- targets: [$B]\n  labels: *shared\n");
    }
    assert_eq!(
        read(&text, Yaml).unwrap(),
        ["41{campaign=spring}", "42{campaign=spring}"]
    );
}

/// A list may come from any server: errors contain only what is wrong with ids, and names of keys and labels.
#[test]
fn no_value_is_repeated() {
    let text = "[{targets: [s3cret, {s: s3cret}], labels: {a: {b: s3cret}, c: [s3cret]}}, s3cret]";
    for format in [Yaml, Json] {
        let reported = reported(text, format);
        assert!(!reported.contains("s3cret"), "{reported}");
    }
}

proptest! {
    #[test]
    fn no_bytes_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        for format in [Yaml, Json] {
            let _ = parse(&bytes, format);
        }
    }

    #[test]
    fn no_text_of_the_formats_characters_panics(text in r#"(\[|\]|\{|\}|"|:|,| |-|\n|targets|labels|comms_operation_01h2xcejqtf2nbrexx3vqjhp41|é|1|&a|\*a|<<|~){0,40}"#) {
        for format in [Yaml, Json] {
            let _ = parse(text.as_bytes(), format);
        }
    }

    #[test]
    fn no_part_of_a_valid_list_lists_another_operation(end in 0_usize..130) {
        let text = ids("[{\"targets\": [\"$A\", \"$B\"], \"labels\": {\"a\": \"b\"}}]");
        let part = &text.as_bytes()[..end.min(text.len())];
        for format in [Yaml, Json] {
            prop_assert_eq!(parse(part, format).is_ok(), part.len() == text.len());
        }
    }
}
