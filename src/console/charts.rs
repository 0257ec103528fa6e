//! Charts as SVG, drawn on the server. They have classes only: colours are in the style sheet, for light and dark.

use maud::{Markup, html};

const WIDTH: u32 = 600;
const HEIGHT: u32 = 80;

/// One bar: its label, its height, and the part of it that stands out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bar {
    pub label: String,
    pub total: u64,
    /// Of the total.
    pub part: u64,
}

/// Bars side by side. `told` is read to those who do not see the chart.
#[must_use]
pub fn bars(told: &str, bars: &[Bar]) -> Markup {
    let most = bars.iter().map(|bar| bar.total).max().unwrap_or_default().max(1);
    let count = u32::try_from(bars.len()).unwrap_or(u32::MAX).max(1);
    let step = (WIDTH / count).max(1);
    html! {
        svg.chart viewBox={ "0 0 " (WIDTH) " " (HEIGHT) } role="img" aria-label=(told) preserveAspectRatio="none" {
            @for (index, bar) in (0_u32..).zip(bars) {
                @let (total, part) = (height(bar.total, most), height(bar.part, most));
                g {
                    title { (bar.label) ": " (bar.part) " of " (bar.total) }
                    rect.total x=(index * step) y=(HEIGHT - total) width=(step.saturating_sub(2).max(1)) height=(total) {}
                    rect.part x=(index * step) y=(HEIGHT - part) width=(step.saturating_sub(2).max(1)) height=(part) {}
                }
            }
        }
    }
}

/// A value of what there is at most, as a meter.
#[must_use]
pub fn meter(told: &str, value: u64, most: u64) -> Markup {
    html! { meter min="0" max=(most.max(1)) value=(value.min(most)) aria-label=(told) { (value) " of " (most) } }
}

fn height(value: u64, most: u64) -> u32 {
    let scaled = u128::from(value) * u128::from(HEIGHT) / u128::from(most);
    let height = u32::try_from(scaled).unwrap_or(HEIGHT).min(HEIGHT);
    // What is there can be seen.
    if value > 0 { height.max(1) } else { height }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn heights_are_in_proportion_and_what_is_there_is_seen() {
        assert_eq!([0, 1, 500, 1000].map(|value| height(value, 1000)), [0, 1, 40, HEIGHT]);
        assert_eq!(height(u64::MAX, u64::MAX), HEIGHT);
        let chart = bars("calls", &[Bar { label: "12:00".to_owned(), total: 2, part: 1 }]).into_string();
        assert!(chart.contains("12:00: 1 of 2") && !chart.contains("style="), "{chart}");
        assert!(bars("calls", &[]).into_string().contains("<svg"));
    }
}
