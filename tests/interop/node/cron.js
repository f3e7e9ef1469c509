// When cron expressions fall due, as the parsers of both BullMQ see it: one new parser for each run,
// as their workers make one.
//
//   node cron.js < cases
//
//   stdin   [["0 9 * * *", "Europe/Rome", 1795293005740, 5], …]   expression, zone, after, how many
//   stdout  [[[1795330800000, …], "the error"], …]                 BullMQ 6, BullMQ 5
import { createRequire } from "node:module";
import { readFileSync } from "node:fs";

const require = createRequire(import.meta.url);
const from = (bullmq) => createRequire(require.resolve(bullmq))("cron-parser");
const six = from("bullmq6").CronExpressionParser;
const five = from("bullmq5");
const parsers = [(...given) => six.parse(...given), (...given) => five.parseExpression(...given)];

function instants(parse, [expression, tz, after, count]) {
  const found = [];
  try {
    for (let last = after; found.length < count; found.push(last)) {
      last = parse(expression, { tz, currentDate: new Date(last) }).next().getTime();
    }
  } catch (error) {
    if (found.length === 0) return error.message;
  }
  return found;
}

const cases = JSON.parse(readFileSync(0, "utf8"));
process.stdout.write(JSON.stringify(cases.map((it) => parsers.map((parse) => instants(parse, it)))));
