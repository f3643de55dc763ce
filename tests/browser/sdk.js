import * as messenger from "@intercom/messenger-js-sdk";

window.sdk = messenger;
messenger.default({ ...window.settings, widgetUrl: window.script });
