//! The differences that are known, each with its reason. What is not here is a fault of the fake server.

use serde_json::Value;

/// A difference that is known.
struct Known {
    /// Why it is left.
    #[expect(dead_code, reason = "it is for readers")]
    reason: &'static str,
    /// Takes what may differ out of an answer or an event.
    forget: fn(&mut Value),
}

const KNOWN: [Known; 6] = [
    Known {
        reason: "what the server says of the columns that all kinds have is the documentation of their fields",
        forget: |answer| {
            let columns = answer.pointer_mut("/body/columnDefinitions").and_then(Value::as_array_mut);
            let of_all = |column: &&mut Value| matches!(column["name"].as_str(), Some("Name" | "Age" | "Created At"));
            for column in columns.into_iter().flatten().filter(of_all) {
                column["description"] = Value::Null;
            }
        },
    },
    Known {
        reason: "where a label selector cannot be read, the client's parser says so in words of its own",
        forget: |answer| {
            if let Some(Value::String(message)) = answer.pointer_mut("/body/message")
                && ["unable to parse requirement: ", "found '"].iter().any(|start| message.starts_with(start))
            {
                "unable to parse requirement".clone_into(message);
            }
        },
    },
    Known {
        reason: "a patched object that cannot be read is shown in the order of Go's structs, of which nothing is known",
        forget: |answer| {
            let causes = answer.pointer_mut("/body/details/causes").and_then(Value::as_array_mut);
            let mut is_patch = false;
            for cause in causes.into_iter().flatten().filter(|cause| cause["field"] == "patch") {
                is_patch = true;
                without_document(&mut cause["message"]);
            }
            if let Some(message) = answer.pointer_mut("/body/message").filter(|_| is_patch) {
                without_document(message);
            }
        },
    },
    Known {
        reason: "a service without a name is refused for the address that it was given before anybody looked at its name",
        forget: |answer| {
            let is_it = answer.pointer("/body/message").and_then(Value::as_str);
            if is_it.is_some_and(|message| message.starts_with("Service \"\" is invalid: ")) {
                answer["body"]["message"] = Value::Null;
                answer["body"]["details"] = Value::Null;
            }
        },
    },
    Known {
        reason: "what has changed of a spec that cannot is shown as Go's structs, of which nothing is known",
        forget: |answer| {
            let causes = answer.pointer_mut("/body/details/causes").and_then(Value::as_array_mut);
            let mut has_document = false;
            for cause in causes.into_iter().flatten() {
                let Some(message) = cause["message"].as_str() else { continue };
                let is_value = ["Invalid value: {", "Invalid value: ["].iter().any(|start| message.starts_with(start));
                // Some are shown line by line behind these sentences.
                let sentences = ["pod updates may not change fields", "spec.persistentvolumesource is immutable"];
                has_document |= is_value || sentences.iter().any(|sentence| message.contains(sentence));
                let end = if is_value { "Invalid value:".len() } else { message.find('\n').unwrap_or(message.len()) };
                cause["message"] = message[..end].into();
            }
            if has_document {
                answer["body"]["message"] = Value::Null;
            }
        },
    },
    Known {
        reason: "the claims of a StatefulSet come to who sends `1024Mi` where the server keeps `1Gi`, and nobody knows why",
        forget: |answer| forget_field(answer, "f:volumeClaimTemplates"),
    },
];

/// Takes a field of this name out of whatever has it.
fn forget_field(value: &mut Value, name: &str) {
    match value {
        Value::Object(members) => {
            members.remove(name);
            members.values_mut().for_each(|member| forget_field(member, name));
        }
        Value::Array(items) => items.iter_mut().for_each(|item| forget_field(item, name)),
        _ => {}
    }
}

/// Takes the document out of `Invalid value: "{…}": what is wrong`.
fn without_document(message: &mut Value) {
    let Some(text) = message.as_str() else { return };
    if let (Some(start), Some(end)) = (text.find("\"{"), text.rfind("}\": ")) {
        *message = format!("{}…{}", &text[..start], &text[end + 2..]).into();
    }
}

/// Two answers without what is known to differ. Where they are the same, nothing is taken out.
pub(crate) fn without(mut real: Value, mut fake: Value) -> (Value, Value) {
    for known in &KNOWN {
        if real == fake {
            break;
        }
        (known.forget)(&mut real);
        (known.forget)(&mut fake);
    }
    (real, fake)
}
