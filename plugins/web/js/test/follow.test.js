import { createTask } from "framework-web";
import { expect, test } from "vitest";
import { hear, QUICK, server, until } from "./scene.js";
import { Scripted, snapshot } from "./server.js";

test("a stream that is cut goes on after the last event that came", async () => {
  const task = createTask(server.url, { id: "7", times: QUICK });
  const { told } = hear(task);

  const first = await server.stream();
  first.snapshot().send("progress", 10, "5-0").write('id: 6-0\nevent: progress\ndata: {"half');
  await until(() => task.getState().percentage === 10);
  first.cut();
  const second = await server.stream();
  second.send("progress", 20, "6-0").send("completed", { result: "whole" }, "7-0");

  expect(await task.wait()).toBe("whole");
  expect(first.lastEventId).toBeUndefined();
  expect(second.lastEventId).toBe("5-0");
  expect(told).toEqual(["active", "active 10", "active 20", "completed 20", { result: "whole" }]);
});

test("a server that ends a stream early, as when it restarts, is asked again", async () => {
  const task = createTask(server.url, { id: "7", times: QUICK });
  hear(task);

  (await server.stream()).write("retry: 1\n\n").snapshot().end();
  const second = await server.stream();
  second.send("completed", { result: 2 });

  expect(second.lastEventId).toBe("1-0");
  expect(await task.wait()).toBe(2);
});

test("a server that knows of nothing more is asked how the job stands", async () => {
  const task = createTask(server.url, { id: "7", times: QUICK });
  hear(task);

  const first = await server.stream();
  first.snapshot();
  await until(() => task.getState().status === "active");
  server.on("GET /tasks/report/7/events", (_, response) => {
    server.forget("GET /tasks/report/7/events");
    response.writeHead(204).end();
  });
  first.end();
  const second = await server.stream();
  second.snapshot({ state: "completed", result: "seen" }).end();

  expect(second.lastEventId).toBeUndefined();
  expect(await task.wait()).toBe("seen");
});

test("a server that is away for a while is found again", async () => {
  const task = createTask(server.url, { id: "7", times: QUICK });
  const { told } = hear(task);
  (await server.stream()).snapshot({ progress: 30 });
  await until(() => task.getState().percentage === 30);
  const { port } = server;

  await server.close();
  await until(() => task.getState().connection === "connecting");
  await server.listen(port);
  (await server.stream()).send("completed", { result: "back" });

  expect(await task.wait()).toBe("back");
  expect(told).toEqual(["active 30", "completed 30", { result: "back" }]);
});

test("a proxy's error page is not the end, and its wish to wait is heeded", async () => {
  let gone = 0;
  server.on("GET /tasks/report/7/events", (_, response) => {
    gone = performance.now();
    server.forget("GET /tasks/report/7/events");
    response.writeHead(502, { "Content-Type": "text/html", "Retry-After": "0.05" });
    response.end("<h1>Bad Gateway</h1>");
  });
  const task = createTask(server.url, { id: "7", times: QUICK });
  hear(task);

  (await server.stream()).snapshot().send("completed", { result: "well" });

  expect(await task.wait()).toBe("well");
  expect(performance.now() - gone).toBeGreaterThan(45);
});

test("a stream that a proxy holds back is polled beside", async () => {
  server.answer("GET /tasks/report/7", 200, snapshot({ progress: 10 }));
  const task = createTask(server.url, { id: "7", times: { patience: 5, poll: 5 } });
  const { told } = hear(task);
  const stream = await server.stream();
  stream.response.flushHeaders();

  await until(() => task.getState().percentage === 10);
  expect(task.getState().connection).toBe("polling");
  const whole = snapshot({ state: "completed", progress: 100, result: 1 });
  server.answer("GET /tasks/report/7", 200, whole);

  expect(await task.wait()).toBe(1);
  await stream.closed;
  expect(told).toEqual(["active 10", "completed 100", { result: 1 }]);
});

test("polling stops once the stream speaks", async () => {
  server.answer("GET /tasks/report/7", 200, snapshot({ progress: 10 }));
  const task = createTask(server.url, { id: "7", times: { patience: 1, poll: 1 } });
  hear(task);
  const stream = await server.stream();
  await until(() => task.getState().connection === "polling");

  stream.write(":\n\n");
  await until(() => task.getState().connection === "live");
  const polled = server.asked.length;
  for (let n = 11; n <= 30; n += 1) {
    stream.send("progress", n);
    await until(() => task.getState().percentage === n);
  }

  expect(server.asked.length - polled).toBeLessThanOrEqual(1); // which was under way
  hear(task).leave();
});

test("where no stream gets through, polling alone tells the end", async () => {
  server.answer("GET /tasks/report/7/events", 200, "<h1>Log in to the café</h1>");
  server.answer("GET /tasks/report/7", 200, snapshot({ state: "failed", error: "out of paper" }));
  const task = createTask(server.url, { id: "7", times: { patience: 1, poll: 1 } });
  const { told } = hear(task);

  await expect(task.wait()).rejects.toThrow("out of paper");

  expect(told).toEqual(["failed", { failed: "out of paper" }]);
});

test("a job that is gone while it is polled is an error", async () => {
  server.answer("GET /tasks/report/7/events", 502, "<h1>Bad Gateway</h1>");
  const task = createTask(server.url, { id: "7", times: { patience: 1, poll: 1, retry: 60_000 } });

  await expect(task.wait()).rejects.toMatchObject({ kind: "refused", status: 404 });
});

test("a stream whose heart has stopped is opened again", async () => {
  const task = createTask(server.url, { id: "7", times: { ...QUICK, silence: 40 } });
  hear(task);

  const first = await server.stream();
  first.snapshot();
  await first.closed;
  (await server.stream()).send("completed", { result: "alive" });

  expect(await task.wait()).toBe("alive");
});

test("nothing is connected before somebody listens, nor after the last one left", async () => {
  server.accept();
  const task = createTask(server.url, { times: QUICK });
  await task.start({});
  const one = hear(task);
  const other = hear(task);
  const stream = await server.stream();
  stream.snapshot();
  await until(() => task.getState().connection === "live");

  one.leave();
  stream.send("progress", 40);
  await until(() => task.getState().percentage === 40);
  other.leave();
  await stream.closed;

  expect(one.told).toEqual(["active"]);
  expect(server.asked).toEqual(["POST /tasks/report", "GET /tasks/report/7/events"]);
  expect(task.getState().connection).toBe("closed");
});

test("a hundred listeners that come and go leave no connection", async () => {
  const task = createTask(server.url, { id: "7", times: QUICK });

  for (let n = 0; n < 100; n += 1) {
    const { leave } = hear(task);
    const stream = await server.stream();
    leave();
    await stream.closed;
  }
  const open = await new Promise((resolve) => {
    server.server.getConnections((_, count) => resolve(count));
  });

  expect(server.asked).toHaveLength(100);
  expect(server.unseen).toBe(0);
  expect(open).toBeLessThanOrEqual(2); // idle ones, kept alive
});

test("leaving while the server is away ends the attempts", async () => {
  const other = await new Scripted().listen();
  const times = { retry: 1, longest: 1, patience: 1, poll: 1 };
  const task = createTask(other.url, { id: "7", times });
  const { leave } = hear(task);
  await other.stream();
  const { port } = other;
  await other.close();
  await until(() => task.getState().connection === "polling");

  leave();
  await until(() => task.getState().connection === "closed");
  await other.listen(port);
  other.asked = [];
  await createTask(other.url).abort().catch(() => undefined);
  await fetch(other.url);

  expect(other.asked).toEqual(["GET /tasks/report"]);
  await other.close();
});

test("what a job that has ended streamed is told before its end, once, though the line breaks", async () => {
  const task = createTask(server.url, { id: "7", times: QUICK });
  const { told } = hear(task);

  const first = await server.stream();
  first.snapshot({ state: "failed", error: "out of ink" }).send("chunk", { index: 0, data: "a" });
  await until(() => told.length > 0);
  first.cut();
  const second = await server.stream();
  second.snapshot({ state: "failed", error: "out of ink" });
  second.send("chunk", { index: 0, data: "a" }).send("chunk", { index: 1, data: "b" });
  second.send("log", { row: "no more ink" }).end();

  await expect(task.wait()).rejects.toThrow("out of ink");
  expect(second.lastEventId).toBeUndefined();
  expect(told).toEqual([
    { 0: "a" },
    { 1: "b" },
    { row: "no more ink" },
    "failed",
    { failed: "out of ink" },
  ]);
  expect(task.getState().chunks).toEqual(["a", "b"]);
});

test("a job that has ended is told so, though nobody can read all that it streamed", async () => {
  server.on("GET /tasks/report/7/events", (_, response) => {
    const end = JSON.stringify(snapshot({ state: "completed", result: 1 }));
    response.writeHead(200, { "Content-Type": "text/event-stream" });
    response.write(`event: snapshot\ndata: ${end}\n\n`, () => response.destroy());
  });
  const task = createTask(server.url, { id: "7", times: QUICK });
  hear(task);

  expect(await task.wait()).toBe(1);
});
