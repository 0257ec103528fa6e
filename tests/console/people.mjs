// Each way to sign in: node people.mjs http://127.0.0.1:PORT/console/ PROVIDER_PORT PASSWORD
//
// The provider of OpenID Connect and the proxy are here. The daemon knows ana by her password, and takes the claim of the
// group "floor" as a supervisor; the proxy names ana in X-Remote-User, and serves the console below a folder of its own.

import { createServer, request } from "node:http";
import { createHash, generateKeyPairSync, randomBytes, sign } from "node:crypto";
import { accessible, check, launch, tab } from "./browser.mjs";

const [root, providerPort, password] = process.argv.slice(2);
const NEXT = "a password for afterwards";
const provider = await openProvider(Number(providerPort));
const proxy = await openProxy();
const browser = await launch();
try {
  await byPassword();
  await byProvider();
  await byProxy();
  console.log("people sign in");
} finally {
  await browser.close();
  provider.close();
  proxy.close();
}

async function go(page, act) {
  await Promise.all([page.waitForNavigation(), act()]);
}

async function shown(page) {
  return page.$eval("body", (body) => body.innerText);
}

// A refusal is a fault in the console of the browser, and so is the picture that it asks for beside a page without one.
async function noFault(own, what) {
  const faults = own.faults.filter((fault) => !fault.startsWith("elsewhere") && !/status of (401|403|404|422)/.test(fault));
  check(faults.length === 0, `${what}: ${faults.join("; ")}`);
}

async function enter(page, given) {
  await page.type("input[name=name]", "ana");
  await page.type("input[name=password]", given);
  await go(page, () => page.click("form.sign-in button"));
}

async function byPassword() {
  const own = await tab(browser, root);
  const { page } = own;
  await page.goto(root + "callbacks?status=waiting");
  check(page.url().includes("sign-in"), `nobody is signed in, and sees ${page.url()}`);
  await accessible(own, "the sign-in");
  await enter(page, "not the password at all");
  check((await shown(page)).includes("name or the password is wrong"), "a wrong password is not told");
  await page.$eval("input[name=name]", (input) => { input.value = ""; });
  await enter(page, password);
  check(page.url() === root + "callbacks?status=waiting", `the sign-in leads to ${page.url()}`);
  const [cookie] = await page.cookies();
  check(cookie.httpOnly && cookie.sameSite === "Strict", `the cookie is ${JSON.stringify(cookie)}`);
  await page.goto(root + "password");
  await accessible(own, "the own password");
  for (const [name, value] of [["old", password], ["new", NEXT], ["repeated", NEXT]]) await page.type(`input[name=${name}]`, value);
  await go(page, () => page.click("form.sign-in button"));
  check((await shown(page)).includes("Your password is changed"), `after the change: ${await shown(page)}`);
  await go(page, () => page.click("form[action$='sign-out'] button"));
  check(page.url().includes("sign-in"), `signed out, and at ${page.url()}`);
  await page.goto(root);
  check(page.url().includes("sign-in"), "the session goes on after the sign-out");
  await enter(page, NEXT);
  check((await shown(page)).includes("ana"), "the new password is not taken");
  await noFault(own, "a password");
  await go(page, () => page.click("form[action$='sign-out'] button"));
  await page.close();
}

async function byProvider() {
  const own = await tab(browser, root);
  const { page } = own;
  await page.goto(root + "sign-in?next=calls");
  await Promise.all([
    page.waitForFunction((address) => location.href.startsWith(address), { timeout: 20_000 }, root + "calls"),
    page.click("a[href*='sign-in/oidc']"),
  ]);
  const told = await shown(page);
  check(told.includes("bo") && told.includes("supervisor"), `the provider's person: ${told}`);
  await noFault(own, "a provider");
  await go(page, () => page.click("form[action$='sign-out'] button"));
  await page.close();
}

async function byProxy() {
  const address = `http://127.0.0.1:${proxy.address().port}/tools/ring/console/`;
  const own = await tab(browser, address);
  const { page } = own;
  for (const path of ["", "callbacks", "calls", "reports/answer-rate"]) {
    const answer = await page.goto(address + path);
    check(answer.status() === 200 && page.url() === address + path, `${path} behind a proxy: ${answer.status()} ${page.url()}`);
    check((await shown(page)).includes("ana"), "the proxy's person is not shown");
  }
  check(await page.evaluate(() => getComputedStyle(document.querySelector("header")).display === "flex"), "the style is missing below a folder");
  await noFault(own, "a proxy");
  await page.close();
}

// A provider that signs in bo of the floor, whoever asks.
async function openProvider(port) {
  const issuer = `http://127.0.0.1:${port}`;
  const { privateKey, publicKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  const encoded = (value) => Buffer.from(typeof value === "string" ? value : JSON.stringify(value)).toString("base64url");
  const asked = new Map();
  const server = createServer(async (incoming, answer) => {
    const url = new URL(incoming.url, issuer);
    const json = (value) => answer.writeHead(200, { "content-type": "application/json" }).end(JSON.stringify(value));
    let body = "";
    for await (const part of incoming) body += part;
    if (url.pathname === "/.well-known/openid-configuration") {
      return json({ issuer, authorization_endpoint: issuer + "/authorize", token_endpoint: issuer + "/token", jwks_uri: issuer + "/keys" });
    }
    if (url.pathname === "/keys") return json({ keys: [{ ...publicKey.export({ format: "jwk" }), kid: "1", use: "sig" }] });
    if (url.pathname === "/authorize") {
      const code = randomBytes(8).toString("hex");
      asked.set(code, { nonce: url.searchParams.get("nonce"), challenge: url.searchParams.get("code_challenge") });
      const back = new URL(url.searchParams.get("redirect_uri"));
      back.searchParams.set("state", url.searchParams.get("state"));
      back.searchParams.set("code", code);
      return answer.writeHead(303, { location: back.href }).end();
    }
    const form = new URLSearchParams(body);
    const known = asked.get(form.get("code"));
    const proof = createHash("sha256").update(form.get("code_verifier") ?? "").digest("base64url");
    if (url.pathname !== "/token" || known?.challenge !== proof) return answer.writeHead(400).end();
    const now = Math.floor(Date.now() / 1000);
    const claims = { iss: issuer, sub: "17", aud: "ringmaster", iat: now, exp: now + 300, nonce: known.nonce, preferred_username: "bo", groups: ["floor"] };
    const signed = `${encoded({ alg: "ES256", kid: "1" })}.${encoded(claims)}`;
    const signature = sign("sha256", Buffer.from(signed), { key: privateKey, dsaEncoding: "ieee-p1363" });
    json({ id_token: `${signed}.${signature.toString("base64url")}`, token_type: "Bearer" });
  });
  await new Promise((ready) => server.listen(port, "127.0.0.1", ready));
  return server;
}

// A proxy that takes what clients send in the header away, and serves the console below /tools/ring/.
async function openProxy() {
  const { host } = new URL(root);
  const server = createServer((incoming, answer) => {
    const path = incoming.url.replace(/^\/tools\/ring/, "");
    const headers = { ...incoming.headers, host, "x-remote-user": "ana" };
    const onwards = request(`http://${host}${path}`, { method: incoming.method, headers }, (back) => {
      answer.writeHead(back.statusCode, back.headers);
      back.pipe(answer);
    });
    onwards.on("error", () => answer.destroy());
    answer.on("close", () => onwards.destroy());
    incoming.pipe(onwards);
  });
  await new Promise((ready) => server.listen(0, "127.0.0.1", ready));
  return server;
}
