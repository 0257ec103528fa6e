//! Formats a measurement as a row of a Markdown table: median, minimum and maximum of its rounds.

/// Rounds of each measurement.
pub const ROUNDS: usize = 3;

/// Whether the command line selects this measurement. Without names it selects all.
pub fn wanted(name: &str) -> bool {
    let named: Vec<_> = std::env::args().skip(1).filter(|word| !word.starts_with("--")).collect();
    named.is_empty() || named.iter().any(|word| word == name)
}

pub fn head() {
    println!("| what | median | least to most | target |");
    println!("|------|-------:|--------------:|-------:|");
}

/// One row; `values` has one figure for each round.
pub fn row(what: &str, unit: &str, target: &str, mut values: Vec<f64>) {
    values.sort_by(f64::total_cmp);
    let (Some(least), Some(most)) = (values.first(), values.last()) else { return };
    let median = values[values.len() / 2];
    println!("| {what} | {} {unit} | {} to {} | {target} |", digits(median), digits(*least), digits(*most));
}

/// Groups thousands, and shows decimals only for small figures.
fn digits(value: f64) -> String {
    if value < 100.0 {
        return format!("{value:.1}");
    }
    let mut text = format!("{value:.0}");
    let mut at = text.len();
    while at > 3 {
        at -= 3;
        text.insert(at, ',');
    }
    text
}
