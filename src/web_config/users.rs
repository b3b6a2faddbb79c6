//! The users of Basic authentication: `basic_auth_users`, and `read_only_users`, which only this exporter has. Passwords are bcrypt
//! hashes; `web` checks them.

use std::collections::BTreeSet;

use super::password_hash::PasswordHash;
use crate::document::Findings;
use crate::document::walk::{Mapping, Value};

/// The longest name. An HTTP client sends it with every request.
const LONGEST_NAME: usize = 255;

/// The users, by name.
#[derive(Debug, Default)]
pub struct Users(Vec<User>);

/// One user.
#[derive(Debug)]
pub struct User {
    /// Not empty, without a colon.
    pub name: String,
    /// The hash of the password.
    pub hash: PasswordHash,
    /// Whether the user may make changes: register operations, reload the configuration.
    pub may_write: bool,
}

impl Users {
    /// Whether nobody has to authenticate.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The user `name`.
    #[must_use]
    pub fn get(&self, name: &[u8]) -> Option<&User> {
        self.0.iter().find(|user| user.name.as_bytes() == name)
    }

    /// All users.
    #[must_use]
    pub fn all(&self) -> &[User] {
        &self.0
    }
}

pub(super) fn read(file: &mut Mapping<'_>, findings: &mut Findings) -> Users {
    let section = file.take("basic_auth_users");
    let mut users = section.map_or_else(Users::default, |section| hashes(&section, findings));
    if let Some(names) = file.take("read_only_users") {
        restrict(&mut users, &names, findings);
    }
    users
}

fn hashes(section: &Value<'_>, findings: &mut Findings) -> Users {
    let Some(section) = section.mapping(findings) else {
        return Users::default();
    };
    let mut users = Vec::new();
    for (name, value) in section.entries() {
        let Some(name) = findings.take(&value.place, check_name(name)) else {
            continue;
        };
        let Some(text) = value.text(findings) else {
            continue;
        };
        if let Some(hash) = findings.take(&value.place, PasswordHash::parse(text)) {
            users.push(User {
                name: name.to_owned(),
                hash,
                may_write: true,
            });
        }
    }
    Users(users)
}

/// RFC 7617, section 2: a name with a colon cannot be sent.
fn check_name(name: &str) -> Result<&str, String> {
    if name.is_empty() {
        return Err("the name of a user is empty; write `name: hash`".to_owned());
    }
    if name.contains(':') || name.contains(char::is_control) || name.len() > LONGEST_NAME {
        return Err(format!(
            "the name of a user has no colon, no control characters and at most {LONGEST_NAME} bytes"
        ));
    }
    Ok(name)
}

fn restrict(users: &mut Users, names: &Value<'_>, findings: &mut Findings) {
    let Some(names) = names.list(findings) else {
        return;
    };
    let mut seen = BTreeSet::new();
    for name in names {
        let Some(text) = name.text(findings) else {
            continue;
        };
        if !seen.insert(text) {
            findings.problem(&name.place, "given twice");
        }
        match users.0.iter_mut().find(|user| user.name == text) {
            Some(user) => user.may_write = false,
            None => findings.problem(
                &name.place,
                "there is no such user with a valid hash in basic_auth_users",
            ),
        }
    }
}
