//! Text to a label selector, by the grammar of Kubernetes' `labels.Parse`.

use std::collections::BTreeSet;

use super::{
    InvalidSelector, Operator, Requirement,
    label::LABEL_SELECTOR,
    lexer::{Kind, Lexer, Token},
};

type Result<T> = std::result::Result<T, InvalidSelector>;

/// The requirements of a selector, in the order of the text.
pub(super) fn requirements(text: &str) -> Result<Vec<Requirement>> {
    let mut parser = Parser { text, lexer: Lexer::new(text) };
    let mut requirements = Vec::new();
    if parser.lexer.peek().kind == Kind::End {
        return Ok(requirements);
    }
    loop {
        requirements.push(parser.requirement()?);
        let token = parser.lexer.next();
        match token.kind {
            Kind::End => return Ok(requirements),
            Kind::Comma => {}
            _ => return Err(parser.expected("',' or the end", token)),
        }
    }
}

struct Parser<'a> {
    text: &'a str,
    lexer: Lexer<'a>,
}

impl<'a> Parser<'a> {
    fn requirement(&mut self) -> Result<Requirement> {
        let start = self.lexer.peek();
        let negated = start.kind == Kind::Not;
        if negated {
            self.lexer.next();
        }
        let key = self.word("a key")?;
        let (operator, values) = match (negated, self.lexer.peek().kind) {
            (true, _) => (Operator::DoesNotExist, BTreeSet::new()),
            (false, Kind::End | Kind::Comma) => (Operator::Exists, BTreeSet::new()),
            (false, _) => {
                let operator = self.operator()?;
                let values = if operator.takes_list() { self.list()? } else { BTreeSet::from([self.value()?]) };
                (operator, values)
            }
        };
        let values = values.into_iter().map(str::to_owned);
        // Where the key begins is the best place for whatever is wrong with the key or the values.
        Requirement::new(key.text, operator, values)
            .map_err(|invalid| InvalidSelector::at(LABEL_SELECTOR, self.text, start.offset, invalid))
    }

    fn operator(&mut self) -> Result<Operator> {
        let token = self.lexer.next();
        Ok(match (token.kind, token.text) {
            (Kind::Equal | Kind::DoubleEqual, _) => Operator::Equals,
            (Kind::NotEqual, _) => Operator::NotEquals,
            (Kind::Greater, _) => Operator::GreaterThan,
            (Kind::Less, _) => Operator::LessThan,
            (Kind::Word, "in") => Operator::In,
            (Kind::Word, "notin") => Operator::NotIn,
            _ => return Err(self.expected("'=', '==', '!=', '<', '>', 'in' or 'notin'", token)),
        })
    }

    /// The value of an operator that takes one. Without one it is the empty value.
    fn value(&mut self) -> Result<&'a str> {
        match self.lexer.peek().kind {
            Kind::End | Kind::Comma => Ok(""),
            _ => Ok(self.word("a value")?.text),
        }
    }

    /// `(a, b)`. Nothing between commas, or between the parentheses, is the empty value.
    fn list(&mut self) -> Result<BTreeSet<&'a str>> {
        let open = self.lexer.next();
        if open.kind != Kind::Open {
            return Err(self.expected("'('", open));
        }
        let mut values = BTreeSet::new();
        loop {
            let value = match self.lexer.peek().kind {
                Kind::Comma | Kind::Close => "",
                _ => self.word("a value, ',' or ')'")?.text,
            };
            values.insert(value);
            let token = self.lexer.next();
            match token.kind {
                Kind::Comma => {}
                Kind::Close => return Ok(values),
                _ => return Err(self.expected("',' or ')'", token)),
            }
        }
    }

    fn word(&mut self, what: &str) -> Result<Token<'a>> {
        let token = self.lexer.next();
        if token.kind == Kind::Word { Ok(token) } else { Err(self.expected(what, token)) }
    }

    fn expected(&self, what: &str, found: Token<'_>) -> InvalidSelector {
        InvalidSelector::at(LABEL_SELECTOR, self.text, found.offset, format!("expected {what}"))
    }
}
