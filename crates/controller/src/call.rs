//! A call of a program's own function.

use std::{fmt, sync::Arc};

use futures_util::future::BoxFuture;

use crate::Next;

/// The function of a program, of whatever type it is.
pub(crate) type Call<T, C> = Arc<dyn Fn(C, Arc<T>) -> BoxFuture<'static, Result<Next, Failure>> + Send + Sync>;

/// A call that has failed. Errors of any type become texts.
pub(crate) struct Failure {
    pub(crate) error: String,
    /// The version that was written before.
    pub(crate) written: Option<String>,
}

impl Failure {
    pub(crate) fn of(error: impl fmt::Display) -> Self {
        // Some errors, such as anyhow's, show their causes in this form alone.
        Self { error: format!("{error:#}"), written: None }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// As the errors of `anyhow` are.
    struct Chain;

    impl fmt::Display for Chain {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str(if f.alternate() { "no copy: no room" } else { "no copy" })
        }
    }

    #[test]
    fn errors_show_their_causes() {
        assert_eq!(Failure::of(Chain).error, "no copy: no room");
    }
}
