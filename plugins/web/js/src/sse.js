/**
 * @typedef {{ event: string, data: string, id: string | null, retry: number | null }} ServerEvent
 */

/**
 * Read a stream of server-sent events. One that is cut off half-way is left out, as it comes again.
 *
 * @param {AsyncIterable<Uint8Array>} bytes
 * @returns {AsyncGenerator<ServerEvent>}
 */
export async function* eventsIn(bytes) {
  let fields = new Map();
  for await (const line of linesOf(bytes)) {
    if (line === "") {
      if (fields.size > 0) yield eventOf(fields);
      fields = new Map();
      continue;
    }
    const [, name = "", value = ""] = /^([^:]*)(?:: ?(.*))?$/s.exec(line) ?? [];
    const before = name === "data" ? fields.get(name) : undefined;
    if (name !== "") fields.set(name, before === undefined ? value : `${before}\n${value}`);
  }
}

/**
 * @param {Map<string, string>} fields
 * @returns {ServerEvent}
 */
function eventOf(fields) {
  const retry = fields.get("retry") ?? "";
  return {
    event: fields.get("event") || "message",
    data: fields.get("data") ?? "",
    id: fields.get("id") ?? null,
    retry: /^\d+$/.test(retry) ? Number(retry) : null,
  };
}

/** @param {AsyncIterable<Uint8Array>} bytes */
async function* linesOf(bytes) {
  const decoder = new TextDecoder(); // which drops a byte order mark
  let rest = "";
  for await (const chunk of bytes) {
    rest += decoder.decode(chunk, { stream: true });
    // A carriage return at the end may be half of a line's end.
    const lines = rest.split(/\r\n|\n|\r(?!$)/);
    rest = lines.pop() ?? "";
    yield* lines;
  }
}
