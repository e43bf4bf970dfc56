// A server in front of another that has no faults of its own: it plays those of the sandbox that the matrix asks for, in the sandbox's own words (tests/sandbox/README.md), and lets any page ask.
import { createServer } from "node:http";
import { once } from "node:events";

const HEADER = "x-sandbox-fault";
const MIB = 1024 * 1024;

/** `status=503; retry-after=99; after` */
const read = (text = "") => Object.fromEntries([...text.matchAll(/([\w-]+)(?:=("[^"]*"|[^;]*))?/g)].map(([, name, value = ""]) => [name, value.replace(/^"|"$/g, "")]));

async function answerOf(target, { method, url, headers }, body) {
  const { host, origin, connection, [HEADER]: fault, ...others } = headers;
  // As if its own page asked: it takes no other.
  const response = await fetch(target + url, { method, headers: { ...others, origin: target }, redirect: "manual", ...(body.length > 0 && { body }) });
  const { "content-length": length, "content-encoding": encoding, "transfer-encoding": transfer, connection: own, "keep-alive": keep, ...kept } = Object.fromEntries(response.headers);
  return { status: response.status, headers: kept, body: Buffer.from(await response.arrayBuffer()) };
}

export async function faulty(target) {
  const server = createServer(async (incoming, outgoing) => {
    const chunks = [];
    for await (const chunk of incoming) chunks.push(chunk);
    const cors = { "access-control-allow-origin": "*", "access-control-expose-headers": "*", "access-control-allow-methods": "*" };
    if (incoming.method === "OPTIONS") return outgoing.writeHead(204, { ...cors, "access-control-allow-headers": incoming.headers["access-control-request-headers"] ?? "*" }).end();
    const fault = read(incoming.headers[HEADER]);
    if (fault.delay) await new Promise((resolve) => setTimeout(resolve, Number(fault.delay)));
    const isMadeUp = ["status", "redirect", "huge"].some((name) => name in fault) || fault.drop === "" || fault.hang === "";
    const real = isMadeUp && !("after" in fault) ? undefined : await answerOf(target, incoming, Buffer.concat(chunks));
    if (fault.drop === "") return incoming.socket.destroy();
    if (fault.hang === "") return;
    const status = Number(fault.status ?? 302);
    const more = Object.fromEntries([["retry-after", fault["retry-after"]], ["location", fault.redirect]].filter(([, value]) => value !== undefined));
    if (fault.huge) {
      outgoing.writeHead(200, { ...cors, "content-type": "application/json" }).write('{"filler":"');
      for (let n = 0; n < Number(fault.huge) && !outgoing.destroyed; n++) if (!outgoing.write("a".repeat(MIB))) await Promise.race([once(outgoing, "drain"), once(outgoing, "close")]);
      return outgoing.end('"}');
    }
    const answer = isMadeUp ? { status, headers: { "content-type": fault["content-type"] ?? "application/json", ...more }, body: Buffer.from(fault.body ?? '{"message":"a fault"}') } : real;
    const half = answer.body.subarray(0, answer.body.length / 2);
    const isCut = fault.drop === "body" || fault.hang === "body";
    outgoing.writeHead(answer.status, { ...answer.headers, ...cors, "content-length": "truncate" in fault ? half.length : answer.body.length });
    if (!isCut) return outgoing.end("truncate" in fault ? half : answer.body);
    outgoing.write(half, () => fault.drop === "body" && incoming.socket.destroy());
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return { url: `http://127.0.0.1:${server.address().port}`, stop: () => (server.closeAllConnections(), server.close()) };
}
