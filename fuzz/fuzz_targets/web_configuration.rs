#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| twilio_email_exporter::fuzzing::web_configuration(input));
