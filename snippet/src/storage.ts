/** localStorage, which may be missing, forbidden or full at any time. */

import { attempt } from "./safe";

export const read = (key: string): string | null | undefined => attempt(() => localStorage.getItem(key));

/** Whether it was written. */
export const write = (key: string, value: string): boolean => !!attempt(() => (localStorage.setItem(key, value), true));

export const erase = (key: string): void => attempt(() => localStorage.removeItem(key));

export const keysFrom = (prefix: string): string[] => attempt(() => Object.keys(localStorage).filter((key) => key.startsWith(prefix))) || [];
