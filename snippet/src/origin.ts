/** Where this script was loaded from, and for which workspace. */

const script = document.currentScript as HTMLScriptElement | null;
const src = (script && script.src) || location.href;
const parts = /^(.*?)\/(?:widget\/([^/?#]+)|messenger\/static\/)/.exec(src);

export const loadedFrom = { base: parts ? parts[1]! : new URL(src).origin, app: parts && parts[2] && decodeURIComponent(parts[2]) };
