//! The numbers that a struct's fields have in protobuf.

/// A struct as a message: what has which number, in their order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Message(Vec<(u32, Part)>);

/// What a number of a message stands for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Part {
    /// The field of this name.
    Field(String),
    /// A message whose fields are the struct's own.
    Embedded(Message),
}

impl Message {
    /// Adds a field by its number. That of a field of an embedded message stands behind that of the message: `2.1`.
    pub(super) fn add(&mut self, numbers: &str, name: &str) {
        let (number, inner) = numbers.split_once('.').map_or((numbers, None), |(number, inner)| (number, Some(inner)));
        let Ok(number) = number.parse() else { return };
        let place = self.0.binary_search_by_key(&number, |(number, _)| *number);
        let new = match (place, inner) {
            (Ok(place), Some(inner)) => {
                if let Part::Embedded(message) = &mut self.0[place].1 {
                    message.add(inner, name);
                }
                return;
            }
            (_, None) => Part::Field(name.to_owned()),
            (Err(_), Some(inner)) => {
                let mut message = Self::default();
                message.add(inner, name);
                Part::Embedded(message)
            }
        };
        let (Ok(place) | Err(place)) = place;
        self.0.insert(place, (number, new));
    }

    /// What a number stands for.
    pub(crate) fn part(&self, number: u32) -> Option<&Part> {
        self.0.binary_search_by_key(&number, |(number, _)| *number).ok().map(|place| &self.0[place].1)
    }

    /// The numbers in their order, each with what it stands for.
    pub(crate) fn parts(&self) -> impl Iterator<Item = (u32, &Part)> {
        self.0.iter().map(|(number, part)| (*number, part))
    }
}
