import { createRoot } from "react-dom/client";
import { IntercomProvider, useIntercom } from "react-use-intercom";

function Shop() {
  window.hook = useIntercom();
  return <button onClick={() => window.hook.trackEvent("ordered", { price: { amount: 4900, currency: "eur" } })}>Order</button>;
}

const { app_id, ...person } = window.settings;
const props = Object.fromEntries(Object.entries(person).map(([key, value]) => [key.replace(/_(.)/g, (_, letter) => letter.toUpperCase()), value]));

createRoot(document.getElementById("root")).render(
  <IntercomProvider appId={app_id} apiBase={window.server} autoBoot autoBootProps={props}>
    <Shop />
  </IntercomProvider>,
);
