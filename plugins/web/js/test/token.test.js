import { createTask } from "framework-web";
import { expect, test } from "vitest";
import { hear, QUICK, server } from "./scene.js";

const TOKEN = "abort.1.mac";

test("the token of a started job watches and aborts it, and does nothing else", async () => {
  server.accept({ token: TOKEN });
  server.answer("POST /tasks/report/7/pause", 202, {});
  const task = createTask(server.url);
  hear(task);

  const started = await task.start({});
  const posted = server.headers.authorization;
  const { headers } = await server.stream();
  await task.abort();
  const aborted = server.headers.authorization;
  await task.pause();

  expect(started.token).toBe(TOKEN);
  expect([headers.authorization, aborted]).toEqual([`Bearer ${TOKEN}`, `Bearer ${TOKEN}`]);
  expect([posted, server.headers.authorization]).toEqual([undefined, undefined]);
  expect(server.asked.join()).not.toContain(TOKEN);
});

test("a page that has but an id and a token follows by them", async () => {
  const task = createTask(server.url, { id: "7", token: TOKEN, times: QUICK });
  hear(task);

  const { headers } = await server.stream();

  expect(headers.authorization).toBe(`Bearer ${TOKEN}`);
});

test("a page's own authorization goes first", async () => {
  server.accept({ token: TOKEN });
  const task = createTask(server.url, { headers: { authorization: "Bearer mine" } });
  hear(task);

  await task.start({});
  const { headers } = await server.stream();

  expect(headers.authorization).toBe("Bearer mine");
});

test("a job that was started before is attached to with its token", async () => {
  const self = "/tasks/report/7";
  const links = { self, events: `${self}/events`, abort: self };
  const task = createTask(server.url, { times: QUICK });
  hear(task);

  task.attach({ id: "7", type: "report", links, token: TOKEN });

  expect((await server.stream()).headers.authorization).toBe(`Bearer ${TOKEN}`);
});
