// The dashboard that BullMQ's users look at, on queues of one prefix.
//
//   node board.js REDIS_URL PREFIX QUEUE...
//
//   stdout  the port it listens on, once it does
//
// It ends when stdin closes.
import { createBullBoard } from "@bull-board/api";
import { BullMQAdapter } from "@bull-board/api/bullMQAdapter";
import { ExpressAdapter } from "@bull-board/express";
import { Queue } from "bullmq";
import express from "express";

import { connectionOptions } from "../../interop/node/connect.js";

const [, , address, prefix, ...names] = process.argv;
const connection = connectionOptions(address);
const queues = names.map((name) => new Queue(name, { connection, prefix }));
const serverAdapter = new ExpressAdapter();

createBullBoard({ queues: queues.map((queue) => new BullMQAdapter(queue)), serverAdapter });

const app = express().use("/", serverAdapter.getRouter());
const server = app.listen(0, "127.0.0.1", () => console.log(server.address().port));
process.stdin.resume().on("close", () => process.exit(0));
