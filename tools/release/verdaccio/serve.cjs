/** A registry on a free port of 127.0.0.1 that anybody may publish to, and that asks no other registry. */
const { createRequire } = require("node:module");

const [installation, storage] = process.argv.slice(2);
const { runServer } = createRequire(`${installation}/`)("verdaccio");

runServer({
  self_path: storage,
  storage,
  packages: {
    "@quarterturn/*": { access: "$all", publish: "$all" },
    quarterturn: { access: "$all", publish: "$all" },
  },
  log: { type: "stdout", format: "json", level: "error" },
}).then((server) => server.listen(0, "127.0.0.1", () => process.send(server.address().port)));
