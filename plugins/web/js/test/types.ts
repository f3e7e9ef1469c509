/** What a page writes in TypeScript, and what must not pass; `tsc` reads it, nothing runs it. */
import { createTask, TaskError, type Started } from "framework-web";
import { useTask } from "framework-web/react";

interface Rows {
  rows: number;
}

const task = createTask<Rows, string, { page: number }>("/tasks/report", { id: "7" });
const started: Promise<Started> = task.start({ rows: 3 }, { idempotencyKey: "k" });
const result: Promise<string> = task.wait({ timeout: 1000 });
const leave: () => void = task.subscribe({
  onUpdate: ({ progress }) => typeof progress === "number" || progress?.message?.trim(),
  onComplete: (text) => text.trim(),
  onError: (error) => error instanceof TaskError && error.kind === "failed",
  onChunk: ({ page }, index) => page + index,
});
// @ts-expect-error the data has another type
void task.start({ rows: "3" });
// @ts-expect-error a state is not changed in place
task.getState().status = "completed";

export function Report() {
  const { status, result, error, start, abort } = useTask<Rows, string>("/tasks/report", {
    onComplete: (text) => text.trim(),
  });
  // @ts-expect-error no such status
  if (status === "done") void abort();
  return () => [start({ rows: 1 }), result?.trim(), error?.problem?.detail, started, leave];
}
export { result };
