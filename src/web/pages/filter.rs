//! What a page of operations shows: the parameters of `/`, and the links between its pages.

use url::form_urlencoded::Serializer;

use crate::web::query::Query;

/// A longer text is no search.
const LONGEST_TEXT: usize = 200;
/// No list has more pages.
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
    /// From 1.
    pub(super) page: usize,
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
            Self::InFlight => "In flight",
            Self::Worst => "Worst",
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
                .ok_or("The parameter sort is wrong; there are newest, in_flight and worst.")?,
        };
        let page = match one("page")? {
            None => 1,
            Some(page) => page
                .parse()
                .ok()
                .filter(|page| (1..=MOST_PAGES).contains(page))
                .ok_or("The parameter page is wrong; expected a number from 1.")?,
        };
        query.finish("there are q, account, state, label, sort and page")?;
        Ok(Self {
            text,
            account,
            state,
            label,
            sort,
            page,
        })
    }

    /// Whether it leaves operations out.
    pub(super) fn is_narrow(&self) -> bool {
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

    /// The operations of one account.
    pub(super) fn of_account(name: &str) -> Self {
        Self {
            account: Some(name.to_owned()),
            page: 1,
            ..Self::default()
        }
    }

    /// The address of the page. Parameters with their default are left out.
    pub(super) fn link(&self) -> String {
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
        if self.page > 1 {
            query.append_pair("page", &self.page.to_string());
        }
        let query = query.finish();
        let separator = if query.is_empty() { "" } else { "?" };
        format!("/{separator}{query}#operations")
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
        let filter =
            read("q=+a%26b+&account=x%3Cy&state=&label=campaign%3Dspring&sort=worst&page=3");
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
            "page=x",
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
