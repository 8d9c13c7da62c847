//! JSON and protobuf are the same: of every kind, objects with something in every field, and objects with anything in
//! any, held against each other and against what Kubernetes' own codecs make of them.

use std::{collections::BTreeSet, process::Command};

use base64::{Engine as _, engine::general_purpose::STANDARD as BASE64};
use fastrand::Rng;
use k8s_client::{
    Clientset, Codec, Config,
    apply::{Applicable, Extract},
    resource::{Applies, Creates, Deletes, Gets, Lists, Patches, Updates, Watches},
};
use k8s_client_integration_tests::{Filling, TestResult, ask, filled};
use k8s_openapi::serde::{Deserialize, Serialize, de::DeserializeOwned};
use serde_json::{Value, json};

use super::{Comparable, Resource, Visitor, generated};

/// How many objects of each kind have something in every field, and how many have anything in any.
const FULL: usize = 3;
const ANY: usize = 12;

/// The seed of the objects, unless `K8S_CLIENT_CODECS_SEED` names another.
const SEED: u64 = 7;

#[tokio::test]
async fn json_and_protobuf_of_every_kind_are_the_same() -> TestResult {
    let seed = std::env::var("K8S_CLIENT_CODECS_SEED").map_or(Ok(SEED), |seed| seed.parse())?;
    println!("K8S_CLIENT_CODECS_SEED={seed}");
    // Nothing is sent.
    let client = Clientset::new(&Config::new("http://127.0.0.1:1")?)?;
    let mut codecs = Codecs { rng: Rng::with_seed(seed), ..Codecs::default() };
    Box::pin(generated::visit(&client, "default", &mut codecs)).await;
    let Codecs { kinds, questions, mut problems, .. } = codecs;
    assert!(kinds.len() > 80, "these were all kinds: {kinds:?}");
    println!("{} kinds, {} objects came back from protobuf as they were", kinds.len(), kinds.len() * FULL);

    match k8s_client_test_harness::build_transcode()? {
        None => println!("not compared with Kubernetes' codecs: Go, which builds the program for it, is not installed"),
        Some(program) => problems.extend(compare(Command::new(program), &questions)?),
    }
    assert!(problems.is_empty(), "{} problems:\n{}", problems.len(), problems.join("\n"));
    Ok(())
}

/// Makes up objects of each kind that it is shown.
#[derive(Default)]
struct Codecs {
    rng: Rng,
    kinds: BTreeSet<(&'static str, &'static str)>,
    questions: Vec<Question>,
    problems: Vec<String>,
}

/// An object for Kubernetes' codecs, in both forms.
struct Question {
    api_version: &'static str,
    kind: &'static str,
    json: Vec<u8>,
    protobuf: Vec<u8>,
    /// Decodes both forms of another object; they should be equal.
    differ: fn(&[u8], &[u8]) -> Option<String>,
}

impl Codecs {
    fn kind<K: Codec<Object: Comparable>>(&mut self, resource: &Resource) {
        if !self.kinds.insert((resource.api_version, resource.kind)) {
            return;
        }
        for index in 0..FULL + ANY {
            let filling = if index < FULL { Filling::Everything } else { Filling::Anything };
            let object: K::Object = filled(filling, &mut self.rng);
            if let Err(problem) = self.object::<K>(resource, filling, &object) {
                self.problems.push(format!("{} {}: {problem}", resource.api_version, resource.kind));
            }
        }
    }

    fn object<K: Codec<Object: Comparable>>(
        &mut self,
        resource: &Resource,
        filling: Filling,
        object: &K::Object,
    ) -> TestResult {
        let (json, protobuf) = (K::encode_json(object)?, K::encode_protobuf(object)?);
        if filling == Filling::Everything {
            if K::decode_json(&json)? != *object {
                return Err("it did not come back from JSON".into());
            }
            if let Some(difference) = difference(object, &K::decode_protobuf(&protobuf)?) {
                return Err(format!("it did not come back from protobuf: {difference}").into());
            }
        }
        // Whatever becomes of the bytes on the way, they are an object or an error.
        for _ in 0..20 {
            let mut damaged = protobuf.clone();
            let place = self.rng.usize(..damaged.len());
            if self.rng.bool() {
                damaged.truncate(place);
            } else {
                damaged[place] = self.rng.u8(..);
            }
            let _ = K::decode_protobuf(&damaged);
        }
        self.questions.push(Question {
            api_version: resource.api_version,
            kind: resource.kind,
            json,
            protobuf,
            differ: differ::<K>,
        });
        Ok(())
    }
}

/// Where two forms of one object differ.
fn differ<K: Codec<Object: Comparable>>(json: &[u8], protobuf: &[u8]) -> Option<String> {
    match (K::decode_json(json), K::decode_protobuf(protobuf)) {
        (Ok(json), Ok(protobuf)) => difference(&json, &protobuf),
        (Err(error), _) => Some(format!("JSON: {error}")),
        (_, Err(error)) => Some(format!("protobuf: {error}")),
    }
}

/// The first place where two objects differ.
pub(crate) fn difference<T: Comparable>(one: &T, other: &T) -> Option<String> {
    if one == other {
        return None;
    }
    let (one, other) = (format!("{one:#?}"), format!("{other:#?}"));
    let lines = one.lines().zip(other.lines()).enumerate().find(|(_, (one, other))| one != other);
    let around =
        |text: &str, index: usize| text.lines().skip(index.saturating_sub(3)).take(6).collect::<Vec<_>>().join("\n");
    lines.map(|(index, _)| format!("\n{}\nin place of\n{}", around(&other, index), around(&one, index)))
}

#[derive(Deserialize)]
#[serde(crate = "k8s_openapi::serde")]
struct Answer {
    #[serde(default)]
    json: Value,
    #[serde(default)]
    protobuf: String,
    #[serde(default)]
    error: String,
}

/// Asks Kubernetes' codecs for both forms of each object, once of the JSON and once of the protobuf.
fn compare(program: Command, questions: &[Question]) -> TestResult<Vec<String>> {
    let bodies = questions.iter().flat_map(|question| [&question.json, &question.protobuf]);
    let answers: Vec<Answer> = ask(program, bodies.map(|body| json!({ "body": BASE64.encode(body) })))?;
    let (mut problems, mut compared) = (Vec::new(), 0);
    for (question, answers) in questions.iter().zip(answers.chunks(2)) {
        let [of_json, of_protobuf] = answers else { return Err("an answer is missing".into()) };
        let mut problem = |problem: &str| {
            problems.push(format!("{} {}: {problem}", question.api_version, question.kind));
        };
        if let Some(error) = [of_json, of_protobuf].into_iter().map(|it| &it.error).find(|error| !error.is_empty()) {
            // A required amount that is left out is empty text in k8s-openapi, which is no amount.
            let is_no_amount = error.contains("quantities must match");
            // It has the types of the newest version.
            let is_no_kind = !cfg!(feature = "latest") && error.contains("no kind");
            if !is_no_amount && !is_no_kind {
                problem(error);
            }
            continue;
        }
        compared += 1;
        let [json_as_read, protobuf_as_read] =
            [of_json, of_protobuf].map(|answer| without_what_protobuf_lacks(&answer.json, true));
        if json_as_read != protobuf_as_read {
            let [of_json, of_protobuf] = [json_as_read, protobuf_as_read].map(|json| format!("{json:#}"));
            let difference = of_json.lines().zip(of_protobuf.lines()).find(|(one, other)| one != other);
            problem(&format!("Kubernetes reads our JSON and our protobuf differently: {difference:?}"));
        }
        for answer in [of_json, of_protobuf] {
            let (json, protobuf) = (serde_json::to_vec(&answer.json)?, BASE64.decode(&answer.protobuf)?);
            if let Some(difference) = (question.differ)(&json, &protobuf) {
                problem(&format!("Kubernetes' protobuf is not what its JSON is: {difference}"));
            }
        }
    }
    println!("{compared} objects are the same to Kubernetes");
    if compared < questions.len() / 2 {
        problems.push(format!("only {compared} of {} objects were compared", questions.len()));
    }
    Ok(problems)
}

/// JSON without what no client can say in protobuf: that a list is empty rather than not there, and of what kind an
/// object inside another one is.
fn without_what_protobuf_lacks(json: &Value, is_whole: bool) -> Value {
    match json {
        Value::Object(fields) => {
            let names_itself = !is_whole && fields.contains_key("metadata");
            let said = fields.iter().filter(|(name, value)| {
                !value.is_null()
                    && **value != json!([])
                    && !(names_itself && ["apiVersion", "kind"].contains(&name.as_str()))
            });
            said.map(|(name, value)| (name.clone(), without_what_protobuf_lacks(value, false))).collect()
        }
        Value::Array(items) => items.iter().map(|item| without_what_protobuf_lacks(item, false)).collect(),
        _ => json.clone(),
    }
}

impl Visitor for Codecs {
    async fn create<C: Creates<Kind: Codec<Object: Comparable>>>(&mut self, resource: &Resource, _: &C) {
        self.kind::<C::Kind>(resource);
    }

    async fn get<C: Gets<Kind: Codec<Object: Comparable>>>(&mut self, resource: &Resource, _: &C) {
        self.kind::<C::Kind>(resource);
    }

    async fn list<C: Lists<Kind: Codec<Object: Comparable>>>(&mut self, resource: &Resource, _: &C) {
        self.kind::<C::Kind>(resource);
    }

    async fn watch<C: Watches>(&mut self, _: &Resource, _: &C) {}

    async fn update<C: Updates>(&mut self, _: &Resource, _: &C) {}

    async fn patch<C: Patches>(&mut self, _: &Resource, _: &C) {}

    async fn apply<A, C>(&mut self, _: &Resource, _: &C)
    where
        A: Extract<Kind = C::Kind> + Applicable<C::Kind> + Serialize + DeserializeOwned,
        C: Applies + Gets + Deletes,
    {
    }

    async fn delete<C: Deletes>(&mut self, _: &Resource, _: &C) {}
}
