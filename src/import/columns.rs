//! Which column of a list is which field of an order: by the name of the column in six languages, or as told.

use std::fmt;
use std::str::FromStr;

use super::ListError;
use super::names::NAMES;
use super::table::COLUMNS_MAX;
use crate::domain::Phone;

/// What a column is used for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Use {
    /// A field of the order.
    Field(&'static str),
    /// A variable of the document.
    Variable(String),
    /// Not used.
    Skip,
}

impl FromStr for Use {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if text == "skip" {
            return Ok(Self::Skip);
        }
        if let Some(name) = text.strip_prefix("var.").or_else(|| text.strip_prefix("variables.")) {
            return if name.is_empty() {
                Err("expected the name of a variable after \"var.\"".to_owned())
            } else {
                Ok(Self::Variable(name.to_owned()))
            };
        }
        NAMES.iter().find(|(field, _)| *field == text).map(|(field, _)| Self::Field(field)).ok_or_else(|| {
            let fields: Vec<&str> = NAMES.iter().map(|(field, _)| *field).collect();
            format!("expected var.NAME, skip, or a field of the order: {}", fields.join(", "))
        })
    }
}

/// What the operator tells about one column: `Celular do cliente=consumer`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mapping {
    /// The name in the first row.
    pub column: String,
    pub is: Use,
}

impl FromStr for Mapping {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (column, is) = text.rsplit_once('=').ok_or("expected COLUMN=FIELD")?;
        if plain(column).is_empty() {
            return Err("expected the name of a column before \"=\"".to_owned());
        }
        Ok(Self { column: column.trim().to_owned(), is: is.trim().parse()? })
    }
}

impl fmt::Display for Mapping {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.is {
            Use::Field(field) => write!(f, "{}={field}", self.column),
            Use::Variable(name) => write!(f, "{}=var.{name}", self.column),
            Use::Skip => write!(f, "{}=skip", self.column),
        }
    }
}

/// The use of each column.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Columns {
    pub uses: Vec<Use>,
    /// The numbers of the columns that are not used, from 1.
    pub unused: Vec<usize>,
}

impl Columns {
    /// Reads the first row. What is told goes before the names.
    ///
    /// # Errors
    /// If no column has the consumer's number, if two have the same field, or if a told column does not exist.
    pub fn read(header: &[&str], told: &[Mapping]) -> Result<Self, ListError> {
        if header.len() > COLUMNS_MAX {
            return Err(ListError::TooManyColumns { columns: header.len(), max: COLUMNS_MAX });
        }
        let names: Vec<String> = header.iter().map(|name| plain(name)).collect();
        let mut uses = vec![None; header.len()];
        for mapping in told {
            let name = plain(&mapping.column);
            let index = names.iter().position(|known| *known == name);
            let index = index.ok_or_else(|| ListError::NoSuchColumn { name: mapping.column.clone() })?;
            uses[index] = Some(mapping.is.clone());
        }
        for (index, used) in uses.iter_mut().enumerate().filter(|(_, used)| used.is_none()) {
            let by_name = by_name(header[index], &names[index]);
            // A field that was told is not looked for.
            let is_taken = told.iter().any(|mapping| mapping.is == by_name);
            *used = Some(if is_taken { Use::Skip } else { by_name });
        }
        let uses: Vec<Use> = uses.into_iter().flatten().collect();
        Self::check(header, &uses)?;
        let unused = uses.iter().enumerate().filter(|(_, used)| **used == Use::Skip).map(|(at, _)| at + 1);
        Ok(Self { unused: unused.collect(), uses })
    }

    fn check(header: &[&str], uses: &[Use]) -> Result<(), ListError> {
        for (index, used) in uses.iter().enumerate().filter(|(_, used)| **used != Use::Skip) {
            if let Some(first) = uses[..index].iter().position(|earlier| earlier == used) {
                let field = match used {
                    Use::Field(field) => (*field).to_owned(),
                    Use::Variable(name) => format!("variables.{name}"),
                    Use::Skip => continue,
                };
                return Err(ListError::TwiceMeant { field, first: first + 1, second: index + 1 });
            }
        }
        if uses.contains(&Use::Field("consumer")) {
            return Ok(());
        }
        let is_number = |cell: &&str| Phone::read(cell.trim_start_matches('\''), None).is_ok();
        if header.iter().any(is_number) {
            return Err(ListError::NoHeader);
        }
        Err(ListError::NoConsumer { columns: header.len() })
    }
}

/// The use that a name means.
fn by_name(name: &str, plain_name: &str) -> Use {
    if let Ok(exact) = name.trim().parse::<Use>() {
        return exact;
    }
    let meant =
        NAMES.iter().find(|(field, names)| plain(field) == *plain_name || names.contains(&plain_name));
    meant.map_or(Use::Skip, |(field, _)| Use::Field(field))
}

/// A name in lower case, without accents and anything but letters and digits.
fn plain(name: &str) -> String {
    name.chars().flat_map(char::to_lowercase).map(without_accent).filter(|c| c.is_alphanumeric()).collect()
}

/// The letter without its accent, for the accents of the six languages. Combining accents are no letters.
const fn without_accent(c: char) -> char {
    match c {
        'á' | 'à' | 'â' | 'ã' | 'ä' | 'ā' => 'a',
        'é' | 'è' | 'ê' | 'ë' | 'ē' => 'e',
        'í' | 'ì' | 'î' | 'ï' | 'ī' => 'i',
        'ó' | 'ò' | 'ô' | 'õ' | 'ö' | 'ō' => 'o',
        'ú' | 'ù' | 'û' | 'ü' | 'ū' => 'u',
        'ç' => 'c',
        'ñ' => 'n',
        // The ordinal of "Nº" is a letter of its own.
        'º' | 'ª' => ' ',
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(header: &[&str], told: &[&str]) -> Result<Vec<Use>, String> {
        let told: Vec<Mapping> = told.iter().map(|text| text.parse().unwrap()).collect();
        Columns::read(header, &told).map(|columns| columns.uses).map_err(|error| error.to_string())
    }

    const CONSUMER: Use = Use::Field("consumer");

    #[test]
    fn a_column_is_known_by_its_name_in_six_languages() {
        for name in [
            "Phone Number",
            "TELEFONE",
            "Móvil",
            "N° de téléphone",
            "Nº de teléfono",
            "Téléphone portable",
            "Rufnummer",
            "mobail nambar",
            "consumer",
            "\u{201C}WhatsApp\u{201D}",
        ] {
            assert_eq!(read(&[name], &[]), Ok(vec![CONSUMER]), "{name}");
        }
        let header = ["Telefone", "Protocolo", "Horário", "nome", "var.name", "Priorität"];
        let uses = [
            CONSUMER,
            Use::Field("reference"),
            Use::Skip,
            Use::Skip,
            Use::Variable("name".into()),
            Use::Field("priority"),
        ];
        assert_eq!(read(&header, &[]), Ok(uses.to_vec()));
    }

    #[test]
    fn each_name_means_one_field_and_is_plain() {
        let all: Vec<&str> = NAMES.iter().flat_map(|(_, names)| names.iter().copied()).collect();
        for (index, name) in all.iter().enumerate() {
            assert_eq!(plain(name), *name);
            assert!(!all[..index].contains(name), "{name} is there twice");
            assert!(NAMES.iter().all(|(field, _)| plain(field) != *name), "{name} is a field");
        }
    }

    #[test]
    fn what_is_told_goes_before_the_names() {
        let header = ["Telefone", "Celular", "Nome"];
        let told = ["celular=consumer", "Nome=var.name"];
        assert_eq!(read(&header, &told), Ok(vec![Use::Skip, CONSUMER, Use::Variable("name".into())]));
        assert_eq!(read(&header[..2], &["Telefone=skip"]), Ok(vec![Use::Skip, CONSUMER]));
    }

    #[test]
    fn two_columns_of_one_field_are_not_guessed() {
        let error = read(&["nome", "Telefone", "Celular"], &[]).unwrap_err();
        assert_eq!(error, "columns 2 and 3 both mean consumer");
    }

    #[test]
    fn a_list_without_a_header_or_a_number_is_told_so_without_its_values() {
        let error = read(&["+55 11 98765-4321", "Ana"], &[]).unwrap_err();
        assert!(error.starts_with("row 1 has a phone number"), "{error}");
        let error = read(&["a", "b"], &[]).unwrap_err();
        assert_eq!(error, "none of the 2 columns has a name that means the consumer's number");
        assert!(read(&["a"], &["b=consumer"]).unwrap_err().contains("\"b\""));
    }

    #[test]
    fn a_mapping_names_a_column_and_a_field() {
        for wrong in ["consumer", "=consumer", "a=b", "a=var.", "a="] {
            assert!(wrong.parse::<Mapping>().is_err(), "{wrong}");
        }
        let mapping: Mapping = "a=b=skip".parse().unwrap();
        assert_eq!(mapping, Mapping { column: "a=b".into(), is: Use::Skip });
        for text in ["a=b=skip", "Nome=var.name", "c=consent.at"] {
            assert_eq!(text.parse::<Mapping>().unwrap().to_string(), text);
        }
    }

    #[test]
    fn there_is_a_maximum_of_columns() {
        let mut header = vec!["x"; COLUMNS_MAX - 1];
        header.push("phone");
        assert!(read(&header, &[]).is_ok());
        header.push("x");
        assert!(read(&header, &[]).unwrap_err().contains("201 columns"));
    }
}
