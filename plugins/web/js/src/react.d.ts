import type { Callbacks, Task, TaskOptions, TaskState } from "./index.js";

export type UseTask<D = unknown, R = unknown, C = unknown> = TaskState<R, C> &
  Pick<Task<D, R, C>, "start" | "attach" | "abort" | "retry" | "pause" | "resume" | "wait">;

/**
 * A task in a component: its state, and what can be done to it. It is followed while the component
 * is mounted. Another `url` is another task; another `id` attaches to that job.
 */
export function useTask<D = unknown, R = unknown, C = unknown>(
  url: string,
  options?: TaskOptions & Callbacks<R, C>,
): UseTask<D, R, C>;
