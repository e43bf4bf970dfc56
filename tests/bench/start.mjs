// A script that lists once: from its first line to the sessions in hand, in a process of its own.
const start = performance.now();
const [module, connect, given] = process.argv.slice(2);
const app = await import(module);
const sessions = await app[connect](JSON.parse(given)).list();
console.log(JSON.stringify({ ms: performance.now() - start, ids: sessions.map(({ id, $id }) => id ?? $id) }));
