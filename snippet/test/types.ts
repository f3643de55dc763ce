// What pages are told of window.Intercom by the types that they install holds for ours.
/// <reference types="intercom-web" />
import type { Api } from "../src/index";
import type { methods } from "../src/methods";

declare const ours: Api;
declare const table: typeof methods;

export const asPagesKnowIt: Intercom_.IntercomStatic = ours;
export const everyMethod: Intercom_.IntercomCommandSignature = table;
