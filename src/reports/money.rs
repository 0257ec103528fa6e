//! Sums of money, in millionths of a currency.

/// With two to six decimals, as many as it has.
pub(super) fn text(millionths: i64) -> String {
    let sign = if millionths < 0 { "-" } else { "" };
    let size = millionths.unsigned_abs();
    let decimals = format!("{:06}", size % 1_000_000);
    let used = decimals.trim_end_matches('0').len().max(2);
    let shown = decimals.get(..used).unwrap_or(&decimals);
    format!("{sign}{}.{shown}", size / 1_000_000)
}

#[cfg(test)]
mod tests {
    use super::text;

    #[test]
    fn money_has_two_to_six_decimals() {
        for (millionths, shown) in [
            (0, "0.00"),
            (1, "0.000001"),
            (11_500, "0.0115"),
            (1_000_000, "1.00"),
            (12_345_678, "12.345678"),
            (-2_500_000, "-2.50"),
            (i64::MIN, "-9223372036854.775808"),
        ] {
            assert_eq!(text(millionths), shown);
        }
    }
}
