use k8s_openapi::apimachinery::pkg::apis::meta::v1::{LabelSelector, LabelSelectorRequirement};
use proptest::prelude::*;

use super::*;

fn parsed(text: &str) -> Selector {
    text.parse().unwrap_or_else(|error| panic!("{error}"))
}

#[test]
fn label_selectors_are_read_as_kubernetes_reads_them() {
    for (text, printed) in [
        ("", ""),
        ("  ", ""),
        ("x=a,y=b,z=c", "x=a,y=b,z=c"),
        ("z=c,x=a", "x=a,z=c"),
        ("x==a", "x=a"),
        ("x!=a,y=b", "x!=a,y=b"),
        ("x=", "x="),
        ("x= ,y= ", "x=,y="),
        ("x=,z= ", "x=,z="),
        ("x= a", "x=a"),
        (" x = a ", "x=a"),
        ("x in (a)", "x in (a)"),
        ("x in (c,a,b,a)", "x in (a,b,c)"),
        ("x in ()", "x in ()"),
        ("x in (,)", "x in ()"),
        ("x in (a,,b)", "x in (,a,b)"),
        ("x in (a,)", "x in (,a)"),
        ("x notin (a , b)", "x notin (a,b)"),
        ("x", "x"),
        ("!x", "!x"),
        ("! x,y", "!x,y"),
        ("x>1", "x>1"),
        ("x < 7", "x<7"),
        ("x>1,x<7", "x>1,x<7"),
        ("in in (in,notin),notin=in", "in in (in,notin),notin=in"),
        ("example.com/a-b_c=1.0_x", "example.com/a-b_c=1.0_x"),
        ("x=a,x=a", "x=a"),
    ] {
        assert_eq!(parsed(text).to_string(), printed, "{text:?}");
    }
}

#[test]
fn invalid_label_selectors_show_the_place() {
    for (text, problem) in [
        ("x=a||y=b", "the value \"a||y\" of \"x\""),
        ("x==a==b", "expected ',' or the end, at column 5 (\"==b\")"),
        ("!x=a", "expected ',' or the end, at column 3 (\"=a\")"),
        ("x<", "\"\" is not an integer, so \"x\" cannot be compared with it, at column 1"),
        ("x>1.5", "\"1.5\" is not an integer"),
        ("x=(a)", "expected a value, at column 3 (\"(a)\")"),
        ("x in a", "expected '(', at column 6 (\"a\")"),
        ("x in (a", "expected ',' or ')', at column 8 (the end)"),
        ("x in (a b)", "expected ',' or ')', at column 9 (\"b)\")"),
        ("x in (", "expected a value, ',' or ')', at column 7 (the end)"),
        ("x foo (a)", "expected '=', '==', '!=', '<', '>', 'in' or 'notin', at column 3"),
        ("x,", "expected a key, at column 3 (the end)"),
        (",x", "expected a key, at column 1"),
        ("x,,y", "expected a key, at column 3 (\",y\")"),
        ("=a", "expected a key"),
        ("ä=a", "the key \"ä\" is not valid"),
        ("x=ä, y", "the value \"ä\" of \"x\" is not valid"),
        ("A.example/x", "the prefix \"A.example\" of the key \"A.example/x\""),
        ("a/b/c", "the key \"a/b/c\" is not valid"),
        ("/x", "the prefix \"\""),
        ("-x", "the key \"-x\" is not valid"),
    ] {
        let error = text.parse::<Selector>().expect_err(text).to_string();
        assert!(error.starts_with(&format!("invalid label selector {text:?}: ")), "{error}");
        assert!(error.contains(problem), "{error} should say {problem}");
    }
    let long = "x".repeat(64);
    assert!(format!("k={long}").parse::<Selector>().is_err());
    assert!(long.parse::<Selector>().is_err());
}

#[test]
fn labels_are_matched_as_a_server_matches_them() {
    let labels = [("app", "web"), ("tier", "front"), ("size", "10"), ("empty", "")];
    for (text, expected) in [
        ("", true),
        ("app=web", true),
        ("app=db", false),
        ("app!=db", true),
        ("missing!=db", true),
        ("missing=", false),
        ("empty=", true),
        ("app in (db,web)", true),
        ("app notin (db,web)", false),
        ("missing notin (a)", true),
        ("missing in ()", false),
        ("empty in ()", true),
        ("app", true),
        ("missing", false),
        ("!missing", true),
        ("!app", false),
        ("size>9", true),
        ("size>10", false),
        ("size<11", true),
        ("app>1", false),
        ("missing<1", false),
        ("app=web,size>100", false),
    ] {
        assert_eq!(parsed(text).matches(labels), expected, "{text:?}");
    }
    assert!(!Selector::nothing().matches(labels) && !parsed(&Selector::nothing().to_string()).matches(labels));
}

#[test]
fn expressions_of_a_label_selector_are_not_lost() {
    let expression = |key: &str, operator: &str, values: &[&str]| LabelSelectorRequirement {
        key: key.to_owned(),
        operator: operator.to_owned(),
        values: (!values.is_empty()).then(|| values.iter().map(|value| (*value).to_owned()).collect()),
    };
    let selector = LabelSelector {
        match_labels: Some([("app".to_owned(), "web".to_owned())].into()),
        match_expressions: Some(vec![
            expression("tier", "In", &["b", "a"]),
            expression("zone", "NotIn", &["x"]),
            expression("there", "Exists", &[]),
            expression("gone", "DoesNotExist", &[]),
        ]),
    };
    let converted = Selector::try_from(&selector).expect("it is valid");
    assert_eq!(converted.to_string(), "app=web,!gone,there,tier in (a,b),zone notin (x)");
    assert!(Selector::try_from(&LabelSelector::default()).expect("it is valid").is_everything());
    for (expression, problem) in [
        (expression("a", "Gt", &["1"]), "\"Gt\" is not an operator of matchExpressions"),
        (expression("a", "In", &[]), "\"a\" has no values"),
        (expression("", "Exists", &[]), "the key \"\" is not valid"),
    ] {
        let selector = LabelSelector { match_expressions: Some(vec![expression]), ..LabelSelector::default() };
        let error = Selector::try_from(&selector).expect_err(problem).to_string();
        assert!(error.contains(problem), "{error}");
    }
}

#[test]
fn field_selectors_are_read_as_kubernetes_reads_them() {
    for (text, printed) in [
        ("", ""),
        ("x=a", "x=a"),
        ("x==a", "x=a"),
        ("x!=a,y=", "x!=a,y="),
        (",x=a,", "x=a"),
        (r"x=a\,b,y=c\=d\\", r"x=a\,b,y=c\=d\\"),
        ("x=ä", "x=ä"),
    ] {
        let selector: FieldSelector = text.parse().unwrap_or_else(|error| panic!("{error}"));
        assert_eq!(selector.to_string(), printed, "{text:?}");
    }
    for (text, problem) in [
        ("x", "expected '=', '==' or '!=' after the field, at column 1"),
        ("y=1,x", "at column 5 (\"x\")"),
        ("x=a=b", r"a '=' in a value must be written as '\=', at column 4"),
        (r"x=a\b", "a backslash must stand before"),
        (r"x=a\", "a backslash must stand before"),
    ] {
        let error = text.parse::<FieldSelector>().expect_err(text).to_string();
        assert!(error.contains(problem), "{error} should say {problem}");
    }
}

proptest! {
    #[test]
    fn any_text_is_a_selector_that_prints_itself_or_an_error(text in "[a-c=!<>(), \\\\é1in]{0,24}") {
        if let Ok(selector) = text.parse::<Selector>() {
            prop_assert_eq!(&parsed(&selector.to_string()), &selector);
        } else if let Err(error) = text.parse::<Selector>() {
            prop_assert!(error.offset().is_some_and(|offset| offset <= text.len()), "{}", error);
        }
        if let Ok(selector) = text.parse::<FieldSelector>() {
            prop_assert_eq!(selector.to_string().parse::<FieldSelector>(), Ok(selector));
        }
    }
}
