//! Delete, of one object or of many.

use std::{future::IntoFuture, marker::PhantomData};

use k8s_openapi::apimachinery::pkg::apis::meta::v1::{Preconditions, Status};

use super::{CallFuture, DeleteOptions, ListOptions, PropagationPolicy, call_options, selectors, whole_answer};
use crate::{
    codec::{self, Codec, Listable, MediaType},
    rest::{Request, WholeBody},
};

/// Deletes one object. Awaiting it gives what the server answers: the object, when it takes time to go, or a Status.
///
/// Every answer of the 2xx kind means that the server agreed, whatever its body is; only a Status that says `Failure`
/// is an error. Aggregated servers and webhooks in between answer with nothing, with text, or with another object: then
/// there is a Status made here, with the text as its message.
///
/// ```no_run
/// # use k8s_client_runtime::{Error, resource::ResourceClient};
/// # use k8s_openapi::api::core::v1::ConfigMap;
/// use k8s_client_runtime::resource::{Deleted, PropagationPolicy};
///
/// # async fn example(config_maps: ResourceClient<ConfigMap>) -> Result<(), Error> {
/// match config_maps.delete("web").propagation_policy(PropagationPolicy::Foreground).await {
///     Ok(Deleted::Object(web)) => println!("it waits for {:?}", web.metadata.finalizers),
///     Ok(Deleted::Status(_)) => println!("it is gone"),
///     Err(error) if error.is_not_found() => println!("it was gone already"),
///     Err(error) => return Err(error),
/// }
/// # Ok(())
/// # }
/// ```
#[must_use = "a request is sent when it is awaited"]
pub struct Delete<C> {
    request: Request,
    options: DeleteOptions,
    codec: PhantomData<fn() -> C>,
}

/// Deletes all objects, or those that the selectors choose.
///
/// ```no_run
/// # use k8s_client_runtime::{Error, resource::ResourceClient};
/// # use k8s_openapi::api::core::v1::ConfigMap;
/// # async fn example(config_maps: ResourceClient<ConfigMap>) -> Result<(), Error> {
/// config_maps.delete_collection().label_selector("app=web").await?;
/// # Ok(())
/// # }
/// ```
#[must_use = "a request is sent when it is awaited"]
pub struct DeleteCollection<K> {
    request: Request,
    options: DeleteOptions,
    chosen: ListOptions,
    kind: PhantomData<fn() -> K>,
}

/// What a delete is answered with. Kinds and moments differ: a pod that still ends is answered with itself.
#[derive(Clone, Debug, PartialEq)]
pub enum Deleted<T> {
    /// The object as it is now: it goes once its finalizers are done and its grace period is over.
    Object(Box<T>),
    /// It is gone, or going. From kube-apiserver, `details` name it, with its uid.
    Status(Box<Status>),
}

/// What a delete of a collection is answered with.
#[derive(Clone, Debug, PartialEq)]
pub enum DeletedCollection<L> {
    /// The objects that were chosen.
    List(L),
    /// They are gone.
    Status(Box<Status>),
}

impl<T> Deleted<T> {
    /// The object, if it is still there.
    pub fn object(self) -> Option<T> {
        match self {
            Self::Object(object) => Some(*object),
            Self::Status(_) => None,
        }
    }
}

macro_rules! delete_options {
    ($builder:ident, $bound:path) => {
        impl<C: $bound> $builder<C> {
            /// How long an object may take to end, in seconds; 0 is at once. Default: the kind's own.
            pub fn grace_period_seconds(mut self, seconds: u32) -> Self {
                self.options.grace_period_seconds = Some(seconds);
                self
            }

            /// What becomes of the objects that a deleted one owns. Default: the kind's own, mostly in the background.
            pub fn propagation_policy(mut self, policy: PropagationPolicy) -> Self {
                self.options.propagation_policy = Some(policy);
                self
            }

            /// Deletes only what has this uid, or this resource version; otherwise the server answers with a conflict.
            pub fn preconditions(mut self, preconditions: Preconditions) -> Self {
                self.options.preconditions = Some(preconditions);
                self
            }

            /// Goes through all stages of the request but deletes nothing.
            pub fn dry_run(mut self) -> Self {
                self.options.dry_run = true;
                self
            }
        }

        call_options!($builder<C: $bound>, DeleteOptions);
        whole_answer!($builder<C: $bound>);
    };
}

delete_options!(Delete, Codec);
delete_options!(DeleteCollection, Listable);
selectors!(DeleteCollection, chosen);

impl<C: Codec> Delete<C> {
    pub(super) fn new(request: Request) -> Self {
        Self { request, options: DeleteOptions::default(), codec: PhantomData }
    }

    /// The request, but for what it accepts.
    fn prepared(self) -> Request {
        self.request.json(&self.options.body())
    }
}

impl<K: Listable> DeleteCollection<K> {
    pub(super) fn new(request: Request) -> Self {
        Self { request, options: DeleteOptions::default(), chosen: ListOptions::default(), kind: PhantomData }
    }

    /// Takes the options that choose from a struct, in place of those set so far.
    pub fn list_options(mut self, options: ListOptions) -> Self {
        self.chosen = options;
        self
    }

    /// The request, but for what it accepts.
    fn prepared(self) -> Request {
        self.request.with_query(|query| self.chosen.write(query)).json(&self.options.body())
    }
}

impl<C: Codec> IntoFuture for Delete<C> {
    type Output = crate::Result<Deleted<C::Object>>;
    type IntoFuture = CallFuture<Deleted<C::Object>>;

    fn into_future(self) -> Self::IntoFuture {
        fn object<C: Codec>(media_type: MediaType, body: &[u8]) -> codec::Result<Deleted<C::Object>> {
            C::decode(media_type, body).map(|object| Deleted::Object(Box::new(object)))
        }
        let answer = self.prepared().accept(C::ACCEPT).whole_body();
        Box::pin(async move { status_or(&answer.await?, Deleted::Status, object::<C>) })
    }
}

impl<K: Listable> IntoFuture for DeleteCollection<K> {
    type Output = crate::Result<DeletedCollection<K::List>>;
    type IntoFuture = CallFuture<DeletedCollection<K::List>>;

    fn into_future(self) -> Self::IntoFuture {
        fn list<K: Listable>(media_type: MediaType, body: &[u8]) -> codec::Result<DeletedCollection<K::List>> {
            K::decode_list(media_type, body).map(DeletedCollection::List)
        }
        let answer = self.prepared().accept(K::ACCEPT).whole_body();
        Box::pin(async move { status_or(&answer.await?, DeletedCollection::Status, list::<K>) })
    }
}

/// A Status that says success, or whatever else the body is. What the body may be is the server's business: the code
/// says that the deletion is done or under way, and an error would say that it is not.
fn status_or<T>(
    answer: &WholeBody,
    status: fn(Box<Status>) -> T,
    decode: fn(MediaType, &[u8]) -> codec::Result<T>,
) -> crate::Result<T> {
    match answer.status() {
        Some(failure) if failure.status.as_deref() == Some("Failure") => answer.decode(decode),
        Some(success) => Ok(status(Box::new(success))),
        None => match answer.unnamed_status() {
            Some(success) => Ok(status(Box::new(success))),
            None => Ok(answer.decode(decode).unwrap_or_else(|_| status(Box::new(answer.made_status())))),
        },
    }
}
