/** The server's clock, as far as this page knows it. All in milliseconds. */

const MOVED_MS = 1000;

export const running = (): number => performance.now();
const skew = (): number => Date.now() - running();

export interface Clock {
  /** An answer said `now`; it was asked for at `asked` and came at this moment, by running(). */
  learn(now: unknown, asked: number): void;
  /** When something happened: `at` by Date.now(), `moment` by running() where it was in this page. Undefined where that is not known. */
  time(at: number, moment: number | undefined): number | undefined;
}

export function openClock(): Clock {
  let ahead = NaN; // of running()
  let then = 0;
  let woke = 0; // when it showed that running() had stood still
  return {
    learn(now, asked) {
      if (typeof now !== "number") return;
      const fresh = now - (asked + running()) / 2;
      if (Math.abs(fresh - ahead) > MOVED_MS) woke = running();
      ahead = fresh;
      then = skew();
    },
    time(at, moment) {
      // The machine slept, or its clock was set: running() may have stood still, and Date.now() says something else.
      if (isNaN(ahead) || Math.abs(skew() - then) > MOVED_MS) return undefined;
      if (moment! < woke) return undefined; // of what was before that, Date.now() knows better
      if (moment === undefined) moment = running() - (Date.now() - at);
      return Math.round(ahead + moment);
    },
  };
}
