//! Following one object until its condition holds or the time is up.

use std::time::Duration;

use tokio::time::{Instant, timeout};

use super::{Wait, progress};
use crate::{
    codec::Listable,
    error::{Error, ErrorKind, Result},
    object::{AnyList as _, AnyObject as _},
    retry::Backoff,
    watch::WatchEvent,
};

/// The pauses before the object is looked at again: short, since somebody waits.
const PAUSES: Backoff = Backoff {
    steps: 0,
    duration: Duration::from_millis(200),
    factor: 2.0,
    jitter: 1.0,
    cap: Some(Duration::from_secs(5)),
};
/// After this long without a pause they begin anew.
const CALM: Duration = Duration::from_secs(60);
/// A watch that ends sooner is not opened again without a pause.
const TOO_SHORT: Duration = Duration::from_secs(1);
/// How long a watch is asked to last, in seconds: by chance in between, as in client-go's reflector.
const WATCH_SECONDS: std::ops::RangeInclusive<u32> = 300..=600;

/// What is known of the object.
struct Seen<T> {
    object: Option<T>,
    /// The version to watch from. Without one, the object is listed.
    version: Option<String>,
    /// Whether the server has ever said whether the object is there.
    looked: bool,
    /// Why the server does not say so now.
    trouble: Option<Error>,
}

impl<K: Listable> Wait<'_, K> {
    pub(super) async fn until_satisfied(mut self) -> Result<Option<K::Object>> {
        let mut seen = Seen { object: None, version: None, looked: false, trouble: None };
        let result = match self.object.check() {
            Err(problem) => Err(Error::new(ErrorKind::Request, problem)),
            Ok(()) => match timeout(self.limit, self.follow(&mut seen)).await {
                Ok(followed) => followed,
                Err(_) => Err(self.late(&seen)),
            },
        };
        match result {
            Ok(()) => Ok(seen.object),
            Err(error) => Err(error.with_request(self.object.method(), self.object.url())),
        }
    }

    /// Looks again and again, until the condition holds or an error does not pass.
    async fn follow(&mut self, seen: &mut Seen<K::Object>) -> Result<()> {
        let mut pauses = PAUSES.manager(CALM);
        loop {
            let begun = Instant::now();
            match self.look(seen).await {
                Ok(true) => return Ok(()),
                Ok(false) if begun.elapsed() >= TOO_SHORT => continue,
                Ok(false) => {}
                Err(error) if error.is_not_found() => {
                    seen.version = None;
                    seen.trouble = Some(error);
                    if self.is_satisfied_by(None, seen) {
                        return Ok(());
                    }
                }
                Err(error) if error.must_list_again() || error.is_too_large_resource_version() => {
                    seen.version = None;
                    seen.trouble = Some(error);
                }
                Err(error) if error.is_transient() => seen.trouble = Some(error),
                Err(error) => return Err(error),
            }
            pauses.wait().await;
        }
    }

    /// Lists the object unless there is a version to go on from, and watches it until the condition holds or the watch
    /// ends.
    async fn look(&mut self, seen: &mut Seen<K::Object>) -> Result<bool> {
        if seen.version.is_none() {
            let list = self.list.clone().await?;
            seen.version = list.resource_version().map(str::to_owned);
            seen.trouble = None;
            let object = list.into_items().into_iter().find(|object| object.name() == Some(&self.name));
            if self.is_satisfied_by(object, seen) {
                return Ok(true);
            }
        }
        let version = seen.version.clone().unwrap_or_default();
        let watch = self.watch.clone().resource_version(version).timeout_seconds(fastrand::u32(WATCH_SECONDS));
        let mut events = watch.await?;
        seen.trouble = None;
        while let Some(event) = events.try_next().await? {
            seen.version = event.resource_version().map(str::to_owned).or(seen.version.take());
            let object = match event {
                WatchEvent::Added(object) | WatchEvent::Modified(object) => Some(object),
                WatchEvent::Deleted(_) => None,
                WatchEvent::Bookmark { .. } => continue,
            };
            if self.is_satisfied_by(object, seen) {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Takes note of the object's new state.
    fn is_satisfied_by(&mut self, object: Option<K::Object>, seen: &mut Seen<K::Object>) -> bool {
        seen.object = object;
        seen.looked = true;
        (self.condition)(seen.object.as_ref())
    }

    /// The error of a wait whose time is up.
    fn late(&self, seen: &Seen<K::Object>) -> Error {
        let json = seen.object.as_ref().map(K::encode_json);
        let state = match json {
            _ if !seen.looked => "the server has not said whether it is there".to_owned(),
            None => "it is not there".to_owned(),
            Some(Ok(json)) => progress::of(&json),
            Some(Err(_)) => "it is there".to_owned(),
        };
        let goal = progress::name_of(self.goal);
        let mut message = format!("waited {:?} for {goal}: {state}", self.limit);
        if let Some(trouble) = &seen.trouble {
            message = format!("{message}; the last try to look at it failed: {trouble}");
        }
        Error::new(ErrorKind::Timeout, message)
    }
}
