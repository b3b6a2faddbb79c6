//! The lines of each format.

use super::*;
use crate::exposition::catalogue::Scope;

static AWKWARD: Metric = metric(
    "awkward_seconds_total",
    Kind::Counter,
    "A \\ and a\nbreak and a \".",
);
static MODE: Metric = metric("mode", Kind::StateSet, "The mode.");
static BUILD: Metric = metric("build_info", Kind::Info, "The build.");

const fn metric(name: &'static str, kind: Kind, help: &'static str) -> Metric {
    Metric {
        name,
        kind,
        scope: Scope::Account,
        own_labels: &[],
        help,
        details: "",
        absent: "",
        example: "",
    }
}

fn written(syntax: Syntax, write: impl FnOnce(&mut Text<'_>)) -> String {
    let mut out = Vec::new();
    let mut text = Text::new(&mut out, syntax);
    write(&mut text);
    text.end();
    String::from_utf8(out).unwrap()
}

#[test]
fn the_header_is_written_with_the_first_sample() {
    let write = |text: &mut Text<'_>| {
        let _ = text.family(&AWKWARD);
        let mut family = text.family(&AWKWARD);
        family.sample("a=\"b\"", true);
        family.sample_with("a=\"b\"", ",c=\"d\"", 2_u32);
    };
    let samples = "awkward_seconds_total{a=\"b\"} 1\nawkward_seconds_total{a=\"b\",c=\"d\"} 2\n";
    assert_eq!(
        written(Syntax::Text, write),
        format!(
            "# HELP awkward_seconds_total A \\\\ and a\\nbreak and a \".\n# TYPE awkward_seconds_total counter\n{samples}"
        )
    );
    assert_eq!(
        written(Syntax::OpenMetrics, write),
        format!(
            "# HELP awkward_seconds A \\\\ and a\\nbreak and a \\\".\n# TYPE awkward_seconds counter\n\
             # UNIT awkward_seconds seconds\n{samples}# EOF\n"
        )
    );
}

#[test]
fn only_open_metrics_has_the_start_and_the_operation_beside_a_counter() {
    let contribution = Contribution {
        operation: "comms_operation_01h2xcejqtf2nbrexx3vqjhp41"
            .parse()
            .unwrap(),
        emails: 12,
        read: Timestamp::from_millis(1_500),
    };
    let origin = Origin {
        since: Some(Timestamp::from_millis(7_000)),
        contribution: Some(&contribution),
    };
    let write = |text: &mut Text<'_>| {
        let mut family = text.family(&AWKWARD);
        family.counter("a=\"b\"", ",c=\"d\"", 90, origin);
    };
    assert!(
        written(Syntax::Text, write)
            .ends_with("counter\nawkward_seconds_total{a=\"b\",c=\"d\"} 90\n")
    );
    let exemplar = "{operation_id=\"comms_operation_01h2xcejqtf2nbrexx3vqjhp41\"} 12 1.5";
    assert!(written(Syntax::OpenMetrics, write).ends_with(&format!(
        "seconds\nawkward_seconds_total{{a=\"b\",c=\"d\"}} 90 # {exemplar}\n\
         awkward_seconds_created{{a=\"b\",c=\"d\"}} 7\n# EOF\n"
    )));
}

#[test]
fn a_state_set_has_a_label_with_the_name_of_its_family() {
    let write = |text: &mut Text<'_>| {
        let mut family = text.family(&MODE);
        let slow = family.state("speed", "slow");
        family.sample_with("a=\"b\"", &slow, true);
    };
    assert_eq!(
        written(Syntax::Text, write),
        "# HELP mode The mode.\n# TYPE mode gauge\nmode{a=\"b\",speed=\"slow\"} 1\n"
    );
    assert_eq!(
        written(Syntax::OpenMetrics, write),
        "# HELP mode The mode.\n# TYPE mode stateset\nmode{a=\"b\",speed=\"slow\",mode=\"slow\"} 1\n# EOF\n"
    );
}

#[test]
fn the_family_of_an_info_has_no_suffix_in_open_metrics() {
    let write = |text: &mut Text<'_>| text.family(&BUILD).sample("version=\"1\"", true);
    assert_eq!(
        written(Syntax::Text, write),
        "# HELP build_info The build.\n# TYPE build_info gauge\nbuild_info{version=\"1\"} 1\n"
    );
    assert_eq!(
        written(Syntax::OpenMetrics, write),
        "# HELP build The build.\n# TYPE build info\nbuild_info{version=\"1\"} 1\n# EOF\n"
    );
}
