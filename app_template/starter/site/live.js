// Starts a picture and shows it live, or follows the one of this page.
import { createTask } from "/framework-web/index.js";

const WORDS = {
  idle: "Nothing painted yet",
  pending: "Beginning",
  waiting: "Waiting for a painter",
  active: "Painting",
  paused: "Held",
  retrying: "Trying again soon",
  completed: "Painted",
  failed: "Failed",
  error: "That did not work",
};
const UNDER_WAY = ["pending", "waiting", "active", "paused", "retrying"];

const find = (name) => document.getElementById(name);
const [form, picture, abort, retry] = ["form", "picture", "abort", "retry"].map(find);
const item = location.pathname.match(/^\/items\/(.+)/)?.[1];
const task = createTask("/tasks/picture", { id: item ?? (location.hash.slice(1) || undefined) });
let shown = null;

function show({ id, status, progress, percentage, result, error, lastError, chunks }) {
  if (id && !item) history.replaceState(null, "", `#${id}`);
  const wasAborted = error?.kind === "cancelled";
  find("status").textContent = wasAborted ? "Aborted" : WORDS[status];
  find("step").textContent = UNDER_WAY.includes(status) ? stepIn(progress) : "";
  find("problem").textContent = wasAborted ? "" : (error?.message ?? lastError ?? "");
  find("bar").value = status === "completed" ? 100 : (percentage ?? 0);
  find("bar").hidden = status === "idle";
  const painted = result ?? svgOf(chunks);
  picture.hidden = painted === null;
  if (painted && painted !== shown) {
    picture.src = `data:image/svg+xml,${encodeURIComponent(painted)}`;
    shown = painted;
  }
  const focused = document.activeElement;
  abort.hidden = id === null || !UNDER_WAY.includes(status);
  retry.hidden = status !== "failed";
  if (focused?.hidden) (retry.hidden ? find("status") : retry).focus();
}

function stepIn(progress) {
  return progress ? `${progress.message}, ${progress.current} of ${progress.total}` : "";
}

// What the job has streamed so far are the layers of an SVG.
function svgOf(layers) {
  if (layers.length === 0) return null;
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 640 400">${layers.join("")}</svg>`;
}

form.onsubmit = (event) => {
  if (item || event.submitter?.name === "own") return; // the server answers with a page
  event.preventDefault();
  find("live").scrollIntoView({ block: "nearest" });
  const { title, fails } = form.elements;
  task.start({ title: title.value, fails: Number(fails.value) }).catch(() => {}); // it is shown
};
const complain = (error) => (find("problem").textContent = error.message);
abort.onclick = () => task.abort().catch(complain);
retry.onclick = () => task.retry().catch(complain);
task.subscribe(show);
show(task.getState());
find("live").hidden = false;
