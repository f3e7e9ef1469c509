/** @import { Listener, TaskState } from "./index.js" */

/** Those who listen to one task. One that throws disturbs nobody. */
export class Listeners {
  /** @type {Set<Listener<any, any>>} */
  #all = new Set();

  get size() {
    return this.#all.size;
  }

  /** @param {Listener<any, any>} listener */
  add(listener) {
    this.#all.add(listener);
  }

  /** @param {Listener<any, any>} listener */
  delete(listener) {
    this.#all.delete(listener);
  }

  /** @param {(listener: Listener<any, any>) => void} call */
  tell(call) {
    for (const listener of [...this.#all]) {
      try {
        call(listener);
      } catch (error) {
        if (globalThis.reportError) globalThis.reportError(error);
        else console.error(error);
      }
    }
  }

  /**
   * Tell of the end of a job, if this is one.
   *
   * @param {TaskState<any, any>} state
   */
  tellEnd(state) {
    const { error } = state;
    if (error) this.tell((listener) => listener.onError?.(error, state));
    else if (state.status === "completed") {
      this.tell((listener) => listener.onComplete?.(state.result, state));
    }
  }
}
