export { TaskError } from "./error.js";
export { createTask } from "./task.js";
