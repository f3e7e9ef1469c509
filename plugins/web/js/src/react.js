import {
  useCallback,
  useEffect,
  useInsertionEffect,
  useRef,
  useState,
  useSyncExternalStore,
} from "react";
import { createTask } from "./task.js";

/** @type {typeof import("./react.js").useTask} */
export function useTask(url, options = {}) {
  const latest = useRef(options);
  const [held, hold] = useState(() => ({ url, task: make(url, options, latest) }));
  const { task } = held;
  if (held.url !== url) hold({ url, task: make(url, options, latest) });

  useInsertionEffect(() => {
    latest.current = options;
  });
  useEffect(() => {
    const { id } = options;
    if (id !== undefined && id !== task.getState().id) task.attach(id);
  }, [task, options.id]);

  const subscribe = useCallback(
    /** @param {() => void} onUpdate */
    (onUpdate) =>
      task.subscribe({
        onUpdate,
        onComplete: (...of) => latest.current.onComplete?.(...of),
        onError: (...of) => latest.current.onError?.(...of),
        onLog: (row) => latest.current.onLog?.(row),
        onChunk: (chunk, index) => latest.current.onChunk?.(chunk, index),
      }),
    [task],
  );
  const state = useSyncExternalStore(subscribe, task.getState, task.getState);
  const { start, attach, abort, retry, pause, resume, wait } = task;
  return { ...state, start, attach, abort, retry, pause, resume, wait };
}

/**
 * @param {string} url
 * @param {import("./index.js").TaskOptions} options
 * @param {{ current: import("./index.js").TaskOptions }} latest
 * @returns {import("./index.js").Task<any, any, any>}
 */
function make(url, options, latest) {
  return createTask(url, {
    ...options,
    get token() {
      return latest.current.token;
    },
    headers() {
      const { headers = {} } = latest.current;
      return typeof headers === "function" ? headers() : headers;
    },
  });
}
