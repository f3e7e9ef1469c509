// A program that knows nothing of Redis: it adds, works and watches jobs through a gateway.
import WebSocket from "ws";

const gateway = process.env.GATEWAY ?? "ws://127.0.0.1:8080";
const headers = { Authorization: `Bearer ${process.env.TOKEN ?? "secret"}` };
const open = (path) =>
  new Promise((resolve, reject) => {
    const socket = new WebSocket(gateway + path, { headers });
    socket.on("open", () => resolve(socket)).on("error", reject);
  });

// Works jobs, two at once.
const worker = await open("/queue/parcels/process/2?name=packer");
worker.on("message", (text) => {
  const { id, data } = JSON.parse(text);
  if (data.type !== "process") return console.log(data.type, data.payload?.code);
  const say = (said) => worker.send(JSON.stringify({ id, data: said }));
  say({ ack: true });
  if (data.payload.parcel === 2)
    return say({ err: { message: "no such parcel", unrecoverable: true } });
  say({ progress: 50 });
  say({ log: `packed parcel ${data.payload.parcel}` });
  say({ result: { weight: 7 } });
});

// Watches what becomes of them; ?lastEventId=… goes on after an event.
const events = await open("/queue/parcels/events?events=progress,completed,failed");
const ended = new Promise((resolve) => {
  let left = 3;
  events.on("message", (text) => {
    const { event, args } = JSON.parse(text).data;
    console.log(event, args[0].jobId);
    if (event !== "progress" && --left === 0) resolve();
  });
});

// Adds three; answers carry the id of the request.
const queue = await open("/queue/parcels");
const waiting = new Map();
queue.on("message", (text) => {
  const { id, data } = JSON.parse(text);
  waiting.get(id)(data);
});
const call = (id, fn, ...args) =>
  new Promise((resolve) => {
    waiting.set(id, resolve);
    queue.send(JSON.stringify({ id, data: { fn, args } }));
  });
for (const parcel of [1, 2, 3]) {
  const { ok, err } = await call(parcel, "add", "pack", { parcel }, { attempts: 3 });
  console.log("added", ok?.id ?? err.message);
}

await ended;
for (const socket of [worker, events, queue]) socket.close(1000);
