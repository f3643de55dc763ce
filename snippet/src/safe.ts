/** What keeps the script from ever breaking the page it is on. Nothing here says anything of a person. */

export const warn = (text: string): void => console.warn("Intercom: " + text);
export const complain = (text: string): void => console.error("Intercom: " + text);

/** The same function, which never throws. */
export function safe<A extends unknown[], R>(work: (...args: A) => R): (...args: A) => R | undefined {
  return (...args) => {
    try {
      return work(...args);
    } catch (error) {
      complain("failed: " + error);
    }
  };
}

/** What comes of something that a browser may forbid; undefined where it does. */
export function attempt<R>(work: () => R): R | undefined {
  try {
    return work();
  } catch {
    return undefined;
  }
}

/** An id that no other call has. Pages without https have no crypto.randomUUID. */
export function uuid(): string {
  const hex = Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => (byte + 256).toString(16).slice(1)).join("");
  return hex.replace(/(.{8})(.{4}).(.{3}).(.{3})/, "$1-$2-4$3-a$4-");
}

/** A copy of what JSON can say of a value; the rest is left out. Throws for what is circular. */
export function plain(value: unknown): unknown {
  const text = JSON.stringify(value, (_, each) => (/number|bigint/.test(typeof each) && !Number.isFinite(each) ? undefined : each));
  return text && JSON.parse(text);
}
