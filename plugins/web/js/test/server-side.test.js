import { useTask } from "framework-web/react";
import { createElement as h } from "react";
import { renderToString } from "react-dom/server";
import { expect, test } from "vitest";

function Report() {
  const { status, id } = useTask("/tasks/report", { id: "7", fetch: () => expect.unreachable() });
  return h("p", null, `${status} ${id}`);
}

test("a page rendered on a server asks for nothing, and knows no address of its own", async () => {
  const html = renderToString(h(Report));

  expect(html).toBe("<p>pending 7</p>");
});
