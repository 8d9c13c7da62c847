//! What setters take for types of k8s-openapi that nothing converts into: a text for a quantity, a number for a port.

use k8s_openapi::{
    ByteString,
    apimachinery::pkg::{api::resource::Quantity, util::intstr::IntOrString},
};

/// What a setter takes for one of k8s-openapi's types: the type itself, and what people write for it.
macro_rules! natural {
    ($(#[$docs:meta])* $taken:ident of $type:ident, $($from:ty: |$value:ident| $into:expr),* $(,)?) => {
        $(#[$docs])*
        #[derive(Clone, Debug)]
        pub struct $taken($type);

        impl From<$taken> for $type {
            fn from(taken: $taken) -> Self {
                taken.0
            }
        }

        impl From<$type> for $taken {
            fn from(value: $type) -> Self {
                Self(value)
            }
        }

        $(
            impl From<$from> for $taken {
                fn from($value: $from) -> Self {
                    Self($into)
                }
            }
        )*
    };
}

natural! {
    /// A [`Quantity`], its text such as `"100m"` or `"1Gi"`, or a whole number.
    AsQuantity of Quantity,
    &str: |text| Quantity(text.to_owned()),
    String: |text| Quantity(text),
    i32: |number| Quantity(number.to_string()),
    i64: |number| Quantity(number.to_string()),
}

natural! {
    /// An [`IntOrString`]: a number such as `80`, or a text such as `"http"` or `"25%"`.
    AsIntOrString of IntOrString,
    &str: |text| IntOrString::String(text.to_owned()),
    String: |text| IntOrString::String(text),
    i32: |number| IntOrString::Int(number),
}

natural! {
    /// A [`ByteString`]: bytes or text, without base64.
    AsByteString of ByteString,
    &str: |text| ByteString(text.as_bytes().to_vec()),
    String: |text| ByteString(text.into_bytes()),
    &[u8]: |bytes| ByteString(bytes.to_vec()),
    Vec<u8>: |bytes| ByteString(bytes),
}

#[cfg(test)]
mod tests {
    use super::super::{list, map};
    use super::*;

    #[test]
    fn people_write_quantities_ports_and_secrets_as_they_are() {
        let limits = map::<AsQuantity, Quantity>([("cpu", "100m"), ("memory", "1Gi")]).unwrap();
        assert_eq!(limits["cpu"], Quantity("100m".to_owned()));
        assert_eq!(list::<AsQuantity, Quantity>([2]), Some(vec![Quantity("2".to_owned())]));
        assert_eq!(IntOrString::from(AsIntOrString::from(80)), IntOrString::Int(80));
        assert_eq!(IntOrString::from(AsIntOrString::from("http")), IntOrString::String("http".to_owned()));
        let data = map::<AsByteString, ByteString>([("key", "text")]).unwrap();
        assert_eq!(data["key"], ByteString(b"text".to_vec()));
        let typed = Quantity("3".to_owned());
        assert_eq!(Quantity::from(AsQuantity::from(typed.clone())), typed);
    }
}
