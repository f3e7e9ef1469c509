import { createRoot } from "react-dom/client";
import { createElement as h, StrictMode } from "react";
import { useTask } from "framework-web/react";
import { Window } from "happy-dom";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { QUICK, server, until } from "./scene.js";

/** @type {import("react-dom/client").Root} */
let root;
/** @type {any} */
let page;

beforeEach(() => {
  page = new Window({ url: server.url });
  Object.assign(globalThis, { window: page, document: page.document });
  root = createRoot(page.document.body);
});
afterEach(async () => {
  root.unmount();
  await page.happyDOM.close();
  Object.assign(globalThis, { window: undefined, document: undefined });
});

/** @param {Parameters<typeof useTask>[1] & { url?: string, note?: string }} props */
function Report({ url = server.url, note, ...options }) {
  const task = useTask(url, { times: QUICK, ...options });
  const { status, percentage, result, error, start, abort } = task;
  const words = [note, status, percentage, result, error?.message];
  return h(
    "div",
    null,
    h("button", { id: "start", onClick: () => start({ rows: 1 }) }),
    h("button", { id: "abort", onClick: () => abort() }),
    h("p", null, words.filter((one) => one != null).join(" ")),
  );
}

/** @param {string} words */
const shows = (words) =>
  until(() => page.document.querySelector("p")?.textContent === words, `${words} is shown`);

/** @param {string} id */
const click = (id) => page.document.getElementById(id).click();

test("a component shows its task live", async () => {
  server.accept();
  /** @type {unknown[]} */
  const completed = [];
  root.render(h(Report, { onComplete: (result) => completed.push(result) }));
  await shows("idle");

  click("start");
  const stream = await server.stream();
  stream.snapshot().send("progress", 40);
  await shows("active 40");
  stream.send("completed", { result: "done" });
  await shows("completed 40 done");

  expect(server.posted).toEqual({ rows: 1 });
  expect(completed).toEqual(["done"]);
});

test("StrictMode, which mounts twice, has one connection", async () => {
  const counting = vi.fn(fetch);
  root.render(h(StrictMode, null, h(Report, { id: "7", fetch: counting })));
  const stream = await server.stream();
  stream.snapshot({ progress: 5 });
  await shows("active 5");

  expect(counting).toHaveBeenCalledTimes(1);
  expect(server.asked).toEqual(["GET /tasks/report/7/events"]);
});

test("a component that goes away leaves nothing open", async () => {
  root.render(h(Report, { id: "7" }));
  const stream = await server.stream();
  stream.snapshot();
  await shows("active");

  root.render(null);
  await stream.closed;

  expect(server.asked).toHaveLength(1);
});

test("callbacks are those of the latest render", async () => {
  /** @type {string[]} */
  const heard = [];
  root.render(h(Report, { id: "7", onError: () => heard.push("old") }));
  const stream = await server.stream();
  stream.snapshot();
  await shows("active");

  root.render(h(Report, { id: "7", note: "new", onError: ({ message }) => heard.push(message) }));
  await shows("new active");
  stream.send("failed", { error: "out of paper", attempts_made: 1 });
  await shows("new failed out of paper");

  expect(heard).toEqual(["out of paper"]);
});

test("another id attaches to that job, and another address is another task", async () => {
  root.render(h(Report, { id: "7" }));
  const first = await server.stream();
  first.snapshot({ progress: 7 });
  await shows("active 7");

  root.render(h(Report, { id: "8" }));
  await first.closed;
  const second = await server.stream();
  second.snapshot({ progress: 8 });
  await shows("active 8");
  root.render(h(Report, { url: server.url.replace("report", "mail"), id: "9" }));
  await second.closed;
  (await server.stream()).snapshot({ progress: 9 });
  await shows("active 9");

  expect(server.asked).toEqual([
    "GET /tasks/report/7/events",
    "GET /tasks/report/8/events",
    "GET /tasks/mail/9/events",
  ]);
});

test("the id of a started job may become the prop, as when it is kept in the address", async () => {
  server.accept();
  root.render(h(Report));
  await shows("idle");
  click("start");
  const stream = await server.stream();
  stream.snapshot({ progress: 1 });
  await shows("active 1");

  root.render(h(Report, { id: "7" }));
  stream.send("progress", 2);
  await shows("active 2");

  expect(server.asked.filter((what) => what.endsWith("/events"))).toHaveLength(1);
});

test("abort is a click", async () => {
  server.accept();
  root.render(h(Report));
  await shows("idle");
  click("start");
  const stream = await server.stream();
  stream.snapshot();
  await shows("active");

  click("abort");
  await until(() => server.asked.includes("DELETE /tasks/report/7"));
  stream.send("failed", { error: "cancelled", attempts_made: 1 });

  await shows("failed cancelled");
});

test("a refused start is shown", async () => {
  server.answer("POST /tasks/report", 422, { detail: "rows: too few" });
  root.render(h(Report));
  await shows("idle");

  click("start");

  await shows("error rows: too few");
});
