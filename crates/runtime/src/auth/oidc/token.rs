//! What a client reads of an ID token: when it ends.

use std::time::Duration;

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use k8s_openapi::jiff::Timestamp;
use serde_json::Value;

/// client-go's: a token is renewed so long before its end that it does not end on its way.
const LEEWAY: Duration = Duration::from_secs(10);

/// Until when a token is to be used. One that does not say has ended. The server alone checks the rest of it.
pub(super) fn good_until(id_token: &str) -> Result<Timestamp, &'static str> {
    let mut parts = id_token.split('.');
    let (Some(_), Some(claims), Some(_), None) = (parts.next(), parts.next(), parts.next(), parts.next()) else {
        return Err("is not a JSON Web Token");
    };
    let claims = BASE64_URL_SAFE_NO_PAD.decode(claims.trim_end_matches('=')).map_err(|_| "is not a JSON Web Token")?;
    let claims: Value = serde_json::from_slice(&claims).map_err(|_| "is not a JSON Web Token")?;
    let end = match claims.get("exp") {
        None | Some(Value::Null) => return Ok(Timestamp::MIN),
        Some(end) => end.as_f64().ok_or("has a claim `exp` that is not a number")?,
    };
    #[expect(clippy::cast_possible_truncation, reason = "parts of a second do not matter, and it saturates")]
    let second = end as i64;
    // Beyond what a timestamp can say lie ages past and ages to come.
    let end = Timestamp::from_second(second).unwrap_or(if second < 0 { Timestamp::MIN } else { Timestamp::MAX });
    Ok(end.checked_sub(LEEWAY).unwrap_or(Timestamp::MIN))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn token(claims: &str) -> String {
        format!("e30.{}.c2ln", BASE64_URL_SAFE_NO_PAD.encode(claims))
    }

    #[test]
    fn a_token_is_good_until_ten_seconds_before_its_end() {
        let at = |second| Timestamp::from_second(second).unwrap();
        assert_eq!(good_until(&token(r#"{"exp":1700000000}"#)).unwrap(), at(1_699_999_990));
        assert_eq!(good_until(&token(r#"{"exp":1.7e9}"#)).unwrap(), at(1_699_999_990));
        assert!(good_until(&token(r#"{"exp":1e300}"#)).unwrap() > at(1_000_000_000_000 / 10));
        assert_eq!(good_until(&token(r#"{"exp":-1e300}"#)).unwrap(), Timestamp::MIN);
        assert_eq!(good_until(&token("{}")).unwrap(), Timestamp::MIN);
    }

    #[test]
    fn what_is_no_token_is_an_error() {
        for wrong in ["", "secret", "a.b", "a.!.c", "a.e30.c.d", &token("["), &token(r#"{"exp":"soon"}"#)] {
            assert!(good_until(wrong).is_err(), "{wrong}");
        }
    }

    proptest! {
        #[test]
        fn no_text_makes_it_panic(text in "\\PC*", claims in "\\{(\"exp\":-?[0-9]{1,30}(e[0-9]{1,3})?)?\\}?") {
            let _ = good_until(&text);
            let _ = good_until(&token(&claims));
        }
    }
}
