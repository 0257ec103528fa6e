// The pages that are checked, below the console's first page. A new page has its line here.

export const PAGES = [
  "",
  "callbacks",
  "callbacks?status=waiting",
  "callbacks?campaign=nothing-of-this-name",
  "calls",
  "unknown",
  "bulk",
  "permissions",
  "permissions?state=granted",
  "campaigns",
  "agents",
  "senders",
  "suppression",
  "calendars",
  "calendars?hours=mon-fri+09%3A00-18%3A00+%40America%2FSao_Paulo+except+BR-SP",
  "calendars/BR-SP",
  "reports",
  "reports/answer-rate",
  "reports/waiting",
  "system",
];
