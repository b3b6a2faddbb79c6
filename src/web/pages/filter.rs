//! The parameters of `/`: which operations it shows, and the links between its pages. All of it is in the address, so that a view
//! can be shared.

use url::form_urlencoded::Serializer;

use crate::web::query::Query;

/// A longer text is not a search.
const LONGEST_TEXT: usize = 200;
/// More pages than any list has.
const MOST_PAGES: usize = 1_000_000;

/// The order of operations.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum Sort {
    /// The newest first.
    #[default]
    Newest,
    /// The one with most emails in flight first.
    InFlight,
    /// The one with most lost emails first.
    Worst,
}

/// The parameters of a page.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Filter {
    /// A part of an id, of a label's value or of an account's name, in any case.
    pub(super) text: String,
    pub(super) account: Option<String>,
    pub(super) state: Option<String>,
    /// `name=value`, or the name alone.
    pub(super) label: Option<String>,
    pub(super) sort: Sort,
    /// The page of operations, from 1.
    pub(super) page: usize,
    /// The page of accounts, from 1.
    pub(super) accounts_page: usize,
}

impl Sort {
    pub(super) const ALL: [Self; 3] = [Self::Newest, Self::InFlight, Self::Worst];

    /// The value of the parameter `sort`.
    pub(super) const fn as_str(self) -> &'static str {
        match self {
            Self::Newest => "newest",
            Self::InFlight => "in_flight",
            Self::Worst => "worst",
        }
    }

    /// For people.
    pub(super) const fn title(self) -> &'static str {
        match self {
            Self::Newest => "Newest",
            Self::InFlight => "Most in flight",
            Self::Worst => "Most lost",
        }
    }
}

impl Filter {
    /// Reads the parameters. An empty one counts as not given, because forms send all of their fields. The error is a sentence.
    pub(super) fn read(mut query: Query) -> Result<Self, String> {
        let mut one = |name: &str| {
            let value = query.one(name)?.filter(|value| !value.trim().is_empty());
            match value {
                Some(value) if value.chars().count() > LONGEST_TEXT => Err(format!(
                    "The parameter {name} has more than {LONGEST_TEXT} characters."
                )),
                value => Ok(value),
            }
        };
        let text = one("q")?.unwrap_or_default().trim().to_owned();
        let (account, state, label) = (one("account")?, one("state")?, one("label")?);
        let sort = match one("sort")? {
            None => Sort::default(),
            Some(sort) => Sort::ALL
                .into_iter()
                .find(|known| known.as_str() == sort)
                .ok_or("The parameter sort is invalid; expected newest, in_flight or worst.")?,
        };
        let mut number = |name: &str| {
            match one(name)? {
            None => Ok(1),
            Some(page) => page
                .parse()
                .ok()
                .filter(|page| (1..=MOST_PAGES).contains(page))
                .ok_or_else(|| format!("The parameter {name} is invalid; expected a whole number from 1 to {MOST_PAGES}.")),
        }
        };
        let (page, accounts_page) = (number("page")?, number("accounts_page")?);
        query.finish("q, account, state, label, sort, page and accounts_page")?;
        Ok(Self {
            text,
            account,
            state,
            label,
            sort,
            page,
            accounts_page,
        })
    }

    /// Whether it leaves operations out.
    pub(super) fn is_filtered(&self) -> bool {
        !self.text.is_empty()
            || self.account.is_some()
            || self.state.is_some()
            || self.label.is_some()
    }

    /// The same operations in another order, from the first page.
    pub(super) fn sorted(&self, sort: Sort) -> Self {
        Self {
            sort,
            page: 1,
            ..self.clone()
        }
    }

    /// Another page of the same operations.
    pub(super) fn at_page(&self, page: usize) -> Self {
        Self {
            page,
            ..self.clone()
        }
    }

    /// Another page of accounts, and the same operations.
    pub(super) fn at_accounts_page(&self, page: usize) -> Self {
        Self {
            accounts_page: page,
            ..self.clone()
        }
    }

    /// The operations of one account.
    pub(super) fn of_account(name: &str) -> Self {
        Self {
            account: Some(name.to_owned()),
            page: 1,
            accounts_page: 1,
            ..Self::default()
        }
    }

    /// The address of the operations on the page.
    pub(super) fn link(&self) -> String {
        format!("{}#operations", self.address())
    }

    /// The address of the accounts on the page.
    pub(super) fn accounts_link(&self) -> String {
        format!("{}#accounts-title", self.address())
    }

    /// Parameters with their default are left out.
    fn address(&self) -> String {
        let mut query = Serializer::new(String::new());
        let text = Some(&self.text).filter(|text| !text.is_empty());
        let texts = [
            ("q", text),
            ("account", self.account.as_ref()),
            ("state", self.state.as_ref()),
            ("label", self.label.as_ref()),
        ];
        for (name, value) in texts {
            if let Some(value) = value {
                query.append_pair(name, value);
            }
        }
        if self.sort != Sort::default() {
            query.append_pair("sort", self.sort.as_str());
        }
        for (name, page) in [("page", self.page), ("accounts_page", self.accounts_page)] {
            if page > 1 {
                query.append_pair(name, &page.to_string());
            }
        }
        let query = query.finish();
        let separator = if query.is_empty() { "" } else { "?" };
        format!("/{separator}{query}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(query: &str) -> Result<Filter, String> {
        Filter::read(Query::read(Some(query)))
    }

    #[test]
    fn a_link_holds_the_whole_filter() {
        let filter = read(
            "q=+a%26b+&account=x%3Cy&state=&label=campaign%3Dspring&sort=worst&page=3&accounts_page=2",
        );
        let filter = filter.unwrap();
        assert_eq!(filter.text, "a&b");
        assert_eq!((filter.state.as_deref(), filter.page), (None, 3));
        let link = filter.link();
        let query = link.strip_prefix("/?").unwrap().strip_suffix("#operations");
        assert_eq!(read(query.unwrap()), Ok(filter.clone()));
        assert_eq!(filter.sorted(Sort::InFlight).page, 1);
        assert_eq!(read("").unwrap().link(), "/#operations");
    }

    #[test]
    fn a_wrong_parameter_is_an_error_that_does_not_repeat_it() {
        for wrong in [
            "sort=best",
            "page=0",
            "page=-1",
            "page=1e9",
            "accounts_page=0",
            "page=99999999999999999999",
            "account=a&account=b",
            "jane%40example.com=1",
        ] {
            let error = read(wrong).unwrap_err();
            assert!(
                !error.contains("best") && !error.contains("jane"),
                "{error}"
            );
        }
        let long = format!("q={}", "x".repeat(LONGEST_TEXT + 1));
        assert!(read(&long).unwrap_err().contains("200 characters"));
    }
}
