//! Statements written by hand, where the query builder would hide what matters: the order of a claim, a compare-and-set,
//! the one select of a token fetch. Values are always bound, never written into the text.

use crate::dialect::Dialect;
use sea_orm::{Statement, Value};

/// A statement in the making.
pub(crate) struct Sql {
    dialect: Dialect,
    text: String,
    values: Vec<Value>,
}

impl Sql {
    pub(crate) fn new(dialect: Dialect, text: &str) -> Self {
        Self { dialect, text: text.to_owned(), values: Vec::new() }
    }

    /// Adds text of this program, never of a user.
    pub(crate) fn text(mut self, text: &str) -> Self {
        self.text.push_str(text);
        self
    }

    /// Adds a place for a value.
    pub(crate) fn bind(mut self, value: impl Into<Value>) -> Self {
        self.values.push(value.into());
        match self.dialect {
            Dialect::Postgres => {
                self.text.push('$');
                self.text.push_str(&self.values.len().to_string());
            }
            Dialect::MySql | Dialect::Sqlite => self.text.push('?'),
        }
        self
    }

    /// Adds text, then a place for a value.
    pub(crate) fn with(self, text: &str, value: impl Into<Value>) -> Self {
        self.text(text).bind(value)
    }

    /// Adds places for values with commas between them.
    pub(crate) fn list<V: Into<Value>>(mut self, values: impl IntoIterator<Item = V>) -> Self {
        for (index, value) in values.into_iter().enumerate() {
            if index > 0 {
                self.text.push_str(", ");
            }
            self = self.bind(value);
        }
        self
    }

    pub(crate) fn build(self) -> Statement {
        Statement::from_sql_and_values(self.dialect.backend(), self.text, self.values)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_numbered_where_the_database_wants_numbers() {
        let sql =
            |dialect| Sql::new(dialect, "a = ").bind(1_i64).text(" AND b IN (").list([2_i64, 3]).text(")").build().sql;
        assert_eq!(sql(Dialect::Postgres), "a = $1 AND b IN ($2, $3)");
        assert_eq!(sql(Dialect::MySql), "a = ? AND b IN (?, ?)");
        assert_eq!(sql(Dialect::Sqlite), "a = ? AND b IN (?, ?)");
    }
}
