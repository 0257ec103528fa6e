//! Makes an order in the shape of the API from the cells of a row, or from an object of a JSON list.
//!
//! Numbers are read and written in E.164 here, because only here the default country of the list is known. All other
//! values are checked by the daemon.

use csv::ByteRecord;
use serde_json::{Map, Value};

use super::columns::{Columns, Use};
use super::doubles::{Doubles, PersonKey};
use super::{Fault, cell};
use crate::domain::{Country, PersonId, Phone, PhoneError};

/// What all rows of a list share, and the people of its rows so far.
#[derive(Debug)]
pub(super) struct Maker {
    pub(super) default_country: Option<Country>,
    /// The fields of all orders; a row's own fields go before them.
    pub(super) defaults: Map<String, Value>,
    /// `None` if somebody else keeps the people of the rows: then each row tells its person.
    pub(super) doubles: Option<Doubles>,
}

/// An order as JSON, and whom it calls from where, if nobody here compares that with other rows.
pub(super) type Made = (String, Option<PersonKey>);

impl Maker {
    /// The order of a row of cells; `None` if the row is empty.
    pub(super) fn of_cells(
        &mut self,
        row: u32,
        columns: &Columns,
        record: &ByteRecord,
    ) -> Option<Result<Made, Vec<Fault>>> {
        if cell::all_empty(record.iter()) {
            return None;
        }
        let (mut order, mut faults) = (Map::new(), Vec::new());
        let mut variables = Map::new();
        let beyond = record.iter().skip(columns.uses.len());
        if !cell::all_empty(beyond) {
            let detail = format!("has {} cells: the first row has {}", record.len(), columns.uses.len());
            faults.push(Fault::new("", "row.too_many_cells", detail));
        }
        for (used, cell) in columns.uses.iter().zip(record) {
            match used {
                Use::Skip => {}
                Use::Variable(name) => match cell::text(&format!("variables.{name}"), cell) {
                    Ok(Some(text)) => drop(variables.insert(name.clone(), text.into())),
                    Ok(None) => {}
                    Err(fault) => faults.push(fault),
                },
                Use::Field(field) => match cell::text(field, cell).and_then(|text| value(field, text)) {
                    Ok(Some(value)) => put(&mut order, field, value),
                    Ok(None) => {}
                    Err(fault) => faults.push(fault),
                },
            }
        }
        if !variables.is_empty() {
            order.insert("variables".to_owned(), variables.into());
        }
        Some(self.finish(row, order, faults))
    }

    /// The order of an object.
    pub(super) fn of_json(&mut self, row: u32, json: &[u8]) -> Result<Made, Vec<Fault>> {
        match serde_json::from_slice::<Value>(json) {
            Ok(Value::Object(order)) => self.finish(row, order, Vec::new()),
            Ok(_) => Err(vec![Fault::new("", "body.shape", "expected a JSON object")]),
            Err(error) => {
                let detail = format!("column {}: is not JSON", error.column());
                Err(vec![Fault::new("", "body.syntax", detail)])
            }
        }
    }

    fn finish(
        &mut self,
        row: u32,
        mut order: Map<String, Value>,
        mut faults: Vec<Fault>,
    ) -> Result<Made, Vec<Fault>> {
        let consumer = self.number("consumer", &mut order, &mut faults);
        self.number("sender", &mut order, &mut faults);
        let is_told = faults.iter().any(|fault| fault.field == "consumer");
        if !is_told && !order.contains_key("consumer") {
            faults.push(Fault::new("consumer", "field.missing", "is missing"));
        }
        if !faults.is_empty() {
            return Err(faults);
        }
        let sender = match (order.get("sender"), order.get("senders")) {
            (Some(sender), _) => Some(sender.to_string()),
            (None, Some(senders)) => Some(senders.to_string()),
            (None, None) => None,
        };
        let person = consumer.map(PersonId::of);
        let mut key = None;
        match (&mut self.doubles, person) {
            (_, None) => {}
            (None, Some(person)) => key = Some(PersonKey::of(person, sender.as_deref())),
            (Some(doubles), Some(person)) => {
                if let Some(first) = doubles.earlier(row, person, sender.as_deref()) {
                    return Err(vec![Fault::double(first)]);
                }
                if let Some(Value::String(reference)) = order.get("reference")
                    && let Some(first) = doubles.earlier_reference(row, reference)
                {
                    return Err(vec![Fault::twice(first)]);
                }
            }
        }
        self.add_defaults(&mut order);
        Ok((Value::Object(order).to_string(), key))
    }

    /// Reads a number and writes it in E.164. What is no text is left to the daemon.
    fn number(
        &self,
        field: &'static str,
        order: &mut Map<String, Value>,
        faults: &mut Vec<Fault>,
    ) -> Option<Phone> {
        let Some(Value::String(text)) = order.get_mut(field) else { return None };
        match Phone::read(text, self.default_country) {
            Ok(phone) => {
                *text = phone.e164();
                Some(phone)
            }
            Err(error) => {
                faults.push(of_number(field, error));
                None
            }
        }
    }

    fn add_defaults(&self, order: &mut Map<String, Value>) {
        let has_sender = order.contains_key("sender") || order.contains_key("senders");
        for (field, value) in &self.defaults {
            if has_sender && (field == "sender" || field == "senders") {
                continue;
            }
            match (order.get_mut(field), value) {
                (Some(Value::Object(own)), Value::Object(all))
                    if matches!(field.as_str(), "variables" | "consent") =>
                {
                    for (name, value) in all {
                        if !own.contains_key(name) {
                            own.insert(name.clone(), value.clone());
                        }
                    }
                }
                (Some(_), _) => {}
                (None, value) => drop(order.insert(field.clone(), value.clone())),
            }
        }
    }
}

/// Puts a value into its field, or into the field of an object: `consent.at`.
fn put(order: &mut Map<String, Value>, field: &str, value: Value) {
    let Some((object, field)) = field.split_once('.') else {
        order.insert(field.to_owned(), value);
        return;
    };
    let inner = order.entry(object).or_insert_with(|| Map::new().into());
    if let Value::Object(inner) = inner {
        inner.insert(field.to_owned(), value);
    }
}

/// The value of a cell in the type of its field.
fn value(field: &str, text: Option<&str>) -> Result<Option<Value>, Fault> {
    let Some(text) = text else { return Ok(None) };
    let value = match field {
        "priority" | "attempts_max" => text
            .parse::<i64>()
            .map(Value::from)
            .map_err(|_| Fault::new(field, "cell.not_a_number", "is not a whole number"))?,
        "waive_gap" | "separate" => match yes_or_no(text) {
            Some(value) => value.into(),
            None => return Err(Fault::new(field, "cell.not_true_or_false", "expected true or false")),
        },
        _ => text.into(),
    };
    Ok(Some(value))
}

/// The words by which spreadsheets in six languages write a truth value.
fn yes_or_no(text: &str) -> Option<bool> {
    match text.to_lowercase().as_str() {
        "true" | "yes" | "1" | "sim" | "verdadeiro" | "si" | "sí" | "verdadero" | "oui" | "vrai" | "ja"
        | "wahr" | "haan" => Some(true),
        "false" | "no" | "0" | "não" | "nao" | "falso" | "non" | "faux" | "nein" | "falsch" | "nahin" => {
            Some(false)
        }
        _ => None,
    }
}

fn of_number(field: &'static str, error: PhoneError) -> Fault {
    match error {
        PhoneError::Spreadsheet => Fault::new(field, "phone.lost_by_spreadsheet", error.to_string()),
        PhoneError::NoCallingCode => {
            let detail = "has no \"+\" and country calling code, and the list has no default country";
            Fault::new(field, "phone.no_calling_code", detail)
        }
        other => Fault::new(field, "phone.invalid", other.to_string()),
    }
}
