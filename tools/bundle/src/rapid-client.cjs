/**
 * Loaded into a function's process before AWS's runtime client, and taken by it for rapid-client.node, its compiled part, which does nothing
 * but send three of the runtime API's requests. With the answers it sends what the invocation cost, for measurements.
 *
 * @see https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html
 */
const { Agent, request } = require("node:http");
const { registerHooks } = require("node:module");
const { pathToFileURL } = require("node:url");

const hooks = registerHooks({
  resolve(specifier, context, next) {
    if (specifier !== "./rapid-client.node") return next(specifier, context);
    // The handler's own modules are found as ever.
    hooks.deregister();
    // What the client does next is to load the handler.
    loadingSince = performance.now();
    return { url: pathToFileURL(__filename).href, format: "commonjs", shortCircuit: true };
  },
});

const [host, port] = process.env.AWS_LAMBDA_RUNTIME_API.split(":");
const agent = new Agent({ keepAlive: true, maxSockets: 1 });
let loadingSince;
let initMs;
let begun;
let answered = Promise.resolve();

exports.next = async () => {
  initMs ??= performance.now() - loadingSince;
  await answered;
  const event = await send("GET", "next", { "init-ms": initMs });
  begun = performance.now();
  return event;
};
exports.done = (id, body) => answer(`${id}/response`, body);
exports.error = (id, body) => answer(`${id}/error`, body);

/** As the compiled part does, it has not failed when it returns; that it did fail ends the process. */
function answer(path, body) {
  const { userCPUTime, systemCPUTime, maxRSS } = process.resourceUsage();
  const measures = performance.getEntriesByType("measure");
  const cost = {
    durationMs: performance.now() - begun,
    processorMs: (userCPUTime + systemCPUTime) / 1000,
    peakMemoryMb: maxRSS / 1024,
    measures: measures.map(({ name, startTime, duration }) => ({ name, startTime, duration })),
  };
  performance.clearMeasures();
  answered = send("POST", path, { "content-type": "application/json", cost: JSON.stringify(cost) }, body);
}

function send(method, path, headers, body) {
  const { promise, resolve, reject } = Promise.withResolvers();
  const options = { agent, host, port, method, path: `/2018-06-01/runtime/invocation/${path}`, headers };
  const sent = request(options, (response) => {
    let text = "";
    response.setEncoding("utf8").on("data", (chunk) => {
      text += chunk;
    });
    response.on("end", () => {
      if (response.statusCode < 300) resolve({ bodyJson: text, headers: response.headers });
      else reject(new Error(`The runtime API answered ${method} ${path} with status ${response.statusCode}: ${text}`));
    });
  });
  sent.on("error", reject).end(body);
  return promise;
}
