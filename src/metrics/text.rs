//! The older text format of Prometheus, from OpenMetrics text.
//!
//! The formats differ in the name of a counter (OpenMetrics describes it without `_total`), in units, and in the end mark.
//! Lines of data are the same.

/// The same metrics in the older format.
pub(super) fn classic(open_metrics: &str) -> String {
    let counters: Vec<&str> = open_metrics
        .lines()
        .filter_map(|line| line.strip_prefix("# TYPE ")?.strip_suffix(" counter"))
        .collect();
    let mut classic = String::with_capacity(open_metrics.len() + counters.len() * 12);
    for line in open_metrics.lines().filter(|line| *line != "# EOF" && !line.starts_with("# UNIT ")) {
        match described(line).filter(|(_, name, _)| counters.contains(name)) {
            Some((word, name, rest)) => {
                classic.push_str(&format!("# {word} {name}_total {rest}\n"));
            }
            None => {
                classic.push_str(line);
                classic.push('\n');
            }
        }
    }
    classic
}

/// The word, the name and the rest of a line that describes a metric.
fn described(line: &str) -> Option<(&str, &str, &str)> {
    let (word, rest) = line.strip_prefix("# ")?.split_once(' ')?;
    let (name, rest) = rest.split_once(' ')?;
    ["HELP", "TYPE"].contains(&word).then_some((word, name, rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_descriptions_of_counters_change() {
        let open = "# HELP a_calls Calls.\n# TYPE a_calls counter\n# UNIT a_calls calls\na_calls_total{k=\"# EOF\"} 1\n\
                    # HELP a_calls_now Calls now.\n# TYPE a_calls_now gauge\na_calls_now 2\n# EOF\n";
        let older = "# HELP a_calls_total Calls.\n# TYPE a_calls_total counter\na_calls_total{k=\"# EOF\"} 1\n\
                     # HELP a_calls_now Calls now.\n# TYPE a_calls_now gauge\na_calls_now 2\n";
        assert_eq!(classic(open), older);
    }
}
