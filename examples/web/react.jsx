import { createRoot } from "react-dom/client";
import { IntercomProvider, useIntercom } from "react-use-intercom";

const TEA = { product: "tea", price: { amount: 490, currency: "eur" } };

function Shop() {
  const { boot, shutdown, trackEvent, update } = useIntercom();

  const signIn = () => {
    update({ userId: "ann-1", name: "Ann" }); // the visitor's events become the user's
    trackEvent("signed-in");
  };
  const signOut = () => {
    trackEvent("signed-out");
    shutdown(); // whoever comes next is another visitor
    boot();
  };

  return (
    <>
      <h1>A shop with React</h1>
      <p>
        Each button is an event; see the terminal. <a href="/index.html">The same without React</a>
      </p>
      <p>
        <button onClick={() => trackEvent("looked-at-product", { product: "tea" })}>Look at the tea</button>{" "}
        <button onClick={() => trackEvent("placed-order", TEA)}>Order it</button>
      </p>
      <p>
        <button onClick={signIn}>Sign in as Ann</button> <button onClick={signOut}>Sign out</button>
      </p>
    </>
  );
}

createRoot(document.getElementById("root")).render(
  <IntercomProvider appId="trackrecord" autoBoot>
    <Shop />
  </IntercomProvider>,
);
