/** Whether anything may be kept or sent at all. Ours; the original has nothing of it. */

import type { Settings } from "./settings";

let said: boolean | undefined;

export const consent = (given: boolean): void => void (said = given);

/** true: go on; false: nothing ever; undefined: wait for the page's word. */
export function allowed(settings: Settings): boolean | undefined {
  if (said === false || (settings.respect_dnt && tracksNot())) return false;
  return settings.hold_until_consent && !said ? undefined : true;
}

function tracksNot(): boolean {
  return navigator.doNotTrack === "1" || (navigator as { globalPrivacyControl?: boolean }).globalPrivacyControl === true;
}
