//! Create and Update: the verbs that send a whole object.

use std::marker::PhantomData;

use super::{CreateOptions, UpdateOptions, write_options};
use crate::{codec::Codec, rest::Request};

/// Creates an object. Awaiting it gives the object as the server stored it.
///
/// A create of which it is not known whether the server made it is never sent again: its error is
/// [transient](crate::Error::is_transient), and it is for the program to look. It is sent again where the server asks
/// for that (429 or 5xx with `Retry-After`), where it refused the form of the body unread (415), and where it certainly
/// did not process it: see [`Request::send`].
///
/// ```no_run
/// # use k8s_client_runtime::{Error, resource::ResourceClient};
/// # use k8s_openapi::{api::core::v1::ConfigMap, apimachinery::pkg::apis::meta::v1::ObjectMeta};
/// # async fn example(config_maps: ResourceClient<ConfigMap>) -> Result<(), Error> {
/// let web = ConfigMap {
///     metadata: ObjectMeta { name: Some("web".to_owned()), ..ObjectMeta::default() },
///     data: Some([("colour".to_owned(), "blue".to_owned())].into()),
///     ..ConfigMap::default()
/// };
/// let created = config_maps.create(&web).field_manager("me").await?;
/// println!("made at {:?}", created.metadata.creation_timestamp);
/// # Ok(())
/// # }
/// ```
#[must_use = "a request is sent when it is awaited"]
pub struct Create<C> {
    request: Request,
    options: CreateOptions,
    answer: PhantomData<fn() -> C>,
}

/// Replaces an object. Awaiting it gives the object as the server stored it.
///
/// ```no_run
/// # use k8s_client_runtime::{Error, resource::ResourceClient};
/// # use k8s_openapi::api::core::v1::ConfigMap;
/// # async fn example(config_maps: ResourceClient<ConfigMap>) -> Result<(), Error> {
/// let mut web = config_maps.get("web").await?;
/// web.data.get_or_insert_default().insert("colour".to_owned(), "green".to_owned());
/// // A conflict if somebody else has changed it since; `modify` is the whole loop.
/// let updated = config_maps.update(&web).await?;
/// # Ok(())
/// # }
/// ```
#[must_use = "a request is sent when it is awaited"]
pub struct Update<C> {
    request: Request,
    options: UpdateOptions,
    answer: PhantomData<fn() -> C>,
}

macro_rules! write_verb {
    ($builder:ident, $options:ident) => {
        impl<C: Codec> $builder<C> {
            /// What is sent may have another codec than what comes back.
            pub(super) fn new<B: Codec>(request: Request, object: &B::Object) -> Self {
                Self { request: request.object::<B>(object), options: $options::default(), answer: PhantomData }
            }

            /// The request, but for what it accepts.
            fn prepared(self) -> Request {
                self.request.with_query(|query| self.options.write(query))
            }
        }

        write_options!($builder, $options);
    };
}

write_verb!(Create, CreateOptions);
write_verb!(Update, UpdateOptions);
