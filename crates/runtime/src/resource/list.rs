//! List, whole or page by page.

use std::{
    future::IntoFuture,
    marker::PhantomData,
    pin::Pin,
    task::{Context, Poll},
};

use futures_core::{Stream, stream::BoxStream};
use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use k8s_openapi::serde::de::DeserializeOwned;

use super::{CallFuture, ListOptions, ResourceVersionMatch, call_options, selectors, whole_answer};
use crate::{codec::Listable, error::Result, list::ListStream, object::AnyList as _, rest::Request};

/// How many objects a page has unless [`List::limit`] says otherwise: client-go's pager asks for as many.
const PAGE_SIZE: u32 = 500;

/// Lists objects. Awaiting it gives one answer of the server; [`pages`](List::pages) and [`items`](List::items) go on
/// until there are no more. An object of more than 16 MiB, ten times what kube-apiserver stores, is an error.
///
/// One object that cannot be decoded makes the whole an error, which names it. [`stream`](List::stream) and
/// [`items`](List::items) give a `Result` an object and go on behind it.
///
/// ```no_run
/// # use k8s_client_runtime::{Error, resource::ResourceClient};
/// # use k8s_openapi::api::core::v1::ConfigMap;
/// # async fn example(config_maps: ResourceClient<ConfigMap>) -> Result<(), Error> {
/// let list = config_maps.list().label_selector("app=web").limit(100).await?;
/// for config_map in &list.items {
///     println!("{:?}", config_map.metadata.name);
/// }
/// if list.metadata.continue_.is_some() {
///     println!("and more");
/// }
/// # Ok(())
/// # }
/// ```
#[must_use = "a request is sent when it is awaited"]
pub struct List<K> {
    request: Request,
    options: ListOptions,
    without_managed_fields: bool,
    kind: PhantomData<fn() -> K>,
}

impl<K: Listable> List<K> {
    pub(super) fn new(request: Request) -> Self {
        Self { request, options: ListOptions::default(), without_managed_fields: false, kind: PhantomData }
    }

    /// The most objects in one answer. Default: all, or 500 a page with [`pages`](List::pages).
    pub fn limit(mut self, limit: u32) -> Self {
        self.options.limit = Some(limit);
        self
    }

    /// Goes on where an answer stopped: its `metadata.continue`.
    pub fn continue_token(mut self, token: impl Into<String>) -> Self {
        self.options.continue_token = Some(token.into());
        self
    }

    /// The version that the answer is to have: at least this one, or exactly this one when there is a
    /// [`limit`](List::limit). `"0"` takes whatever the server has in its cache, and ignores the limit. Default: the
    /// newest.
    pub fn resource_version(mut self, resource_version: impl Into<String>) -> Self {
        self.options.resource_version = Some(resource_version.into());
        self
    }

    /// How [`resource_version`](List::resource_version) is meant.
    pub fn resource_version_match(mut self, how: ResourceVersionMatch) -> Self {
        self.options.resource_version_match = Some(how);
        self
    }

    /// How long the server may take, in seconds.
    pub fn timeout_seconds(mut self, seconds: u32) -> Self {
        self.options.timeout_seconds = Some(seconds);
        self
    }

    /// Leaves `metadata.managedFields` out of the objects: who owns which field is up to half of what is sent and, made
    /// into JSON trees, most of the memory of a list. Not for what is to be [extracted](crate::apply::Extract) from. An
    /// object that lacks them can be updated all the same: the server keeps its own.
    ///
    /// The server sends them in any case; they are cut out of the bytes before an object is decoded, which costs next
    /// to nothing. It does not hold for what is read as [JSON of a type of one's own](List::json).
    pub fn without_managed_fields(mut self) -> Self {
        self.without_managed_fields = true;
        self
    }

    /// The same request with objects that another codec reads. Not covered by semver.
    #[doc(hidden)]
    pub fn with_codec<C: Listable>(self) -> List<C> {
        List {
            request: self.request,
            options: self.options,
            without_managed_fields: self.without_managed_fields,
            kind: PhantomData,
        }
    }

    /// The request, but for what it accepts.
    fn prepared(self) -> Request {
        self.request.with_query(|query| self.options.write(query))
    }

    /// Reads page after page, each dropped before the next if you drop it: memory stays that of one page.
    ///
    /// Reading takes as long as you take; when the server has forgotten the version of the first page meanwhile, the
    /// stream ends in an error for which [`must_list_again`](crate::Error::must_list_again) holds; what it gave is
    /// yours already. [`all_pages`](List::all_pages) reads the whole list then.
    ///
    /// ```no_run
    /// # use k8s_client_runtime::{Error, resource::ResourceClient};
    /// # use k8s_openapi::api::core::v1::ConfigMap;
    /// # async fn example(config_maps: ResourceClient<ConfigMap>) -> Result<(), Error> {
    /// let mut pages = config_maps.list().limit(50).pages();
    /// while let Some(page) = pages.try_next().await? {
    ///     println!("{} more", page.items.len());
    /// }
    /// # Ok(())
    /// # }
    /// ```
    pub fn pages(self) -> Pages<K> {
        let url = self.request.url();
        let pages = self.paged(|page| async {
            let page = page.await?;
            let token = page.continue_token().map(str::to_owned);
            Ok((page, token))
        });
        Pages { pages: Box::pin(pages), url }
    }

    /// Reads page after page, and gives all of them as one list: client-go's pager. No answer of the server is large,
    /// which spares both sides a peak of memory, and a list of any length comes within the server's time limit.
    ///
    /// When the server forgets the version of the first page while the others are read, the pages are dropped, and one
    /// request asks for the whole list, with the version that was asked for at first. Whoever gave a
    /// [`continue_token`](List::continue_token) gets the error, since the whole list is more than they lack.
    ///
    /// ```no_run
    /// # use k8s_client_runtime::{Error, resource::ResourceClient};
    /// # use k8s_openapi::api::core::v1::ConfigMap;
    /// # async fn example(config_maps: ResourceClient<ConfigMap>) -> Result<(), Error> {
    /// let list = config_maps.list().all_pages().await?;
    /// println!("{} objects as of {:?}", list.items.len(), list.metadata.resource_version);
    /// # Ok(())
    /// # }
    /// ```
    pub async fn all_pages(mut self) -> Result<K::List> {
        self.options.limit = self.page_size();
        let mut list = self.clone().await?;
        let mut next = list.continue_token().map(str::to_owned);
        while let Some(token) = next {
            let page = match self.clone().after(token).await {
                Err(error) if error.must_list_again() && self.options.continue_token.is_none() => {
                    tracing::info!(%error, "the pages of a list have expired: asking for all of it at once");
                    drop(list);
                    self.options.limit = None;
                    return self.await;
                }
                page => page?,
            };
            next = page.continue_token().map(str::to_owned);
            list.items_mut().extend(page.into_items());
        }
        list.remove_continue_token();
        Ok(list)
    }

    /// The most objects of a page.
    fn page_size(&self) -> Option<u32> {
        self.options.limit.filter(|limit| *limit > 0).or(Some(PAGE_SIZE))
    }

    /// The same request for the page that begins at a token.
    fn after(mut self, token: String) -> Self {
        self.options.continue_token = Some(token);
        // The token carries the version; the server refuses to be told it twice.
        self.options.resource_version = None;
        self.options.resource_version_match = None;
        self
    }

    /// Reads page after page in a way that gives what is wanted of a page and its token for the next.
    fn paged<P, F>(mut self, read: fn(Self) -> F) -> impl Stream<Item = Result<P>>
    where
        F: Future<Output = Result<(P, Option<String>)>>,
    {
        self.options.limit = self.page_size();
        stream::try_unfold(Some(self), move |list| async move {
            let Some(list) = list else { return Ok(None) };
            let (page, token) = read(list.clone()).await?;
            Ok(Some((page, token.map(|token| list.after(token)))))
        })
    }

    /// Sends the one request and reads object after object of its answer as they arrive, so that a list of any size
    /// takes the memory of one object. The list's metadata is there at the end.
    ///
    /// Awaiting it gives the stream once the server has begun to answer. A time limit of the call, or the
    /// configuration's, holds to the end of the stream: bytes that come later are not waited for. The server has a
    /// limit of its own, and breaks off an answer that it could not hand over within its `--request-timeout`, a minute
    /// by default; who takes longer over the objects wants [`items`](List::items). The answer is one state of the
    /// server, whereas pages may expire.
    ///
    /// ```no_run
    /// # use k8s_client_runtime::{Error, resource::ResourceClient};
    /// # use k8s_openapi::api::core::v1::ConfigMap;
    /// # async fn example(config_maps: ResourceClient<ConfigMap>) -> Result<(), Error> {
    /// let mut items = config_maps.list().stream().await?;
    /// while let Some(config_map) = items.try_next().await? {
    ///     println!("{:?}", config_map.metadata.name);
    /// }
    /// let version = items.metadata().and_then(|metadata| metadata.resource_version.as_deref());
    /// println!("as of {version:?}");
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// An object that cannot be decoded is one, and the stream goes on behind it. Any other ends the stream, and a list
    /// that breaks off always ends in one: see [`ListStream`].
    pub async fn stream(self) -> Result<ListStream<K::Object>> {
        let without_managed_fields = self.without_managed_fields;
        Ok(ListStream::new::<K>(self.prepared().accept(K::ACCEPT).list_body().await?, without_managed_fields))
    }

    /// The same as [`stream`](List::stream) with items of a type of your own, which has only the fields that you need:
    /// the rest is passed over without being made into anything. It asks for JSON.
    ///
    /// ```no_run
    /// # use k8s_client_runtime::{Error, resource::ResourceClient};
    /// # use k8s_openapi::api::core::v1::Pod;
    /// # async fn example(pods: ResourceClient<Pod>) -> Result<(), Error> {
    /// #[derive(serde::Deserialize)]
    /// struct Named { metadata: Name }
    /// #[derive(serde::Deserialize)]
    /// struct Name { name: String }
    ///
    /// let mut items = pods.list().stream_json::<Named>().await?;
    /// while let Some(Named { metadata }) = items.try_next().await? {
    ///     println!("{}", metadata.name);
    /// }
    /// # Ok(())
    /// # }
    /// ```
    pub async fn stream_json<T: DeserializeOwned + Send>(self) -> Result<ListStream<T>> {
        Ok(ListStream::of_json::<K>(self.into_request().list_body().await?))
    }

    /// Reads object after object, fetching page after page. See [`pages`](List::pages).
    ///
    /// An object that cannot be decoded is an error that names it, and the stream goes on behind it: see
    /// [`Error::undecodable_object`](crate::Error::undecodable_object).
    pub fn items(self) -> Items<K> {
        let url = self.request.url();
        let pages = self.paged(|page| page.whole(ListStream::collect_each));
        Items { items: Box::pin(pages.map_ok(stream::iter).try_flatten()), url }
    }

    /// Reads one answer at once, and again if its connection is lost in the middle: nobody has seen the items that
    /// came.
    async fn whole<T, F>(self, collect: fn(ListStream<K::Object>) -> F) -> Result<T>
    where
        F: Future<Output = Result<T>>,
    {
        let without_managed_fields = self.without_managed_fields;
        let mut answer = self.prepared().accept(K::ACCEPT).traced_list_body().await?;
        loop {
            let again = answer.again();
            match collect(ListStream::new::<K>(answer.bounded(), without_managed_fields)).await {
                Ok(list) => return Ok(list),
                Err(error) => answer = again(error).await?,
            }
        }
    }
}

selectors!(List, options);
call_options!(List<K: Listable>, ListOptions);
whole_answer!(List<K: Listable>);

impl<K> Clone for List<K> {
    fn clone(&self) -> Self {
        Self { request: self.request.clone(), options: self.options.clone(), ..*self }
    }
}

impl<K: Listable> IntoFuture for List<K> {
    type Output = Result<K::List>;
    type IntoFuture = CallFuture<K::List>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(self.whole(ListStream::collect::<K>))
    }
}

/// A stream of pages: see [`List::pages`].
///
/// ```no_run
/// # use k8s_client_runtime::{Error, resource::ResourceClient};
/// # use k8s_openapi::api::core::v1::ConfigMap;
/// # async fn example(config_maps: ResourceClient<ConfigMap>) -> Result<(), Error> {
/// use futures_util::TryStreamExt;
///
/// // All of a large collection, a thousand objects at a time.
/// let pages = config_maps.list().limit(1000).pages();
/// let count = pages.try_fold(0, async |count, page| Ok(count + page.items.len())).await?;
/// println!("{count} objects");
/// # Ok(())
/// # }
/// ```
#[must_use = "a stream does nothing until it is polled"]
pub struct Pages<K: Listable> {
    pages: BoxStream<'static, Result<K::List>>,
    url: String,
}

/// A stream of objects: see [`List::items`].
///
/// ```no_run
/// # use k8s_client_runtime::{Error, resource::ResourceClient};
/// # use k8s_openapi::api::core::v1::ConfigMap;
/// # async fn example(config_maps: ResourceClient<ConfigMap>) -> Result<(), Error> {
/// let mut items = config_maps.list().label_selector("app=web").items();
/// while let Some(config_map) = items.try_next().await? {
///     println!("{:?}", config_map.metadata.name);
/// }
/// # Ok(())
/// # }
/// ```
#[must_use = "a stream does nothing until it is polled"]
pub struct Items<K: Listable> {
    items: BoxStream<'static, Result<K::Object>>,
    url: String,
}

impl<K: Listable> Pages<K> {
    /// The next page, or `None` after the last.
    pub async fn try_next(&mut self) -> Result<Option<K::List>> {
        self.pages.try_next().await
    }
}

impl<K: Listable> Items<K> {
    /// The next object, or `None` after the last.
    pub async fn try_next(&mut self) -> Result<Option<K::Object>> {
        self.items.try_next().await
    }
}

impl<K: Listable> Stream for Pages<K> {
    type Item = Result<K::List>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.pages.poll_next_unpin(context)
    }
}

impl<K: Listable> Stream for Items<K> {
    type Item = Result<K::Object>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.items.poll_next_unpin(context)
    }
}

impl<K: Listable> std::fmt::Debug for Pages<K> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Pages({})", self.url)
    }
}

impl<K: Listable> std::fmt::Debug for Items<K> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Items({})", self.url)
    }
}
