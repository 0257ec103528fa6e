// Checks exchanges with the sandbox against Twilio's own OpenAPI specification of Content and of Senders: what our
// client asked, and what the sandbox answered.
//
// The specification is read more strictly than it is written: where it lists the fields of an object, no other field may
// be there. EXTRA has the fields that Twilio documents elsewhere.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { parseArgs } from "node:util";

const text = { type: "string" };
const { values: args } = parseArgs({ options: { spec: text, exchanges: text, modules: text } });
const Ajv = createRequire(`${args.modules}/`)("ajv/dist/2020.js").default;

const SPECS = ["twilio_content_v1.json", "twilio_messaging_v2.json"];

// Schema, field, what it may be, and the page that has it.
const EXTRA = [
  // Twilio, twilio/call-to-action and whatsapp/card, 2026: how long a VOICE_CALL button works.
  ["callToActionAction", "ttl_minutes", { type: "integer", minimum: 1, maximum: 43200 }],
  ["cardAction", "ttl_minutes", { type: "integer", minimum: 1, maximum: 43200 }],
  // Twilio's client for Python 9.13.0, of a later version of the specification: null for WhatsApp.
  ["messaging.v2.channels_sender", "compliance", { type: "null" }],
];

const FORMATS = {
  "date-time": (value) => !Number.isNaN(Date.parse(value)),
  uri: (value) => URL.canParse(value),
  "uri-map": true,
  int64: true,
};

// A schema of OpenAPI 3.0 as JSON Schema: `nullable` becomes a type, and listed fields are all there are.
function converted(schema) {
  if (Array.isArray(schema)) return schema.map(converted);
  if (schema === null || typeof schema !== "object") return schema;
  const made = {};
  for (const [key, value] of Object.entries(schema)) {
    if (["nullable", "example", "examples", "xml", "discriminator"].includes(key) || key.startsWith("x-")) continue;
    made[key] = key === "properties"
      ? Object.fromEntries(Object.entries(value).map(([name, one]) => [name, converted(one)]))
      : ["enum", "required", "default"].includes(key) ? value : converted(value);
  }
  if (made.properties && made.additionalProperties === undefined) made.additionalProperties = false;
  return schema.nullable ? { anyOf: [made, { type: "null" }] } : made;
}

class Specification {
  constructor(file) {
    this.whole = JSON.parse(readFileSync(join(args.spec, file), "utf8"));
    const schemas = this.whole.components.schemas;
    for (const [schema, field, shape] of EXTRA) {
      if (!schemas[schema]) continue;
      assert.equal(schemas[schema].properties[field], undefined, `the specification has ${field} by now`);
      schemas[schema].properties[field] = shape;
    }
    // What content is made of is told in the request only; an answer shows the same, and nothing of the other types.
    const shown = ["content.v1.content", "content.v1.content_and_approvals"];
    for (const name of shown.filter((name) => schemas[name])) {
      schemas[name].properties.types = { $ref: "#/components/schemas/types" };
    }
    this.ajv = new Ajv({ allErrors: true, strict: false, formats: FORMATS });
    this.ajv.addSchema({ $id: file, components: { schemas: Object.fromEntries(
      Object.entries(schemas).map(([name, schema]) => [name, converted(schema)]),
    ) } });
    this.file = file;
  }

  faults(schema, value, what) {
    const pointed = JSON.parse(JSON.stringify(converted(schema)).replaceAll('"#/', `"${this.file}#/`));
    const check = this.ajv.compile(pointed);
    if (check(value)) return [];
    return check.errors.map((it) => `${what}${it.instancePath} ${it.message} ${JSON.stringify(it.params)}`);
  }

  // The operation of a path, if this specification has the path.
  operation(method, path) {
    const parts = path.split("/");
    for (const [template, operations] of Object.entries(this.whole.paths)) {
      const names = template.split("/");
      const fits = names.length === parts.length
        && names.every((name, place) => name.startsWith("{") ? parts[place] : name === parts[place]);
      if (fits && operations[method.toLowerCase()]) return [template, operations[method.toLowerCase()]];
    }
    return undefined;
  }

  judge({ method, path, query, request, status, response }) {
    const [template, operation] = this.operation(method, path);
    const faults = [];
    const parameters = operation.parameters ?? [];
    const names = template.split("/").map((name) => name.replace(/[{}]/g, ""));
    path.split("/").forEach((part, place) => {
      const told = parameters.find((it) => it.in === "path" && it.name === names[place]);
      if (told) faults.push(...this.faults(told.schema, part, names[place]));
    });
    const asked = new URLSearchParams(query);
    for (const { name, schema, required } of parameters.filter((it) => it.in === "query")) {
      if (!asked.has(name)) {
        if (required) faults.push(`${name} is not asked`);
        continue;
      }
      const value = asked.get(name);
      faults.push(...this.faults(schema, schema.type === "integer" ? Number(value) : value, name));
      asked.delete(name);
    }
    faults.push(...[...asked.keys()].map((name) => `${name} is no parameter`));
    const body = operation.requestBody?.content?.["application/json"]?.schema;
    if (body) faults.push(...this.faults(body, request, "request"));
    else if (request !== null) faults.push("a body is sent to an operation without one");
    const answer = operation.responses[String(status)];
    if (!answer) return [...faults, `the status ${status} is not documented`];
    const shown = answer.content?.["application/json"]?.schema;
    if (shown) faults.push(...this.faults(shown, response, "response"));
    else if (response !== null) faults.push("a body is answered where none is documented");
    return faults;
  }
}

const specifications = SPECS.map((file) => new Specification(file));
const exchanges = JSON.parse(readFileSync(args.exchanges, "utf8"));
const wrong = [];
const seen = { true: new Set(), false: new Set() };
for (const exchange of exchanges) {
  const { what, method, path, valid } = exchange;
  const judge = specifications.find((it) => it.operation(method, path));
  assert.ok(judge, `${method} ${path} is in no specification`);
  const faults = judge.judge(exchange);
  if (valid) wrong.push(...faults.map((fault) => `${method} ${path}: ${fault}`));
  else if (faults.length === 0) wrong.push(`${what}: ${method} ${path} has no fault`);
  seen[valid].add(`${method} ${judge.operation(method, path)[0]}`);
}
assert.deepEqual(wrong, []);
// All operations of both resources that the client uses, and no others.
assert.deepEqual([...seen.true].sort(), [
  "DELETE /v1/Content/{Sid}",
  "GET /v1/Content",
  "GET /v1/Content/{Sid}",
  "GET /v1/ContentAndApprovals",
  "GET /v2/Channels/Senders",
  "GET /v2/Channels/Senders/{Sid}",
  "POST /v1/Content",
  "POST /v1/Content/{ContentSid}/ApprovalRequests/whatsapp",
  "POST /v2/Channels/Senders/{Sid}",
]);
assert.ok(seen.false.size > 0);
