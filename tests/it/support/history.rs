//! A written history of series, and the values that promtool computes for queries about it.

use std::fmt::Write as _;
use std::process::Command;

/// How often the series of a history have a sample.
const INTERVAL: &str = "1m";

/// Series in promtool's notation, and expectations about them.
#[derive(Default)]
pub(crate) struct History {
    series: String,
    questions: String,
}

impl History {
    /// A series, such as `up{job="a"}`, and its values from the first minute on, such as `0+10x60`.
    pub(crate) fn series(&mut self, series: &str, values: &str) -> &mut Self {
        let _ = writeln!(
            self.series,
            "  - {{series: '{}', values: '{values}'}}",
            series.replace('\'', "''")
        );
        self
    }

    /// Expects that the query returns these series and values (rounded to a thousandth) at that time, and no others.
    pub(crate) fn gives(&mut self, at: &str, query: &str, expected: &[(&str, f64)]) -> &mut Self {
        let query = format!("round({query}, 0.001)").replace('\'', "''");
        let _ = writeln!(
            self.questions,
            "  - eval_time: {at}\n    expr: '{}'",
            query.replace('\n', " ")
        );
        if expected.is_empty() {
            self.questions.push_str("    exp_samples: []\n");
        } else {
            self.questions.push_str("    exp_samples:\n");
        }
        for (labels, value) in expected {
            let _ = writeln!(
                self.questions,
                "    - {{labels: '{{{labels}}}', value: {value}}}"
            );
        }
        self
    }

    /// Panics with what promtool finds, unless every query gives what it should.
    pub(crate) fn holds(&self) {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("history.yml");
        let yaml = format!(
            "evaluation_interval: 1m\ntests:\n- interval: {INTERVAL}\n  input_series:\n{}  promql_expr_test:\n{}",
            self.series, self.questions
        );
        std::fs::write(&file, &yaml).unwrap();
        let output = Command::new("promtool")
            .args(["test", "rules"])
            .arg(&file)
            .output()
            .expect("promtool; tests/run installs it");
        let said = [output.stdout, output.stderr].concat();
        let said = String::from_utf8_lossy(&said);
        assert!(output.status.success(), "{said}");
    }
}
