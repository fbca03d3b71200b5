/** Following the sandbox: waits for changes, notices when it is gone, and when it is back or was reset. */

import * as api from "./api.js";

const FIRST_PAUSE_MS = 400;
const LONGEST_PAUSE_MS = 3000;
const WAIT_S = 25;

/**
 * Never returns. `start()` loads everything and answers the number to go on from; `changed(changes)` gets news, oldest
 * first, and the same again when it throws. After an interruption the feed goes on where it stopped, so what people
 * were writing stays; only a sandbox that was reset, or says no, makes everything load again. One that fails (5xx, as
 * one does that is just being stopped) is gone, it has not said no.
 */
export async function follow({ start, changed, lost, back }) {
  let after = null;
  let connected = false;
  let pause = FIRST_PAUSE_MS;
  for (;;) {
    try {
      after ??= await start();
      const { latest, changes } = await api.changes(after, connected ? WAIT_S : 0);
      if (!connected) back();
      connected = true;
      pause = FIRST_PAUSE_MS;
      const reset = latest < after || changes.some(({ kind }) => kind === "reset");
      if (!reset && changes.length) await changed(changes);
      after = reset ? null : latest;
    } catch (error) {
      const gone = error instanceof api.Unreachable || error.status >= 500;
      if (!gone) after = null;
      if (!(gone || error instanceof api.Problem)) console.error(error);
      connected = false;
      lost();
      await new Promise((done) => setTimeout(done, pause));
      pause = Math.min(pause * 2, LONGEST_PAUSE_MS);
    }
  }
}
