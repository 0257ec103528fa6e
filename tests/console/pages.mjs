// The pages that are checked, below the console's first page. A new page has its line here.

export const PAGES = [
  "",
  "callbacks",
  "callbacks?status=waiting",
  "callbacks?campaign=nothing-of-this-name",
  "calls",
  "unknown",
  "bulk",
];
