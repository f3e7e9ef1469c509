import { expect, test } from "vitest";
import { eventsIn } from "../src/sse.js";

/** @param {Uint8Array[]} chunks */
async function read(...chunks) {
  const bytes = (async function* () {
    yield* chunks;
  })();
  const found = [];
  for await (const one of eventsIn(bytes)) found.push([one.event, one.data, one.id, one.retry]);
  return found;
}

/** @param {string} text */
const bytes = (text) => new TextEncoder().encode(text);

test("an event has a name, data, an id and a time to retry", async () => {
  const first = ": beat\nid: 1-0\nevent: progress\nretry: 1500\ndata: 5\n\n";

  const found = await read(bytes(`${first}data:6\n\n`));

  expect(found).toEqual([
    ["progress", "5", "1-0", 1500],
    ["message", "6", null, null],
  ]);
});

test.each(["\n", "\r", "\r\n"])("lines end with %j, wherever the stream is split", async (end) => {
  const whole = bytes(["event: log", "data: {", "data: é}", "", "data: 2", "", ""].join(end));
  const split = [...whole].map((_, at) => whole.slice(at, at + 1));

  expect(await read(...split)).toEqual(await read(whole));
  expect((await read(whole))[0]).toEqual(["log", "{\né}", null, null]);
});

test("half an event is none", async () => {
  expect(await read(bytes("data: 1\n\ndata: 2\n"))).toEqual([["message", "1", null, null]]);
});
