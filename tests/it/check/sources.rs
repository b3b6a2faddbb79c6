//! The files and the URLs that list operations.

use super::*;
use crate::support::exporter::one_account;
use crate::support::stub_server::{StubResponse, StubServer};
use crate::support::twilio::Twilio;

#[tokio::test]
async fn each_file_is_read_and_a_bad_one_fails_in_the_words_of_the_page() {
    let twilio = Twilio::empty().await;
    let setup = Setup::new(&one_account(
        &twilio,
        "operation_files: [good.yml, bad.yml, missing.yml, none/*.yml]",
    ));
    setup.files.write("good.yml", "[]\n");
    setup.files.write("bad.yml", "- targets: [nothing]\n");
    let report = setup.check().await;
    let results: Vec<_> = report
        .results()
        .filter(|result| result.check == "operation_files")
        .collect();
    let expected = [
        (
            Status::Failed,
            "of account default cannot be used: ",
            "bad.yml",
        ),
        (Status::Ok, "good.yml lists 0 operations", "good.yml"),
        (Status::Warning, "is not there; create it", "missing.yml"),
        (Status::Warning, "is there yet", "none/*.yml"),
    ];
    assert_eq!(results.len(), expected.len(), "{results:#?}");
    for (result, (status, words, name)) in results.iter().zip(expected) {
        assert_eq!(result.status, status, "{result:?}");
        assert!(result.what.contains(words), "{result:?}");
        assert!(result.what.contains(name), "{result:?}");
    }
    assert_eq!(results[0].code, Some("broken_source"));
    assert!(results[0].cause.contains("an operation id starts with"));
}

#[tokio::test]
async fn a_url_that_fails_is_a_failure_and_is_not_requested_offline() {
    let twilio = Twilio::empty().await;
    let server = StubServer::start(|path| match path {
        "/good" => StubResponse::json("[]"),
        _ => StubResponse::error(404, "[]"),
    });
    let server = server.await;
    let url = |path| format!("{{url: 'http://{}/{path}'}}", server.address);
    let more = format!("operation_urls: [{}, {}]", url("good"), url("bad"));
    let mut setup = Setup::new(&one_account(&twilio, &more));
    let report = setup.check().await;
    let failed = with_status(&report, Status::Failed);
    assert_eq!(failed, ["operation_urls"], "{report:#?}");
    let mut results = report.results();
    let broken = results.find(|result| result.status == Status::Failed);
    let cause = &broken.unwrap().cause;
    assert_eq!(cause, "It server with status 404: check the URL.");
    let asked = server.requests().len();
    setup.offline = true;
    let report = setup.check().await;
    assert_eq!(only(&report, "operation_urls").status, Status::Skipped);
    assert_eq!(server.requests().len(), asked);
    assert_eq!(twilio.handle.counts().token, 0);
}
