//! Lists from the field, and what becomes of each row.

use serde_json::{Value, json};

use super::rows::{Options, Row, Rows};
use super::{ListError, Mapping, NAME_MAX, is_name};
use crate::domain::Country;

const LIST: &str = include_str!("../../tests/cases/24-csv-import/lista.csv");

fn rows(text: &str, options: Options) -> Result<Vec<Row>, ListError> {
    Rows::open(text.as_bytes(), options)?.collect()
}

fn consumer(row: &Row) -> Result<String, &str> {
    match &row.order {
        Ok(json) => {
            let order: Value = serde_json::from_str(json).unwrap();
            Ok(order["consumer"].as_str().unwrap().to_owned())
        }
        Err(faults) => Err(&faults[0].code),
    }
}

fn told(options: Options) -> Vec<(u32, Result<String, String>)> {
    let all = rows(LIST, options).unwrap();
    all.iter().map(|row| (row.number, consumer(row).map_err(str::to_owned))).collect()
}

fn brazil() -> Options {
    Options { default_country: Country::parse("BR"), ..Options::default() }
}

#[test]
fn a_list_from_a_spreadsheet_is_read_row_by_row() {
    let kept = |number: &str| Ok(number.to_owned());
    let refused = |code: &str| Err(code.to_owned());
    let expected = [
        (2, kept("+5511987650101")),
        (3, kept("+5511987650102")),
        (4, refused("phone.lost_by_spreadsheet")),
        (5, kept("+5511987650104")),
        (6, kept("+5511987650105")),
        (7, kept("+5511987650106")),
        (8, refused("cell.formula")),
        (9, refused("row.double")),
        (10, kept("+5511987650109")),
        (12, kept("+5511987650110")),
        (13, refused("row.double")),
    ];
    assert_eq!(told(brazil()), expected);
}

#[test]
fn without_a_default_country_a_local_number_is_refused() {
    let refused: Vec<_> = told(Options::default()).into_iter().filter(|(_, told)| told.is_err()).collect();
    let local = |row: u32| (row, Err("phone.no_calling_code".to_owned()));
    assert_eq!(refused[0], local(3));
    assert!(refused.contains(&local(10)));
    assert_eq!(refused.len(), 6);
}

#[test]
fn a_double_names_the_first_row_and_an_empty_row_is_passed_over() {
    let mut list = Rows::open(LIST.as_bytes(), brazil()).unwrap();
    let all: Vec<Row> = list.by_ref().map(Result::unwrap).collect();
    assert_eq!(list.empty(), 1);
    for number in [9, 13] {
        let row = all.iter().find(|row| row.number == number).unwrap();
        let fault = &row.order.as_ref().unwrap_err()[0];
        assert_eq!(fault.detail, "calls the same person as row 2");
    }
    let found = list.found();
    assert_eq!((found.format, found.delimiter), ("csv", Some(b';')));
    assert_eq!(found.unused_columns, [2, 3]);
}

#[test]
fn the_same_list_in_utf_16_gives_the_same_rows() {
    let bytes: Vec<u8> = LIST.encode_utf16().flat_map(u16::to_le_bytes).collect();
    let all: Result<Vec<Row>, _> = Rows::open(bytes.as_slice(), brazil()).unwrap().collect();
    assert_eq!(all.unwrap(), rows(LIST, brazil()).unwrap());
}

#[test]
fn cells_become_the_fields_of_the_api_and_go_before_the_defaults() {
    let text = "phone,priority,var.name,sender,waive_gap,separate\n\
                +5511987650101,7,Ana,+55 11 5199-1234,TRUE,false\n+5511987650102,,,,,\n";
    let defaults = json!({"document": "message", "senders": ["+551151990000"], "priority": 2,
        "variables": {"name": "you", "shop": "x"}});
    let options = Options { defaults: defaults.as_object().unwrap().clone(), ..Options::default() };
    let orders: Vec<Value> = rows(text, options)
        .unwrap()
        .iter()
        .map(|row| serde_json::from_str(row.order.as_ref().unwrap()).unwrap())
        .collect();
    let first = json!({"consumer": "+5511987650101", "document": "message", "priority": 7, "waive_gap": true,
        "separate": false, "sender": "+551151991234", "variables": {"name": "Ana", "shop": "x"}});
    let second = json!({"consumer": "+5511987650102", "document": "message", "priority": 2,
        "senders": ["+551151990000"], "variables": {"name": "you", "shop": "x"}});
    assert_eq!(orders, [first, second]);
}

#[test]
fn every_fault_of_a_row_is_told_and_none_repeats_a_value() {
    let text = "phone;priority;waive_gap\n5,51199E+12;high;maybe;9\n;1;\n";
    let all = rows(text, Options::default()).unwrap();
    let faults = all[0].order.as_ref().unwrap_err();
    let codes: Vec<_> = faults.iter().map(|fault| &*fault.code).collect();
    let expected =
        ["row.too_many_cells", "cell.not_a_number", "cell.not_true_or_false", "phone.lost_by_spreadsheet"];
    assert_eq!(codes, expected);
    assert!(faults.iter().all(|fault| !fault.detail.contains("high") && !fault.detail.contains("maybe")));
    assert_eq!(consumer(&all[1]), Err("field.missing"));
}

#[test]
fn ndjson_and_an_array_are_read_too() {
    let lines = "\u{FEFF}\n{\"consumer\": \"(11) 98765-0109\"}\n\n{\"consumer\": \"+551187650109\"}\n7\n{\n";
    let all = rows(lines, brazil()).unwrap();
    let told: Vec<_> = all.iter().map(|row| (row.number, consumer(row))).collect();
    let kept = Ok("+5511987650109".to_owned());
    let expected =
        [(2, kept.clone()), (4, Err("row.double")), (5, Err("body.shape")), (6, Err("body.syntax"))];
    assert_eq!(told, expected);
    let all = rows("[{\"consumer\": \"+5511987650109\"}, 7]", Options::default()).unwrap();
    let told: Vec<_> = all.iter().map(|row| (row.number, consumer(row))).collect();
    assert_eq!(told, [(1, kept), (2, Err("body.shape"))]);
    assert!(matches!(rows("[{},\n!]", Options::default()), Err(ListError::NotJson { line: 2, .. })));
}

#[test]
fn a_list_without_rows_is_no_error_and_an_empty_one_is() {
    assert_eq!(rows("phone\n", Options::default()).unwrap(), []);
    for empty in ["", "\u{FEFF}", " \r\n\n"] {
        assert!(matches!(rows(empty, Options::default()), Err(ListError::Empty)), "{empty:?}");
    }
}

#[test]
fn bytes_that_are_no_text_refuse_their_row_only() {
    let bytes = b"phone;var.name\n+5511987650101;S\xE3o\n+5511987650102;Ana\n";
    let all: Result<Vec<Row>, _> = Rows::open(&bytes[..], Options::default()).unwrap().collect();
    let all = all.unwrap();
    assert_eq!(consumer(&all[0]), Err("cell.not_utf8"));
    assert_eq!(consumer(&all[1]), Ok("+5511987650102".to_owned()));
}

#[test]
fn a_mapping_makes_any_column_a_field() {
    let mapping: Vec<Mapping> = vec!["Contato=consumer".parse().unwrap(), "nome=var.name".parse().unwrap()];
    let options = Options { mapping, ..Options::default() };
    let all = rows("Nome,Contato,Telefone\nAna,+5511987650101,x\n", options).unwrap();
    let order: Value = serde_json::from_str(all[0].order.as_ref().unwrap()).unwrap();
    assert_eq!(order, json!({"consumer": "+5511987650101", "variables": {"name": "Ana"}}));
}

#[test]
fn a_name_is_short_and_plain_and_no_number() {
    for good in ["a", "leads-2026_11.v2", &"x".repeat(NAME_MAX)] {
        assert!(is_name(good), "{good}");
    }
    for wrong in ["", "a b", "a/b", "\u{fc}", "a\n", "5511987654321", "-a", &"x".repeat(NAME_MAX + 1)] {
        assert!(!is_name(wrong), "{wrong:?}");
    }
}
