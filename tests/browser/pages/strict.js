window.broken = [];
document.addEventListener("securitypolicyviolation", (event) => window.broken.push(`${event.violatedDirective} ${event.blockedURI}`));
document.addEventListener("DOMContentLoaded", () => {
  document.querySelector("button").addEventListener("click", () => Intercom("trackEvent", "clicked"));
  Intercom("boot", { app_id: "trackrecord", user_id: "under-a-policy" });
});
