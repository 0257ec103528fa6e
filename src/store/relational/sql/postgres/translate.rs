//! A statement in PostgreSQL's words: without the hints for SQLite, and with PostgreSQL's names of functions and parameters.

/// A translated statement.
#[derive(Debug, PartialEq, Eq)]
pub struct Translated {
    pub text: String,
    /// For `$1`, `$2` and so on: the place of the parameter, from 0. A parameter that the statement does not use is not
    /// among them, because PostgreSQL could not tell its type.
    pub parameters: Vec<usize>,
    /// How many parameters SQLite's statement has.
    pub count: usize,
}

/// Translates the subset of SQLite's language that the store uses.
pub fn translate(sql: &str) -> Translated {
    let mut translation =
        Translation { text: String::with_capacity(sql.len()), parameters: Vec::new(), count: 0 };
    let tokens = tokens(sql);
    let mut rest = &tokens[..];
    while let [first, after @ ..] = rest {
        rest = translation.take(first, after);
    }
    Translated { text: translation.text, parameters: translation.parameters, count: translation.count }
}

struct Translation {
    text: String,
    parameters: Vec<usize>,
    count: usize,
}

impl Translation {
    /// Translates the first token, with those after it that belong to it, and returns the others.
    fn take<'t>(&mut self, first: &str, after: &'t [&'t str]) -> &'t [&'t str] {
        let is = |token: &str, word: &str| token.eq_ignore_ascii_case(word);
        match after {
            [_, by, _, _, rest @ ..] if is(first, "INDEXED") && is(by, "BY") => return without_space(rest),
            [_, indexed, rest @ ..] if is(first, "NOT") && is(indexed, "INDEXED") => {
                return without_space(rest);
            }
            [_, fail, rest @ ..] if is(first, "OR") && is(fail, "FAIL") => return without_space(rest),
            [_, rest @ ..] if is(first, "CROSS") => return rest,
            [_, pattern, rest @ ..] if is(first, "GLOB") => {
                self.text.push_str("~ ");
                self.text.push_str(&pattern.replacen('\'', "'^", 1).replace("*'", "'"));
                return rest;
            }
            _ => {}
        }
        match first.strip_prefix('?') {
            Some(number) => self.parameter(number),
            None if is(first, "ifnull") => self.text.push_str("coalesce"),
            None if is(first, "instr") => self.text.push_str("strpos"),
            None => self.text.push_str(first),
        }
        after
    }

    /// `?2`, or `?` for the one after the last.
    fn parameter(&mut self, number: &str) {
        let place = number.parse::<usize>().map_or(self.count, |number| number.saturating_sub(1));
        self.count = self.count.max(place + 1);
        let known = self.parameters.iter().position(|known| *known == place);
        let number = known.unwrap_or_else(|| {
            self.parameters.push(place);
            self.parameters.len() - 1
        });
        self.text.push('$');
        self.text.push_str(&(number + 1).to_string());
    }
}

/// Without the space that comes first, because there is one before what was taken out.
fn without_space<'t>(tokens: &'t [&'t str]) -> &'t [&'t str] {
    match tokens {
        [space, rest @ ..] if space.trim().is_empty() => rest,
        _ => tokens,
    }
}

/// Words, spaces, texts in quotes, parameters, and single other characters.
fn tokens(sql: &str) -> Vec<&str> {
    let is_word = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
    let bytes = sql.as_bytes();
    let mut tokens = Vec::new();
    let mut at = 0;
    while let Some(&first) = bytes.get(at) {
        let span =
            |belongs: &dyn Fn(u8) -> bool| bytes[at + 1..].iter().take_while(|byte| belongs(**byte)).count();
        let length = match first {
            b'\'' | b'"' => (span(&|byte| byte != first) + 2).min(bytes.len() - at),
            b'?' => 1 + span(&|byte| byte.is_ascii_digit()),
            _ if is_word(first) => 1 + span(&is_word),
            _ if first.is_ascii_whitespace() => 1 + span(&|byte| byte.is_ascii_whitespace()),
            // A character outside of ASCII stays whole.
            _ => 1 + span(&|byte| byte & 0xC0 == 0x80),
        };
        tokens.push(&sql[at..at + length]);
        at += length;
    }
    tokens
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn becomes(sql: &str, text: &str, parameters: &[usize]) {
        let translated = translate(sql);
        assert_eq!((translated.text.as_str(), &translated.parameters[..]), (text, parameters), "{sql}");
    }

    #[test]
    fn hints_go_and_the_order_of_joins_is_left_to_the_planner() {
        becomes("SELECT a FROM t INDEXED BY t_by_a WHERE a = 1", "SELECT a FROM t WHERE a = 1", &[]);
        becomes("UPDATE t INDEXED BY i SET a = 1", "UPDATE t SET a = 1", &[]);
        becomes("SELECT a FROM t NOT INDEXED WHERE a", "SELECT a FROM t WHERE a", &[]);
        becomes(
            "SELECT a FROM t AS x CROSS JOIN u ON u.a = x.a",
            "SELECT a FROM t AS x JOIN u ON u.a = x.a",
            &[],
        );
        becomes("INSERT OR FAIL INTO t VALUES (1)", "INSERT INTO t VALUES (1)", &[]);
        becomes(
            "SELECT a FROM t WHERE a = 1 OR b NOT IN (1)",
            "SELECT a FROM t WHERE a = 1 OR b NOT IN (1)",
            &[],
        );
    }

    #[test]
    fn functions_and_patterns_have_their_other_names() {
        becomes("SELECT ifnull(a, '') FROM t", "SELECT coalesce(a, '') FROM t", &[]);
        becomes("SELECT 1 WHERE instr(a, ?1) > 0", "SELECT 1 WHERE strpos(a, $1) > 0", &[0]);
        becomes("WHERE c GLOB 'cmp_*' AND d", "WHERE c ~ '^cmp_' AND d", &[]);
        becomes("s GLOB '[A-Z][A-Z][0-9a-f]*')", "s ~ '^[A-Z][A-Z][0-9a-f]')", &[]);
    }

    #[test]
    fn parameters_are_numbered_without_gaps() {
        becomes("a = ?1 AND b = ?2 AND c = ?1", "a = $1 AND b = $2 AND c = $1", &[0, 1]);
        becomes("a = ?8 WHERE id = ?1 AND live = ?32", "a = $1 WHERE id = $2 AND live = $3", &[7, 0, 31]);
        assert_eq!(translate("a = ?8 WHERE id = ?1").count, 8);
        becomes("VALUES (?, ?), (?, ?)", "VALUES ($1, $2), ($3, $4)", &[0, 1, 2, 3]);
    }

    #[test]
    fn texts_in_quotes_stay_as_they_are() {
        becomes(
            "SELECT 'ifnull(?1 CROSS JOIN', \"NOT INDEXED\"",
            "SELECT 'ifnull(?1 CROSS JOIN', \"NOT INDEXED\"",
            &[],
        );
        becomes("SELECT 'it''s ?', ?", "SELECT 'it''s ?', $1", &[0]);
        becomes("SELECT 'ä', é", "SELECT 'ä', é", &[]);
    }
}
