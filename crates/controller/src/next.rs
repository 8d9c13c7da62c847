//! What comes after a call, and after the last one.

use std::time::Duration;

use k8s_client_informer::ObjectKey;
use k8s_client_runtime::object::AnyObject;

/// When an object that was reconciled is to be looked at again.
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use = "the controller is told by returning it"]
pub struct Next {
    pub(crate) after: Option<Duration>,
    pub(crate) written: Option<String>,
}

impl Next {
    /// When something about it changes.
    pub fn wait() -> Self {
        Self { after: None, written: None }
    }

    /// After this time, or when something about it changes, whichever is earlier.
    pub fn after(pause: Duration) -> Self {
        Self { after: Some(pause), written: None }
    }

    /// This call has written the object, and got this back: the object is not looked at again before the informer has
    /// come to that state, so that no call sees an older state than the one before has made.
    pub fn having_written(self, object: &impl AnyObject) -> Self {
        Self { written: written(object), ..self }
    }
}

/// How a controller has ended.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Stopped {
    /// The objects whose calls had not ended when the time for that was over. Those calls were dropped where they
    /// stood.
    pub unfinished: Vec<ObjectKey>,
    /// The informer that has ended, and the controller with it, where that is the reason: [what it
    /// has](k8s_client_informer::Informer::source). A controller that does not hear of changes must not go on.
    pub ended_informer: Option<String>,
}

/// The version that a write has made.
pub(crate) fn written(object: &impl AnyObject) -> Option<String> {
    object.resource_version().map(str::to_owned)
}
