/** How far a job is, as `ctx.progress` told it. */
export type Progress = number | TaskProgress;

export interface TaskProgress {
  readonly percentage: number | null;
  readonly current: number | null;
  readonly total: number | null;
  readonly message: string | null;
}

/**
 * - `idle`: nothing was started
 * - `pending`: asked for, nothing known yet
 * - `waiting`, `active`, `paused`, `completed`, `failed`: what the job is
 * - `retrying`: an attempt failed, another follows
 * - `error`: it could not be started or watched; `error` says why
 */
export type TaskStatus =
  | "idle"
  | "pending"
  | "waiting"
  | "active"
  | "paused"
  | "retrying"
  | "completed"
  | "failed"
  | "error";

/** What is known of a task. Never changed in place: each change makes a new one. */
export interface TaskState<R = unknown, C = unknown> {
  readonly status: TaskStatus;
  readonly id: string | null;
  readonly progress: Progress | null;
  /** Of `progress`, whichever form it has. */
  readonly percentage: number | null;
  readonly result: R | null;
  readonly error: TaskError | null;
  /** While it is `retrying`: why its last attempt failed. */
  readonly lastError: string | null;
  /** What the job streamed so far, in order. */
  readonly chunks: readonly C[];
  readonly attemptsMade: number;
  /** When a delayed job, or the next attempt, is due. */
  readonly dueAt: Date | null;
  /** `polling`: the stream is blocked or broken, so the state is asked for now and then. */
  readonly connection: "closed" | "connecting" | "live" | "polling";
}

/**
 * - `failed`: the job failed, after its last attempt
 * - `cancelled`: somebody aborted it
 * - `refused`: the server answered with an error that another try does not mend
 * - `unreachable`: no answer, or a server that is not well
 * - `timeout`: `wait` waited long enough; the job goes on
 */
export type TaskErrorKind = "failed" | "cancelled" | "refused" | "unreachable" | "timeout";

/** A problem document (RFC 9457) as the server sent it. */
export interface Problem {
  readonly type?: string;
  readonly title?: string;
  readonly status?: number;
  readonly detail?: string;
  readonly [extension: string]: unknown;
}

export class TaskError extends Error {
  constructor(
    kind: TaskErrorKind,
    message: string,
    more?: { status?: number; problem?: Problem; retryAfter?: number; cause?: unknown },
  );
  readonly kind: TaskErrorKind;
  /** The HTTP status, where there was an answer. */
  readonly status: number | null;
  readonly problem: Problem | null;
  /** Milliseconds that the server asked us to leave it alone. */
  readonly retryAfter: number | null;
}

/** What `start` was answered with: keep it, and `attach` to it later. */
export interface Started {
  readonly id: string;
  readonly type: string;
  readonly links: { readonly self: string; readonly events: string; readonly abort: string };
  /** Lets whoever has it watch this job and abort it, until `token_expires_at`. */
  readonly token?: string;
  readonly token_expires_at?: string;
}

export interface Aborted {
  readonly id: string;
  /** `done`: it has failed; `asked`: its worker was told; `later`: once it may be. */
  readonly effect: "done" | "asked" | "later";
}

export interface Callbacks<R = unknown, C = unknown> {
  /** The job completed while you listened. */
  onComplete?: (result: R, state: TaskState<R, C>) => void;
  /** The job failed for good, or cannot be started or watched, while you listened. */
  onError?: (error: TaskError, state: TaskState<R, C>) => void;
  /** A row that the job logged, while somebody listens. */
  onLog?: (row: string) => void;
  onChunk?: (chunk: C, index: number) => void;
}

export interface Listener<R = unknown, C = unknown> extends Callbacks<R, C> {
  onUpdate?: (state: TaskState<R, C>) => void;
}

export interface StartOptions {
  /** The job's id: starting twice with the same key starts once. */
  idempotencyKey?: string;
  signal?: AbortSignal;
}

/** Milliseconds. */
export interface Times {
  /** Silence of the stream after which the state is polled beside it. 5,000. */
  patience?: number;
  /** Between two polls. 2,000. */
  poll?: number;
  /** Silence after which a stream counts as dead: the server's heart beats each 15,000. 45,000. */
  silence?: number;
  /** Before the first reconnection, unless the stream says. Doubles up to `longest`. 1,000. */
  retry?: number;
  /** Between two reconnections, at most. 30,000. */
  longest?: number;
}

export interface TaskOptions {
  /** A job that was started before, to attach to. */
  id?: string;
  /**
   * A watch token of the job that is attached to by its id. Sent where `headers` name no
   * authorization; that of a job started here is sent by itself.
   */
  token?: string;
  /** Sent with each request: an API key, a CSRF token. */
  headers?: Record<string, string> | (() => Record<string, string>);
  /** As `fetch` has it; `same-origin`. */
  credentials?: RequestCredentials;
  fetch?: typeof fetch;
  times?: Times;
}

export interface Task<D = unknown, R = unknown, C = unknown> {
  /**
   * Start a job, and follow it while somebody listens. Rejects with what `state.error` says too,
   * so a caller need not look.
   */
  start(data: D, options?: StartOptions): Promise<Started>;
  /** Follow a job that was started before: by its id, its URL, or what `start` gave. */
  attach(job: string | URL | Started): void;
  /** Cancel the job, wherever it runs. It then fails with an error of the kind `cancelled`. */
  abort(): Promise<Aborted>;
  /** Put a failed job back in line, and follow it again. */
  retry(): Promise<void>;
  pause(): Promise<void>;
  resume(): Promise<void>;
  /** Resolve to the result; at once if the job is final. After `timeout` ms the job goes on. */
  wait(options?: { timeout?: number; signal?: AbortSignal }): Promise<R>;
  /**
   * Hear of each change from now on. The connection lives as long as somebody listens and the job
   * is not final. Returns a function that stops it.
   */
  subscribe(listener: ((state: TaskState<R, C>) => void) | Listener<R, C>): () => void;
  getState(): TaskState<R, C>;
}

/**
 * A task of the type that `url` names, such as `/tasks/report`. Asks for nothing before something
 * is started or somebody listens: safe where a page is rendered on a server.
 */
export function createTask<D = unknown, R = unknown, C = unknown>(
  url: string | URL,
  options?: TaskOptions,
): Task<D, R, C>;
