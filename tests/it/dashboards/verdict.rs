//! The verdict of the dashboards on an account or a send, in situations that are easy to misjudge.

use super::scenes::{Account, Operation, overview, query};
use crate::support::history::History;

const VERDICT: &str = "Is mail getting through?";
const UNKNOWN: f64 = 6.0;
const NO: f64 = 5.0;
const LATE: f64 = 2.0;
const YES: f64 = 1.0;

/// A fifth of a hundred emails a minute is lost.
const LOSING: Account = Account {
    job: "j",
    name: "a",
    instance: "one:1",
    cluster: "",
    up: "1x180",
    read: "0+60x180",
    accepted: "0+100x180",
    delivered: "0+80x180",
    undelivered: "0+20x180",
    queued: "0x180",
};

/// The verdict on these accounts after an hour.
fn verdict(accounts: &[Account], expected: f64) {
    let mut history = History::default();
    for account in accounts {
        account.write(&mut history);
    }
    let word = overview(VERDICT, 'A', &[]);
    history.gives("1h", &word, &[("", expected)]).holds();
}

#[test]
fn an_account_that_cannot_be_read_is_unknown_and_not_judged() {
    verdict(&[LOSING], NO);
    verdict(
        &[Account {
            up: "0x180",
            ..LOSING
        }],
        UNKNOWN,
    );
    // Read, but not all of it for an hour.
    verdict(
        &[Account {
            read: "0x180",
            ..LOSING
        }],
        UNKNOWN,
    );
}

#[test]
fn few_lost_emails_count_when_none_is_delivered() {
    let six = Account {
        accepted: "0x40 6x140",
        undelivered: "0x40 6x140",
        ..Account::default()
    };
    verdict(&[six], NO);
    let of_sixty = Account {
        accepted: "0x40 60x140",
        delivered: "0x40 54x140",
        undelivered: "0x40 6x140",
        ..Account::default()
    };
    verdict(&[of_sixty], YES);
}

#[test]
fn two_environments_with_accounts_of_one_name_are_judged_apart() {
    let mut history = History::default();
    Account {
        cluster: "prod",
        ..LOSING
    }
    .write(&mut history);
    let large = Account {
        cluster: "test",
        instance: "two:1",
        accepted: "0+2000x180",
        delivered: "0+2000x180",
        ..Account::default()
    };
    large.write(&mut history);
    let both = [
        (r#"cluster="prod",job="j",account="a""#, NO),
        (r#"cluster="test",job="j",account="a""#, YES),
    ];
    history
        .gives("1h", &overview(VERDICT, 'A', &[]), &[("", NO)])
        .gives("1h", &overview("Accounts", 'A', &[]), &both)
        .holds();
}

#[test]
fn losses_of_a_send_that_is_over_are_late_and_not_a_share_of_themselves() {
    // A thousand emails leave the queue at once; after two hours, five a minute bounce.
    let bounces = "0x120 0+5x60";
    let send = Operation {
        size: 1000,
        emails: &[("delivered", "1000x180"), ("undelivered", bounces)],
        ..Operation::default()
    };
    let alone = Account {
        accepted: "0 1000x180",
        delivered: "0+40x25 1000x160",
        undelivered: bounces,
        ..Account::default()
    };
    let beside_others = Account {
        accepted: "0+20x180",
        delivered: "0+20x180",
        undelivered: bounces,
        ..Account::default()
    };
    for account in [&alone, &beside_others] {
        let mut history = History::default();
        account.write(&mut history);
        send.write(&mut history);
        history
            .gives("165m", &overview(VERDICT, 'A', &[]), &[("", LATE)])
            .gives("165m", &overview("Lost (30 min)", 'A', &[]), &[("", 0.0)])
            .gives("165m", &overview("Lost (30 min)", 'B', &[]), &[("", 150.0)])
            .holds();
    }
    // The graph has no line for an account that sends nothing.
    let mut history = History::default();
    alone.write(&mut history);
    let graph = overview("Lost, by ${label}", 'A', &[]);
    history.gives("165m", &graph, &[]).holds();
}

#[test]
fn an_account_that_was_removed_is_not_missed_and_one_without_its_exporter_is() {
    let healthy = Account {
        name: "keep",
        accepted: "0+2x180",
        delivered: "0+2x180",
        ..Account::default()
    };
    let word = overview(VERDICT, 'A', &[]);
    let old = |job, instance| {
        format!(r#"twilio_email_up{{job="{job}",instance="{instance}",account="old"}}"#)
    };
    let until_an_hour = "1x60 _x120";

    let mut removed = History::default();
    healthy.write(&mut removed);
    removed.series(&old("j", "one:1"), until_an_hour);
    removed.gives("100m", &word, &[("", YES)]).holds();

    let mut down = History::default();
    healthy.write(&mut down);
    down.series(&old("j", "two:1"), until_an_hour);
    down.series(r#"up{job="j",instance="two:1"}"#, "1x60 0x120");
    let causes = [
        (r#"job="j",account="old",reason="not_scraped""#, 1.0),
        (r#"job="j",account="keep""#, 0.0),
    ];
    down.gives("100m", &word, &[("", UNKNOWN)])
        .gives("100m", &overview("Accounts", 'B', &[]), &causes)
        .holds();

    let mut whole_job = History::default();
    healthy.write(&mut whole_job);
    whole_job.series(&old("k", "two:1"), until_an_hour);
    whole_job.gives("100m", &word, &[("", UNKNOWN)]).holds();
}

#[test]
fn an_account_that_is_not_read_has_the_reason_beside_it() {
    let mut history = History::default();
    Account {
        up: "0x180",
        ..Account::default()
    }
    .write(&mut history);
    for (reason, values) in [("unauthorized", "0+1x180"), ("timeout", "0x100 1x80")] {
        let at = r#"job="j",instance="one:1",account="a",endpoint="operations""#;
        let series =
            format!(r#"twilio_email_api_request_failures_total{{{at},reason="{reason}"}}"#);
        history.series(&series, values);
    }
    let cause = [(r#"job="j",account="a",reason="unauthorized""#, 60.0)];
    history
        .gives("2h", &overview("Accounts", 'B', &[]), &cause)
        .holds();
}

#[test]
fn a_scheduled_send_has_no_share_of_anything() {
    let mut history = History::default();
    Account::default().write(&mut history);
    let send = Operation {
        state: "scheduled",
        size: 500,
        emails: &[("scheduled", "500x180")],
        ..Operation::default()
    };
    send.write(&mut history);
    for title in ["Delivered", "Lost", "Opened"] {
        // Shown as the word "scheduled".
        history.gives(
            "1h",
            &query("operation.json", title, 'A', &[]),
            &[("", -1.0)],
        );
    }
    let row = r#"job="j",account="a",operation_id="x",state="scheduled",send="unnamed, …x""#;
    history
        .gives("1h", &overview("Newest sends", 'A', &[]), &[(row, 3600.0)])
        .gives("1h", &overview("Newest sends", 'D', &[]), &[])
        .gives("1h", &overview("Sends, by loss", 'A', &[]), &[])
        .holds();
}

#[test]
fn a_send_is_called_by_its_name_else_its_campaign_else_the_end_of_its_id() {
    let mut history = History::default();
    Account::default().write(&mut history);
    let labels = [
        (
            "x1",
            r#",name="Sale | EU",campaign="spring""#,
            r#"name="Sale | EU",campaign="spring",send="Sale | EU""#,
        ),
        (
            "x2",
            r#",campaign="spring""#,
            r#"campaign="spring",send="spring""#,
        ),
        (
            "comms_operation_0123456789",
            "",
            r#"send="unnamed, …456789""#,
        ),
    ];
    let mut rows = Vec::new();
    for (id, given, shown) in labels {
        Operation {
            id,
            labels: given,
            ..Operation::default()
        }
        .write(&mut history);
        rows.push(format!(
            r#"job="j",account="a",operation_id="{id}",state="completed",{shown}"#
        ));
    }
    let rows: Vec<_> = rows.iter().map(|row| (row.as_str(), 3600.0)).collect();
    history
        .gives("1h", &overview("Newest sends", 'A', &[]), &rows)
        .holds();
}

#[test]
fn a_budget_is_left_or_spent_several_times_over_but_never_negative() {
    let mut history = History::default();
    let five_percent = Account {
        accepted: "0+100x180",
        delivered: "0+95x180",
        undelivered: "0+5x180",
        ..Account::default()
    };
    five_percent.write(&mut history);
    let of = |letter, objective| overview("Error budget", letter, &[("objective", objective)]);
    history
        .gives("2h", &of('A', "0.99"), &[])
        .gives("2h", &of('B', "0.99"), &[("", 5.0)])
        .gives("2h", &of('A', "0.9"), &[("", 0.5)])
        .gives("2h", &of('B', "0.9"), &[])
        .holds();
}
