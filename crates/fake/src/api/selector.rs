//! What the server says of a selector of labels that it cannot read.

use super::validate::{label_value_problems, qualified_name_problem};

/// The operators of two sides, as they are listed.
const OPERATORS: &str = "in, notin, =, ==, !=, gt, lt";

/// A word, or symbols; nothing at the end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Token<'a> {
    Word(&'a str),
    Symbol(&'a str),
    End,
}

impl<'a> Token<'a> {
    fn text(self) -> &'a str {
        match self {
            Self::Word(text) | Self::Symbol(text) => text,
            Self::End => "",
        }
    }

    /// `in` and `notin` are operators only where one is expected.
    fn is_word(self) -> bool {
        matches!(self, Self::Word(_))
    }
}

/// What is wrong with a selector, in the server's words; `None` if that is not to be seen from its text alone.
pub(super) fn problem(text: &str) -> Option<String> {
    let mut tokens = Tokens { rest: text };
    loop {
        match tokens.peek() {
            Token::End => return None,
            Token::Word(_) | Token::Symbol("!") => {
                if let Err(problem) = tokens.requirement() {
                    return Some(format!("unable to parse requirement: {problem}"));
                }
                match tokens.next() {
                    Token::End => return None,
                    Token::Symbol(",") => {
                        let next = tokens.peek();
                        if !next.is_word() && next != Token::Symbol("!") {
                            return Some(format!("found '{}', expected: identifier after ','", next.text()));
                        }
                    }
                    other => return Some(format!("found '{}', expected: ',' or 'end of string'", other.text())),
                }
            }
            Token::Symbol(other) => {
                return Some(format!("found '{other}', expected: !, identifier, or 'end of string'"));
            }
        }
    }
}

struct Tokens<'a> {
    rest: &'a str,
}

impl<'a> Tokens<'a> {
    fn peek(&self) -> Token<'a> {
        Tokens { rest: self.rest }.next()
    }

    fn next(&mut self) -> Token<'a> {
        let is_symbol = |character: char| "=!(),><".contains(character);
        let is_blank = |character: char| " \t\r\n".contains(character);
        let rest = self.rest.trim_start_matches(is_blank);
        let symbols = ["!=", "==", "=", "!", "(", ")", ",", ">", "<"];
        let (token, length) = match symbols.into_iter().find(|symbol| rest.starts_with(symbol)) {
            _ if rest.is_empty() => (Token::End, 0),
            Some(symbol) => (Token::Symbol(&rest[..symbol.len()]), symbol.len()),
            None => {
                let end = rest.find(|character| is_symbol(character) || is_blank(character)).unwrap_or(rest.len());
                (Token::Word(&rest[..end]), end)
            }
        };
        self.rest = &rest[length..];
        token
    }

    fn requirement(&mut self) -> Result<(), String> {
        let mut token = self.next();
        let is_absence = token == Token::Symbol("!");
        if is_absence {
            token = self.next();
        }
        let Token::Word(key) = token else { return Err(format!("found '{}', expected: identifier", token.text())) };
        if let Some(problem) = qualified_name_problem(key) {
            return Err(format!("<nil>: Invalid value: {key:?}: {problem}"));
        }
        if is_absence || matches!(self.peek(), Token::End | Token::Symbol(",")) {
            return Ok(());
        }
        let operator = self.next();
        let values = match operator {
            Token::Word("in" | "notin") => self.values()?,
            Token::Symbol("=" | "==" | "!=" | ">" | "<") => vec![self.exact_value()?],
            other => return Err(format!("found '{}', expected: {OPERATORS}", other.text())),
        };
        let mut problems = Vec::new();
        for (index, value) in values.iter().enumerate() {
            if matches!(operator, Token::Symbol(">" | "<")) && value.parse::<i64>().is_err() {
                let problem = "for 'Gt', 'Lt' operators, the value must be an integer";
                problems.push(format!("values[{index}]: Invalid value: {value:?}: {problem}"));
            }
        }
        for (index, value) in values.iter().enumerate() {
            let wrong: Vec<&str> = label_value_problems(value).collect();
            if !wrong.is_empty() {
                let problem = wrong.join("; ");
                problems.push(format!("values[{index}][{key}]: Invalid value: {value:?}: {problem}"));
            }
        }
        match problems.as_slice() {
            [] => Ok(()),
            [one] => Err(one.clone()),
            many => Err(format!("[{}]", many.join(", "))),
        }
    }

    fn exact_value(&mut self) -> Result<&'a str, String> {
        match self.peek() {
            Token::End | Token::Symbol(",") => Ok(""),
            Token::Word(value) => {
                self.next();
                Ok(value)
            }
            Token::Symbol(other) => Err(format!("found '{other}', expected: identifier")),
        }
    }

    /// The values in parentheses, sorted, each once.
    fn values(&mut self) -> Result<Vec<&'a str>, String> {
        let open = self.next();
        if open != Token::Symbol("(") {
            return Err(format!("found '{}' expected: '('", open.text()));
        }
        let first = self.peek();
        if first == Token::Symbol(")") {
            self.next();
            return Ok(vec![""]);
        }
        if !first.is_word() && first != Token::Symbol(",") {
            return Err(format!("found '{}', expected: ',', ')' or identifier", first.text()));
        }
        let mut values = Vec::new();
        loop {
            match self.next() {
                Token::Word(value) => {
                    values.push(value);
                    match self.peek() {
                        Token::Symbol(",") => {}
                        Token::Symbol(")") => break,
                        other => return Err(format!("found '{}', expected: ',' or ')'", other.text())),
                    }
                }
                Token::Symbol(",") => {
                    if values.is_empty() || matches!(self.peek(), Token::Symbol(")" | ",")) {
                        values.push("");
                    }
                    if self.peek() == Token::Symbol(")") {
                        break;
                    }
                }
                other => return Err(format!("found '{}', expected: ',', or identifier", other.text())),
            }
        }
        self.next();
        values.sort_unstable();
        values.dedup();
        Ok(values)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn selectors_are_refused_in_the_words_of_the_server() {
        for (text, expected) in [
            ("a==b==c", "found '==', expected: ',' or 'end of string'"),
            ("a=b c", "found 'c', expected: ',' or 'end of string'"),
            ("a,,b", "found ',', expected: identifier after ','"),
            (",a", "found ',', expected: !, identifier, or 'end of string'"),
            ("a b", "unable to parse requirement: found 'b', expected: in, notin, =, ==, !=, gt, lt"),
            ("!=a", "found '!=', expected: !, identifier, or 'end of string'"),
            ("!", "unable to parse requirement: found '', expected: identifier"),
            ("a in b", "unable to parse requirement: found 'b' expected: '('"),
            ("a in (b", "unable to parse requirement: found '', expected: ',' or ')'"),
            ("a in (b=c)", "unable to parse requirement: found '=', expected: ',' or ')'"),
            ("a==)", "unable to parse requirement: found ')', expected: identifier"),
            (
                "a>x",
                "unable to parse requirement: values[0]: Invalid value: \"x\": for 'Gt', 'Lt' operators, the value must \
                 be an integer",
            ),
        ] {
            assert_eq!(problem(text).as_deref(), Some(expected), "{text}");
        }
        let of_key = problem("bad/label/key").unwrap();
        let start =
            "unable to parse requirement: <nil>: Invalid value: \"bad/label/key\": a valid label key must consist";
        assert!(of_key.starts_with(start), "{of_key}");
        let of_value = problem("a=-").unwrap();
        let start = "unable to parse requirement: values[0][a]: Invalid value: \"-\": a valid label must be";
        assert!(of_value.starts_with(start), "{of_value}");
        for fine in ["", "a", "!a", "a=b", "a==b,c!=d", "a in (b,c),d notin ()", "in in (in)", "a=", "a>1"] {
            assert_eq!(problem(fine), None, "{fine}");
            assert!(fine.parse::<k8s_client_runtime::selector::Selector>().is_ok(), "{fine}");
        }
    }
}
