/** Following the sandbox: waits for changes, notices when it is gone, and when it is back or was reset. */

import * as api from "./api.js";

const FIRST_PAUSE_MS = 400;
const LONGEST_PAUSE_MS = 3000;

/**
 * Never returns. `start()` loads everything and answers the number to go on from; it is called again after every
 * interruption and reset, so nothing that happened meanwhile is missed. `changed(changes)` gets news, oldest first.
 */
export async function follow({ start, changed, lost, back }) {
  let pause = FIRST_PAUSE_MS;
  for (;;) {
    try {
      let after = await start();
      pause = FIRST_PAUSE_MS;
      back();
      for (;;) {
        const { latest, changes } = await api.changes(after);
        if (latest < after || changes.some(({ kind }) => kind === "reset")) break;
        after = latest;
        if (changes.length) await changed(changes);
      }
    } catch (error) {
      if (!(error instanceof api.Unreachable || error instanceof api.Problem)) console.error(error);
      lost(error);
      await new Promise((done) => setTimeout(done, pause));
      pause = Math.min(pause * 2, LONGEST_PAUSE_MS);
    }
  }
}
