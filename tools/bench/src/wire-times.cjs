/**
 * Loaded into the function's process before the handler: measures from outside of the bundle, as "api", how long each request to Secrets
 * Manager waits for its answer, and, as "database", how long each connection to the server is open. In that time the function does nothing
 * else; what it computes for TLS and to prove its password is in it.
 */
const { subscribe } = require("node:diagnostics_channel");
const { Socket } = require("node:net");

const sent = new WeakMap();
subscribe("http.client.request.start", ({ request }) => {
  // The runtime's own requests are no part of the rotation.
  if (request.getHeader("host") !== process.env.AWS_LAMBDA_RUNTIME_API) sent.set(request, performance.now());
});
subscribe("http.client.response.finish", ({ request }) => {
  if (sent.has(request)) performance.measure("api", { start: sent.get(request) });
});

const databasePort = Number(process.env.BENCH_DATABASE_PORT);
const { connect } = Socket.prototype;
Socket.prototype.connect = function (...target) {
  // A port and a host, or an object; and net.connect has put its own arguments into an array.
  const [first] = target.flat();
  if (Number(first?.port ?? first) === databasePort) {
    const start = performance.now();
    this.once("close", () => performance.measure("database", { start }));
  }
  return connect.apply(this, target);
};
