//! Get.

use std::{future::IntoFuture, marker::PhantomData};

use super::{CallFuture, GetOptions, call_options, execute, whole_answer};
use crate::{codec::Codec, rest::Request};

/// Reads one object. Awaiting it gives the object.
///
/// ```no_run
/// # use k8s_client_runtime::{Error, resource::ResourceClient};
/// # use k8s_openapi::api::core::v1::ConfigMap;
/// # async fn example(config_maps: ResourceClient<ConfigMap>) -> Result<(), Error> {
/// match config_maps.get("web").await {
///     Ok(web) => println!("{:?}", web.data),
///     Err(error) if error.is_not_found() => println!("there is none"),
///     Err(error) => return Err(error),
/// }
/// # Ok(())
/// # }
/// ```
#[must_use = "a request is sent when it is awaited"]
pub struct Get<C> {
    request: Request,
    options: GetOptions,
    codec: PhantomData<fn() -> C>,
}

impl<C: Codec> Get<C> {
    pub(super) fn new(request: Request) -> Self {
        Self { request, options: GetOptions::default(), codec: PhantomData }
    }

    /// Reads a state at least as new as this version; `"0"` takes what the server has in its cache. Default: the
    /// newest.
    pub fn resource_version(mut self, resource_version: impl Into<String>) -> Self {
        self.options.resource_version = Some(resource_version.into());
        self
    }

    /// The request, but for what it accepts.
    fn prepared(self) -> Request {
        self.request.with_query(|query| self.options.write(query))
    }
}

call_options!(Get<C: Codec>, GetOptions);
whole_answer!(Get<C: Codec>);

impl<C: Codec> IntoFuture for Get<C> {
    type Output = crate::Result<C::Object>;
    type IntoFuture = CallFuture<C::Object>;

    fn into_future(self) -> Self::IntoFuture {
        execute::<C>(self.prepared())
    }
}
