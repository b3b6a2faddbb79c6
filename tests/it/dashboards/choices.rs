//! The choices of the dashboards' variables, and a pair of exporters.

use super::scenes::{Account, Operation, campaign, overview, query};
use crate::support::history::History;

const DELIVERED: &str = "Delivered (30 min)";
const SPRING: &[(&str, &str)] = &[("label", "campaign"), ("value", "spring")];

#[test]
fn a_pair_of_exporters_counts_once() {
    let mut history = History::default();
    for instance in ["one:1", "two:1"] {
        let account = Account {
            instance,
            accepted: "0+21x180",
            delivered: "0+20x180",
            undelivered: "0+1x180",
            queued: "7x180",
            ..Account::default()
        };
        account.write(&mut history);
        let send = Operation {
            instance,
            size: 1000,
            labels: r#",name="Sale""#,
            emails: &[("delivered", "990x180"), ("undelivered", "10x180")],
            ..Operation::default()
        };
        send.write(&mut history);
    }
    let hour: &[_] = &[("__range", "3600s"), ("__range_s", "3600")];
    let by_value = "Lost, by ${label}, in the time shown";
    let row = r#"job="j",account="a""#;
    let send = r#"job="j",account="a",operation_id="x",state="completed",name="Sale",send="Sale""#;
    history
        .gives("1h", &overview(DELIVERED, 'A', &[]), &[("", 600.0)])
        .gives("1h", &overview("In flight", 'A', &[]), &[("", 7.0)])
        .gives("1h", &overview("Accounts", 'G', &[]), &[(row, 600.0)])
        .gives(
            "1h",
            &overview("Outcomes of emails, per minute", 'C', &[]),
            &[("", 20.0)],
        )
        .gives(
            "1h",
            &overview("Accepted and finished, per minute", 'A', &[]),
            &[("", 21.0)],
        )
        .gives(
            "1h",
            &overview("Delivered, by ${label}, per minute", 'A', &[]),
            &[(r#"value="a""#, 20.0)],
        )
        .gives(
            "1h",
            &overview(by_value, 'C', hour),
            &[(r#"value="a""#, 1200.0)],
        )
        .gives("1h", &overview("Sends, by loss", 'A', &[]), &[(send, 0.01)])
        .gives(
            "1h",
            &query("operation.json", "Lost", 'A', &[]),
            &[("", 0.01)],
        )
        .gives(
            "1h",
            &query("exporter.json", "Accounts", 'A', &[]),
            &[(row, 1.0)],
        )
        .holds();
}

#[test]
fn panels_show_the_chosen_job_account_and_value_alone() {
    let mut history = History::default();
    let one = Account {
        accepted: "0+10x180",
        delivered: "0+10x180",
        queued: "9x180",
        ..Account::default()
    };
    let other = Account {
        job: "k",
        name: "b",
        accepted: "0+5x180",
        delivered: "0+5x180",
        ..Account::default()
    };
    one.write(&mut history);
    other.write(&mut history);
    campaign(&mut history, "spring", "0+4x180", "0x180", 2);
    campaign(&mut history, "summer", "0+1x180", "0+1x180", 0);
    for (id, labels) in [("spring1", r#",campaign="spring""#), ("other1", "")] {
        let emails: &[_] = &[("delivered", "100x180")];
        Operation {
            id,
            labels,
            emails,
            ..Operation::default()
        }
        .write(&mut history);
    }
    let delivered = |chosen| overview(DELIVERED, 'A', chosen);
    let by_label = |chosen| overview("Delivered, by ${label}, per minute", 'A', chosen);
    let summer: &[_] = &[("label", "campaign"), ("value", "summer")];
    let send = r#"job="j",account="a",operation_id="spring1""#;
    history
        .gives("1h", &delivered(&[]), &[("", 450.0)])
        .gives("1h", &delivered(&[("job", "j")]), &[("", 300.0)])
        .gives("1h", &delivered(&[("account", "b")]), &[("", 150.0)])
        .gives("1h", &delivered(&[("value", "b")]), &[("", 150.0)])
        // All values: emails without the label are there, too.
        .gives("1h", &delivered(&[("label", "campaign")]), &[("", 450.0)])
        .gives("1h", &delivered(SPRING), &[("", 120.0)])
        .gives(
            "1h",
            &delivered(&[("label", "campaign"), ("value", "(spring|summer)")]),
            &[("", 150.0)],
        )
        .gives("1h", &overview("In flight", 'A', SPRING), &[("", 2.0)])
        .gives(
            "1h",
            &overview("Is mail getting through?", 'A', SPRING),
            &[("", 1.0)],
        )
        .gives(
            "1h",
            &overview("Is mail getting through?", 'A', summer),
            &[("", 5.0)],
        )
        .gives(
            "1h",
            &overview("Sends, by loss", 'C', SPRING),
            &[(send, 100.0)],
        )
        .gives(
            "1h",
            &overview("Newest sends", 'B', SPRING),
            &[(send, 100.0)],
        )
        .gives("1h", &by_label(SPRING), &[(r#"value="spring""#, 4.0)])
        .gives("1h", &by_label(&[("value", "b")]), &[(r#"value="b""#, 5.0)])
        .holds();
}

#[test]
fn firing_alerts_are_those_of_the_chosen_jobs_accounts_and_values() {
    let mut history = History::default();
    Account::default().write(&mut history);
    for labels in [
        r#"alertname="TwilioEmailX",job="j",account="a",severity="critical""#,
        r#"alertname="TwilioEmailX",job="k",account="b""#,
        // About a whole exporter.
        r#"alertname="TwilioEmailX",job="k""#,
        r#"alertname="TwilioEmailX",job="j",account="a",label="campaign",value="spring""#,
        r#"alertname="TwilioEmailX",job="j",account="a",label="campaign",value="summer""#,
        r#"alertname="Other",job="j",account="a""#,
    ] {
        history.series(
            &format!(r#"ALERTS{{alertstate="firing",{labels}}}"#),
            "1x180",
        );
    }
    let of = |chosen| overview("Alerts firing", 'A', chosen);
    history
        .gives("1h", &of(&[]), &[("", 5.0)])
        .gives("1h", &of(&[("job", "j")]), &[("", 3.0)])
        .gives("1h", &of(&[("account", "b")]), &[("", 2.0)])
        .gives("1h", &of(SPRING), &[("", 4.0)])
        .gives("1h", &of(&[("job", "none")]), &[("", 0.0)])
        .holds();
}

#[test]
fn a_send_is_compared_with_the_last_sends_of_the_same_label() {
    let mut history = History::default();
    Account::default().write(&mut history);
    let before = [
        ("x1", "1x180"),
        ("x2", "3x180"),
        ("x3", "5x180"),
        ("x", "40x180"),
    ];
    for (id, lost) in before {
        let emails: &[_] = &[("undelivered", lost)];
        let labels = r#",campaign="spring""#;
        Operation {
            id,
            labels,
            emails,
            ..Operation::default()
        }
        .write(&mut history);
    }
    let emails: &[_] = &[("undelivered", "90x180")];
    Operation {
        id: "else",
        labels: r#",campaign="winter""#,
        emails,
        ..Operation::default()
    }
    .write(&mut history);
    let like = &[("label", "campaign")];
    history
        .gives(
            "1h",
            &query("operation.json", "Lost", 'A', like),
            &[("", 0.4)],
        )
        .gives(
            "1h",
            &query("operation.json", "Lost before", 'A', like),
            &[("", 0.03)],
        )
        .holds();
}
