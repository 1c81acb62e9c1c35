import { expect, it, onTestFinished, vi } from "vitest";
import { eventLog } from "./event-log.ts";

const call = (name: string) => ({ kind: "api-call" as const, name, durationMs: 0 });

it("keeps the latest 20,000 events", () => {
  const log = eventLog(() => new Date());
  for (let n = 0; n < 20_002; n += 1) log.add(call(String(n)));
  expect(log.events).toHaveLength(20_000);
  expect(log.events[0]?.name).toBe("2");
});

it("tells every listener, and lets one's error surface outside of the endpoint", () => {
  const microtask = vi.spyOn(globalThis, "queueMicrotask").mockImplementation(() => undefined);
  onTestFinished(() => microtask.mockRestore());
  const log = eventLog(() => new Date(0));
  const heard: string[] = [];
  log.onEvent(() => {
    throw new Error("the listener's own");
  });
  log.onEvent(({ name, time }) => heard.push(`${name} ${time.getTime()}`));
  log.add(call("a"));
  expect(heard).toEqual(["a 0"]);
  expect(() => microtask.mock.calls[0]?.[0]()).toThrow("the listener's own");
});
