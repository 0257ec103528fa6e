// A receiver of Meta's webhooks on a free loopback port: it answers the check of its URL, and keeps what it gets.

import http from "node:http";
import { once } from "node:events";

export class Receiver {
  taken = [];
  waiting = new Set();
  checks = 0;

  static async start(verifyToken) {
    const receiver = new Receiver();
    receiver.server = http.createServer(async (request, response) => {
      const url = new URL(request.url, "http://localhost");
      if (request.method === "GET") {
        receiver.checks += 1;
        const query = url.searchParams;
        const isRight = query.get("hub.mode") === "subscribe" && query.get("hub.verify_token") === verifyToken;
        response.writeHead(isRight ? 200 : 403).end(isRight ? query.get("hub.challenge") : "");
        return;
      }
      const parts = [];
      for await (const part of request) parts.push(part);
      const raw = Buffer.concat(parts);
      response.writeHead(200).end();
      receiver.taken.push({ raw, body: JSON.parse(raw), signature: request.headers["x-hub-signature-256"] });
      for (const look of [...receiver.waiting]) look();
    });
    receiver.server.listen(0, "127.0.0.1");
    await once(receiver.server, "listening");
    receiver.url = `http://127.0.0.1:${receiver.server.address().port}/hook`;
    return receiver;
  }

  // The first thing that `find` makes of any webhook.
  until(what, find) {
    return new Promise((resolve, reject) => {
      const late = setTimeout(() => {
        this.waiting.delete(look);
        reject(new Error(`no webhook with ${what}`));
      }, 30_000);
      const look = () => {
        const found = this.taken.map(find).find((it) => it !== undefined);
        if (found === undefined) return;
        clearTimeout(late);
        this.waiting.delete(look);
        resolve(found);
      };
      this.waiting.add(look);
      look();
    });
  }

  stop() {
    this.server.close();
    this.server.closeAllConnections();
  }
}
