//! Reads a table of mailbox providers: the built-in one (`providers.yml`, which documents the format), or one of the user's. All
//! problems are reported together, each with its place.

use std::collections::HashMap;

use super::domain::Domain;
use super::providers::{MOST_PROVIDERS, ProviderId, Providers};
use crate::document::walk::{Mapping, Value};
use crate::document::{Findings, Problem, yaml};

/// The built-in table.
const BUILT_IN: &str = include_str!("providers.yml");
/// The most domains of a table, and the most names of mail exchangers. The built-in one has a few hundred.
const MOST_DOMAINS: usize = 10_000;
/// The most values and keys of a file: each domain and each provider, and the keys of the file.
const NODES: usize = 2 * (MOST_DOMAINS + 2 * MOST_PROVIDERS) + 10;
/// The most problems that are reported together.
const REPORTED: usize = 10;
/// The longest name, in characters.
const LONGEST_NAME: usize = 32;

impl Providers {
    /// The built-in table.
    #[must_use]
    pub fn built_in() -> Self {
        // A test holds the file to its format.
        Self::parse(BUILT_IN, &Self::default()).unwrap_or_default()
    }

    /// Parses a file in the format of `providers.yml`, which may extend the built-in table.
    ///
    /// # Errors
    /// All problems of the file, each with its place and what to do.
    pub fn read(text: &str) -> Result<Self, Vec<Problem>> {
        Self::parse(text, &Self::built_in())
    }

    fn parse(text: &str, built_in: &Self) -> Result<Self, Vec<Problem>> {
        // Editors on Windows write a byte order mark before a text.
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        let mut findings = Findings::up_to(REPORTED);
        let table = yaml::parse(text, NODES, &mut findings)
            .and_then(|node| read_file(&Value::root(&node), built_in, &mut findings));
        if findings.more > 0 {
            let more = findings.more;
            findings.problems.push(Problem {
                place: String::new(),
                message: format!("{more} more problems"),
            });
        }
        match table {
            Some(table) if findings.problems.is_empty() => Ok(table),
            _ => Err(findings.problems),
        }
    }
}

/// `None` if a problem was reported.
fn read_file(root: &Value, built_in: &Providers, findings: &mut Findings) -> Option<Providers> {
    let mut file = root.mapping(findings)?;
    let extend = file.take("extend").map(|value| value.boolean(findings));
    let exchangers = file.take("mx");
    let providers = file.require("providers", findings);
    file.finish(findings);
    let mut table = if extend.unwrap_or(Some(true))? {
        built_in.clone()
    } else {
        Providers::default()
    };
    let providers = providers?.mapping(findings)?;
    read_domains(
        &providers,
        &mut table,
        |table| &mut table.by_domain,
        findings,
    );
    if let Some(exchangers) = exchangers.and_then(|value| value.mapping(findings)) {
        read_domains(
            &exchangers,
            &mut table,
            |table| &mut table.by_exchanger,
            findings,
        );
    }
    for (place, size) in [
        ("providers", table.by_domain.len()),
        ("mx", table.by_exchanger.len()),
    ] {
        if size > MOST_DOMAINS {
            let message = format_args!("more than {MOST_DOMAINS} domains; leave out small ones");
            findings.problem(place, message);
        }
    }
    Some(table)
}

/// Reads providers with their domains.
fn read_domains(
    providers: &Mapping<'_>,
    table: &mut Providers,
    part: fn(&mut Providers) -> &mut HashMap<Domain, ProviderId>,
    findings: &mut Findings,
) {
    let mut places: HashMap<Domain, String> = HashMap::new();
    for (name, domains) in providers.entries() {
        if let Err(why) = check_name(name) {
            findings.problem(&domains.place, why);
            continue;
        }
        let Some(provider) = table.add(name) else {
            let message =
                format_args!("more than {MOST_PROVIDERS} providers; leave out small ones");
            findings.problem(&domains.place, message);
            break;
        };
        for value in domains.list(findings).unwrap_or_default() {
            let Some(text) = value.text(findings) else {
                continue;
            };
            let Some(domain) = Domain::parse(text) else {
                findings.problem(&value.place, "not a domain; write one such as example.com");
                continue;
            };
            if let Some(before) = places.get(&domain) {
                let message = format_args!("`{domain}` is also in {before}; remove one of the two");
                findings.problem(&value.place, message);
                continue;
            }
            places.insert(domain.clone(), value.place);
            part(table).insert(domain, provider);
        }
    }
}

fn check_name(name: &str) -> Result<(), String> {
    let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
    if name == Providers::OTHER {
        return Err("`other` stands for all other domains; choose another name".to_owned());
    }
    if name.len() > LONGEST_NAME
        || !name.starts_with(|c: char| c.is_ascii_lowercase())
        || !name.chars().all(plain)
    {
        return Err(format!(
            "a provider's name has 1 to {LONGEST_NAME} of a-z, 0-9 and _, and begins with a letter"
        ));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    fn provider(table: &Providers, domain: &str) -> String {
        table
            .name(table.of(Domain::parse(domain).as_ref()))
            .to_owned()
    }

    fn problems(text: &str) -> Vec<String> {
        let problems = Providers::read(text).expect_err(text);
        problems.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn the_built_in_table_keeps_to_its_format() {
        let table = Providers::parse(BUILT_IN, &Providers::default()).unwrap();
        assert!((30..=100).contains(&table.names().len()));
        assert!(table.by_domain.len() > 200 && table.by_exchanger.len() > 30);
        let unused = (0..).zip(table.names()).skip(1).filter(|(at, _)| {
            let mut used = table.by_domain.values().chain(table.by_exchanger.values());
            !used.any(|provider| *provider == ProviderId::from_index(*at))
        });
        assert_eq!(unused.count(), 0);
        // As written, every domain is in the form in which it is looked up.
        let (providers, exchangers) = BUILT_IN.split_once("\nmx:\n").unwrap();
        for (section, size) in [
            (providers, table.by_domain.len()),
            (exchangers, table.by_exchanger.len()),
        ] {
            let lists = section
                .lines()
                .filter(|line| !line.trim_start().starts_with('#'));
            let words: Vec<&str> = lists
                .flat_map(|line| line.split([' ', ',', '[', ']']))
                .filter(|word| word.contains('.'))
                .collect();
            let unique: BTreeSet<&str> = words.iter().copied().collect();
            assert_eq!(unique.len(), words.len(), "a domain twice");
            assert_eq!(unique.len(), size);
            for word in words {
                assert_eq!(Domain::parse(word).unwrap().as_str(), word);
            }
        }
    }

    #[test]
    fn a_mail_exchanger_belongs_to_the_provider_that_has_the_longest_part_of_its_name() {
        let own = "extend: false\nproviders: {mine: [a.example]}\nmx:\n  mine: [mx.example]\n  other_one: [deep.mx.example]\n";
        let table = Providers::read(own).unwrap();
        let built_in = Providers::built_in();
        for (table, host, name) in [
            (&table, "mx.example", Some("mine")),
            (&table, "a.b.mx.example", Some("mine")),
            (&table, "a.deep.mx.example", Some("other_one")),
            (&table, "notmx.example", None),
            (&table, "a.example", None),
            (&built_in, "aspmx.l.google.com", Some("google_workspace")),
            (
                &built_in,
                "example-com.mail.protection.outlook.com",
                Some("microsoft_365"),
            ),
            (
                &built_in,
                "eu-smtp-inbound-1.mimecast.com",
                Some("mimecast"),
            ),
            (&built_in, "mx0a-00000000.pphosted.com", Some("proofpoint")),
            (&built_in, "mail.protonmail.ch", Some("proton")),
            (&built_in, "mx.gmail.com", None),
        ] {
            let provider = table.of_exchanger(&Domain::parse(host).unwrap());
            assert_eq!(
                provider.map(|provider| table.name(provider)),
                name,
                "{host}"
            );
        }
        // A provider of mail exchangers is not one of domains.
        assert_eq!(
            table.of(Domain::parse("deep.mx.example").as_ref()),
            ProviderId::OTHER
        );
    }

    #[test]
    fn domains_of_one_provider_have_its_name_and_others_are_other() {
        let table = Providers::built_in();
        for (domain, name) in [
            ("gmail.com", "gmail"),
            ("googlemail.com", "gmail"),
            ("hotmail.co.uk", "outlook"),
            ("MSN.com", "outlook"),
            ("yahoo.de", "yahoo"),
            ("yahoo.co.jp", "yahoo_japan"),
            ("me.com", "apple"),
            ("163.com", "netease"),
            ("hanmail.net", "kakao"),
            ("bigpond.com", "telstra"),
            ("wanadoo.fr", "orange"),
            ("example.com", "other"),
            ("mail.gmail.com", "other"),
            ("no domain", "other"),
        ] {
            assert_eq!(provider(&table, domain), name, "{domain}");
        }
        assert_eq!(table.name(ProviderId::from_index(255)), Providers::OTHER);
        assert_eq!(table.named("other"), Some(ProviderId::OTHER));
    }

    #[test]
    fn a_file_extends_the_built_in_table_or_replaces_it() {
        let own = "providers:\n  mine: [Example.com, B\u{fc}cher.example]\n  gmail: [example.net]\n  yahoo: [googlemail.com]\n";
        let table = Providers::read(own).unwrap();
        for (domain, name) in [
            ("example.com", "mine"),
            ("xn--bcher-kva.example", "mine"),
            ("example.net", "gmail"),
            ("gmail.com", "gmail"),
            ("googlemail.com", "yahoo"),
        ] {
            assert_eq!(provider(&table, domain), name, "{domain}");
        }
        let table = Providers::read(&format!("\u{feff}extend: false\n{own}")).unwrap();
        assert_eq!(provider(&table, "gmail.com"), "other");
        assert_eq!(provider(&table, "example.com"), "mine");
        assert_eq!(table.names().len(), 4);
    }

    #[test]
    fn every_problem_of_a_file_is_reported_with_its_place_and_its_cure() {
        let file = "providers:\n  Mine: [a.example]\n  other: [b.example]\n  ok: [a.example, nodots, 7, A.EXAMPLE]\n  more: a.example\n  again: [a.example]\nextends: true\n";
        assert_eq!(
            problems(file),
            [
                "unknown key `extends` (line 7), did you mean `extend`?",
                "providers.Mine: a provider's name has 1 to 32 of a-z, 0-9 and _, and begins with a letter",
                "providers.other: `other` stands for all other domains; choose another name",
                "providers.ok[1]: not a domain; write one such as example.com",
                "providers.ok[2]: expected a string, found a number; put it in quotes",
                "providers.ok[3]: `a.example` is also in providers.ok[0]; remove one of the two",
                "providers.more: expected a list, found a string",
                "providers.again[0]: `a.example` is also in providers.ok[0]; remove one of the two",
            ]
        );
        assert_eq!(problems("[]").len(), 1);
        assert_eq!(
            problems("extend: 1\nproviders: {}"),
            ["extend: expected true or false, found a number"]
        );
        assert!(problems("extend: true")[0].starts_with("providers"));
        assert_eq!(problems("providers: [").len(), 1);
    }

    #[test]
    fn a_table_has_limits() {
        let names: Vec<String> = (0..=MOST_PROVIDERS)
            .map(|n| format!("  p{n}: [d{n}.example]"))
            .collect();
        let found = problems(&format!("extend: false\nproviders:\n{}", names.join("\n")));
        assert_eq!(
            found,
            ["providers.p200: more than 200 providers; leave out small ones"]
        );
        let names: Vec<String> = (0..MOST_DOMAINS).map(|n| format!("d{n}.example")).collect();
        let found = problems(&format!("providers: {{p: [{}]}}", names.join(",")));
        assert_eq!(
            found,
            ["providers: more than 10000 domains; leave out small ones"]
        );
        let bad = ["x"; 12].join(",");
        let found = problems(&format!("providers: {{p: [{bad}]}}"));
        assert_eq!(found.last().unwrap(), "2 more problems");
        assert_eq!(found.len(), REPORTED + 1);
    }
}
