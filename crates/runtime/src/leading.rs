//! The term of a leader in which code runs. Not part of the API: for the crates of this library only.
//!
//! What is to keep to a term, such as a controller, asks for it here, so that nobody has to hand it on and nobody can
//! forget it.

use std::{cell::RefCell, pin::Pin, sync::Arc};

use crate::machine::with_other;

/// The time in which a candidate leads.
pub trait Term: Send + Sync {
    /// Whether the candidate leads at this moment.
    fn is_valid(&self) -> bool;

    /// Waits until the program asks to stop, or the term has ended.
    fn stopping(&self) -> Pin<Box<dyn Future<Output = ()> + Send>>;
}

thread_local! {
    static CURRENT: RefCell<Option<Arc<dyn Term>>> = const { RefCell::new(None) };
}

/// The term within which this is called.
pub fn term() -> Option<Arc<dyn Term>> {
    CURRENT.with_borrow(Clone::clone)
}

/// Runs this within a term, also when there is one around it.
pub fn within<R>(term: Arc<dyn Term>, run: impl FnOnce() -> R) -> R {
    with_other(&CURRENT, Some(term), run)
}

#[cfg(test)]
mod tests {
    use std::panic::{AssertUnwindSafe, catch_unwind};

    use super::*;

    struct Is(bool);

    impl Term for Is {
        fn is_valid(&self) -> bool {
            self.0
        }

        fn stopping(&self) -> Pin<Box<dyn Future<Output = ()> + Send>> {
            Box::pin(std::future::ready(()))
        }
    }

    fn now() -> Option<bool> {
        term().map(|term| term.is_valid())
    }

    #[test]
    fn code_sees_the_term_nearest_around_it() {
        assert_eq!(now(), None);
        within(Arc::new(Is(true)), || {
            assert_eq!(now(), Some(true));
            let inner = || within(Arc::new(Is(false)), || panic!("{:?}", now()));
            let panic = catch_unwind(AssertUnwindSafe(inner)).expect_err("it panics");
            assert_eq!(panic.downcast_ref::<String>().map(String::as_str), Some("Some(false)"));
            assert_eq!(now(), Some(true));
        });
        assert_eq!(now(), None);
    }
}
