import { createTask, TaskError } from "framework-web";
import { expect, test, vi } from "vitest";
import { hear, QUICK, server, until } from "./scene.js";

test("a started task is told live to its end", async () => {
  server.accept();
  const task = createTask(server.url);
  const { told } = hear(task);

  const started = await task.start({ rows: 3 });
  const stream = await server.stream();
  stream.snapshot({ state: "waiting" });
  stream.send("state", { state: "active", attempts_made: 0, due_at: null });
  stream.send("progress", "a word of its own");
  stream.send("progress", 20);
  stream.send("progress", { percentage: 60, current: 3, total: 5, message: "half" });
  stream.send("state", { state: "completed", attempts_made: 1, due_at: null });
  stream.send("completed", { result: { rows: 3 } });
  const result = await task.wait();

  expect(started.id).toBe("7");
  expect(server.posted).toEqual({ rows: 3 });
  expect(result).toEqual({ rows: 3 });
  expect(told).toEqual([
    "pending",
    "waiting",
    "active",
    "active 20",
    "active 60",
    "completed 60",
    { result: { rows: 3 } },
  ]);
  expect(task.getState().progress).toMatchObject({ current: 3, message: "half" });
  expect(task.getState().connection).toBe("closed");
});

test("a job that is final already is told at once, and not asked for again", async () => {
  const task = createTask(server.url, { id: "7", times: QUICK });
  const { told } = hear(task);

  const stream = await server.stream();
  stream.snapshot({ state: "completed", progress: 100, result: 42 }).end();
  await stream.closed;

  expect(await task.wait()).toBe(42);
  expect(told).toEqual(["completed 100", { result: 42 }]);
  expect(server.asked).toEqual(["GET /tasks/report/7/events"]);
});

test("the client leaves after the last event, though the server stays", async () => {
  const task = createTask(server.url, { id: "7", times: QUICK });
  hear(task);

  const stream = await server.stream();
  stream.snapshot().send("completed", { result: null });
  await stream.closed;

  expect(server.asked).toHaveLength(1);
});

test("a failed job says why, and retries from a button", async () => {
  server.accept();
  const task = createTask(server.url);
  const { told } = hear(task);
  await task.start({});
  const first = await server.stream();
  const due_at = "2026-01-02T03:04:05Z";
  const retrying = { state: "retrying", error: "paper jam", attempts_made: 1, due_at };
  first.snapshot().send("state", retrying);
  await until(() => task.getState().status === "retrying");
  const { dueAt: due, lastError, error } = task.getState();
  first.send("failed", { error: "out of paper", attempts_made: 2 });
  await expect(task.wait()).rejects.toThrow("out of paper");

  await task.retry();
  const second = await server.stream();
  second.snapshot().send("completed", { result: "printed" });

  expect(await task.wait()).toBe("printed");
  expect(due).toEqual(new Date("2026-01-02T03:04:05Z"));
  expect([lastError, error]).toEqual(["paper jam", null]);
  expect(task.getState().lastError).toBe(null);
  expect(told).toEqual([
    "pending",
    "active",
    "retrying",
    "failed",
    { failed: "out of paper" },
    "pending",
    "active",
    "completed",
    { result: "printed" },
  ]);
});

test("an abort tells the server, and the job ends as cancelled", async () => {
  server.accept();
  const task = createTask(server.url);
  const { told } = hear(task);
  void task.start({});

  const aborted = await task.abort(); // waits for the start
  (await server.stream()).snapshot().send("failed", { error: "cancelled", attempts_made: 1 });
  await expect(task.wait()).rejects.toMatchObject({ kind: "cancelled" });

  expect(aborted).toEqual({ id: "7", effect: "asked" });
  expect(server.asked).toContain("DELETE /tasks/report/7");
  expect(told.at(-1)).toEqual({ cancelled: "cancelled" });
});

test("what was never started cannot be aborted or awaited", async () => {
  const task = createTask(server.url);

  await expect(task.abort()).rejects.toThrow("no task was started");
  await expect(task.wait()).rejects.toThrow("no task was started");
  expect(server.asked).toEqual([]);
});

test("a payload that does not fit is told as the problem that the server names", async () => {
  const detail = "rows: should be a number";
  server.answer("POST /tasks/report", 422, { detail, errors: [{ at: "rows" }] });
  const task = createTask(server.url);
  const { told } = hear(task);

  const error = await task.start({ rows: "?" }).catch((reason) => reason);

  expect(error).toBeInstanceOf(TaskError);
  expect(error).toMatchObject({ kind: "refused", status: 422, message: detail });
  expect(error.problem.errors).toEqual([{ at: "rows" }]);
  expect(task.getState()).toMatchObject({ status: "error", error });
  expect(told).toEqual(["pending", "error", { refused: detail }]);
});

test("a start that fails unseen is no unhandled rejection", async () => {
  server.answer("POST /tasks/report", 503, "<h1>Bad</h1>");
  const task = createTask(server.url);

  void task.start({});
  await until(() => task.getState().status === "error");

  expect(task.getState().error).toMatchObject({ kind: "unreachable", status: 503, problem: null });
});

test("an unknown job is an error, and not asked for again", async () => {
  server.answer("GET /tasks/report/8/events", 404, { title: "Not Found", detail: "no job 8" });
  const task = createTask(server.url, { times: QUICK });
  const { told } = hear(task);

  task.attach("8");
  await expect(task.wait()).rejects.toMatchObject({ status: 404, message: "no job 8" });

  expect(told).toEqual(["pending", "error", { refused: "no job 8" }]);
  expect(server.asked).toHaveLength(1);
});

test("a page loaded anew attaches by what it kept, or by an address with a token", async () => {
  server.accept();
  const kept = JSON.stringify(await createTask(server.url).start({}));
  const task = createTask(server.url);
  hear(task);

  task.attach(JSON.parse(kept));
  const first = await server.stream();
  task.attach(new URL(`${server.url}/a%20b?token=t`));
  const second = await server.stream();

  expect(first.url).toBe("/tasks/report/7/events");
  expect(second.url).toBe("/tasks/report/a%20b/events?token=t");
  expect(task.getState().id).toBe("a b");
  await first.closed;
});

test("keys go with every request, and the job's id with the start", async () => {
  server.accept();
  const task = createTask(server.url, { headers: () => ({ Authorization: "Bearer k" }) });
  hear(task);

  await task.start({}, { idempotencyKey: "once" });
  const posted = server.headers;
  const stream = await server.stream();

  expect(posted).toMatchObject({ authorization: "Bearer k", "idempotency-key": "once" });
  expect(stream.headers).toMatchObject({ authorization: "Bearer k", accept: "text/event-stream" });
});

test("what a job streams and logs arrives in order, once", async () => {
  const task = createTask(server.url, { id: "7", times: QUICK });
  const { told } = hear(task);

  const first = await server.stream();
  first.snapshot().send("chunk", { index: 5, data: "a" }).send("log", { row: "r" });
  first.send("chunk", { index: 6, data: "b" });
  await until(() => task.getState().chunks.length === 2);
  first.cut();
  const second = await server.stream();
  second.send("chunk", { index: 5, data: "a" }).send("chunk", { index: 6, data: "b" });
  second.send("chunk", { index: 7, data: "c" }).send("completed", { result: null });
  await task.wait();

  expect(task.getState().chunks).toEqual(["a", "b", "c"]);
  expect(told.filter((one) => typeof one === "object")).toEqual([
    { 5: "a" },
    { row: "r" },
    { 6: "b" },
    { 7: "c" },
    { result: null },
  ]);
});

test("a listener that throws disturbs nobody", async () => {
  const complaints = vi.spyOn(console, "error").mockImplementation(() => undefined);
  const task = createTask(server.url, { id: "7" });
  task.subscribe(() => {
    throw new Error("mine");
  });
  const { told } = hear(task);

  (await server.stream()).snapshot().send("completed", { result: 1 });
  await task.wait();

  expect(told.at(-1)).toEqual({ result: 1 });
  expect(complaints).toHaveBeenCalledWith(expect.objectContaining({ message: "mine" }));
  complaints.mockRestore();
});

test("who waits long enough leaves the job alone, and frees the connection", async () => {
  const task = createTask(server.url, { id: "7" });

  const waiting = task.wait({ timeout: 50 });
  const stream = await server.stream();
  await expect(waiting).rejects.toMatchObject({ kind: "timeout" });
  await stream.closed;

  expect(server.asked).toEqual(["GET /tasks/report/7/events"]);
});

test("a start that is taken back leaves the task idle", async () => {
  server.on("POST /tasks/report", () => undefined); // never answers
  const task = createTask(server.url);
  const { told } = hear(task);
  const leaving = new AbortController();

  const started = task.start({}, { signal: leaving.signal });
  await until(() => server.asked.length === 1);
  leaving.abort();

  await expect(started).rejects.toMatchObject({ name: "AbortError" });
  expect(told).toEqual(["pending", "idle"]);
});

test("a second start lets go of the first job", async () => {
  server.accept({ id: "7" });
  const task = createTask(server.url);
  hear(task);
  await task.start({});
  const first = await server.stream();
  first.snapshot({ progress: 50 });
  await until(() => task.getState().percentage === 50);

  server.accept({ id: "8" });
  await task.start({});
  await first.closed;
  (await server.stream()).snapshot({ id: "8" }).send("completed", { result: "second" });

  expect(await task.wait()).toBe("second");
  expect(task.getState()).toMatchObject({ id: "8", percentage: null });
});

test("a retry that is answered late lets a new start alone", async () => {
  server.accept();
  const task = createTask(server.url);
  hear(task);
  await task.start({});
  (await server.stream()).snapshot({ state: "failed", error: "paper jam" }).end();
  await until(() => task.getState().status === "failed");
  /** @type {(() => void)[]} */
  const answers = [];
  for (const what of ["POST /tasks/report/7/retry", "POST /tasks/report"]) {
    server.on(what, (_, response) => {
      const self = "/tasks/report/8";
      const links = { self, events: `${self}/events`, abort: self };
      const text = JSON.stringify({ id: "8", type: "report", links });
      answers.push(() => response.writeHead(202).end(text));
    });
  }

  const retried = task.retry();
  await until(() => answers.length === 1);
  const started = task.start({});
  await until(() => answers.length === 2);
  answers[0]?.();
  await retried;
  answers[1]?.();
  await started;

  expect(task.getState().id).toBe("8");
});

test("who has waited leaves nothing on a signal that lives on", async () => {
  server.accept();
  const { signal } = new AbortController();
  const added = vi.spyOn(signal, "addEventListener");
  const removed = vi.spyOn(signal, "removeEventListener");
  const task = createTask(server.url, { id: "7" });

  const waiting = task.wait({ signal });
  (await server.stream()).snapshot().send("completed", { result: 1 });
  await waiting;

  expect(added).toHaveBeenCalledOnce();
  expect(removed).toHaveBeenCalledWith("abort", added.mock.calls[0]?.[1]);
});
