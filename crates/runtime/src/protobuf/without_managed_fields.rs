//! Objects without their `managedFields`, taken out of the bytes before they become anything: they are up to half of an
//! object's bytes and most of the memory that it takes.

use super::{Envelope, Error, Reader, Result, WireType, Writer, envelope};

/// The numbers of the fields on the way: all kinds have their metadata there.
const METADATA: u32 = 1;
const MANAGED_FIELDS: u32 = 17;

/// The same object.
pub fn object_without_managed_fields(body: &[u8]) -> Result<Vec<u8>> {
    let envelope = Envelope::open(body)?;
    envelope::write(envelope.api_version(), envelope.kind(), |writer| {
        writer.reserve(body.len());
        object(envelope.reader(), writer)
    })
}

/// The same item of a list.
pub fn item_without_managed_fields(body: &[u8]) -> Result<Vec<u8>> {
    fields_without_managed_fields(Reader::new(body))
}

/// The fields that the reader has, without those.
pub(super) fn fields_without_managed_fields(reader: Reader<'_>) -> Result<Vec<u8>> {
    let mut writer = Writer::default();
    writer.reserve(reader.rest().len());
    object(reader, &mut writer)?;
    Ok(writer.finish())
}

fn object(reader: Reader<'_>, writer: &mut Writer) -> Result<()> {
    copy(reader, writer, |number, wire, object, writer| match number {
        METADATA => {
            let metadata = object.message(wire)?;
            let leave_out = |number, wire, metadata: &mut Reader<'_>, _: &mut Writer| match number {
                MANAGED_FIELDS => metadata.skip(wire).map(|()| true),
                _ => Ok(false),
            };
            writer.message::<Error>(METADATA, |writer| copy(metadata, writer, leave_out)).map(|()| true)
        }
        _ => Ok(false),
    })
}

/// Copies all fields but those that the function has dealt with.
fn copy<'a>(
    mut reader: Reader<'a>,
    writer: &mut Writer,
    deal_with: impl Fn(u32, WireType, &mut Reader<'a>, &mut Writer) -> Result<bool>,
) -> Result<()> {
    loop {
        let field = reader.rest();
        let Some((number, wire)) = reader.field()? else { return Ok(()) };
        if !deal_with(number, wire, &mut reader, writer)? {
            reader.skip(wire)?;
            writer.raw(&field[..field.len() - reader.rest().len()]);
        }
    }
}

#[cfg(test)]
mod tests {
    use k8s_openapi::{
        api::core::v1 as api,
        apimachinery::pkg::apis::meta::v1::{ManagedFieldsEntry, ObjectMeta},
    };

    use super::*;
    use crate::{message, protobuf};

    message! {
        ConfigMap of api::ConfigMap {
            1 metadata: one Metadata,
            2 data: map protobuf::types::Text,
        }
    }

    message! {
        Metadata of ObjectMeta {
            1 name: one protobuf::types::Text,
            17 managed_fields: many Entry,
            11 labels: map protobuf::types::Text,
        }
    }

    message! {
        Entry of ManagedFieldsEntry {
            1 manager: one protobuf::types::Text,
        }
    }

    fn config_map(managed: bool) -> api::ConfigMap {
        let entry = ManagedFieldsEntry { manager: Some("me".repeat(200)), ..ManagedFieldsEntry::default() };
        api::ConfigMap {
            metadata: ObjectMeta {
                name: Some("web".to_owned()),
                managed_fields: managed.then(|| vec![entry; 2]),
                labels: Some([("a".to_owned(), "b".to_owned())].into()),
                ..ObjectMeta::default()
            },
            data: Some([("17".to_owned(), "x".repeat(300))].into()),
            ..api::ConfigMap::default()
        }
    }

    #[test]
    fn nothing_but_managed_fields_is_left_out() {
        let [with, without] =
            [true, false].map(|managed| protobuf::write_object::<ConfigMap>(&config_map(managed)).unwrap());
        assert_eq!(object_without_managed_fields(&with).unwrap(), without);
        assert_eq!(object_without_managed_fields(&without).unwrap(), without);

        let item = |managed| {
            let mut writer = Writer::default();
            <ConfigMap as protobuf::Message>::write_fields(&config_map(managed), &mut writer).unwrap();
            writer.finish()
        };
        assert_eq!(item_without_managed_fields(&item(true)).unwrap(), item(false));
    }

    #[test]
    fn broken_bytes_are_an_error() {
        let whole = protobuf::write_object::<ConfigMap>(&config_map(true)).unwrap();
        for length in 0..whole.len() {
            assert!(object_without_managed_fields(&whole[..length]).is_err() || length >= 4, "{length}");
        }
        assert!(item_without_managed_fields(b"\x0a\x05").is_err());
    }
}
