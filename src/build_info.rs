//! The build of this program: version, commit, date, compiler and target. The build script sets the values.

/// The version of the package.
pub const VERSION: &str = env!("CARGO_PKG_VERSION");
/// The commit; `unknown` for a build without Git that names none.
pub const REVISION: &str = env!("TWILIO_EMAIL_REVISION");
/// `-V`: the version and the commit.
pub const SHORT: &str = concat!(
    env!("CARGO_PKG_VERSION"),
    " (",
    env!("TWILIO_EMAIL_REVISION"),
    ")"
);
/// `--version`: also the date of the build, the compiler and the target.
pub const LONG: &str = concat!(
    env!("CARGO_PKG_VERSION"),
    "\n  revision:   ",
    env!("TWILIO_EMAIL_REVISION"),
    "\n  build date: ",
    env!("TWILIO_EMAIL_BUILD_DATE"),
    "\n  compiler:   ",
    env!("TWILIO_EMAIL_COMPILER"),
    "\n  target:     ",
    env!("TWILIO_EMAIL_TARGET"),
);
