//! Create and Update: the verbs that send a whole object.

use std::{future::IntoFuture, marker::PhantomData};

use super::{Answering, CreateOptions, FieldValidation, UpdateOptions, call_options, execute};
use crate::{codec, codec::Codec, rest::Request};

/// Creates an object. Awaiting it gives the object as the server stored it.
///
/// A create is never sent twice by the client.
#[must_use = "a request is sent when it is awaited"]
pub struct Create<C> {
    request: Request,
    options: CreateOptions,
    answer: PhantomData<fn() -> C>,
}

/// Replaces an object. Awaiting it gives the object as the server stored it.
#[must_use = "a request is sent when it is awaited"]
pub struct Update<C> {
    request: Request,
    options: UpdateOptions,
    answer: PhantomData<fn() -> C>,
}

macro_rules! write_verb {
    ($builder:ident, $options:ident) => {
        impl<C: Codec> $builder<C> {
            pub(super) fn new(request: Request, body: codec::Result<Vec<u8>>) -> Self {
                let request = request.encoded(codec::MediaType::Json.as_str(), body);
                Self { request, options: $options::default(), answer: PhantomData }
            }

            /// Names who writes, for field ownership: at most 128 printable characters. Default: the server takes the
            /// front of the User-Agent.
            pub fn field_manager(mut self, field_manager: impl Into<String>) -> Self {
                self.options.field_manager = Some(field_manager.into());
                self
            }

            /// Goes through all stages of the request but stores nothing.
            pub fn dry_run(mut self) -> Self {
                self.options.dry_run = true;
                self
            }

            /// What the server does about unknown and duplicate fields. Default: the server warns.
            pub fn field_validation(mut self, field_validation: FieldValidation) -> Self {
                self.options.field_validation = Some(field_validation);
                self
            }

            /// The plain request.
            pub fn into_request(self) -> Request {
                self.request.with_query(|query| self.options.write(query)).accept(C::ACCEPT)
            }
        }

        call_options!($builder<C: Codec>, $options);

        impl<C: Codec> IntoFuture for $builder<C> {
            type Output = crate::Result<C::Object>;
            type IntoFuture = Answering<C::Object>;

            fn into_future(self) -> Self::IntoFuture {
                execute::<C>(self.into_request())
            }
        }
    };
}

write_verb!(Create, CreateOptions);
write_verb!(Update, UpdateOptions);
